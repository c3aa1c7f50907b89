"""MLflow: a model that mlflow.sklearn saved, served by foretell.

    python mlflow_pyfunc.py [FOLDER]        a model's folder; without one, one is made

foretell.mlflow.load_model takes the place of mlflow.pyfunc.load_model. foretell.mlflow.use_in changes the
folder once, so that mlflow.pyfunc.load_model and `mlflow models serve` use foretell by themselves.
"""

import pathlib
import sys
import tempfile

import foretell.mlflow
import mlflow.pyfunc
from recipe import customers, train


def save(folder):
    """What mlflow.sklearn.log_model leaves."""
    import joblib
    import mlflow.sklearn

    model = joblib.load(train(pathlib.Path(tempfile.mkdtemp()) / "churn.joblib"))
    mlflow.sklearn.save_model(
        model, folder, serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    return folder


def main():
    """Loads it both ways, and compares with MLflow's own."""
    folder = sys.argv[1] if len(sys.argv) > 1 else save(tempfile.mkdtemp() + "/model")
    rows = customers(1000)
    usual = mlflow.pyfunc.load_model(folder).predict(rows)  # executes the pickle

    model = foretell.mlflow.load_model(folder)
    print("load_model:", (model.predict(rows) == usual).all(), type(model).__name__)

    before = foretell.mlflow.use_in(folder)
    served = mlflow.pyfunc.load_model(folder)
    print("use_in, instead of", before + ":", (served.predict(rows) == usual).all())
    foretell.mlflow.use_in(folder, None)


if __name__ == "__main__":
    main()
