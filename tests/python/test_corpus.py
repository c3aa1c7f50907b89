"""Malicious and broken model files: one line on standard error, the right exit code, quickly, in little memory.

tests/corpus/make_corpus.py writes the files and what is expected of each.
"""

import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"
EXPECTED = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))
SECONDS = 10
MEMORY = 1 << 30


def program():
    named = os.environ.get("FORETELL")
    places = [pathlib.Path(named)] if named else [ROOT / "build" / kind / "foretell" for kind in ("release", "dev")]
    for place in places:
        if place.is_file():
            return str(place)
    pytest.fail(f"no program at {', '.join(map(str, places))}; run make build or set FORETELL")


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def inspect(path, limit_memory=True, **options):
    return subprocess.run([program(), "inspect", str(path)], capture_output=True, timeout=SECONDS, check=False,
                          preexec_fn=limits if limit_memory else None, **options)


def check(run, exits, code, contains):
    error = run.stderr.decode("utf-8")
    assert run.returncode >= 0, f"killed by {signal.Signals(-run.returncode).name}: {error}"
    codes = code.split("|")
    if run.returncode == 0:
        assert "OK" in codes, "the file was taken for a good model"
        assert error == ""
        printed = run.stdout.decode("utf-8")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", printed), f"control characters: {printed!r}"
        return
    assert run.returncode in exits, error
    assert error.endswith("\n") and error.count("\n") == 1, f"not one line: {error!r}"
    assert len(error) <= 1500
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", error), f"control characters: {error!r}"
    assert any(re.search(rf"\b{c}\b", error) for c in codes), f"expected {code}: {error}"
    assert contains in error
    # inspect still lists the steps of a model of which a part is unsupported.
    assert run.stdout == b"" or " UNSUPPORTED:" in error, "something was printed before the error"


@pytest.mark.parametrize("name", EXPECTED)
def test_corpus(name):
    wanted = EXPECTED[name]
    exits = wanted["exit"] if isinstance(wanted["exit"], list) else [wanted["exit"]]
    check(inspect(CORPUS / "files" / name), exits, wanted["code"], wanted["contains"])


def test_every_file_is_expected():
    assert sorted(p.name for p in (CORPUS / "files").iterdir()) == sorted(EXPECTED)


def test_directory(tmp_path):
    check(inspect(tmp_path), [3, 4], "IO", "is a directory")


def test_missing_file(tmp_path):
    check(inspect(tmp_path / "model.joblib"), [3, 4], "IO", "model.joblib")


def test_missing_folder(tmp_path):
    check(inspect(tmp_path / "none" / "model.joblib"), [3, 4], "IO", "No such file")


def test_unreadable_name(tmp_path):
    path = tmp_path / "line\nbreak\x1b[31m.pkl"
    path.write_bytes(b"")
    check(inspect(path), [3], "CORRUPT", "empty")
    check(inspect(str(path) + "x"), [3, 4], "IO", "No such file")


def test_socket(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        check(inspect(tmp_path / "s"), [3, 4], "IO", "cannot open")


def test_endless_zeros():
    check(inspect("/dev/zero"), [3], "CORRUPT", "")


def test_null_device():
    check(inspect("/dev/null"), [3], "CORRUPT", "empty")


def test_closed_standard_input():
    check(inspect("-", stdin=subprocess.DEVNULL), [3], "CORRUPT", "empty")


def test_model_from_a_pipe():
    data = (CORPUS / "files" / "good-linear.pkl").read_bytes()
    run = inspect("-", input=data)
    assert run.returncode == 0, run.stderr


def test_side_file_is_a_link_elsewhere(tmp_path):
    """What stands beside the model under a side file's name and is no file (test_bounds.py: links, pipes)."""
    data = (CORPUS / "files" / "joblib-side-missing.joblib").read_bytes()
    (tmp_path / "model.joblib").write_bytes(data)
    (tmp_path / "missing_01.npy").mkdir()
    check(inspect(tmp_path / "model.joblib"), [3], "IO|CORRUPT", "missing_01.npy")
