"""1. A model is opened once and stays open: the second prediction costs no load.

python 01_cached_prediction.py [MODEL]
"""

import time

from demo_model import model_and_folder, rows_for
from foretell.inference import get_optimized_predictor

model_path, _ = model_and_folder()
rows = rows_for(model_path, 5)
predictor = get_optimized_predictor()

for attempt in ("first", "second"):
    began = time.perf_counter()
    result = predictor.predict(model_path=model_path, X=rows, return_probabilities=True)
    milliseconds = 1e3 * (time.perf_counter() - began)
    print(f"{attempt} call: {milliseconds:8.3f} ms, cache hit: {result['cache_hit']}")

print("predictions:  ", result["predictions"].tolist())
print("probabilities:", result["probabilities"].round(3).tolist())
print(
    f"predicting took {1e6 * result['inference_time_seconds']:.0f} us, "
    f"{result['throughput_samples_per_sec']:,.0f} rows a second"
)

stats = predictor.get_cache_stats()
print(f"cache: {stats['hits']} hits, {stats['misses']} misses, hit rate {stats['hit_rate']:.0%}")
