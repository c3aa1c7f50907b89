"""Ray Data: map_batches with a model that each worker opens once.

python ray_data.py MODEL [ROWS.parquet]
"""

import pathlib
import sys
import tempfile

import pyarrow as pa
from foretell.inference import get_optimized_predictor
from recipe import customers, train


class Predictions:
    """A worker of Ray: it opens the model when it starts, and gives the same table with a column more."""

    def __init__(self, model_path):
        self.model_path = model_path
        get_optimized_predictor().warmup(model_path)

    def __call__(self, table: pa.Table) -> pa.Table:
        """A batch as an Arrow table, read where it lies."""
        result = get_optimized_predictor().predict(self.model_path, table)
        return table.append_column("prediction", pa.array(result["predictions"]))


def predict(dataset, model_path, workers=1):
    """The dataset with predictions; nothing runs until somebody asks for it."""
    return dataset.map_batches(
        Predictions,
        fn_constructor_args=(str(model_path),),
        batch_format="pyarrow",
        batch_size=5000,
        concurrency=workers,
    )


def main():
    """A table of customers through a local Ray."""
    import ray

    folder = pathlib.Path(tempfile.mkdtemp())
    model_path = sys.argv[1] if len(sys.argv) > 1 else train(folder / "churn.joblib")
    rows = sys.argv[2] if len(sys.argv) > 2 else folder / "rows.parquet"
    if len(sys.argv) < 3:
        customers(20_000).to_parquet(rows)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    table = predict(ray.data.read_parquet(str(rows)), model_path).to_pandas()
    print(len(table), "rows", table["prediction"].value_counts().to_dict())
    ray.shutdown()


if __name__ == "__main__":
    main()
