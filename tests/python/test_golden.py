"""Models of twelve scikit-learn versions, each against what the version that wrote it said (tests/golden)."""

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
