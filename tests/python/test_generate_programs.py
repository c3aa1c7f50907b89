"""foretell generate: programs that run a model are built, run, and compared with the library."""

import ast
import csv
import json
import os
import pathlib
import re
import subprocess
import sys

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

HOSTILE = [
    '"""\nimport os; os.system("touch pwned")\n"""',
    "*/ int x; /*",
    "??/",
    "back\\slash\\",
    "'",
    '"',
    "\r",
    "ü\u202e",
    "\u2028",
    "x" * 300,
    "{y}",
    "%s%n",
    "\x85\x1b[0m",
    "a#b",
]
NAMES = ["a b", "a_b", "class", "field_3", "model_dump", "_x", "1x", "größe", "age", "Age", "json"]


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "balance": rng.normal(0, 1, n).round(4),
            "plan": rng.choice(["free", "pro"], n),
        }
    )


def numbers(n, names, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, len(names))), columns=names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models, and for each a table NAME.csv."""
    folder = tmp_path_factory.mktemp("generated")
    rows = table(300)
    answers = np.where(rows["age"] > 50, 'old, "very"', "young")
    mixed = make_column_transformer((StandardScaler(), ["age", "balance"]), (OneHotEncoder(), ["plan"]))
    plain = numbers(300, ["0", "1", "2"]).to_numpy()
    hostile, odd = numbers(300, HOSTILE), numbers(300, NAMES)
    texts = ["cancel now", "very good", "so, so"] * 20
    models = {
        "pipe": (make_pipeline(mixed, LogisticRegression()).fit(rows, answers), rows),
        "forest": (
            RandomForestClassifier(10, random_state=0).fit(plain, plain[:, 0] > 0),
            pd.DataFrame(plain),
        ),
        "line": (LinearRegression().fit(plain, plain[:, :2]), pd.DataFrame(plain)),
        "scaler": (StandardScaler().fit(rows[["age", "balance"]]), rows[["age", "balance"]]),
        "boost": (
            LGBMClassifier(n_estimators=5, verbose=-1).fit(plain, plain[:, 1] > 0),
            pd.DataFrame(plain),
        ),
        "note": (
            make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 2] * 20),
            pd.DataFrame({"note": texts}),
        ),
        "hostile": (LogisticRegression().fit(hostile, np.array(HOSTILE)[np.arange(300) % 3]), hostile),
        "odd": (LinearRegression().fit(odd, odd["age"]), odd),
    }
    for name, (model, frame) in models.items():
        joblib.dump(model, folder / f"{name}.joblib")
        frame.head(40).to_csv(folder / f"{name}.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    XGBClassifier(n_estimators=4).fit(plain, plain[:, 1] > 0).save_model(folder / "xgb.json")
    pd.DataFrame(plain).head(40).to_csv(folder / "xgb.csv", index=False)
    return folder


MODELS = [
    "pipe.joblib",
    "forest.joblib",
    "line.joblib",
    "scaler.joblib",
    "boost.joblib",
    "note.joblib",
    "hostile.joblib",
    "odd.joblib",
    "xgb.json",
]
HAS_PROBABILITIES = {"pipe", "forest", "boost", "note", "hostile", "xgb"}


def generate(folder, model, target, *options, code=0):
    done = ftl.run("generate", model, "--target", target, *options, cwd=folder)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def predicted(folder, model, *options):
    stem = pathlib.Path(model).stem
    done = ftl.run("predict", model, f"{stem}.csv", "-q", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def library_folder():
    beside = pathlib.Path(ftl.program()).resolve().parent
    return next(place for place in (beside / "src", beside / "../lib") if list(place.glob("libforetell.so")))


@pytest.mark.parametrize("model", MODELS)
def test_c_programs(folder, model, tmp_path):
    """Compiled as C99 without a warning; a file has the program's bytes, and so has each of its rows."""
    stem = pathlib.Path(model).stem
    proba = ["--proba"] if stem in HAS_PROBABILITIES else []
    source, program = tmp_path / f"{stem}.c", tmp_path / stem
    source.write_text(
        generate(
            folder, model, "c", *proba, "--data", f"{stem}.csv", "--predictions", str(tmp_path / "out.csv")
        )
    )
    place = library_folder()
    subprocess.run(
        [
            "cc",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            f"-I{ftl.ROOT}/include",
            source,
            "-o",
            program,
            f"-L{place}",
            "-lforetell",
            f"-Wl,-rpath,{place}",
        ],
        check=True,
    )
    want = predicted(folder, model, *proba)
    subprocess.run([program], cwd=folder, check=True, capture_output=True)
    assert (tmp_path / "out.csv").read_text() == want
    _, rows = ftl.read_csv(folder / f"{stem}.csv")
    (tmp_path / "want.csv").write_text(want)
    _, answers = ftl.read_csv(tmp_path / "want.csv")
    for row, answer in list(zip(rows, answers, strict=True))[:5]:
        done = subprocess.run(
            [program, "--row", *row], cwd=folder, capture_output=True, text=True, check=True
        )
        (tmp_path / "row.csv").write_text(f"head\n{done.stdout}")
        got = ftl.read_csv(tmp_path / "row.csv")[1][0]
        number = np.float32 if stem == "xgb" else float  # its results are float32
        assert all(
            value == other or number(value) == number(other) for value, other in zip(got, answer, strict=True)
        )
    assert subprocess.run([program, "--row", *row, "more"], cwd=folder, capture_output=True).returncode == 2
    gone = subprocess.run([program, "none.joblib", "x", "y"], cwd=folder, capture_output=True, text=True)
    assert gone.returncode == 1 and "none.joblib" in gone.stderr


