"""Pickles of loaded models: a path and a digest, or the bytes of the file."""

import io
import os
import pickle
import subprocess
import sys
import threading

import foretell
import joblib
import numpy as np
import pytest
from foretell import errors
from foretell._source import split_entry
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
Y = (X[:, 0] > 0).astype(int)
FIRST, SECOND = LogisticRegression().fit(X, Y), LogisticRegression().fit(X, 1 - Y)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.joblib"
    joblib.dump(FIRST, path)
    return path


def test_a_path_and_a_digest(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    data = pickle.dumps(foretell.load("m.joblib", threshold=0.3))
    assert len(data) < 600
    monkeypatch.chdir("/")
    again = pickle.loads(data)
    assert (again.predict(X) == (FIRST.predict_proba(X)[:, 1] >= 0.3)).all() and again.get_params()["threshold"] == 0.3


@pytest.mark.parametrize("value", [3, -0.1, float("nan"), 1.0000001])
def test_thresholds_that_are_no_probability(path, value):
    """They were taken, and the second class was never, or always, said; the program refuses them, too."""
    with pytest.raises(ValueError, match="threshold is a probability from 0 to 1, not "):
        foretell.load(path, threshold=value)
    assert foretell.load(path, threshold=1).predict(X).sum() <= foretell.load(path, threshold=0).predict(X).sum() == len(X)


def test_another_process(path, tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(foretell.load(path)))
    code = (f"import pickle, numpy as np; model = pickle.load(open({str(tmp_path / 'model.pkl')!r}, 'rb'))\n"
            "print(model.predict(np.ones((2, 3))).tolist())")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == f"{FIRST.predict(np.ones((2, 3))).tolist()}\n", run.stderr


def test_a_changed_file_is_an_error(path):
    model = foretell.load(path)
    data = pickle.dumps(model)
    joblib.dump(SECOND, path)
    with pytest.raises(errors.FileError, match="SHA-256 differs") as caught:
        pickle.loads(data)
    assert caught.value.reason == "FILE_CHANGED"
    with pytest.raises(errors.FileError, match="has changed since the model was loaded.*portable=True"):
        pickle.dumps(model)
    assert (model.predict(X) == FIRST.predict(X)).all()
    joblib.dump(FIRST, path)  # the same bytes again, as another file of other times
    assert (pickle.loads(data).predict(X) == FIRST.predict(X)).all()
    os.remove(path)
    with pytest.raises(FileNotFoundError, match="portable=True"):
        pickle.loads(data)
    with pytest.raises(errors.FileError, match="is gone"):
        pickle.dumps(model)


def test_portable(path):
    models = [foretell.load(path, portable=True), foretell.load(path.read_bytes()), foretell.load(io.BytesIO(path.read_bytes()))]
    with open(path, "rb") as file:
        models.append(foretell.load(file))
    os.remove(path)
    for model in models:
        again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(model))))
        assert (again.predict(X) == FIRST.predict(X)).all()


def test_entries_and_several_files(tmp_path):
    scaler = StandardScaler().fit(X)
    joblib.dump({"scaler": scaler, "model": FIRST}, tmp_path / "bundle.joblib")
    joblib.dump(scaler, tmp_path / "scaler.joblib")
    joblib.dump(FIRST, tmp_path / "model.joblib")
    joblib.dump(LabelEncoder().fit(["no", "yes"]), tmp_path / "labels.joblib")
    want = FIRST.predict(scaler.transform(X))
    for portable in (False, True):
        model = foretell.load(f"{tmp_path / 'bundle.joblib'}:model", portable=portable)
        assert (pickle.loads(pickle.dumps(model)).predict(X) == FIRST.predict(X)).all()
    chain = foretell.load(tmp_path / "scaler.joblib", then=[tmp_path / "model.joblib"], labels=tmp_path / "labels.joblib")
    again = pickle.loads(pickle.dumps(chain))
    assert again.predict(X).tolist() == np.array(["no", "yes"])[want].tolist()
    data = pickle.dumps(chain)
    joblib.dump(SECOND, tmp_path / "model.joblib")
    with pytest.raises(errors.FileError, match="model.joblib"):
        pickle.loads(data)
    with pytest.raises(errors.ArgumentError, match="portable"):
        foretell.load(tmp_path / "scaler.joblib", then=[tmp_path / "model.joblib"], portable=True)


def test_inverse_of_a_changed_file(tmp_path):
    joblib.dump(StandardScaler().fit(X), tmp_path / "s.joblib")
    model = foretell.load(tmp_path / "s.joblib")
    joblib.dump(StandardScaler().fit(X + 1), tmp_path / "s.joblib")
    with pytest.raises(errors.FileError, match="inverse_transform"):
        model.inverse_transform(X)


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").write_text("")
    (tmp_path / "a").write_text("")
    assert split_entry("a:b") == ("a:b", "") and split_entry("a:c") == ("a", ":c") and split_entry("a") == ("a", "")
    assert split_entry("a:c:d") == ("a", ":c:d") and split_entry("none:x") == ("none:x", "")


def test_workers(path):
    model = foretell.load(path)
    parts = Parallel(n_jobs=2, backend="loky")(delayed(model.predict)(part) for part in np.array_split(X, 4))
    assert (np.concatenate(parts) == FIRST.predict(X)).all()


def test_threads(path):
    model, wrong = foretell.load(path), []

    def work(seed):
        rows = np.random.default_rng(seed).normal(size=(64, 3))
        want = FIRST.predict(rows)
        for _ in range(200):
            if not (model.predict(rows) == want).all():
                wrong.append(seed)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
