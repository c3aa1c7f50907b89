#!/usr/bin/env python3
"""Trains the demo's model: examples/demo/model.joblib, which is committed; nothing needs this script to run.

It wants the tests' environment (build/venv) and the built make_rows:

    cc -O2 examples/demo/make_rows.c -o build/make_rows
    build/venv/bin/python examples/demo/train.py build/make_rows
"""

import io
import pathlib
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = ["age", "tenure_months", "monthly_charge", "support_calls"]
TEXTS = ["plan", "region", "payment"]


def labels(rows, random):
    """An invented truth, with noise: short-term customers with high bills and many calls leave."""
    score = (-1.2 - 0.03 * rows.tenure_months + 0.035 * rows.monthly_charge.fillna(40) + 0.35 * rows.support_calls
             - 0.012 * rows.age.fillna(45) + rows.plan.map({"basic": 0.3, "family": -0.6, "premium": 0.0})
             + 0.5 * (rows.payment.isna()) - 0.4 * (rows.payment == "direct debit")
             + 0.6 * ((rows.region == "east") & (rows.support_calls > 3)))
    leaves = random.random(len(rows)) < 1 / (1 + np.exp(-score))
    return np.where(leaves, "leaves", "stays")


def main():
    random = np.random.default_rng(7)
    text = subprocess.run([sys.argv[1], "30000", "1"], capture_output=True, check=True).stdout
    # object columns rather than pandas' own string type: what a model of any scikit-learn version carries
    rows = pd.read_csv(io.BytesIO(text)).astype({name: object for name in TEXTS})
    x_train, x_test, y_train, y_test = train_test_split(
        rows[NUMBERS + TEXTS], labels(rows, random), test_size=0.2, random_state=7)
    model = Pipeline([
        ("prepare", ColumnTransformer([
            ("numbers", Pipeline([("fill", SimpleImputer(strategy="median", add_indicator=True)),
                                  ("scale", StandardScaler())]), NUMBERS),
            ("texts", Pipeline([("fill", SimpleImputer(strategy="constant", fill_value="unknown")),
                                ("encode", OneHotEncoder(handle_unknown="ignore", sparse_output=False))]), TEXTS),
        ])),
        ("boost", HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, learning_rate=0.06, random_state=7)),
    ])
    model.fit(x_train, y_train)
    print(f"accuracy on unseen rows: {model.score(x_test, y_test):.3f}")
    target = pathlib.Path(__file__).with_name("model.joblib")
    joblib.dump(model, target, compress=("xz", 6))
    print(f"{target.name}: {target.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
