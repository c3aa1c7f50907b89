"""2. A file in batches of several sizes, beside the usual loop of joblib and pandas.

python 02_batch_comparison.py [MODEL]
"""

import time

import joblib
import pandas as pd
from demo_model import model_and_folder, rows_for
from foretell.inference import get_optimized_predictor

ROWS = 20_000

model_path, folder = model_and_folder()
data_path = folder / "rows.csv"
rows_for(model_path, ROWS).to_csv(data_path, index=False)


def plain_loop(output_path, chunk_size):
    """The usual design: the model is loaded, and pandas reads, predicts and writes chunks."""
    model = joblib.load(model_path)
    for number, chunk in enumerate(pd.read_csv(data_path, chunksize=chunk_size)):
        predictions = pd.DataFrame({"prediction": model.predict(chunk)})
        predictions.to_csv(output_path, mode="a" if number else "w", header=number == 0, index=False)


def report(name, seconds, base=None):
    """A line of the table."""
    faster = "" if base is None else f"{base / seconds:8.1f} x"
    print(f"{name:<34}{1e3 * seconds:10.0f} ms {ROWS / seconds:14,.0f} rows/s {faster}")


began = time.perf_counter()
plain_loop(folder / "plain.csv", 1000)
base = time.perf_counter() - began
report("joblib and pandas, chunks of 1000", base)

predictor = get_optimized_predictor()
predictor.warmup(model_path)
for batch_size in (1000, 5000, 10000, "auto"):
    output_path = folder / f"batch-{batch_size}.csv"
    began = time.perf_counter()
    predictor.predict_batch(
        model_path=model_path,
        data_path=data_path,
        output_path=output_path,
        batch_size=batch_size,
        progress=False,
    )
    report(f"foretell, batch_size={batch_size}", time.perf_counter() - began, base)
    same = pd.read_csv(output_path)["prediction"].equals(pd.read_csv(folder / "plain.csv")["prediction"])
    if not same:
        raise SystemExit("the predictions differ")
print("all predictions are the same")
