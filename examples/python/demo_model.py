"""What the examples have when they are given no model: a small one, and rows for it."""

import pathlib
import sys
import tempfile

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def customers(n, seed=0):
    """n rows of a table of customers."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "balance": rng.normal(1000, 400, n).round(2),
            "plan": rng.choice(["free", "pro", "team"], n),
            "city": rng.choice(["Wien", "Graz", "Linz"], n),
        }
    )


def train(path, trees=50):
    """Trains a pipeline on customers and saves it with joblib."""
    rows = customers(2000)
    leaves = np.where((rows["age"] > 60) ^ (rows["plan"] == "pro"), "leaves", "stays")
    columns = make_column_transformer(
        (StandardScaler(), ["age", "balance"]), (OneHotEncoder(), ["plan", "city"])
    )
    model = make_pipeline(columns, RandomForestClassifier(trees, max_depth=8, random_state=0))
    joblib.dump(model.fit(rows, leaves), path)
    return path


def model_and_folder():
    """The model that the command line names, else a new one; and a folder for files."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="foretell-example-"))
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1]), folder
    return train(folder / "churn.joblib"), folder


def rows_for(model_path, n):
    """Rows for a model: customers for the one of train(), else numbers for the model's columns."""
    from foretell.inference import ModelCache

    inputs = ModelCache().get(model_path).inputs()
    names = [column["name"] or str(number) for number, column in enumerate(inputs)]
    if names == list(customers(1).columns):
        return customers(n)
    return pd.DataFrame(np.random.default_rng(0).normal(size=(n, len(names))), columns=names)
