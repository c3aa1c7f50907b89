"""Tables that are cut off, empty, or named to hurt: one line of error, exit code 4, and nothing left."""

import json
import re

import ftl
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
FOREST = ftl.ROOT / "fuzz/corpus/model/1.9-rf_balanced"  # five numbers without names
NAMES = list("abcde")
FORMATS = ["csv", "csv.gz", "json", "jsonl", "parquet", "arrow", "arrows", "npy"]
# Where these are cut between records, or messages, what remains is a whole table.
CAN_END = ["csv", "jsonl", "arrows"]


def write(path, table):
    rows = table.to_pandas() if table.num_columns else None
    match "".join(path.suffixes)[1:]:
        case "csv" | "csv.gz":
            rows.to_csv(path, index=False)
        case "json" | "jsonl":
            rows.to_json(path, orient="records", lines=path.suffix == ".jsonl")
        case "parquet":
            pq.write_table(table, path, row_group_size=9)
        case "arrow":
            with pa.ipc.new_file(path, table.schema) as file:
                file.write_table(table, 9)
        case "arrows":
            with pa.ipc.new_stream(path, table.schema) as stream:
                stream.write_table(table, 9)
        case "npy":
            np.save(path, rows[NAMES].to_numpy(dtype=float))
    return path


def score(path, *options):
    """The process; what it left has been looked at."""
    out = path.parent / "out"
    out.mkdir(exist_ok=True)
    process = ftl.run("predict", FOREST, path, "-o", out / "out.csv", "--quiet", *options)
    left = list(out.iterdir())
    for file in left:
        file.unlink()
    assert process.returncode in (DONE, DATA), (process.returncode, process.stderr)
    if process.returncode == DATA:
        assert left == []
        assert process.stderr.startswith("foretell: error: ") and process.stderr.count("\n") == 1, process.stderr
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", process.stderr), repr(process.stderr)
    return process


def options(ending):
    return [] if ending == "npy" else ["--features", ",".join(NAMES), "--keep", "note"]


@pytest.mark.parametrize("ending", FORMATS)
def test_cut_off_anywhere(tmp_path, ending, profile):
    rows = pd.DataFrame(np.random.default_rng(4).normal(size=(20, 5)).round(3), columns=NAMES)
    rows["note"] = [f"né {i}" for i in range(len(rows))]
    whole = write(tmp_path / f"rows.{ending}", pa.Table.from_pandas(rows))
    assert score(whole, *options(ending)).returncode == DONE
    content, cut = whole.read_bytes(), tmp_path / f"cut.{ending}"
    for size in range(0, len(content), 1 if profile == "long" else 1 + len(content) // 250):
        cut.write_bytes(content[:size])
        done = score(cut, *options(ending)).returncode == DONE
        assert not done or ending in CAN_END, size


@pytest.mark.parametrize("ending", FORMATS)
def test_no_rows(tmp_path, ending):
    table = pa.table({name: pa.array([], pa.float64()) for name in NAMES} | {"note": pa.array([], pa.string())})
    process = score(write(tmp_path / f"rows.{ending}", table), *options(ending))
    # JSON has its names in its rows alone
    assert process.returncode == (DATA if ending.startswith("json") else DONE)
    assert not process.stderr or "the table is empty" in process.stderr


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_no_columns(tmp_path, ending):
    without = pa.RecordBatch.from_struct_array(pa.array([{}] * 5, type=pa.struct([])))
    for table in [pa.table({}), pa.Table.from_batches([without])]:
        process = score(write(tmp_path / f"rows.{ending}", table), "--features", ",".join(NAMES))
        assert "has no columns" in process.stderr


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_names_that_are_numbers_are_no_header_line(tmp_path, ending):
    path = write(tmp_path / f"rows.{ending}", pa.table({str(i): [1.0] for i in range(5)}))
    process = score(path, "--features", ",".join(NAMES))
    assert "5 columns of the model are missing" in process.stderr and "--no-header" not in process.stderr


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "nul\0x", "\x9b31m", "\u202eabc", "\x7f", "\ttab", '"', ""])
@pytest.mark.parametrize("ending", ["json", "parquet", "arrow", "arrows", "csv"])
def test_names_for_terminals(tmp_path, ending, name):
    path = tmp_path / f"rows.{ending}"
    if ending == "json":
        path.write_text(json.dumps([dict.fromkeys("abcd", 1) | {name: "x\x1b[2J"}]))
    elif ending == "csv":
        quoted = name.replace('"', '""')
        path.write_text(f'a,b,c,d,"{quoted}"\n1,2,3,4,x\x1b[2J\n')
    else:
        bad = pa.array([1], pa.timestamp("s"))
        write(path, pa.Table.from_arrays([pa.array([1.0])] * 4 + [bad], names=[*"abcd", name]))
    for chosen in [[], ["--features", ",".join(NAMES)], ["--features", "a,b,c,d,d", "--keep", "*"]]:
        score(path, *chosen)


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "parquet", "arrow", "arrows", "views", "coded"])
def test_long_texts(tmp_path, ending):
    """Of any format a text is as long as --max-record says, and what is too long is not looked for in memory."""
    texts = pa.array(["short", None, "x" * 3_000_000, "é"])
    kinds = {"views": lambda: texts.cast(pa.string_view()), "coded": texts.dictionary_encode}
    texts = kinds.get(ending, lambda: texts)()
    table = pa.table({name: [1.0] * 4 for name in NAMES} | {"note": texts})
    path = write(tmp_path / f"rows.{'arrow' if ending in kinds else ending}", table)
    process = score(path, *options(ending))
    assert process.returncode == DATA and "LIMIT" in process.stderr and "--max-record" in process.stderr
    assert score(path, *options(ending), "--max-record", "3500000").returncode == DONE
    if ending not in ["csv", "json", "jsonl"]:  # a column that nobody wants
        assert score(path, "--features", ",".join(NAMES)).returncode == DONE
