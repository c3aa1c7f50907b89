"""foretell alone on a terminal: what to do first, with the files that lie there; the lines it shows run as they stand."""

import os
import pty
import re
import shutil
import subprocess

import ftl
import pytest

MODEL = ftl.ROOT / "examples/demo/model.joblib"
HEADER = "age,tenure_months,monthly_charge,support_calls,plan,region,payment\n"


def on_terminal(folder):
    """(status, text) of foretell without a word, where a person sees it."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([ftl.program()], stdin=follower, stdout=follower, stderr=follower, cwd=folder, start_new_session=True)
    os.close(follower)
    shown = ftl.read_terminal(leader).replace("\r\n", "\n")
    return process.wait(20), shown


def steps(text):
    return re.findall(r"^  (foretell (?:inspect|predict|serve) .*?)  +\S", text, re.MULTILINE)


def test_an_empty_folder(tmp_path):
    status, text = on_terminal(tmp_path)
    assert status == 0 and "first steps" in text
    assert steps(text) == ["foretell inspect model.joblib", "foretell predict model.joblib rows.csv -o out.csv",
                           "foretell serve model.joblib"]
    assert all(len(line) <= 100 for line in text.splitlines()) and len(text.splitlines()) < 24


def test_models_are_named_and_the_lines_run(tmp_path):
    shutil.copy(MODEL, tmp_path / "churn.joblib")
    (tmp_path / "rows.csv").write_text(HEADER + "41,18,,3,basic,north,\n")
    (tmp_path / "zz.parquet").touch()
    (tmp_path / "broken.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.pkl").mkdir()
    status, text = on_terminal(tmp_path)
    assert status == 0
    assert re.search(r"^  churn.joblib +Pipeline, scikit-learn \d\S+, 7 columns$", text, re.MULTILINE)
    assert re.search(r"^  broken.pkl +does not run; foretell inspect tells why$", text, re.MULTILINE)
    assert "notes" not in text and "folder.pkl" not in text and not (tmp_path / "pwned").exists()
    inspect, predict, serve = steps(text)
    assert serve == "foretell serve churn.joblib"
    for line in (inspect, predict):
        assert ftl.run(*line.split()[1:], cwd=tmp_path).returncode == 0, line
    assert (tmp_path / "out.csv").read_text().startswith("prediction\n")


def test_many_models_are_counted(tmp_path):
    for i in range(9):
        (tmp_path / f"m{8 - i}.pkl").write_bytes(b"\x80\x04N.")
    _, text = on_terminal(tmp_path)
    assert re.findall(r"^  (m\d)\.pkl", text, re.MULTILINE) == ["m0", "m1", "m2", "m3", "m4"] and "and 4 more" in text


@pytest.mark.parametrize("name", ["-x.joblib", "a b.joblib", "$(touch pwned).joblib", "\x1b[31m.pkl", ".hidden.pkl"])
def test_names_that_no_line_could_hold_are_left_out(tmp_path, name):
    shutil.copy(MODEL, tmp_path / name)
    _, text = on_terminal(tmp_path)
    assert "models in this folder" not in text and steps(text)[0] == "foretell inspect model.joblib"


def test_away_from_a_terminal_it_is_the_help(tmp_path):
    done = ftl.run(cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and done.stdout == "" and done.stderr == ftl.run("--help").stdout
