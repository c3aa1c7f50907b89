"""tools/real_models tells the kinds of files in a folder apart."""

import json
import pickle
import subprocess
import sys

import ftl
import numpy as np
from sklearn import linear_model, preprocessing


def test_verdicts(tmp_path):
    x = np.arange(12.0).reshape(6, 2)
    model = linear_model.LinearRegression().fit(x, x[:, 0])
    scaler = preprocessing.StandardScaler().fit(x)
    encoder = preprocessing.LabelEncoder().fit(["a", "b"])
    files = {"model": model, "columns": ["a", "b"], "array": x, "unfitted": preprocessing.StandardScaler(),
             "both": {"model": model, "scaler": scaler}, "labels": encoder}
    for name, value in files.items():
        (tmp_path / (name + ".pkl")).write_bytes(pickle.dumps(value))
    (tmp_path / "text.pkl").write_text("a placeholder\n")
    done = subprocess.run([sys.executable, ftl.ROOT / "tools/real_models", tmp_path, "--json", "--foretell",
                           ftl.program()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        verdict = json.loads(line)
        found[verdict["path"].rsplit("/", 1)[1][:-4]] = verdict["verdict"]
    assert found == {"model": "ok", "columns": "no model", "array": "no model", "unfitted": "corrupt", "both": "ok",
                     "labels": "loads", "text": "corrupt"}
