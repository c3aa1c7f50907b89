"""4. Files: CSV, JSON lines and Parquet in, a file or a table out, in constant memory whatever their size.

python 04_file_batch.py [MODEL]
"""

from demo_model import model_and_folder, rows_for
from foretell.inference import get_optimized_predictor

model_path, folder = model_and_folder()
rows = rows_for(model_path, 10_000)
rows.to_csv(folder / "rows.csv", index=False)
rows.to_json(folder / "rows.jsonl", orient="records", lines=True)
rows.to_parquet(folder / "rows.parquet", index=False)

predictor = get_optimized_predictor()

# a file in, a file out; the output appears when it is complete
for name in ("rows.csv", "rows.jsonl", "rows.parquet"):
    result = predictor.predict_batch(
        model_path=model_path,
        data_path=folder / name,
        output_path=folder / f"predictions-of-{name}",
        batch_size=5000,
        return_probabilities=True,
        progress=False,
    )
    metrics = result.metrics
    print(
        f"{name:<13} {metrics['rows']} rows in {metrics['n_batches']} batches, "
        f"{metrics['rows_per_second']:,.0f} rows/s -> predictions-of-{name}"
    )

# a file in, a table out: rows are read when they are asked for
result = predictor.predict_batch(
    model_path=model_path,
    data_path=folder / "rows.parquet",
    chunk_size=5000,
    return_probabilities=True,
    progress=False,
)
print("\nrows:", len(result))
print(result.head())

# batch by batch, so that nothing needs to fit into memory
print("\nbatches:", [batch.num_rows for batch in result])
