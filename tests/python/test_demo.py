"""`make demo`, with fewer rows: it runs without Python packages, and what it predicts is what scikit-learn predicts."""

import os
import pathlib
import subprocess

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples/demo"
TEXTS = ["plan", "region", "payment"]


@pytest.fixture(scope="module")
def shown():
    """What the demo prints; its files are in build/demo."""
    process = subprocess.run([str(DEMO / "run")], capture_output=True, text=True, check=False,
                             env={**os.environ, "DEMO_ROWS": "6000", "DEMO_FOLDER": str(ROOT / "build/demo-test")})
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_it_shows_a_table_the_rate_and_the_time(shown):
    for part in ["customer_id", "probability_leaves", "rows/s", "6000 rows in ", "HistGradientBoostingClassifier"]:
        assert part in shown


def test_the_predictions_are_scikit_learns(shown):
    model = joblib.load(DEMO / "model.joblib")
    assert sklearn.__version__ == model.__getstate__()["_sklearn_version"], "train the demo's model anew"
    rows = pd.read_csv(ROOT / "build/demo-test/customers.csv").astype({name: object for name in TEXTS})
    got = pd.read_csv(ROOT / "build/demo-test/predictions.csv")
    assert (rows.plan == "student").any() and rows.isna().any().any(), "the demo wants unknown and missing values"
    assert list(got.customer_id) == list(rows.customer_id)
    assert list(got.prediction) == list(model.predict(rows))
    wanted = model.predict_proba(rows)
    assert np.allclose(got[["probability_leaves", "probability_stays"]], wanted, rtol=0, atol=1e-12)


def test_the_model_is_small_enough_to_ship():
    assert (DEMO / "model.joblib").stat().st_size <= 300 * 1024
