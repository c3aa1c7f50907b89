"""The golden fixtures: unpacks them, runs the program on a case and compares (tests/golden/README.md)."""

import functools
import hashlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile

import ftl
import numpy as np

ARCHIVES = ftl.ROOT / "tests/golden"
# What agreement means for sums (relative to the sum of the magnitudes) and probabilities (absolute).
DOUBLE, SINGLE = 1e-12, 1e-6
EPSILON = 4e-16


# Transformers made of choices, comparisons and single roundings, and sums that the library makes in a loop of its own:
# whatever the archive says, their outputs agree bit for bit.
EXACT_TRANSFORMS = {
    "BaseNEncoder", "BinaryEncoder", "Binarizer", "CountVectorizer", "DictVectorizer", "GenericUnivariateSelect",
    "HashingVectorizer", "Imputer", "IsotonicRegression", "KBinsDiscretizer", "LabelBinarizer", "LabelEncoder",
    "MaxAbsScaler", "MinMaxScaler", "MissingIndicator", "OneHotEncoder", "OrdinalEncoder", "PolynomialFeatures",
    "RFE", "RFECV", "RobustScaler", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe", "SelectKBest",
    "SelectPercentile", "SequentialFeatureSelector", "SimpleImputer", "SplineTransformer", "StandardScaler",
    "TargetEncoder", "VarianceThreshold"}


class Disagreement(AssertionError):
    """The program and the library differ; the text is one line."""


def order(name):
    """Sort key of an archive's name: the set, then the version by its numbers."""
    group, _, version = name.rpartition("-")
    return group, [int(n) if n.isdigit() else 0 for n in version.split(".")[:3]]


def versions(group=""):
    """Names of the archives, such as sklearn-1.2.2 or xgboost-2.1.4: those of a set, or all; oldest first."""
    names = [path.name[:-len(".tar.xz")] for path in ARCHIVES.glob(f"{group or '*'}-*.tar.xz")]
    return sorted(names, key=order)


@functools.lru_cache(maxsize=None)
def unpacked(version):
    """Folder with an archive unpacked; made once per content, by whichever process comes first."""
    archive = ARCHIVES / f"{version}.tar.xz"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
    folder = ftl.ROOT / "build/golden" / f"{version}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
        ftl.unpack(archive, work / "out")
        try:
            (work / "out").rename(folder)
        except OSError:  # another process was faster
            if not folder.exists():
                raise
        shutil.rmtree(work)
    return folder


@functools.lru_cache(maxsize=None)
def cases(version):
    return json.loads((unpacked(version) / "manifest.json").read_text(encoding="utf-8"))["cases"]


@functools.lru_cache(maxsize=64)
def expected(version, file):
    return json.loads((unpacked(version) / file).read_text(encoding="utf-8"))


def label(value):
    """A class as the program prints it."""
    return value if isinstance(value, str) else "" if value is None else repr(value)


def headers(case, method, result):
    """The column names the program must give, or None where nothing says them."""
    shapes = [part["shape"] for part in result.get("list", [result])]
    width = shapes[0][1] if len(shapes[0]) > 1 else None
    classes = case.get("classes")
    if classes is None and method in ("predict_proba", "predict_log_proba", "decision_function") and width:
        return None
    if method == "predict":
        return ["prediction"] if width is None else [f"prediction_{i}" for i in range(width)]
    if method in ("predict_proba", "predict_log_proba"):
        word = "probability" if method == "predict_proba" else "log_probability"
        if "list" in result:
            return [f"{word}_{i}_{label(c)}" for i, group in enumerate(classes) for c in group]
        return [f"{word}_{label(c)}" for c in classes]
    if method in case.get("columns", {}):
        return case["columns"][method]
    if method == "decision_function":
        return ["decision"] if width is None else [f"decision_{label(c)}" for c in classes]
    if method == "score_samples":
        return ["score"]
    if method == "apply":
        return [f"apply_{i}" for i in range(width)]
    if method == "margin":
        named = classes and width == len(classes)
        return ["margin"] if width is None else [f"margin_{label(c) if named else c}"
                                                 for c in (classes if named else range(width))]
    return case.get("columns", {}).get(method)


def columns(result):
    """[(dtype, values of one output column)] of a recorded result, targets side by side."""
    out = []
    for part in result.get("list", [result]):
        shape = part["shape"]
        width = math.prod(shape[1:])
        for i in range(width):
            out.append((part["dtype"], part["values"][i::width] if width > 1 else part["values"]))
    return out


def number(cell, dtype):
    if cell == "":
        return math.nan
    value = float(cell)
    return float(np.float32(value)) if dtype == "float32" else value


