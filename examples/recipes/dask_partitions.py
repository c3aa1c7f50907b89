"""Dask: map_partitions with a model that each worker process opens once.

python dask_partitions.py MODEL [ROWS.parquet]
"""

import pathlib
import sys
import tempfile

from foretell.inference import get_optimized_predictor
from recipe import customers, train


def predict_partition(part, model_path):
    """A pandas frame with the predictions beside its columns; the cache keeps the model from part to part."""
    result = get_optimized_predictor().predict(model_path, part)
    return part.assign(prediction=result["predictions"])


def predict(frame, model_path):
    """The Dask frame with predictions; nothing runs until compute()."""
    meta = frame._meta.assign(prediction="")
    return frame.map_partitions(predict_partition, str(model_path), meta=meta)


def main():
    """A table of customers in parts."""
    import dask.dataframe as dd

    folder = pathlib.Path(tempfile.mkdtemp())
    model_path = sys.argv[1] if len(sys.argv) > 1 else train(folder / "churn.joblib")
    frame = (
        dd.read_parquet(sys.argv[2])
        if len(sys.argv) > 2
        else dd.from_pandas(customers(20_000), npartitions=4)
    )
    table = predict(frame, model_path).compute(scheduler="threads")
    print(len(table), "rows", table["prediction"].value_counts().to_dict())


if __name__ == "__main__":
    main()
