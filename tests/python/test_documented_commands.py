"""Every command that a page names runs: those in blocks of code as they stand, and those within sentences.

Commands of `foretell` run in a folder that has the files which the pages speak of; a page that speaks of another file
needs it in `everyday_files`. Commands of the repository run at a tiny size (TINY), in the repository or, where they write
into it, in a copy. What takes minutes even so runs in `make test-all`. EXCEPTIONS do not run, each for its reason.
"""

import fcntl
import gzip
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

ROOT = ftl.ROOT
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md")])
WORDS = ("foretell", "make", "cc", "cmake", "ctest", "python", "python3", "zcat", "pip")

# Commands that do not run here.
ITSELF = "it is what runs this test"
OF_PYTHON = "it would go into the environment of these tests; those of the package build and install it elsewhere"
EXCEPTIONS = {"make test": ITSELF, ".ci/run": ITSELF, "make test-all": ITSELF, "pip install ./python": OF_PYTHON}
# Commands that build or check for minutes also at their smallest: in make test-all.
LONG = ("make asan", "make tsan", "make fuzz", "make lint", "make bench", "bench/plot", "bench/standalone", "bench/python",
        "make unit", "make python", "make docs", "scripts/test", "scripts/bootstrap test-all", "fuzz/make_ir_seeds.py",
        "tests/golden/make_graphs.py")
# They may take so long: what they build may never have been built on this machine.
SECONDS = 1800
# What makes commands small. A long run within this one would come to this file again, and wait for itself.
TINY = {"DEMO_ROWS": "2000", "BENCH_FLAGS": "--quick", "FTL_UNIT_TESTS": "^test_hash$",
        "FTL_PYTHON_TESTS": "test_usage_errors", "FUZZ_SECONDS": "1", "FUZZ_TARGETS": "json", "FTL_LINT": "cppcheck",
        "JOBS": "2", "FTL_TEST_PROFILE": "fast"}
# Commands that write into the repository, and what they need of build/.
IN_A_COPY = {"make format": ["venv"], "bench/plot": ["bench-quick/results.json"],
             "fuzz/make_ir_seeds.py": ["venv", "release"], "tests/golden/make_graphs.py": ["venv", "release"]}
# Named without what they need: their help is shown.
WANT_MORE = ("tools/real_models", "tools/golden_summary.py")


def blocks_and_sentences(text):
    """The lines within ``` blocks without a language, and the `code` within sentences."""
    parts = re.split(r"^```(.*)$", text, flags=re.MULTILINE)
    lines = []
    for language, block in zip(parts[1::4], parts[2::4]):
        lines += [] if language.strip() else block.splitlines()
    return lines, re.findall(r"`([^`]+)`", "".join(parts[0::4]))


def is_command(text):
    first = text.split()[0] if text.split() else ""
    path = ROOT / first
    return first in WORDS or ("/" in first and path.is_file() and os.access(path, os.X_OK))


def documented():
    """[(command, page)], each command once, without its comment."""
    found = {}
    for page in PAGES:
        lines, spans = blocks_and_sentences(page.read_text(encoding="utf-8"))
        for text in lines + [" ".join(span.split()) for span in spans]:
            command = re.sub(r"\s+#.*$", "", text.strip().removeprefix("$ "))
            if is_command(command):
                found.setdefault(command, page.relative_to(ROOT))
    return sorted((command, str(page)) for command, page in found.items())


COMMANDS = documented()
# They go on until they are told to end: test_serve_documented.py.
SERVERS = [command for command, _ in COMMANDS if command.startswith("foretell serve ")]
OF_FORETELL = [command for command, _ in COMMANDS if re.search(r"(^|\| )foretell\b", command) and command not in SERVERS]
OF_THE_REPOSITORY = [command for command, _ in COMMANDS if command not in [*OF_FORETELL, *SERVERS, *EXCEPTIONS]]


def test_the_pages_were_read():
    """That the search finds what it should: a change of the pages' form would leave the others without commands."""
    assert {"make demo", "make bench-peers", "foretell predict model.joblib rows.csv -o out.csv", "make unit",
            "make lint", "bench/plot", "scripts/test python -k poisson"} <= {command for command, _ in COMMANDS}
    assert any(command.startswith("cc predict.c") for command, _ in COMMANDS)


