"""foretell.patch_joblib: code that loads models by joblib and pickle runs on foretell's, unchanged."""

import io
import os
import pickle
import subprocess
import sys
import threading
import warnings

import foretell
import joblib
import numpy as np
import pandas as pd
import pytest
from foretell import errors
from foretell.model import LoadedModel
from foretell.patch import PickleExecutedWarning
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = (X[:, 0] > 0).astype(int)


class Custom(BaseEstimator):
    """A class that foretell does not know."""

    def predict(self, rows):
        return np.zeros(len(rows))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patch")
    model = RandomForestClassifier(5, random_state=0).fit(X, Y)
    scaler = StandardScaler().fit(X)
    things = {"model": model, "custom": Custom(), "list": ["a", "b"], "array": np.arange(5.0), "settings": {"t": 0.5, "n": [1]},
              "bundle": {"model": model, "scaler": scaler, "columns": ["a", "b", "c"], "threshold": 0.4,
                         "encoder": LabelEncoder().fit(["no", "yes"])},
              "pair": (scaler, LogisticRegression().fit(scaler.transform(X), Y)),
              "mixed": {"model": model, "custom": Custom()}, "frame": pd.DataFrame(X)}
    for name, thing in things.items():
        joblib.dump(thing, folder / f"{name}.joblib")
        joblib.dump(thing, folder / f"{name}.z.joblib", compress=3)
        with open(folder / f"{name}.pkl", "wb") as file:
            pickle.dump(thing, file)
    return folder


def by_joblib(files, name):
    return joblib.load(files / f"{name}.joblib")


def by_compressed(files, name):
    return joblib.load(str(files / f"{name}.z.joblib"))


def by_file(files, name):
    with open(files / f"{name}.joblib", "rb") as file:
        return joblib.load(file)


def by_pickle(files, name):
    with open(files / f"{name}.pkl", "rb") as file:
        return pickle.load(file)


def by_memory(files, name):
    return pickle.load(io.BytesIO((files / f"{name}.pkl").read_bytes()))


class Pipe:
    """A file that cannot be wound back."""

    def __init__(self, data):
        self.read, self.readline = io.BytesIO(data).read, None
        file = io.BytesIO(data)
        self.read, self.readline = file.read, file.readline


def by_stream(files, name):
    return pickle.load(Pipe((files / f"{name}.pkl").read_bytes()))


WAYS = [by_joblib, by_compressed, by_file, by_pickle, by_memory, by_stream]


@pytest.mark.parametrize("way", WAYS)
def test_models(files, way):
    original = way(files, "model")
    before = joblib.load, pickle.load
    with foretell.patch_joblib():
        model = way(files, "model")
    assert (joblib.load, pickle.load) == before
    assert isinstance(model, LoadedModel) and type(original) is RandomForestClassifier
    assert (model.predict(X) == original.predict(X)).all()
    assert (model.predict_proba(X) == original.predict_proba(X)).all()
    assert type(way(files, "model")) is RandomForestClassifier


@pytest.mark.parametrize("way", WAYS)
def test_bundles(files, way):
    original = way(files, "bundle")
    with foretell.patch_joblib():
        bundle = way(files, "bundle")
    assert list(bundle) == list(original) and bundle["columns"] == ["a", "b", "c"] and bundle["threshold"] == 0.4
    said = bundle["encoder"].inverse_transform(bundle["model"].predict(bundle["scaler"].transform(X)))
    assert (said == original["encoder"].inverse_transform(original["model"].predict(original["scaler"].transform(X)))).all()


@pytest.mark.parametrize("way", WAYS)
def test_several_models(files, way):
    with foretell.patch_joblib():
        scaler, model = way(files, "pair")
    original = way(files, "pair")
    assert np.allclose(scaler.transform(X), original[0].transform(X), rtol=1e-12)
    assert (model.predict(scaler.transform(X)) == original[1].predict(original[0].transform(X))).all()


@pytest.mark.parametrize("way", WAYS)
def test_plain_data_is_itself(files, way):
    with foretell.patch_joblib():
        assert way(files, "list") == ["a", "b"] and way(files, "settings") == {"t": 0.5, "n": [1]}
        assert (way(files, "array") == np.arange(5.0)).all()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["custom", "mixed", "frame"])
