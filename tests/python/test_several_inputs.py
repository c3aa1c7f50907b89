"""Several inputs as one table: files, folders, patterns; the same answers as of one file that holds all rows."""

import gzip
import json
import lzma
import os
import re
import resource
import subprocess

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
ROWS = 3000


class Made:
    def __init__(self, folder):
        rng = np.random.default_rng(11)
        rows = pd.DataFrame(rng.normal(size=(ROWS, 2)).round(3), columns=["age", "height"])
        rows.insert(0, "city", rng.choice(["Bonn", "Köln", "Trier, West"], ROWS))
        rows.insert(0, "id", [f"r{i}" for i in range(ROWS)])
        model = make_pipeline(make_column_transformer((OneHotEncoder(), ["city"]), (StandardScaler(), ["age", "height"])),
                              LogisticRegression())
        model.fit(rows[["city", "age", "height"]], rows["age"] > rows["height"])
        joblib.dump(model, folder / "model.joblib")
        joblib.dump(LogisticRegression().fit(rows[["age", "height"]].to_numpy(), rows["age"] > 0), folder / "bare.joblib")
        rows.to_csv(folder / "all.csv", index=False)
        self.rows = rows


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    made = Made(folder)
    made.folder = folder
    return made


@pytest.fixture(autouse=True)
def folder(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in made.folder.iterdir():
        os.symlink(path, path.name)
    return tmp_path


@pytest.fixture
def parts(made, folder):
    """Uneven parts, packed in several ways, with their columns in several orders."""
    rows, names, bounds = made.rows, [], [0, 1, 700, 700, 701, 1900, 2999, ROWS]
    for i, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        part = rows[begin:end]
        if i % 2:
            part = part[["height", "id", "age", "city"]].assign(more="x")
        text = part.to_csv(index=False, sep=";" if i == 4 else ",").encode()
        name, pack = [("csv", bytes), ("csv.gz", gzip.compress), ("csv.xz", lzma.compress)][i % 3]
        names.append(f"part-{i}.{name}")
        (folder / names[-1]).write_bytes(pack(text))
    return names


def ok(*arguments, code=DONE, **options):
    process = ftl.run(*arguments, **options)
    assert process.returncode == code, process.stderr
    return process


def refused(code, *arguments, says, **options):
    process = ftl.run(*arguments, **options)
    assert process.returncode == code, (process.returncode, process.stderr)
    assert process.stderr.count("\n") == 1, process.stderr
    assert says in process.stderr
    return process


def predict(*inputs, model="model.joblib", **options):
    return ok("predict", model, *inputs, "-q", **options).stdout


# ---- Equal to one file ---------------------------------------------------------------------------

@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("size", [1, 64, 5000])
def test_parts_are_as_one_file(parts, threads, size):
    how = ("--threads", threads, "--batch-size", size, "--keep", "id,city,height", "--proba")
    assert predict(*parts, *how) == predict("all.csv", "--keep", "id,city,height", "--proba")


def test_options_in_any_place_and_files_twice(parts):
    one = predict("all.csv", "--keep", "id")
    assert ok("predict", "--keep", "id", "model.joblib", parts[0], "-q", *parts[1:3], "--", *parts[3:]).stdout == one
    assert predict("all.csv", "./all.csv", "--keep", "id") == one + one.split("\n", 1)[1]


def test_limit_counts_over_all(parts):
    assert predict(*parts, "--keep", "id", "--limit", 702) == predict("all.csv", "--keep", "id", "--limit", 702)
    assert predict(*parts, "--keep", "id", "--limit", 1).count("\n") == 2


def test_parts_without_rows(folder, made):
    made.rows[:0].to_csv("none.csv", index=False)
    assert predict("none.csv", "all.csv", "none.csv", "none.csv", "--keep", "id") == predict("all.csv", "--keep", "id")
    assert predict("none.csv", "none.csv") == predict("none.csv") == "prediction\n"
    (folder / "empty.csv").touch()
    refused(DATA, "predict", "model.joblib", "none.csv", "empty.csv", "-o", "out.csv",
            says="empty.csv: the table is empty: there is not even a header line")
    assert not (folder / "out.csv").exists()


def test_arrays(made, folder):
    values = made.rows[["age", "height"]].to_numpy()
    np.save("all.npy", values)
    for i, part in enumerate(np.array_split(values, 4)):
        np.save(f"part-{i}.npy", np.asfortranarray(part) if i == 2 else part)
    one = predict("all.npy", "--proba", "--keep", "0", model="bare.joblib")
    assert predict("part-*.npy", "--proba", "--keep", "0", model="bare.joblib") == one
    # a wider type takes float32 in, as concatenating does; the other way round would be another arithmetic
    narrow = values.astype("f4")
    np.save("narrow.npy", narrow)
    np.save("wide.npy", np.concatenate([values, narrow]))
    assert predict("all.npy", "narrow.npy", "--proba", model="bare.joblib") == \
        predict("wide.npy", "--proba", model="bare.joblib")
    refused(DATA, "predict", "bare.joblib", "narrow.npy", "all.npy", says="all.npy: column 0 is float64 here and "
            "float32 in narrow.npy")
    refused(DATA, "predict", "bare.joblib", "all.npy", "narrow.npy", "--keep", "1",
            says="narrow.npy: column 1 is float32 here and float64 in all.npy; a column that is kept has one type")
    refused(DATA, "predict", "bare.joblib", "all.npy", "all.csv", "--keep", "1",
            says="all.csv: it has column names, and all.npy has none")


def test_standard_input_is_a_part(made, parts, folder):
    text = made.rows[:1].to_csv(index=False)
    assert predict("-", *parts[1:], "--keep", "id", input=text) == predict("all.csv", "--keep", "id")
    refused(USAGE, "predict", "model.joblib", "-", "all.csv", "-", says="standard input, -, is named twice", input=text)
    lines = predict(parts[1], "-", "--keep", "filename", "--limit", 700, input=text).splitlines()
    assert lines[-2].startswith(f"{parts[1]},") and lines[-1].startswith("-,")
    refused(DATA, "predict", "model.joblib", "all.csv", "-", says="standard input: 1 column of all.csv is missing here: city",
            input="age,height\n1,2\n")


# ---- What names stand for ------------------------------------------------------------------------

def test_patterns(parts, folder, made):
    one = predict("all.csv", "--keep", "id")
    assert predict("part-*", "--keep", "id") == one
    assert predict("part-[0-3]*", "./part-[4-9].csv*", "--keep", "id") == one
    refused(DATA, "predict", "model.joblib", "no-*.csv", says='no file is called "no-*.csv", and none matches it')
    refused(DATA, "predict", "model.joblib", "nowhere/*.csv", says='"nowhere/*.csv", and none matches it')
    # what is there is no pattern, and a match is none either
    made.rows[:2].to_csv("a[1].csv", index=False)
    made.rows[2:5].to_csv("a1.csv", index=False)
    assert predict("a[1].csv").count("\n") == 3
    assert predict("a?.csv").count("\n") == 4
    assert predict("a[[]1].csv").count("\n") == 3
    assert predict("a*.csv", "--keep", "filename").count("a[1].csv") == 2


def test_folders(parts, folder, made):
    data = folder / "data"
    (data / "year=2024" / "month=1").mkdir(parents=True)
    (data / "year=2023").mkdir()
    (data / "_temporary").mkdir()
    (data / ".hidden").mkdir()
    made.rows[:1000].to_csv(data / "year=2023" / "z.csv", index=False)
    made.rows[1000:2000].to_csv(data / "year=2024" / "month=1" / "a.CSV.gz", index=False)
    made.rows[2000:].to_csv(data / "year=2024" / "part.tsv", index=False, sep="\t")
    for other in ("_SUCCESS", ".part.csv.crc", "README.md", "_temporary/x.csv", ".hidden/x.csv", "year=2023/.y.csv"):
        (data / other).write_text("nonsense", encoding="utf-8")
    one = predict("all.csv", "--keep", "id")
    assert predict("data", "--keep", "id") == predict("data/", "--keep", "id") == one
    assert predict("data/year=*", "--keep", "id") == one
    files = [line.split(",")[0] for line in predict("data/", "--keep", "filename").splitlines()[1:]]
    assert list(dict.fromkeys(files)) == ["data/year=2023/z.csv", "data/year=2024/month=1/a.CSV.gz",
                                          "data/year=2024/part.tsv"]
    (folder / "bare").mkdir()
    refused(DATA, "predict", "model.joblib", "bare", says='the folder "bare" holds no file that is called as tables are')
    (data / "year=2024" / "up").symlink_to("..")
    refused(DATA, "predict", "model.joblib", "data", says='"data/year=2024/up" is a link to a folder that holds it')


def test_folders_lie_within_a_depth(folder):
    (folder / "/".join("d" * 40)).mkdir(parents=True)
    refused(DATA, "predict", "model.joblib", "d", says="more than 32 folders deep")


def test_filename(made, parts, folder):
    expected = [name for name in parts for _ in range(predict(name).count("\n") - 1)]
    lines = predict(*parts, "--keep", "filename,id").splitlines()
    assert lines[0] == "filename,id,prediction"
    assert [line.split(",")[0] for line in lines[1:]] == expected
    assert predict("all.csv", "--keep", "filename", "--limit", 1) == "filename,prediction\nall.csv,False\n"
    assert "filename" not in predict("all.csv", "./all.csv", "--keep", "*", "--limit", 1)  # '*': what the file has
    made.rows.assign(filename="mine").to_csv("own.csv", index=False)
    assert predict("own.csv", "--keep", "filename", "--limit", 1).splitlines()[1].startswith("mine,")
    made.rows[["age", "height"]].to_csv("bare.csv", index=False, header=False)
    assert predict("bare.csv", "--no-header", "--keep", "filename,0", "--features", "0,1", "--limit", 1,
                   model="bare.joblib").splitlines()[0] == "filename,column_0,prediction"


def test_five_thousand_files(made, folder):
    """More files than may be open at once."""
    (folder / "many").mkdir()
    text = made.rows[:2].to_csv(index=False)
    for i in range(5000):
        (folder / "many" / f"{i:04}.csv").write_text(text, encoding="utf-8")
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))}
    two = predict("all.csv", "--limit", 2, "--keep", "id").split("\n", 1)
    for threads in (1, 2):
        out = predict("many", "--keep", "id", "--threads", threads, **few)
        assert out == two[0] + "\n" + 5000 * two[1]


