"""The classes of the registry as the installed libraries have them, and small models of them."""

import importlib
import warnings

import differential as diff
import ftl
import numpy as np

# Classes that exist only once these are imported, whichever test did it.
EXPERIMENTAL = {"sklearn.model_selection": ["enable_halving_search_cv"], "sklearn.impute": ["enable_iterative_imputer"]}
# Modules that name fewer classes than the registry does for them.
TEXT = {"sklearn.feature_extraction": "sklearn.feature_extraction.text"}

CATBOOST = {"iterations": 4, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}


def known():
    """The classes of `foretell classes` that the installed libraries have, by name; of two that share it scikit-learn's has
    it, and the other one its module's before it."""
    found = {}
    names = [line.split()[-1] for line in ftl.run("classes").stdout.splitlines()]
    for qualified in sorted(names, key=lambda qualified: not qualified.startswith("sklearn.")):
        module, _, name = qualified.rpartition(".")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for experimental in EXPERIMENTAL.get(module, []):
                    importlib.import_module(f"sklearn.experimental.{experimental}")
                cls = getattr(importlib.import_module(TEXT.get(module, module)), name, None)
        except ImportError:
            cls = None
        if cls is not None:
            found[qualified if name in found else name] = cls
    return found


def inner(model):
    """The model and all that it is made of."""
    yield model
    for value in list(getattr(model, "__dict__", {}).values()):
        for part in value if isinstance(value, (list, tuple)) else [value]:
            part = part[1] if isinstance(part, tuple) and len(part) > 1 else part
            if hasattr(part, "get_params") and not isinstance(part, type):
                yield from inner(part)


def described(model, x, method, describe=diff.description):
    """What golden.compare wants to know, of a model with float32 somewhere inside: XGBoost's results are float32, and
    so is what is weighed or asked for in it."""
    case = describe(model, x, method)
    single = any(type(part).__module__.startswith("xgboost") or getattr(part, "dtype", None) == np.float32
                 for part in inner(model))
    return dict(case, single=case["single"] or single,
                classes=diff.cases.meta_facts.classes(diff.cases.final_step(model)[0]) or case.get("classes"))