def test_what_is_not_supported(files, way, name):
    with foretell.patch_joblib(), pytest.raises(errors.UnsupportedModelError, match="fallback='python'") as caught:
        way(files, name)
    assert "\n" not in str(caught.value)
    with foretell.patch_joblib(fallback="python"), pytest.warns(PickleExecutedWarning, match="executes") as warned:
        found = way(files, name)
    assert type(found) is type(way(files, name))
    assert warned[0].filename == __file__
    if name == "mixed":
        assert type(found["model"]) is RandomForestClassifier


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_forbidden_files_are_not_executed_even_then(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for thing in (Evil(), [1, Evil()], {"model": LogisticRegression().fit(X, Y), "evil": Evil()}):
        (tmp_path / "evil.pkl").write_bytes(pickle.dumps(thing))
        with foretell.patch_joblib(fallback="python"):
            with open("evil.pkl", "rb") as file, pytest.raises(errors.ForbiddenError):
                pickle.load(file)
            with pytest.raises(errors.ForbiddenError):
                joblib.load("evil.pkl")
        assert not (tmp_path / "evil").exists()


def test_several_pickles_of_one_file(tmp_path):
    model, scaler = RandomForestClassifier(3).fit(X, Y), StandardScaler().fit(X)
    path = tmp_path / "three.pkl"
    path.write_bytes(pickle.dumps(scaler) + pickle.dumps(model) + pickle.dumps(["a"]) + b"rest")
    with foretell.patch_joblib(), open(path, "rb") as file:
        first, second, third = pickle.load(file), pickle.load(file), pickle.load(file)
        assert file.read() == b"rest"
        with pytest.raises(EOFError):
            pickle.load(file)
    assert (second.predict(first.transform(X)) == model.predict(scaler.transform(X))).all() and third == ["a"]


def test_nesting_and_undo(files):
    before = joblib.load
    outer = foretell.patch_joblib()
    with foretell.patch_joblib(fallback="python"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PickleExecutedWarning)
            assert isinstance(by_joblib(files, "custom"), Custom)
    with pytest.raises(errors.UnsupportedModelError):
        by_joblib(files, "custom")
    inner = foretell.patch_joblib(fallback="python")
    outer.undo()
    outer.undo()
    assert joblib.load is not before
    inner.undo()
    assert joblib.load is before


def test_exceptions_restore(files):
    before = joblib.load, pickle.load
    with pytest.raises(KeyError):
        with foretell.patch_joblib():
            raise KeyError
    assert (joblib.load, pickle.load) == before
    with pytest.raises(errors.ArgumentError):
        foretell.patch_joblib(fallback="pickle")
    assert (joblib.load, pickle.load) == before


def test_another_patch_on_top_stays(files):
    ours = foretell.patch_joblib()
    wrapped = joblib.load

    def theirs(*arguments):
        return wrapped(*arguments)
    joblib.load = theirs
    try:
        ours.undo()
        assert joblib.load is theirs and isinstance(by_joblib(files, "model"), RandomForestClassifier)
    finally:
        joblib.load = wrapped.__wrapped__


def test_missing_files_are_what_they_were():
    with foretell.patch_joblib(), pytest.raises(FileNotFoundError):
        joblib.load("nowhere.joblib")


def test_threads(files):
    """Patches come and go in several threads; each thread that is within one gets foretell's models."""
    before, wrong = joblib.load, []

    def work():
        for _ in range(20):
            with foretell.patch_joblib():
                if not isinstance(by_joblib(files, "model"), LoadedModel):
                    wrong.append(1)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and joblib.load is before


def test_a_model_of_ours_within_a_pickle(files, tmp_path):
    model = foretell.load(files / "model.joblib")
    (tmp_path / "ours.pkl").write_bytes(pickle.dumps({"model": model, "n": 1}))
    with foretell.patch_joblib(), open(tmp_path / "ours.pkl", "rb") as file:
        again = pickle.load(file)
    assert (again["model"].predict(X) == model.predict(X)).all()


# ---- python -m foretell patch --------------------------------------------------------------------------------------

SCRIPT = """\
import sys
from joblib import load
model = load(sys.argv[1])
print(__name__, __file__, sys.argv[1:], type(model).__module__, model.predict([[0.1, 0.2, 0.3]]).tolist())
import helper
if len(sys.argv) > 2:
    raise SystemExit(int(sys.argv[2])) if sys.argv[2].isdigit() else ZeroDivisionError(sys.argv[2])
"""


def command(folder, *arguments):
    site = os.path.dirname(os.path.dirname(os.path.abspath(foretell.__file__)))
    return subprocess.run([sys.executable, "-m", "foretell", *map(str, arguments)], capture_output=True, text=True,
                          cwd=folder, check=False, timeout=100, env={**os.environ, "PYTHONPATH": site})


def test_scripts(files, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/script.py").write_text(SCRIPT)
    (tmp_path / "sub/helper.py").write_text("print('helper')")
    run = command(tmp_path, "patch", "sub/script.py", files / "model.joblib")
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["__main__", "sub/script.py", f"['{files / 'model.joblib'}']", "foretell.model",
                                  *run.stdout.split()[4:-1], "helper"]
    assert command(tmp_path, "patch", "sub/script.py", files / "model.joblib", 7).returncode == 7
    run = command(tmp_path, "patch", "sub/script.py", files / "model.joblib", "boom")
    assert run.returncode == 1 and "ZeroDivisionError: boom" in run.stderr
    assert "foretell" not in run.stderr.replace(str(tmp_path), ""), run.stderr
    assert 'File "sub/script.py", line 7' in run.stderr
    run = command(tmp_path / "sub", "patch", "-m", "script", files / "model.joblib")
    assert run.returncode == 0 and "foretell.model" in run.stdout, run.stderr
    run = command(tmp_path, "patch", "sub/script.py", files / "frame.joblib")
    assert run.returncode == 1 and "UnsupportedModelError" in run.stderr
    (tmp_path / "plain.py").write_text("import joblib, sys; print(type(joblib.load(sys.argv[1])).__name__)")
    run = command(tmp_path, "patch", "--fallback", "python", "plain.py", files / "frame.joblib")
    assert (run.returncode, run.stdout) == (0, "DataFrame\n"), run.stderr
    assert "PickleExecutedWarning" in run.stderr


def test_usage(tmp_path):
    for wrong in (["patch"], ["patch", "--fallback", "no", "x.py"], ["patch", "--what", "x.py"], ["patch", "--threads"],
                  ["patch", "--threads", "x", "y.py"], ["patch", "missing.py"]):
        run = command(tmp_path, *wrong)
        assert run.returncode == 2 and len(run.stderr.splitlines()) == 1, (wrong, run.stderr)
    assert "--fallback python" in command(tmp_path, "patch", "--help").stdout
    assert "--fallback python" in command(tmp_path, "help", "patch").stdout
