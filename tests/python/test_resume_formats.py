"""--resume with files that are written in parts: row groups, record batches, compressed texts.

A job that is killed and taken up again, with other threads and batches, has the bytes that it would have had.
"""

import errno
import os
import random
import signal
import subprocess
import time

import duckdb
import ftl
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
LONG = os.environ.get("FTL_TEST_PROFILE") == "long"
KILLS = 50 if LONG else 2
ROWS = 700_000
# Each with rows enough for several parts.
OUTPUTS = [("out.parquet", "bad.parquet", ROWS), ("out.arrow", "bad.csv", 300_000), ("out.arrows", "bad.arrow", 200_000),
           ("out.csv.zst", "bad.csv.zst", 100_000), ("out.jsonl.lz4", "bad.csv.lz4", 100_000), ("out.json", "bad.csv.gz", 100_000),
           ("out.csv.gz", "bad.parquet", 80_000), ("out.json.bz2", "bad.csv", 20_000), ("out.csv.xz", "bad.csv", 30_000)]


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(ROWS, 4)).round(3).astype("float32"), columns=list("abcd"))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    joblib.dump(model.fit(rows[:9000], np.where(rows.a[:9000] > rows.b[:9000], "yes", "no")), folder / "model.joblib")
    rows.loc[::97, "c"] = np.nan  # which the model refuses
    texts = np.array([f"{i:04d} {'long ' * 38}" for i in range(3000)])
    table = pa.table({**{name: pa.array(rows[name]) for name in "abcd"}, "id": np.arange(ROWS),
                      "text": texts[np.arange(ROWS) * 7919 % len(texts)],
                      "note": [None if i % 11 == 0 else f"n{i % 1000}" for i in range(ROWS)]})
    pq.write_table(table, folder / "rows.parquet", row_group_size=50_000)
    return folder


@pytest.fixture()
def folder(made, tmp_path):
    for name in ["model.joblib", "rows.parquet"]:
        (tmp_path / name).symlink_to(made / name)
    return tmp_path


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def command(output, reject, rows, *more):
    return ["predict", "model.joblib", "rows.parquet", "--keep", "*", "--on-error", "skip", "--limit", str(rows), "-o", output,
            "--reject", reject, *more]