def same(cell, value):
    """Whether a cell is that label, text or whole value exactly."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return cell == ""
    return cell == label(value)


def ties(case, whole, row):
    """Whether the two best scores of a row lie within the tolerance, so that either label is right."""
    if case["kind"] == "clusterer" and "transform" in whole:
        width = whole["transform"]["shape"][1]
        nearest = sorted(whole["transform"]["values"][row * width:(row + 1) * width])[:2]
        return len(nearest) == 2 and nearest[1] ** 2 - nearest[0] ** 2 <= unit_of(case) * whole["scale"][row]
    for method in ("predict_proba", "decision_function"):
        result = whole.get(method)
        if result is None or "list" in result:
            continue
        width = math.prod(result["shape"][1:])
        scores = result["values"][row * width:(row + 1) * width]
        scale = whole["scale"][row] if "scale" in whole else 1.0
        margin = abs(scores[0]) if width == 1 else np.diff(sorted(scores)[-2:])[0]
        if margin <= (DOUBLE * max(1.0, scale) if method == "decision_function" else DOUBLE + EPSILON * scale):
            return True
    return False


def exact(case):
    """Methods whose outputs must agree bit for bit."""
    whole = case.get("class") == case.get("final") and case.get("class") in EXACT_TRANSFORMS
    return case.get("exact", []) + (["transform"] if whole else [])


def unit_of(case, dtype=""):
    return SINGLE if case.get("single") or "float32" in (dtype, case["dtype"]) else DOUBLE


def bound(method, value, unit, scale):
    """How far an output may lie from the library's value."""
    magnitude = abs(value) if math.isfinite(value) else 0.0
    if method == "predict_proba":
        return unit + EPSILON * scale
    if method == "predict_log_proba":  # the error of the probability, carried through the logarithm
        return unit * (1 + magnitude) + (unit + EPSILON * scale) * math.exp(min(magnitude, 700.0))
    if method == "transform":
        return unit * max(magnitude, scale)
    return unit * max(magnitude, scale)


def compare_cell(case, method, whole, row, cell, dtype, value):
    """None, or what is wrong with one cell."""
    classifier_label = method == "predict" and case["kind"] in ("classifier", "clusterer")
    if dtype == "object" and method == "transform" and isinstance(value, bool) and cell in ("0.0", "1.0"):
        value = float(value)  # pandas makes objects of a table of bools and whole numbers
    if dtype in ("object", "bool") or classifier_label:
        if same(cell, value):
            return None
        if classifier_label:
            loose = method not in exact(case) and ties(case, whole, row)
            return None if loose else "another label"
        if isinstance(value, (str, bool)) or value is None:
            return "another text"
    try:
        got = number(cell, dtype)
    except ValueError:
        return "not a number"
    value = float("nan") if value is None else float(np.float32(value)) if dtype == "float32" else float(value)
    if got == value or (math.isnan(got) and math.isnan(value)):
        return None
    if method in exact(case):
        return "not bit-equal"
    if method == "predict_log_proba" and value == -math.inf:
        return None if got < math.log(DOUBLE) else "too large"
    if not math.isfinite(got) or not math.isfinite(value):
        return "not finite alike"
    unit = unit_of(case, dtype)
    scale = whole["scale"][row] if "scale" in whole and "neighbors" not in case else 0.0
    if method == "transform" and case["kind"] == "clusterer":  # roots of differences of sums
        got, value = got * got, value * value
    limit = bound(method, value, unit, scale)
    return None if abs(got - value) <= limit else f"off by {abs(got - value):.3g}, allowed {limit:.3g}"


def tie_groups(distances, unit, scale):
    """Ranges of neighbours that lie at one distance but for rounding."""
    starts = [i for i in range(1, len(distances))
              if distances[i] - distances[i - 1] > unit * distances[i]
              and distances[i] ** 2 - distances[i - 1] ** 2 > 2 * unit * scale]
    return list(zip([0] + starts, starts + [len(distances)]))


def compare_neighbors(case, whole, row, cells, values):
    """Distances and neighbours of a row; where several points lie at one distance, case["neighbors"] says what must
    agree: their order, which of them there are, or, at the last place, not even that."""
    k = len(values) // 2
    bits, unit, scale = "kneighbors" in exact(case), unit_of(case), whole["scale"][row]
    got, want = [float(cell) for cell in cells[:k]], values[:k]
    for a, b in zip(got, want):
        near = abs(a - b) <= unit * abs(b) or abs(a * a - b * b) <= unit * scale
        if a != b and (bits or not near):
            raise Disagreement(f"row {row}: distances {got} instead of {want}")
    found, wanted = [int(cell) for cell in cells[k:]], [int(value) for value in values[k:]]
    if case["neighbors"] == "order" and bits:
        if found != wanted:
            raise Disagreement(f"row {row}: neighbours {found} instead of {wanted}")
        return
    groups = tie_groups(want, unit, scale)
    for first, end in groups[:-1] if case["neighbors"] == "free" else groups:
        in_order = case["neighbors"] == "order" and want[first] == want[end - 1] and got[first] == got[end - 1]
        arranged = list if in_order else sorted
        if arranged(found[first:end]) != arranged(wanted[first:end]):
            raise Disagreement(f"row {row}: neighbours {found} instead of {wanted} at {want}")