def test_exceptions_are_in_use():
    assert set(EXCEPTIONS) <= {command for command, _ in COMMANDS}


# ---- foretell ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everyday_files(tmp_path_factory):
    """The files that the pages' examples speak of."""
    folder = tmp_path_factory.mktemp("documented")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 3)), columns=["age", "fare", "size"])
    target = np.where(frame["age"] > 0, "yes", "no")
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, target), folder / "model.joblib")
    scaler, encoder = StandardScaler().fit(frame), LabelEncoder().fit(target)
    joblib.dump(scaler, folder / "scaler.joblib")
    joblib.dump(encoder, folder / "encoder.joblib")
    np.save(folder / "rows.npy", frame.to_numpy())
    frame.to_parquet(folder / "rows.parquet")
    numbers = xgboost.XGBClassifier(n_estimators=3).fit(frame, encoder.transform(target))
    numbers.get_booster().save_model(folder / "booster.json")
    joblib.dump(numbers, folder / "numbers.joblib")
    linear = LogisticRegression().fit(scaler.transform(frame), encoder.transform(target))
    joblib.dump({"scaler": scaler, "model": linear, "features": list(frame.columns), "threshold": 0.4,
                 "encoder": encoder, "names": ["no", "yes"], "metrics": {"accuracy": 0.9}}, folder / "bundle.joblib")
    texts = ["a prize, now", "hello, how are you", "free entry", "see you at home"]
    joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["spam", "ham"] * 2),
                folder / "spam.pkl")
    pd.DataFrame({"text": texts}).to_csv(folder / "mails.csv", index=False)
    (folder / "SMSSpamCollection").write_text("".join(f"ham\t{text}\n" for text in texts), encoding="utf-8")
    frame.insert(0, "id", range(len(frame)))
    frame.insert(1, "date", "2024-02-29")
    frame["bought"] = target
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "rows.csv.gz").write_bytes(gzip.compress((folder / "rows.csv").read_bytes()))
    frame[:20].to_csv(folder / "january.csv", index=False)
    (folder / "february.csv.gz").write_bytes(gzip.compress(frame[20:].to_csv(index=False).encode()))
    (folder / "data/month=1").mkdir(parents=True)
    for name in ("part-0.csv", "part-1.csv", "data/month=1/rows.csv"):
        frame.to_csv(folder / name, index=False)
    for name, like in [("MODEL", "model.joblib"), ("FILE", "model.joblib"), ("INPUT", "rows.csv"), ("IN", "rows.csv"),
                       ("ROWS", "rows.csv"), ("TABLE", "rows.csv")]:
        (folder / name).symlink_to(like)
    (folder / "bin").mkdir()
    (folder / "bin/foretell").symlink_to(os.path.abspath(ftl.program()))
    return folder


def shell(command, folder, **environment):
    process = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False,
                             stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    assert process.returncode == 0, f"{command}\n{process.stdout[-3000:]}{process.stderr[-3000:]}"
    return process.stdout


def as_help(command):
    """What is only named within a sentence, such as `foretell inspect --graph`, is in the help of its command."""
    words = command.split()
    return words[1:2] and (len(words) == 2 or all(word.startswith("-") for word in words[2:])) and not \
        words[1].startswith("-") and words[1] != "classes"


@pytest.mark.parametrize("command", OF_FORETELL)
def test_foretells_commands(command, everyday_files, tmp_path):
    for path in everyday_files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    path = f"{everyday_files / 'bin'}:{os.environ['PATH']}"
    command = command.replace("COMMAND", "predict")
    if as_help(command) and "|" not in command:
        name, *options = command.split()[1:]
        if not (tmp_path / name).exists():
            text = shell(f"foretell help {shlex.quote(name)}", tmp_path, PATH=path)
            assert all(option in text for option in options)
            return
    shell(command, tmp_path, PATH=path)
    for output in re.findall(r"(?:-o |> )(\S+)", command):
        assert (tmp_path / output).stat().st_size > 0