@pytest.mark.parametrize("model", MODELS)
def test_plain_scripts(folder, model, tmp_path):
    """Without foretell: the library's own predictions, batch by batch."""
    stem = pathlib.Path(model).stem
    proba = ["--proba"] if stem in HAS_PROBABILITIES else []
    script, out = tmp_path / "plain.py", tmp_path / "out.csv"
    script.write_text(
        generate(folder, model, "python", "--plain", *proba, "--data", f"{stem}.csv", "--batch-size", "7")
    )
    assert "foretell" not in [
        word
        for line in script.read_text().splitlines()
        if line.startswith(("import", "from"))
        for word in line.split()
    ]
    done = subprocess.run(
        [sys.executable, script, "-q", "--output", out], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0 and not (folder / "pwned").exists() and not list(tmp_path.glob("*.part")), (
        done.stderr
    )
    (tmp_path / "want.csv").write_text(predicted(folder, model, *proba))
    header, rows = ftl.read_csv(out)
    names, want = ftl.read_csv(tmp_path / "want.csv")
    assert header == names and len(rows) == len(want)
    for row, other in zip(rows, want, strict=True):
        for got, expected in zip(row, other, strict=True):
            assert (
                got == expected
                or float(got) == pytest.approx(float(expected), rel=1e-6, abs=1e-9)
                or ({got, expected} == {"True", "1"} or {got, expected} == {"False", "0"})
            )


def constants_of(text):
    """What a script assigns at its top."""
    found = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:
                pass
    return found


def test_names_cannot_leave_their_strings(folder):
    """Columns, classes and paths with quotes, line ends and ends of comments are constants."""
    paths = ["--data", 'a"b\n\\c*/??/', "--predictions", '\'"""\nimport os', "-o", "-"]
    calm = generate(folder, "odd.joblib", "python")
    wild = generate(folder, "hostile.joblib", "python", "--plain", "--proba", *paths)
    constants = constants_of(wild)
    assert constants["COLUMNS"] == HOSTILE
    assert constants["DATA_PATH"] == 'a"b\n\\c*/??/' and constants["OUTPUT_PATH"] == '\'"""\nimport os'
    assert len(constants["PROBABILITY_OUTPUTS"]) == 3
    for text in (
        calm,
        wild,
        generate(folder, "hostile.joblib", "python", "--proba", *paths),
        generate(folder, "hostile.joblib", "fastapi", *paths),
    ):
        tree = ast.parse(text)
        assert not [
            node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "system"
        ]
        assert "\u202e" not in text and "\u2028" not in text and "\x1b" not in text and "\r" not in text
    code = generate(folder, "hostile.joblib", "c", *paths)
    code = re.sub(r'"(\\.|[^"\\\n])*"', '""', code)
    assert (
        code.count("*/") == code.count("/*")
        and "??/" not in code
        and "int x" not in re.sub(r"/\*.*?\*/", "", code, flags=re.S)
    )


def fields_of(text):
    """Of a service: name -> (alias, annotation)."""
    row = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == "Row")
    found = {}
    for line in row.body:
        if isinstance(line, ast.AnnAssign):
            alias = (
                [word.value.value for word in line.value.keywords if word.arg == "alias"]
                if line.value
                else []
            )
            found[line.target.id] = (alias[0] if alias else line.target.id, ast.unparse(line.annotation))
    return found


