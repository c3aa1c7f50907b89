"""How much the randomised tests do: FTL_TEST_PROFILE=fast (every change) or long (make test-all).

Fast runs draw the same examples each time, so that a failure is the change's own; long runs draw new ones and print
what is needed to repeat a failure.
"""

import os
import pathlib
import pickle

import hypothesis
import pytest

PROFILE = os.environ.get("FTL_TEST_PROFILE", "fast")
COMMON = {"deadline": None, "database": None, "print_blob": True,
          "suppress_health_check": [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large,
                                    hypothesis.HealthCheck.function_scoped_fixture]}

hypothesis.settings.register_profile("fast", max_examples=12, derandomize=True, **COMMON)
hypothesis.settings.register_profile("long", max_examples=400, **COMMON)
hypothesis.settings.load_profile(PROFILE)

# numpy's and scikit-learn's own thread pools fight with the tests running side by side
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def has_avx2():
    try:
        return " avx2 " in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


# The reference is what the libraries say on a processor with AVX2: with AVX-512, OpenBLAS rounds some products
# otherwise, and the distance from a row to a point that it equals is 0 on one processor and 1e-8 on another.
if has_avx2():
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"


def pytest_collection_modifyitems(config, items):
    if PROFILE != "long":
        kept = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "long" in item.keywords])
        items[:] = kept


@pytest.fixture(scope="session")
def profile():
    """fast or long."""
    return PROFILE


@pytest.fixture
def save(tmp_path):
    """A function: the path of a file that holds the object; a table as CSV, anything else pickled."""
    def go(thing, name="model.pkl"):
        path = tmp_path / name
        if hasattr(thing, "to_csv"):
            thing.to_csv(path, index=False)
        else:
            path.write_bytes(pickle.dumps(thing))
        return path
    return go
