"""System calls that fail, the 1st, the 2nd, ... of a whole job: broken disks, full ones, signals, short counts.

tests/unit/failing_io.c is preloaded and makes them fail. Whatever fails, a job either writes the bytes that it
writes ever, or says in one line what went wrong and leaves nothing.
"""

import errno
import itertools
import os
import re

import ftl
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
FOREST = ftl.ROOT / "fuzz/corpus/model/1.9-rf_balanced"  # five numbers without names
INPUTS = ["csv", "csv.gz", "csv.zst", "json", "jsonl", "parquet", "arrow", "arrows", "npy"]
OUTPUTS = ["csv", "csv.gz", "csv.zst", "csv.bz2", "csv.xz", "csv.lz4", "json", "jsonl", "parquet", "arrow", "arrows", "npy"]
HARMLESS = ["EINTR", "short"]
GROWING = ["csv", "jsonl", "npy", "parquet", "arrow", "csv.gz"]
ROWS, MOST = 60, 400


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failing") / "in"
    folder.mkdir()
    rows = pd.DataFrame(np.random.default_rng(4).normal(size=(ROWS, 5)).round(3), columns=list("abcde"))
    table = pa.Table.from_pandas(rows)
    for ending in ["csv", "csv.gz"]:
        rows.to_csv(folder / f"rows.{ending}", index=False)
    with pa.CompressedOutputStream(folder / "rows.csv.zst", "zstd") as file:
        file.write(rows.to_csv(index=False).encode())
    rows.to_json(folder / "rows.json", orient="records")
    rows.to_json(folder / "rows.jsonl", orient="records", lines=True)
    pq.write_table(table, folder / "rows.parquet", row_group_size=25)
    with pa.ipc.new_file(folder / "rows.arrow", table.schema) as file:
        file.write_table(table, 25)
    with pa.ipc.new_stream(folder / "rows.arrows", table.schema) as stream:
        stream.write_table(table, 25)
    np.save(folder / "rows.npy", rows.to_numpy())
    return folder


def score(folder, *names, output, fail=None, options=()):
    """The process, and whether a call failed in it."""
    mark = folder / "mark"
    mark.unlink(missing_ok=True)
    environment = dict(os.environ)
    if fail:
        environment |= {"LD_PRELOAD": ftl.of_unit_tests("libfailing_io.so"), "FTL_FAIL": fail, "FTL_FAIL_MARK": str(mark)}
    if "--batch-size" not in options:
        options = [*options, "--batch-size", 7]
    process = ftl.run("predict", FOREST, *names, "-o", folder / "out" / output, *options,
                      env=environment)
    return process, mark.exists()


def plan(call, n, how, part):
    return f"{call}:{n}:{how if how == 'EINTR' else getattr(errno, how, how)}:{part}"


def entries(folder):
    return sorted(path.name for path in (folder / "out").iterdir())


def expect_error(process):
    assert process.returncode == DATA, (process.returncode, process.stderr)
    lines = process.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("foretell: error: IO: "), process.stderr
    assert re.search(os.strerror(errno.EIO) + "|" + os.strerror(errno.ENOSPC), lines[0])


@pytest.fixture()
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path


def fail_each(folder, names, output, call, part, how, options=()):
    """Each call fails in turn. Returns how many there were, and how many ended the job."""
    whole, _ = score(folder, *names, output=output, options=options)
    assert whole.returncode == DONE, whole.stderr
    target = folder / "out" / output
    wanted = target.read_bytes()
    failed = 0
    for n in range(1, MOST):
        target.write_bytes(b"old")
        process, hit = score(folder, *names, output=output, options=options, fail=plan(call, n, how, part))
        if process.returncode == DONE:
            assert target.read_bytes() == wanted, (call, n)
        else:
            assert how not in HARMLESS, (call, n, process.stderr)
            expect_error(process)
            assert target.read_bytes() == b"old"
            failed += 1
        assert entries(folder) == [output], (call, n)
        if not hit:
            return n - 1, failed
    raise AssertionError("too many calls")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("ending", INPUTS)
def test_reading(inputs, folder, ending, threads):
    name = inputs / f"rows.{ending}"
    total = 0
    for call, how in itertools.product(["read", "pread", "open"], ["EIO", "EINTR", "short"]):
        calls, failed = fail_each(folder, [name], "out.csv", call, "/in/rows.", how, ["--threads", threads])
        total += calls
        assert how != "EIO" or calls == failed
    assert total > 3


@pytest.mark.parametrize("ending", OUTPUTS)
def test_writing(inputs, folder, ending):
    total = 0
    for call, how in itertools.product(["write", "pwrite", "fsync", "close", "open", "rename"],
                                       ["EIO", "ENOSPC", "EINTR", "short"]):
        if (call == "close" and how == "EINTR") or (how == "ENOSPC" and call not in ("write", "fsync")):
            continue
        calls, failed = fail_each(folder, [inputs / "rows.csv"], f"out.{ending}", call, "/out/.foretell-", how)
        total += calls
        assert how in HARMLESS or calls == failed, call
    assert total > 10