def work(folder, *arguments):
    process = ftl.run(*arguments, cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    return process.stderr


def start(folder, *arguments):
    return subprocess.Popen([ftl.program(), *arguments], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def any_way(chance):
    """Options that change nothing of the results."""
    return ["--threads", str(chance.choice([1, 2, 4])), "--batch-size", str(chance.choice([900, 4096, 30_001]))]


def journal_of(folder, output):
    try:
        return (folder / f".{output}.foretell-journal").read_bytes()
    except FileNotFoundError:  # not yet, or not any more
        return b""


def contents(folder, names):
    return [(folder / name).read_bytes() for name in names]


def stop_behind(folder, output, notes, *arguments):
    """Ends by kill -9 once so many notes are in the journal; whether there were as many."""
    process = start(folder, *arguments)
    while process.poll() is None and journal_of(folder, output).count(b"\nrows ") < notes:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return journal_of(folder, output).count(b"\nrows ") >= notes


@pytest.mark.parametrize("output, reject, rows", OUTPUTS, ids=[f"{case[0]}-{case[1]}" for case in OUTPUTS])
def test_kill_at_random_moments(made, folder, output, reject, rows):
    chance = random.Random(output)
    arguments = command(output, reject, rows, "--resume")
    began = time.monotonic()
    work(folder, *arguments, "--threads", "1")
    seconds = time.monotonic() - began
    wanted = contents(folder, [output, reject])
    assert hidden(folder) == []
    resumed = 0
    for turn in range(1 if output.endswith((".bz2", ".xz")) and not LONG else KILLS):  # these are slow
        (folder / output).unlink()
        (folder / reject).unlink()
        for _ in range(chance.randrange(1, 4) if turn else 0):
            process = start(folder, *arguments, *any_way(chance))
            time.sleep(chance.uniform(0.01, seconds))
            process.kill()
            process.communicate()
        if turn == 0:  # one that is sure to have come some way
            stop_behind(folder, output, 1, *arguments, "--batch-size", "900")
        resumed += "were done by an earlier call" in work(folder, *arguments, *any_way(chance))
        assert contents(folder, [output, reject]) == wanted, turn
        assert hidden(folder) == []
    assert resumed


def rows_of(path):
    """The identifiers and predictions of a file, by a library that others read it with."""
    match "".join(path.suffixes):
        case ".parquet":
            frame = pl.from_arrow(duckdb.sql(f"select * from '{path}'").arrow())
            assert frame.equals(pl.read_parquet(path)) and frame.height == pq.ParquetFile(path).metadata.num_rows
            assert pq.ParquetFile(path).num_row_groups > 1
        case ".arrow":
            frame = pl.from_arrow(pyarrow.feather.read_table(path))
            assert frame.equals(pl.read_ipc(path)) and pa.ipc.open_file(path).num_record_batches > 1
        case ".arrows":
            frame = pl.from_arrow(pa.ipc.open_stream(path).read_all())
            assert frame.equals(pl.read_ipc_stream(path))
        case ".csv.zst":
            frame = pl.read_csv(path)
            assert duckdb.sql(f"select id from '{path}'").fetchall() == [(i,) for i in frame["id"]]
            assert pl.from_arrow(pyarrow.csv.read_csv(path))["id"].equals(frame["id"])
        case ".csv.gz" | ".csv.xz":
            frame = pl.from_pandas(pd.read_csv(path))
        case ".jsonl.lz4":
            import lz4.frame  # whose decompress sees the first frame of a file alone
            frame = pl.read_ndjson(lz4.frame.decompress(path.read_bytes()))
        case ".json.bz2":
            frame = pl.from_pandas(pd.read_json(path))
        case ".json":
            frame = pl.read_json(path)
    return frame.select("id", "text", "prediction")


@pytest.mark.parametrize("output, reject, rows", OUTPUTS, ids=[case[0] for case in OUTPUTS])
def test_others_read_them(folder, output, reject, rows):
    work(folder, *command("want.csv", "want-bad.csv", rows))
    arguments = command(output, "bad.csv", rows, "--resume")
    stop_behind(folder, output, 1, *arguments)
    work(folder, *arguments)
    assert rows_of(folder / output).equals(pl.read_csv(folder / "want.csv").select("id", "text", "prediction"))
    assert contents(folder, ["bad.csv"]) == contents(folder, ["want-bad.csv"])


@pytest.mark.parametrize("output, rows", [(case[0], case[2]) for case in OUTPUTS if case[0].count(".") == 1])
def test_the_bytes_of_a_job_without_it(folder, output, rows):
    work(folder, *command(f"want-{output}", "want-bad.parquet", rows))
    arguments = command(output, "bad.parquet", rows, "--resume")
    assert stop_behind(folder, output, 1, *arguments)
    work(folder, *arguments)
    assert contents(folder, [output, "bad.parquet"]) == contents(folder, [f"want-{output}", "want-bad.parquet"])


# ---- What was left is damaged --------------------------------------------------------------------


@pytest.fixture(scope="session", params=["out.parquet", "out.arrow", "out.csv.zst"])
def left(request, made, tmp_path_factory):
    """A job that was killed behind two notes: what it left, and what comes of it."""
    output = request.param
    folder = tmp_path_factory.mktemp("left")
    for name in ["model.joblib", "rows.parquet"]:
        (folder / name).symlink_to(made / name)
    arguments = command(output, "bad.csv", ROWS if "parquet" in output else 150_000, "--resume")
    work(folder, *arguments)
    wanted = contents(folder, [output, "bad.csv"])
    (folder / output).unlink()
    for notes in [1, 2] * 9:  # the first sync may have taken so long that the second note is another job's
        if stop_behind(folder, output, notes, *arguments) and notes == 2:
            break
    else:
        raise AssertionError("it is never stopped in its midst")
    return folder, output, arguments, wanted, dict(zip(hidden(folder), contents(folder, hidden(folder)), strict=True))


def goes_on(left, damage):
    """What the job does when what it left has been damaged: never a wrong file. Whether it could go on."""
    folder, output, arguments, wanted, before = left
    for name in hidden(folder):
        (folder / name).unlink()
    for name, content in before.items():
        (folder / name).write_bytes(content)
    damage(folder)
    says = work(folder, *arguments)
    assert contents(folder, [output, "bad.csv"]) == wanted
    assert hidden(folder) == []
    return "were done by an earlier call" in says


def some(numbers, n):
    numbers = list(numbers)
    return numbers if LONG else sorted({numbers[i * (len(numbers) - 1) // (n - 1)] for i in range(n)})


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 2]) + content[at + 1:]


def test_torn_journals(left):
    name = f".{left[1]}.foretell-journal"
    content = left[4][name]
    last = content.rindex(b"\nrows ") + 1
    assert goes_on(left, lambda folder: None)
    for size in some(range(last, len(content)), 4):  # the line before it counts
        assert goes_on(left, lambda folder, size=size: os.truncate(folder / name, size))
    for at in some(range(last, len(content) - 1), 3):
        goes_on(left, lambda folder, at=at: (folder / name).write_bytes(flipped(content, at)))


def test_damaged_states(left):
    name = f".{left[1]}.foretell-state"
    assert (name in left[4]) == (left[1] in ("out.parquet", "out.arrow"))
    if name not in left[4]:
        return
    content = left[4][name]
    for at in some(range(len(content)), 3):
        assert not goes_on(left, lambda folder, at=at: (folder / name).write_bytes(flipped(content, at)))
    assert not goes_on(left, lambda folder: os.truncate(folder / name, len(content) - 1))
    assert not goes_on(left, lambda folder: (folder / name).unlink())
    assert goes_on(left, lambda folder: (folder / name).write_bytes(content + b"of a note that was not finished"))


def test_outputs_that_are_too_short(left):
    name = f".{left[1]}.foretell-partial"
    assert not goes_on(left, lambda folder: os.truncate(folder / name, 100))
    assert not goes_on(left, lambda folder: (folder / name).unlink())


# ---- System calls that fail ----------------------------------------------------------------------


def fails(folder, arguments, call, n, how):
    """Runs with the n-th call of a kind failing, for files of this folder; whether it did."""
    mark = folder / "mark"
    mark.unlink(missing_ok=True)
    environment = dict(os.environ) | {
        "LD_PRELOAD": ftl.of_unit_tests("libfailing_io.so"), "FTL_FAIL_MARK": str(mark),
        "FTL_FAIL": f"{call}:{n}:{how if how == 'EINTR' else getattr(errno, how, how)}:/out/"}
    process = ftl.run(*arguments, cwd=folder, env=environment)
    hit = mark.exists()
    mark.unlink(missing_ok=True)
    if hit and how not in ("EINTR", "short"):
        assert process.returncode == DATA and process.stderr.startswith("foretell: error: IO: "), process.stderr
        assert len(process.stderr.splitlines()) == 1
    else:
        assert process.returncode == REJECTED, process.stderr
    return hit


@pytest.mark.parametrize("output, reject, rows", [OUTPUTS[0], OUTPUTS[1], OUTPUTS[3]], ids=["parquet", "arrow", "csv.zst"])
def test_calls_that_fail(folder, output, reject, rows):
    (folder / "out").mkdir()
    arguments = command(folder / "out" / output, folder / "out" / reject, rows, "--resume")
    work(folder, *arguments)
    wanted = contents(folder / "out", [output, reject])
    hits = 0
    for call, how in [("write", "ENOSPC"), ("pwrite", "EIO"), ("fsync", "EIO"), ("fdatasync", "ENOSPC"), ("pwrite", "short"),
                      ("fsync", "EINTR")]:
        for n in (range(1, 40) if LONG else (2,)):
            for name in (output, reject):
                (folder / "out" / name).unlink(missing_ok=True)
            hit = fails(folder, arguments, call, n, how)
            hits += hit
            if hidden(folder / "out"):
                work(folder, *arguments)
            assert contents(folder / "out", [output, reject]) == wanted, (call, how, n)
            assert hidden(folder / "out") == []
            if not hit:
                break
    assert hits > 2