# ---- What goes wrong -----------------------------------------------------------------------------

def test_columns_of_a_part_are_missing(made, folder):
    made.rows.drop(columns=["height", "id"]).to_csv("lacks.csv", index=False)
    refused(DATA, "predict", "model.joblib", "all.csv", "lacks.csv", "-o", "out.csv",
            says="lacks.csv: 1 column of all.csv is missing here: height")
    refused(DATA, "predict", "model.joblib", "all.csv", "lacks.csv", "--keep", "id",
            says="lacks.csv: 2 columns of all.csv are missing here: height, id")
    refused(DATA, "predict", "model.joblib", "lacks.csv", "all.csv",
            says="lacks.csv: 1 column of the model is missing in the table: height")
    refused(DATA, "predict", "model.joblib", "all.csv", "all.csv", "--keep", "salary",
            says="SCHEMA: all.csv: there is no column 'salary' for --keep in the table")
    refused(DATA, "check", "model.joblib", "lacks.csv", "all.csv", says="SCHEMA: lacks.csv: 1 column of the model is missing")
    assert not (folder / "out.csv").exists()
    made.rows[["age", "height"]].to_csv("two.csv", index=False, header=False)
    made.rows[["age", "height", "id"]].to_csv("three.csv", index=False, header=False)
    refused(DATA, "predict", "bare.joblib", "--no-header", "two.csv", "three.csv",
            says="three.csv: it has 3 columns, and two.csv has 2")


