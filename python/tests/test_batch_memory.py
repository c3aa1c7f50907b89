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

    small, large = peak(4), peak(40)  # 8 MB and 80 MB of CSV, 400 thousand and 4 million rows
    assert large < small + (8 << 20), f"{small >> 20} MiB, then {large >> 20} MiB"
