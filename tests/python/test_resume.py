"""Jobs that are stopped and taken up again: by a signal, by kill -9 at any moment, with other inputs and options."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import random
import signal
import subprocess
import time

import ftl
import joblib
import lz4.frame
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
OPTIONS = ["--keep", "id,note", "--proba", "--on-error", "skip", "--reject", "bad.csv", "--resume"]
KILLS = 50 if os.environ.get("FTL_TEST_PROFILE") == "long" else 8


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(120_000, 6)).round(4), columns=list("abcdef"))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, np.where(rows.a > rows.b, "yes", "no"))
    joblib.dump(model, folder / "model.joblib")
    rows = rows.astype(object)
    rows.loc[::97, "c"] = "no number"
    rows.insert(0, "id", [f"r{i}" for i in range(len(rows))])
    rows["note"] = np.where(np.arange(len(rows)) % 5 == 0, 'two\nlines, "quoted"', "one")
    rows.to_csv(folder / "rows.csv", index=False)
    rows.to_json(folder / "rows.jsonl", orient="records", lines=True)
    rows.iloc[:70_000].to_csv(folder / "part-1.csv", index=False)
    rows.iloc[70_000:].to_csv(folder / "part-2.csv.gz", index=False)
    process = ftl.run("predict", "model.joblib", "rows.csv", *OPTIONS[:-1], "-o", "out.csv", cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    return folder, (folder / "out.csv").read_bytes(), (folder / "bad.csv").read_bytes()


@pytest.fixture()
def folder(made, tmp_path):
    for name in ["model.joblib", "rows.csv", "rows.jsonl", "part-1.csv", "part-2.csv.gz"]:
        (tmp_path / name).symlink_to(made[0] / name)
    return tmp_path


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def start(folder, *arguments, output="out.csv"):
    return subprocess.Popen([ftl.program(), "predict", "model.joblib", *arguments, "-o", output, "--batch-size", "100",
                             "--threads", "2"], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def finish(folder, *arguments, code=REJECTED):
    process = ftl.run("predict", "model.joblib", *arguments, "-o", "out.csv", cwd=folder)
    assert process.returncode == code, process.stderr
    return process.stderr


@pytest.mark.parametrize("inputs", [["rows.csv"], ["part-1.csv", "part-2.csv.gz"]], ids=["file", "parts"])
def test_kill_at_random_moments(made, folder, inputs):
    finish(folder, *inputs, *OPTIONS[:-1])
    out, bad = (folder / "out.csv").read_bytes(), (folder / "bad.csv").read_bytes()
    assert out == made[1]
    chance = random.Random(11)
    resumed = 0
    for _ in range(KILLS):
        for _ in range(chance.randrange(1, 4)):
            process = start(folder, *inputs, *OPTIONS)
            time.sleep(chance.uniform(0.01, 0.25))
            process.kill()
            process.communicate()
        resumed += "were done by an earlier call" in finish(folder, *inputs, *OPTIONS)
        assert (folder / "out.csv").read_bytes() == out
        assert (folder / "bad.csv").read_bytes() == bad
        assert hidden(folder) == []
        (folder / "out.csv").unlink()
        (folder / "bad.csv").unlink()
    assert resumed


def interrupt(folder, *arguments):
    """Runs until some rows are noted, then stops by SIGTERM."""
    process = start(folder, *arguments)
    journal = folder / ".out.csv.foretell-journal"
    for _ in range(1000):
        if process.poll() is not None or (journal.exists() and b"\nrows " in journal.read_bytes()):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    says = process.communicate()[1].decode()
    assert process.returncode == INTERNAL, says
    return says


def kill_behind(folder, notes, *arguments, output):
    """kill -9 once the journal has so many lines of rows that were done, or at the end."""
    process = start(folder, *arguments, output=output)
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if (folder / f".{output}.foretell-journal").read_bytes().count(b"\nrows ") >= notes:
                break
        time.sleep(0.002)
    process.kill()
    process.communicate()


def test_a_signal_leaves_what_is_done(made, folder):
    _, out, bad = made
    (folder / "out.csv").write_text("old")
    assert "the same command goes on from here" in interrupt(folder, "rows.csv", *OPTIONS)
    assert (folder / "out.csv").read_text() == "old"
    assert hidden(folder) == [".bad.csv.foretell-partial", ".out.csv.foretell-journal", ".out.csv.foretell-partial"]
    assert "were done by an earlier call" in finish(folder, "rows.csv", *OPTIONS)
    assert (folder / "out.csv").read_bytes() == out and (folder / "bad.csv").read_bytes() == bad
    assert hidden(folder) == []
    assert "earlier call" not in finish(folder, "rows.csv", *OPTIONS)  # a finished job begins anew
    assert (folder / "out.csv").read_bytes() == out


@pytest.mark.parametrize("damage", ["cut", "flipped", "torn head"])
def test_damaged_journals(made, folder, damage):
    _, out, bad = made
    interrupt(folder, "rows.csv", *OPTIONS)
    journal = folder / ".out.csv.foretell-journal"
    content = journal.read_bytes()
    if damage == "cut":
        content = content[:-7]
    elif damage == "flipped":
        at = content.index(b"\nrows ") + 7
        content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
    else:
        content = content[:20]
    journal.write_bytes(content)
    finish(folder, "rows.csv", *OPTIONS)
    assert (folder / "out.csv").read_bytes() == out and (folder / "bad.csv").read_bytes() == bad


def test_another_job_is_refused(made, folder):
    interrupt(folder, "rows.csv", *OPTIONS)
    before = {name: (folder / name).read_bytes() for name in hidden(folder)}
    others = [["--keep", "id", *OPTIONS[2:]], [*OPTIONS, "--limit", "9"], [*OPTIONS, "--na", "x"]]
    for options in others:
        says = finish(folder, "rows.csv", *options, code=USAGE)
        assert "had other options; give the same command" in says
    assert "another input" in finish(folder, "part-1.csv", *OPTIONS, code=USAGE)
    assert "another model or methods" in finish(folder, "rows.csv", *OPTIONS, "--method", "predict,decision_function",
                                                code=USAGE)
    assert {name: (folder / name).read_bytes() for name in hidden(folder)} == before
    finish(folder, "rows.csv", *OPTIONS)
    assert (folder / "out.csv").read_bytes() == made[1]


def test_an_input_that_changed_is_refused(made, folder):
    (folder / "rows.csv").unlink()
    (folder / "rows.csv").write_bytes((made[0] / "rows.csv").read_bytes())
    interrupt(folder, "rows.csv", *OPTIONS)
    time.sleep(0.02)
    os.utime(folder / "rows.csv")
    says = finish(folder, "rows.csv", *OPTIONS, code=USAGE)
    assert "another input, or it was changed since" in says and ".out.csv.foretell-journal to begin anew" in says
    (folder / ".out.csv.foretell-journal").unlink()
    finish(folder, "rows.csv", *OPTIONS)
    assert (folder / "out.csv").read_bytes() == made[1]


def test_a_partial_file_that_is_gone(made, folder):
    interrupt(folder, "rows.csv", *OPTIONS)
    (folder / ".out.csv.foretell-partial").unlink()
    assert "earlier call" not in finish(folder, "rows.csv", *OPTIONS)  # as behind a job that was just finished
    assert (folder / "out.csv").read_bytes() == made[1] and (folder / "bad.csv").read_bytes() == made[2]
    assert hidden(folder) == []


def test_two_at_once(folder):
    process = start(folder, "rows.csv", "--resume")
    journal = folder / ".out.csv.foretell-journal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size):  # it is locked before that
        pass
    process.send_signal(signal.SIGSTOP)
    if process.poll() is None:
        assert "another process works on the same output" in finish(folder, "rows.csv", "--resume", code=USAGE)
    process.send_signal(signal.SIGCONT)
    process.communicate()


@pytest.mark.parametrize("arguments, says", [
    (["-", "-o", "out.csv"], "standard input cannot be read again"),
    (["rows.csv", "-o", "-"], "standard output cannot be cut"),
    (["rows.csv", "-o", "/dev/null"], "the output is no plain file"),
    (["rows.csv", "-o", "out.csv", "--on-error", "skip", "--reject", "-"], "standard output cannot be cut"),
])
def test_what_cannot_be_resumed(folder, arguments, says):
    process = ftl.run("predict", "model.joblib", *arguments, "--resume", cwd=folder, input="a,b,c,d,e,f\n1,2,3,4,5,6\n")
    assert process.returncode == USAGE, process.stderr
    assert says in process.stderr and "--resume" in process.stderr
    assert not (folder / "out.csv").exists() and hidden(folder) == []


def test_errors_of_the_data_remove_what_was_written(folder):
    finish(folder, "rows.csv", "--resume", code=DATA)
    assert hidden(folder) == [] and not (folder / "out.csv").exists()


UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress, ".lz4": lz4.frame.decompress}
MAGIC = {".gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00", ".bz2": b"BZh91AY&SY", ".xz": b"\xfd7zXZ\x00"}


def unpacked(path):
    return UNPACK.get(path.suffix, bytes)(path.read_bytes())


@pytest.mark.parametrize("source, output, reject", [
    ("rows.jsonl", "out.jsonl", "bad.jsonl"), ("rows.jsonl", "out.csv", "bad.jsonl.gz"), ("rows.csv", "out.jsonl", "bad.csv.bz2"),
    ("rows.csv", "out.csv.gz", "bad.csv.gz"), ("rows.jsonl", "out.jsonl.gz", "bad.jsonl"), ("rows.csv", "out.tsv.bz2", "bad.csv"),
    ("rows.csv", "out.csv.lz4", "bad.csv.xz")])
def test_formats_go_on(made, folder, source, output, reject):
    """Of what is compressed the text is the one of a job without --resume, in several members."""
    n = 120_000
    options = ["--keep", "*", "--proba", "--on-error", "skip", "--limit", str(n)]
    process = ftl.run("predict", "model.joblib", source, *options, "--reject", "want-" + reject, "-o", "want-" + output,
                      cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    want = [unpacked(folder / f"want-{name}") for name in (output, reject)]
    assert len(want[0]) > 4 << 20
    resumed = 0
    for _ in range(30):
        # the second goes on where the first was stopped, some way where the rows that it rejects let it
        for notes in (1, 1 if reject.endswith(tuple(UNPACK)) else 2):
            kill_behind(folder, notes, source, *options, "--reject", reject, "--resume", output=output)
        process = ftl.run("predict", "model.joblib", source, *options, "--reject", reject, "--resume", "-o", output,
                          "--metrics", "figures.json", cwd=folder)
        assert process.returncode == REJECTED, process.stderr
        assert [unpacked(folder / name) for name in (output, reject)] == want
        assert json.loads((folder / "figures.json").read_text())["bytes_written"] == len(want[0])
        assert hidden(folder) == []
        resumed += "were done by an earlier call" in process.stderr
        if resumed:
            break
    assert resumed
    suffix = (folder / output).suffix
    assert suffix not in MAGIC or (folder / output).read_bytes().count(MAGIC[suffix]) > 1
    again = ftl.run("predict", "model.joblib", output, "--features", "a,b,c,d,e,f", cwd=folder)
    assert again.returncode == DONE and again.stdout.count("\n") == n - len(range(0, n, 97)) + 1


def test_an_empty_compressed_output(made, folder):
    (folder / "none.csv").write_text("a,b,c,d,e,f\n")
    for output in ("out.csv.gz", "out.jsonl.xz", "out.csv.bz2", "out.csv.lz4"):
        process = ftl.run("predict", "model.joblib", "none.csv", "-o", output, "--resume", cwd=folder)
        assert process.returncode == DONE, process.stderr
        assert unpacked(folder / output) == (b"prediction\n" if "csv" in output else b"")


def test_npy_goes_on(made, folder):
    rows = pd.read_csv(made[0] / "part-2.csv.gz").drop(columns=["id", "note", "c"]).assign(c=1.5)[list("abcdef")]
    np.save(folder / "rows.npy", rows.to_numpy())
    arguments = ["predict", "model.joblib", "rows.npy", "--method", "predict_proba"]
    assert ftl.run(*arguments, "-o", "want.npy", cwd=folder).returncode == DONE
    for _ in range(5):
        process = start(folder, *arguments[2:], "--resume", output="out.npy")
        time.sleep(0.05)
        process.kill()
        process.communicate()
    assert ftl.run(*arguments, "-o", "out.npy", "--resume", cwd=folder).returncode == DONE
    assert (folder / "out.npy").read_bytes() == (folder / "want.npy").read_bytes()