def test_errors_name_file_and_line(made, folder):
    made.rows[:5].to_csv("good.csv", index=False)
    bad = made.rows[:5].astype({"age": object})
    bad.loc[3, "age"] = "old"
    bad.to_csv("bad.csv", index=False)
    for threads in (1, 2):
        refused(DATA, "predict", "model.joblib", "good.csv", "bad.csv", "--threads", threads, "-o", "out.csv",
                says="VALUE: bad.csv: line 5, column 'age': 'old' is not a number")
    strange = made.rows[:5].copy()
    strange.loc[2, "city"] = "Rom"
    strange.to_csv("strange.csv", index=False)
    alone = ftl.run("predict", "model.joblib", "strange.csv").stderr
    assert "line 4 (row 2): " in alone
    refused(DATA, "predict", "model.joblib", "good.csv", "strange.csv",
            says=re.sub("line 4", "strange.csv: line 4", alone).split("error: ")[1])
    process = refused(DATA, "check", "model.joblib", "good.csv", "bad.csv", "--json", says="bad.csv: line 5")
    report = json.loads(process.stdout)
    assert (report["files"], report["rows"], report["refused"]) == (2, 10, 1)
    assert report["error"].startswith("bad.csv: line 5")
    assert not (folder / "out.csv").exists()


