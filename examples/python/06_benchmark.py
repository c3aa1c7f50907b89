"""6. How fast is it here? Cached loads, one row, batches; beside joblib and the library itself.

python 06_benchmark.py [MODEL]          bench/mission draws the whole table
"""

import statistics
import time

import joblib
from demo_model import model_and_folder, rows_for
from foretell.inference import OptimizedPredictor

model_path, _ = model_and_folder()
predictor = OptimizedPredictor()
original = joblib.load(model_path)


def median_milliseconds(call, repeats):
    """The median of so many calls, after one that does not count."""
    call()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return 1e3 * statistics.median(seconds)


def line(name, ours, theirs):
    """A line of the table: ours, the usual way, how many times faster."""
    print(f"{name:<28}{ours:12.3f} ms{theirs:12.3f} ms{theirs / ours:9.1f} x")


print(f"{'':<28}{'foretell':>15}{'joblib':>15}")
one = rows_for(model_path, 1)
line(
    "load and predict one row",
    median_milliseconds(lambda: predictor.predict(model_path=model_path, X=one), 50),
    median_milliseconds(lambda: joblib.load(model_path).predict(one), 5),
)
for n, repeats in ((1, 50), (1_000, 10), (10_000, 5)):
    rows = rows_for(model_path, n)
    line(
        f"predict {n:,} row{'s' * (n > 1)}",
        median_milliseconds(lambda: predictor.predict(model_path=model_path, X=rows), repeats),
        median_milliseconds(lambda: original.predict(rows), repeats),
    )

latency = predictor.get_cache_stats()["latency"]
print(
    "latency of foretell's calls: "
    + ", ".join(f"{name} {1e3 * latency[name]:.3f} ms" for name in ("p50", "p95", "p99"))
)