def test_columns_are_fields(folder):
    """Whatever they are called: each has a field of its own, under its name in JSON."""
    assert fields_of(generate(folder, "pipe.joblib", "fastapi")) == {
        "age": ("age", "int | float"),
        "balance": ("balance", "int | float"),
        "plan": ("plan", "str"),
    }
    assert fields_of(generate(folder, "scaler.joblib", "fastapi"))["age"] == ("age", "int | float | None")
    for model, names in (("odd.joblib", NAMES), ("hostile.joblib", HOSTILE)):
        fields = fields_of(generate(folder, model, "fastapi"))
        assert [alias for alias, _ in fields.values()] == names
        assert all(field.isidentifier() and not field.startswith(("_", "model_")) for field in fields)
    assert "age" in fields_of(generate(folder, "odd.joblib", "fastapi"))
    assert "class Row" not in generate(folder, "forest.joblib", "fastapi")  # without names: lists


def test_defaults(folder):
    """Batches of 5000 rows, 1000 without optimisation, unless told otherwise."""
    for options, size in (
        (["python"], 5000),
        (["python", "--plain"], 1000),
        (["python", "--batch-size", "123"], 123),
    ):
        assert constants_of(generate(folder, "pipe.joblib", *options))["BATCH_SIZE"] == size
    script = generate(folder, "pipe.joblib", "python")
    assert "use_optimized_inference=True" in script and "What is optimised here" in script
    assert "use_optimized_inference=False" in generate(folder, "pipe.joblib", "python", "--plain")
    assert constants_of(script)["MODEL_PATH"] == "pipe.joblib"
    assert generate(folder, "pipe.joblib", "python") == script
    assert 'method="decision_function"' in generate(
        folder, "pipe.joblib", "python", "--method", "decision_function"
    )


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["pipe.joblib", "--target", "fastapi", "--plain"], 2, "plain is for the target python"),
        (["pipe.joblib", "--target", "c", "--plain"], 2, "plain is for the target python"),
        (["pipe.joblib", "--target", "pyhton"], 2, "did you mean python"),
        (["pipe.joblib", "--target", "c", "--threshold", "0.3"], 2, "--threshold"),
        (["pipe.joblib", "--target", "python", "--select", "model"], 2, "MODEL:model"),
        (["scaler.joblib", "+", "line.joblib", "--target", "c"], 2, "standalone-c"),
        (["scaler.joblib", "--target", "python", "--method", "predict"], 2, "predict"),
        (["pipe.joblib", "--target", "python", "--plain", "--method", "margin"], 2, "margin"),
        (["pipe.joblib", "--target", "c", "--max-code", "100"], 3, "max-code"),
    ],
)
def test_what_cannot_be_generated(folder, options, code, message, tmp_path):
    done = ftl.run("generate", *options, "-o", tmp_path / "code", cwd=folder)
    assert done.returncode == code and message in done.stderr, done
    assert len(done.stderr.splitlines()) <= 2 and not os.listdir(tmp_path)


def test_a_booster_has_no_plain_script(folder, tmp_path):
    model = joblib.load(folder / "boost.joblib")
    model.booster_.save_model(tmp_path / "boost.txt")
    done = ftl.run("generate", tmp_path / "boost.txt", "--target", "python", "--plain")
    assert done.returncode == 3 and "leave plain out" in done.stderr
    assert ftl.run("generate", tmp_path / "boost.txt", "--target", "python").returncode == 0


def test_the_targets_are_listed(folder):
    done = ftl.run("generate", "--target", "list")
    assert done.returncode == 0 and {line.split()[0] for line in done.stdout.splitlines()} >= {
        "python",
        "fastapi",
        "c",
    }


def test_the_columns_of_the_comment(folder):
    info = json.loads(ftl.run("inspect", folder / "pipe.joblib", "--json").stdout)
    for target in ("python", "fastapi", "c"):
        code = generate(folder, "pipe.joblib", target)
        for i, column in enumerate(info["inputs"]):
            assert f"{i}  {column['name']}: " in code