def test_rejected_rows_go_into_one_file(made, folder):
    made.rows[:3].to_csv("a.csv", index=False)
    (folder / "b.csv").write_text("id,city,age,height\nx,Bonn,old,1\ny,Rom,1,2\nz,Bonn,1,1\n", encoding="utf-8")
    out = ok("predict", "model.joblib", "a.csv", "b.csv", "a.csv", "--on-error", "skip", "--reject", "bad.csv", "-q",
             "--keep", "id", code=REJECTED).stdout
    assert [line.split(",")[0] for line in out.splitlines()] == ["id", "r0", "r1", "r2", "z", "r0", "r1", "r2"]
    header, rows = ftl.read_csv("bad.csv")
    assert header == ["id", "city", "age", "height", "error"]
    assert [row[:4] for row in rows] == [["x", "Bonn", "old", "1"], ["y", "Rom", "1", "2"]]
    assert rows[0][4] == "b.csv: line 2, column 'age': 'old' is not a number"
    assert rows[1][4].startswith("b.csv: ") and "Rom" in rows[1][4]
    made.rows[["city", "id", "age", "height"]].to_csv("order.csv", index=False)
    for other in ("order.csv",):
        refused(DATA, "predict", "model.joblib", "a.csv", other, "--on-error", "skip", "--reject", "bad2.csv", "-o",
                "out.csv", says=f"{other}: --reject needs inputs of one format, with the same columns in the same order")
    assert not (folder / "bad2.csv").exists()
    predict("a.csv", "order.csv", "--on-error", "skip")


def test_a_part_that_is_gone(made, folder):
    refused(DATA, "predict", "model.joblib", "all.csv", "gone.csv", says='cannot open "gone.csv": No such file')
    assert ftl.run("predict", "model.joblib", "all.csv", "gone.csv").stdout == ""  # said before rows are read
    # … and one that goes while the one before it is read
    os.mkfifo("first.csv")
    (folder / "gone.csv").symlink_to("all.csv")
    process = subprocess.Popen([ftl.program(), "predict", "model.joblib", "first.csv", "gone.csv", "-o", "out.csv"],
                               stderr=subprocess.PIPE, text=True)
    with open("first.csv", "w", encoding="utf-8") as pipe:  # it is open: the names were looked at before
        (folder / "gone.csv").unlink()
        made.rows.to_csv(pipe, index=False)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == DATA
    assert errors == 'foretell: error: IO: cannot open "gone.csv": No such file or directory\n'
    assert not (folder / "out.csv").exists()


def test_no_output_over_an_input(made, folder):
    made.rows.to_csv("b.csv", index=False)
    before = (folder / "b.csv").read_bytes()
    os.link("b.csv", "link.csv")
    for inputs in (["all.csv", "b.csv"], ["all.csv", "?.csv"], ["b.csv", "all.csv"]):
        for output in ("b.csv", "link.csv"):
            refused(USAGE, "predict", "model.joblib", *inputs, "-o", output, says=f"the output {output} is one of the inputs")
            refused(USAGE, "predict", "model.joblib", *inputs, "-o", "out.csv", "--on-error", "skip", "--reject", output,
                    says=f"the reject file {output} is one of the inputs")
    assert (folder / "b.csv").read_bytes() == before


# ---- The other commands --------------------------------------------------------------------------

def test_check_counts_over_all(parts, made, folder):
    one = json.loads(ok("check", "model.joblib", "all.csv", "--json", "--keep", "id").stdout)
    several = json.loads(ok("check", "model.joblib", *parts, "--json", "--keep", "id,filename").stdout)
    assert several.pop("files") == len(parts)
    assert several == one
    assert "7 files, the first CSV" in ok("check", "model.joblib", "part-*").stdout


def test_the_front_door(parts, folder):
    assert ok("model.joblib", *parts).stdout == ok("model.joblib", "all.csv").stdout
    assert ok("model.joblib", "part-*").stdout == ok("model.joblib", "all.csv").stdout


def test_models_are_joined_before_inputs(parts, folder):
    refused(USAGE, "predict", "model.joblib", parts[0], "+", parts[1], says="+ stands between models")
    refused(USAGE, "inspect", "model.joblib", "all.csv", says="one argument too many: 'all.csv'")
