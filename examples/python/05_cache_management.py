"""5. The cache: its size, who leaves, statistics, files that change, clearing.

python 05_cache_management.py
"""

import os
import time

from demo_model import customers, model_and_folder, train
from foretell.inference import OptimizedPredictor

_, folder = model_and_folder()
paths = [train(folder / f"model-{number}.joblib", trees=10 + number) for number in range(3)]
rows = customers(3)

predictor = OptimizedPredictor(cache_size=2)


def show(what):
    """One line of statistics."""
    stats = predictor.get_cache_stats()
    models = ", ".join(os.path.basename(model["model_path"]) for model in stats["models"])
    print(
        f"{what:<34} open: {models or 'none':<40} hits {stats['hits']}, misses {stats['misses']}, "
        f"evictions {stats['evictions']}, invalidations {stats['invalidations']}"
    )


for path in (paths[0], paths[1], paths[0]):
    predictor.predict(model_path=path, X=rows)
show("two models, one of them twice")

predictor.predict(model_path=paths[2], X=rows)
show("a third: the least used one leaves")

predictor.predict(model_path=paths[1], X=rows, use_cache=False)
show("use_cache=False evicts nobody")

train(paths[0], trees=5)  # a new version in the place of the old one
time.sleep(1.1)  # changes are looked for once a second
predictor.predict(model_path=paths[0], X=rows)
show("a file that changed is opened again")

stats = predictor.get_cache_stats()
print(
    f"hit rate {stats['hit_rate']:.0%}, utilization {stats['utilization']:.0%}, {stats['bytes']:,} bytes, "
    f"p95 {1e3 * stats['latency']['p95']:.2f} ms"
)
print("cleared:", predictor.clear_cache())
show("after clear_cache()")