# ---- The repository ---------------------------------------------------------------------------------------------------


@pytest.fixture
def alone():
    """Commands that build do so one at a time."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build/documented.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def copy(tmp_path):
    """A function: the repository's files in a folder, with some of what is built."""
    def make(built):
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], capture_output=True,
                                text=True, check=True).stdout.splitlines()
        folder = tmp_path / "copy"
        for name in listed:
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                large = name.endswith(".tar.xz")
                (os.symlink if large else shutil.copy)(ROOT / name, folder / name)
        subprocess.run(["git", "-C", str(folder), "init", "-q"], check=True)
        for name in built:
            # bench/plot draws what bench/run measured: the quick run's results serve
            to = folder / "build" / name.replace("bench-quick", "bench")
            to.parent.mkdir(parents=True, exist_ok=True)
            to.symlink_to((ROOT / "build" / name).resolve())
        return folder
    return make


def small(command, tmp_path):
    """The command at its smallest, with its own places in the place of the documented ones."""
    command = command.replace("PREFIX=/opt/foretell", f"PREFIX={tmp_path / 'prefix'}")
    if command in ("make install", "make uninstall"):
        command += f" PREFIX={tmp_path / 'prefix'}"
    command = re.sub(r"FUZZ_SECONDS=\d+", "FUZZ_SECONDS=1", command)
    command = re.sub(r"BENCH_FLAGS=(\S+)", rf"BENCH_FLAGS='\1 {TINY['BENCH_FLAGS']}'", command)
    command += " --help" if command in WANT_MORE else ""
    return command.replace("FOLDER", str(tmp_path / "models"))


def check_benchmark():
    """A ratio in every line that compares: a run that lost the libraries' side would print no table."""
    results = json.loads((ROOT / "build/bench-quick/results.json").read_text(encoding="utf-8"))
    libraries = {entry["library"] for entry in results.values() if "library" in entry}
    assert libraries == {"scikit-learn", "XGBoost", "LightGBM", "CatBoost"}
    assert sum("ratio" in entry for entry in results.values()) >= 30


@pytest.mark.parametrize("command", [
    pytest.param(command, marks=[pytest.mark.long, pytest.mark.timeout(SECONDS)] if command.startswith(LONG) else [])
    for command in OF_THE_REPOSITORY if not command.startswith("cc ")])
def test_the_repositorys_commands(command, alone, copy, tmp_path, everyday_files):
    (tmp_path / "models").mkdir()
    shutil.copy(everyday_files / "model.joblib", tmp_path / "models")
    folder = ROOT
    if command in IN_A_COPY:
        if command == "bench/plot" and not (ROOT / "build/bench-quick/results.json").exists():
            shell("make bench-peers", ROOT, **TINY)
        folder = copy(IN_A_COPY[command])
    if command == "make bench-peers":
        (ROOT / "build/bench-quick/results.json").unlink(missing_ok=True)
    shell(small(command, tmp_path), folder, **TINY, DEMO_FOLDER=str(tmp_path / "demo"),
          PATH=f"{ROOT / 'build/venv/bin'}:{os.environ['PATH']}")
    if command == "make bench-peers":
        check_benchmark()


def test_the_compilers_line_makes_a_program_that_runs(alone, tmp_path, everyday_files):
    """After `make install` into a folder that the system does not search: nothing but the documented variable."""
    [line] = [command for command in OF_THE_REPOSITORY if command.startswith("cc ")]
    shell(f"cmake --install build/release --prefix {tmp_path / 'prefix'} --strip", ROOT)
    [package] = (tmp_path / "prefix").rglob("foretell.pc")
    shutil.copy(ROOT / "examples/predict.c", tmp_path)
    shell(line, tmp_path, PKG_CONFIG_PATH=str(package.parent))
    model = everyday_files / "model.joblib"
    assert "output 0: prediction" in shell(f"./predict {model}", tmp_path, LD_LIBRARY_PATH="")
    assert shell(f"./predict {model} row 3 0 0", tmp_path, LD_LIBRARY_PATH="").strip() == "yes"
