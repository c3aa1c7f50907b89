"""DuckDB: a model as a function of SQL, called with Arrow's columns.

python duckdb_udf.py MODEL
"""

import inspect
import pathlib
import sys
import tempfile

import duckdb
import pyarrow as pa
from foretell.inference import get_optimized_predictor
from recipe import customers, train

TYPES = {"numeric": "DOUBLE", "bool": "BOOLEAN"}


def create_function(connection, name, model_path, method=None, returns="VARCHAR"):
    """Makes name(column, …) a function of the connection: the model's columns in order, a prediction a row."""
    predictor = get_optimized_predictor()
    inputs = predictor.cache.get(model_path).inputs()
    names = [column["name"] or str(number) for number, column in enumerate(inputs)]

    def predict(*columns):
        table = pa.table(dict(zip(names, columns, strict=True)))
        return pa.array(predictor.predict(str(model_path), table, method=method)["predictions"])

    # DuckDB looks at how many arguments the function takes
    predict.__signature__ = inspect.Signature(
        [
            inspect.Parameter(f"column_{number}", inspect.Parameter.POSITIONAL_ONLY)
            for number in range(len(names))
        ]
    )
    types = [TYPES.get(column["kind"], "VARCHAR") for column in inputs]
    # a missing value is the model's business, not DuckDB's
    connection.create_function(name, predict, types, returns, type="arrow", null_handling="special")


def main():
    """Customers who leave, by plan."""
    model_path = (
        sys.argv[1] if len(sys.argv) > 1 else train(pathlib.Path(tempfile.mkdtemp()) / "churn.joblib")
    )
    connection = duckdb.connect()
    create_function(connection, "churn", str(model_path))
    connection.register("customers", customers(20_000))
    print(
        connection.sql(
            "select plan, churn(age, balance, plan, city) as prediction, count(*) as n from customers "
            "group by all order by all"
        )
    )


if __name__ == "__main__":
    main()
