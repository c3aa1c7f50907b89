"""Models of many libraries and versions, each against what the version that wrote it said (tests/golden)."""

import math

import golden
import pytest

CASES = [(version, case) for version in golden.versions() for case in golden.cases(version)]
# Classifiers of every kind of output, for predictions and probabilities in one file.
BOTH = {"rf-num", "rf_bool-num", "rf_multi-num", "logreg3_str-unit", "logreg_bool-unit", "tree_obj-num", "hgb_3-nan",
        "gb_3-num", "real_logreg-mixed", "pipe_scale_logreg-f32", "dummy_multi_str-one"}


@pytest.mark.parametrize(
    "version, case, method",
    [pytest.param(version, case, method, id=f"{version}-{case['name']}-{method}")
     for version, case in CASES for method in golden.methods(case)])
def test_golden(version, case, method, tmp_path):
    golden.check(version, case, method, tmp_path)


@pytest.mark.parametrize(
    "version, case",
    [pytest.param(version, case, id=f"{version}-{case['name']}") for version, case in CASES
     if case["name"] in BOTH and {"predict", "predict_proba"} <= set(golden.methods(case))])
def test_golden_proba(version, case, tmp_path):
    golden.check_proba(version, case, tmp_path)


def rewritten():
    """Every case in long runs; else some of each set's newest version."""
    newest = {version.rpartition("-")[0]: version for version in golden.versions()}
    for i, (version, case) in enumerate(CASES):
        few = version == newest[version.rpartition("-")[0]] and i % 12 == 0
        marks = [] if few else [pytest.mark.long]
        yield pytest.param(version, case, marks=marks, id=f"{version}-{case['name']}")


@pytest.mark.parametrize("version, case", list(rewritten()))
def test_golden_rewritten(version, case, tmp_path):
    golden.check_rewritten(version, case, tmp_path)


def recorded(name, method):
    """A case of the newest version with its recorded result as the program would write it."""
    version = golden.versions("sklearn")[-1]
    case = next(case for case in golden.cases(version) if case["name"] == name)
    whole = golden.expected(version, case["expected"])
    cells = [[golden.label(value) for value in values] for _, values in golden.columns(whole[method])]
    return case, whole, golden.headers(case, method, whole[method]), [list(row) for row in zip(*cells)]


@pytest.mark.parametrize("name, method, change", [
    ("linreg-num", "predict", lambda cell: repr(float(cell) * (1 + 1e-9))),
    ("linreg-f32", "predict", lambda cell: repr(float(cell) * (1 + 1e-4))),
    ("rf-num", "predict_proba", lambda cell: repr(math.nextafter(float(cell), 2.0))),
    ("rf-num", "predict", lambda cell: "yes" if cell == "no" else "no"),
    ("logreg_str-unit", "predict_log_proba", lambda cell: repr(float(cell) - 1e-8)),
    ("standard-num", "transform", lambda cell: ""),
    ("ctn_text-known", "transform", lambda cell: cell + "0"),
])
def test_comparison_notices(name, method, change):
    case, whole, header, rows = recorded(name, method)
    golden.compare(case, method, whole, header, rows)
    rows[1][-1] = change(rows[1][-1])
    with pytest.raises(golden.Disagreement, match="row 1"):
        golden.compare(case, method, whole, header, rows)
    with pytest.raises(golden.Disagreement, match="is called"):
        golden.compare(case, method, whole, ["x" + column for column in header], rows)
    with pytest.raises(golden.Disagreement, match="rows instead of"):
        golden.compare(case, method, whole, header, rows[:-1])
