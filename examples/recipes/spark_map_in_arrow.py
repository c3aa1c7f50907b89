"""Spark: mapInArrow, record batch by record batch, without pandas in between.

    python spark_map_in_arrow.py MODEL [ROWS.parquet]

The model's file travels to the workers with SparkContext.addFile; each Python worker opens it once.
"""

import os
import pathlib
import sys
import tempfile

import pyarrow as pa
from recipe import customers, train

NAMES = ("prediction", "probability")


def mapper(model_name):
    """A function for DataFrame.mapInArrow: record batches in, record batches with the predictions out."""

    def predict(batches):
        from foretell.inference import get_optimized_predictor
        from pyspark import SparkFiles

        predictor, path = get_optimized_predictor(), SparkFiles.get(model_name)
        for batch in batches:
            result = predictor.predict(path, batch, return_probabilities=True)
            columns = [pa.array(result["predictions"]), pa.array(result["probabilities"].max(axis=1))]
            yield pa.RecordBatch.from_arrays([*batch.columns, *columns], names=[*batch.schema.names, *NAMES])

    return predict


def predict(spark, frame, model_path):
    """The frame with the predicted class and how sure the model is."""
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    spark.sparkContext.addFile(str(model_path))
    schema = StructType(
        [*frame.schema.fields, StructField(NAMES[0], StringType()), StructField(NAMES[1], DoubleType())]
    )
    return frame.mapInArrow(mapper(os.path.basename(model_path)), schema)


def main():
    """A table of customers through a local Spark."""
    from pyspark.sql import SparkSession

    os.environ.setdefault(
        "PYSPARK_PYTHON", sys.executable
    )  # the workers' Python has foretell and pyarrow, too
    folder = pathlib.Path(tempfile.mkdtemp())
    model_path = sys.argv[1] if len(sys.argv) > 1 else train(folder / "churn.joblib")
    rows = sys.argv[2] if len(sys.argv) > 2 else folder / "rows.parquet"
    if len(sys.argv) < 3:
        customers(20_000).to_parquet(rows)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    predict(spark, spark.read.parquet(str(rows)), model_path).groupBy("prediction").count().show()
    spark.stop()


if __name__ == "__main__":
    main()
