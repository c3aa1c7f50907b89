"""A folder of models for the tests of the server: columns by name and without, classes, versions."""

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def customers(n=400):
    random = np.random.default_rng(0)
    return pd.DataFrame({"age": random.integers(18, 90, n).astype(float),
                         "balance": random.normal(1500, 700, n).round(2),
                         "plan": random.choice(["basic", "plus", "pro"], n),
                         "city": random.choice(["Berlin", "Wien", "Zürich"], n),
                         "active": random.random(n) > 0.4})


def fill(folder):
    """churn (classes, text columns), price (a number; refuses unknown categories), flowers (2 versions), plain (28 columns
    without names)."""
    table = customers()
    leaves = np.where((table.age > 50) ^ (table.plan == "pro"), "churn", "stay")
    numbers = ["age", "balance"]
    prepare = ColumnTransformer([("n", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
                                 ("c", OneHotEncoder(handle_unknown="ignore"), ["plan", "city", "active"])])
    joblib.dump(Pipeline([("prepare", prepare), ("model", LogisticRegression())]).fit(table, leaves),
                folder / "churn.joblib")
    strict = ColumnTransformer([("n", StandardScaler(), numbers), ("c", OneHotEncoder(), ["plan", "city"])])
    joblib.dump(Pipeline([("prepare", strict), ("model", LinearRegression())]).fit(table, 2 * table.age + 1),
                folder / "price.joblib")
    random = np.random.default_rng(1)
    petals = pd.DataFrame(random.random((90, 3)), columns=["length (cm)", "width (cm)", "petals"])
    for version, trees in (("1", 3), ("2", 5)):
        (folder / "flowers" / version).mkdir(parents=True)
        joblib.dump(RandomForestClassifier(trees, random_state=0).fit(petals, np.arange(90) % 3),
                    folder / "flowers" / version / "model.joblib")
    wide = random.random((80, 28))
    joblib.dump(LogisticRegression().fit(wide, wide[:, 0] > 0.5), folder / "plain.joblib")
    return folder


ROWS = {
    "churn": {"age": 61, "balance": 99.5, "plan": "pro", "city": "Wien", "active": True},
    "price": {"age": 61, "balance": 99.5, "plan": "pro", "city": "Wien", "active": True},
    "flowers": {"length (cm)": 0.2, "width (cm)": 0.7, "petals": 0.4},
    "plain": [0.1] * 28,
}
