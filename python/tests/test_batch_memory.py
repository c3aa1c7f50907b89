"""Memory does not grow with the files: with an output file, and without one."""

import subprocess
import sys

import pytest
from conftest import named_frame

SCRIPT = """
import resource, sys
from foretell.inference import OptimizedPredictor
model, data, output = sys.argv[1:4]
times = int(sys.argv[4])
predictor = OptimizedPredictor()
result = predictor.predict_batch(model, [data] * times, output or None, chunk_size=5000, memory_cap=4 << 20,
                                 return_probabilities=True, threads=2)
rows = sum(batch.num_rows for batch in __import__("foretell._core")._core.Batches(result))
assert rows == len(result) == times * 100_000, rows
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    frame = named_frame(20_000, seed=1)
    with open(path, "w") as file:
        for i in range(5):
            frame.to_csv(file, index=False, header=i == 0)
    return path  # 100 000 rows, about 2 MB


@pytest.mark.parametrize("output", ["", "out.csv", "out.parquet"])
def test_memory_stays_the_same(output, lr_path, data, tmp_path):
    target = str(tmp_path / output) if output else ""

    def peak(times):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(lr_path), str(data), target, str(times)],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return int(done.stdout) * 1024

    small, large = peak(3), peak(24)  # 6 MB and 48 MB of CSV, 300 thousand and 2.4 million rows
    assert large < small + (8 << 20), f"{small >> 20} MiB, then {large >> 20} MiB"


def test_results_and_batches_leave_nothing_in_memory(lr_path, tmp_path):
    script = f"""
import gc, os, pyarrow
from foretell import _core
from foretell.inference import OptimizedPredictor
predictor = OptimizedPredictor()
def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def work():
    for output in (None, {str(tmp_path / "out.csv")!r}):
        result = predictor.predict_batch({str(lr_path)!r}, {str(tmp_path / "rows.csv")!r}, output,
                                         return_probabilities=True, keep="age")
        for batch in _core.Batches(result):
            columns = [batch.column(name) for name in batch.names]
            table = pyarrow.record_batch(batch)
            again = batch.__arrow_c_array__()
        result["predictions"], result["probabilities"], result.head(3)
        stopped = iter(_core.Batches(result))
        next(stopped)
        try:
            predictor.predict_batch({str(lr_path)!r}, {str(tmp_path / "rows.csv")!r}, keep="nothing")
        except ValueError:
            pass
for _ in range(20):
    work()
before = resident()
for _ in range(60):
    work()
print(resident() - before)
"""
    named_frame(3000).to_csv(tmp_path / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=120
    )
    assert int(done.stdout) < 4 << 20  # a batch that stays would be 6 MB and more