def compare(case, method, whole, header, rows, names=None):
    """Raise Disagreement unless rows (lists of cells under header) are the recorded result."""
    result = whole[method]
    names = headers(case, method, result) if names is None else names
    wanted = columns(result)
    height = result.get("list", [result])[0]["shape"][0]
    if len(header) != len(wanted):
        raise Disagreement(f"{len(header)} columns instead of {len(wanted)}: {header[:6]}")
    if names is not None and header != names:
        first = next(i for i, pair in enumerate(zip(header, names)) if pair[0] != pair[1])
        raise Disagreement(f"column {first} is called {header[first]!r} instead of {names[first]!r}")
    if len(rows) != height:
        raise Disagreement(f"{len(rows)} rows instead of {height}")
    for row, cells in enumerate(rows):
        if len(cells) != len(wanted):
            raise Disagreement(f"row {row} has {len(cells)} cells instead of {len(wanted)}")
        if method == "kneighbors":
            compare_neighbors(case, whole, row, cells, [values[row] for _, values in wanted])
            continue
        for i, (dtype, values) in enumerate(wanted):
            wrong = compare_cell(case, method, whole, row, cells[i], dtype, values[row])
            if wrong:
                raise Disagreement(f"row {row}, {header[i]}: {cells[i]!r} instead of {values[row]!r}: {wrong}")


# The rows are what the library was given, not what pandas would read: an empty text is no missing value.
EMPTY_TEXTS = ["--empty", "text"]


def predict(version, case, folder, *options):
    """Run the program on a case; (finished process, path of its output)."""
    data = unpacked(version)
    out = pathlib.Path(folder) / "out.csv"
    if out.exists():
        os.remove(out)
    return ftl.run("predict", data / case["model"], data / case["input"], "-o", out, *EMPTY_TEXTS, *options), out


def check(version, case, method, folder):
    """Compare one method of one case with the library; raise Disagreement where they differ."""
    process, out = predict(version, case, folder, "--method", method)
    if method in case.get("errors", {}):
        left = sorted(path.name for path in pathlib.Path(folder).iterdir())
        if process.returncode != 4 or left or process.stdout:
            raise Disagreement(f"exit {process.returncode} with {left} where the library raises "
                               f"{case['errors'][method]}: {process.stderr.strip()[:200]}")
        return
    if process.returncode != 0:
        raise Disagreement(f"exit {process.returncode}: {process.stderr.strip()[:300]}")
    header, rows = ftl.read_csv(out)
    compare(case, method, expected(version, case["expected"]), header, rows)


def check_proba(version, case, folder):
    """The same for --proba: predictions and probabilities side by side."""
    process, out = predict(version, case, folder, "--proba")
    if process.returncode != 0:
        raise Disagreement(f"exit {process.returncode}: {process.stderr.strip()[:300]}")
    header, rows = ftl.read_csv(out)
    whole = expected(version, case["expected"])
    split = len(columns(whole["predict"]))
    compare(case, "predict", whole, header[:split], [row[:split] for row in rows])
    compare(case, "predict_proba", whole, header[split:], [row[split:] for row in rows])


def methods(case):
    return case.get("methods", []) + sorted(case.get("errors", {}))


def rewrite(version, case, folder):
    """The model of a case as a file of foretell's own, which model_rewrite found to read back as it was."""
    out = pathlib.Path(folder) / "model.ftl"
    process = subprocess.run([ftl.of_unit_tests("model_rewrite"), unpacked(version) / case["model"], out], capture_output=True, text=True,
                             check=False)
    return process, out


def check_rewritten(version, case, folder):
    """Compare all methods of a case's model with those of the same model written and read back: byte for byte."""
    process, copy = rewrite(version, case, folder)
    if process.returncode == 3 and "how many columns" in process.stderr:
        return
    if process.returncode != 0:
        raise Disagreement(f"exit {process.returncode}: {process.stderr.strip()[:300]}")
    data = unpacked(version)
    for method in methods(case):
        outputs = []
        for number_of, model in enumerate((data / case["model"], copy)):
            out = pathlib.Path(folder) / f"{method}-{number_of}.csv"
            run = ftl.run("predict", model, data / case["input"], "-q", "-o", out, "--method", method, *EMPTY_TEXTS)
            outputs.append((run.returncode, run.stderr, out.read_bytes() if out.exists() else b""))
        if outputs[0] != outputs[1]:
            raise Disagreement(f"{method}: {outputs[0][:2]} from the model, {outputs[1][:2]} from its copy")
