"""Models and tables for the tests of the server's files and streams."""

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

COLUMNS = ["age", "income", "city"]


def table(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"id": np.arange(rows), "age": rng.integers(18, 80, rows).astype(float),
                         "income": rng.normal(3, 1, rows).round(3), "city": rng.choice(["Köln", "Bonn", "Ulm"], rows)})


def write_models(folder):
    """churn.joblib, a classifier of mixed columns with text classes, and price.joblib, a regression of numbers."""
    frame = table()
    says = np.where(frame["age"] + 10 * frame["income"] > 80, "yes", "no")
    columns = make_column_transformer((StandardScaler(), ["age", "income"]),
                                      (OneHotEncoder(handle_unknown="ignore"), ["city"]))
    joblib.dump(make_pipeline(columns, LogisticRegression()).fit(frame[COLUMNS], says), folder / "churn.joblib")
    joblib.dump(LinearRegression().fit(frame[["age", "income"]].to_numpy(), frame["income"]), folder / "price.joblib")