def test_several_inputs(inputs, folder):
    names = [inputs / f"rows.{ending}" for ending in INPUTS if ending != "npy"]
    for call, how in itertools.product(["read", "pread", "open"], ["EIO", "EINTR", "short"]):
        calls, _ = fail_each(folder, names, "out.csv", call, "/in/rows.", how)
        assert calls, (call, how)


@pytest.mark.parametrize("output", GROWING)
@pytest.mark.parametrize("where", ["in", "out"])
def test_resume(inputs, folder, output, where):
    """What fails leaves files that the same call goes on with, or none."""
    names, output = [inputs / "rows.csv", inputs / "rows.jsonl"], f"out.{output}"
    whole, _ = score(folder, *names, output=output)
    target = folder / "out" / output
    wanted = target.read_bytes()
    calls = ["read", "pread", "open"] if where == "in" else ["read", "pread", "write", "pwrite", "fsync", "fdatasync", "close",
                                                              "open", "rename", "ftruncate"]
    for call, how in itertools.product(calls, ["EIO", "EINTR", "short"]):
        if call == "close" and how == "EINTR":
            continue
        for n in range(1, MOST):
            target.write_bytes(b"old")
            process, hit = score(folder, *names, output=output, options=["--resume"],
                                 fail=plan(call, n, how, f"/{where}/"))
            if process.returncode != DONE:
                assert how == "EIO", (call, n, process.stderr)
                expect_error(process)
                assert target.read_bytes() == b"old"
                # a job that was all but done does not lose its work
                assert call != "rename" or f".{output}.foretell-partial" in entries(folder)
                process, _ = score(folder, *names, output=output, options=["--resume"])
            assert process.returncode == DONE, (call, n, process.stderr)
            assert target.read_bytes() == wanted, (call, n)
            assert entries(folder) == [output], (call, n)
            if not hit:
                break


def large(folder, ending):
    """The path of a table of some megabytes, which is read piece by piece."""
    (folder / "in").mkdir(exist_ok=True)
    rows = pd.DataFrame(np.random.default_rng(5).normal(size=(60_000, 5)).round(3), columns=list("abcde"))
    name = folder / "in" / f"rows.{ending}"
    match ending:
        case "csv" | "csv.gz":
            rows.to_csv(name, index=False)
        case "json" | "jsonl":
            rows.to_json(name, orient="records", lines=ending == "jsonl")
        case "npy":
            np.save(name, rows.to_numpy())
        case "parquet":
            rows.to_parquet(name, row_group_size=9000)
        case "arrow":
            rows.to_feather(name, chunksize=9000, compression="uncompressed")
        case "arrows":
            table = pa.Table.from_pandas(rows)
            with pa.ipc.new_stream(name, table.schema) as stream:
                stream.write_table(table, 9000)
    return name


@pytest.mark.parametrize("batch", [1900, 60_000])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet", "arrow", "npy"])
def test_resume_behind_a_broken_place(folder, ending, batch):
    """The rows in front of what cannot be read count, and none is left out or comes twice."""
    name = large(folder, ending)
    options = ["--batch-size", batch, "--threads", 2]
    whole, _ = score(folder, name, output="out.csv", options=options)
    assert whole.returncode == DONE, whole.stderr
    wanted = (folder / "out/out.csv").read_bytes()
    went_on = 0
    for call in ["read", "pread"]:
        for n in [*range(1, 9), *range(9, 60, 7)]:
            process, hit = score(folder, name, output="out.csv", options=[*options, "--resume"],
                                 fail=plan(call, n, "EIO", "/in/"))
            assert process.returncode == (DATA if hit else DONE), process.stderr
            process, _ = score(folder, name, output="out.csv", options=[*options, "--resume"])
            assert process.returncode == DONE, process.stderr
            went_on += "done by an earlier call" in process.stderr
            assert (folder / "out/out.csv").read_bytes() == wanted, (call, n)
            if not hit:
                break
    assert went_on or batch == 60_000


@pytest.mark.parametrize("how", ["shrink", "change"])
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "json", "parquet", "arrow", "arrows", "npy"])
def test_files_that_change_while_they_are_read(folder, ending, how):
    """No mixture of two files becomes an output."""
    name = large(folder, ending)
    before, whole = name.read_bytes(), score(folder, name, output="out.csv", options=["--batch-size", 1900])[0]
    assert whole.returncode == DONE, whole.stderr
    wanted = (folder / "out/out.csv").read_bytes()
    refused = 0
    for call, n in itertools.product(["read", "pread"], [*range(1, 9), *range(9, 60, 7)]):
        name.write_bytes(before)
        os.utime(name, (1e9, 1e9))  # clocks of file systems tick slowly
        (folder / "out/out.csv").unlink(missing_ok=True)
        process, hit = score(folder, name, output="out.csv", options=["--batch-size", 1900],
                             fail=plan(call, n, how, "/in/"))
        if process.returncode == DONE:
            assert (folder / "out/out.csv").read_bytes() == wanted, (call, n)
            continue
        refused += 1
        assert process.returncode == DATA and "changed while it was read" in process.stderr or \
            "became shorter while it was read" in process.stderr, (call, n, process.stderr)
        assert entries(folder) == []
    assert refused
