#!/usr/bin/env python3
"""Writes tests/golden/graphs: what the front ends make of some golden models, as `foretell inspect --graph` tells it.

Run it when a front end is meant to make another graph, and look at the difference. tests/python/test_graphs.py compares.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))
import ftl  # noqa: E402
import golden  # noqa: E402

FOLDER = ROOT / "tests/golden/graphs"
# One or two of each front end, small enough to be read.
CASES = {
    "sklearn": ["linreg-num", "logreg_str-unit", "tree-num", "gb_3-num", "hgb-nan", "standard-num", "onehot-mixed",
                "real_logreg-mixed", "poly-num"],
    "meta": 3, "dense": 4, "text": 3, "xgboost": 2, "lightgbm": 2, "catboost": 3}


def cases():
    """(version, case) in the order of the table: of the newest version of each set the named ones, or the smallest."""
    for group, wanted in CASES.items():
        version = golden.versions(group)[-1]
        models = golden.unpacked(version)
        ordered = sorted(golden.cases(version), key=lambda case: ((models / case["model"]).stat().st_size, case["name"]))
        if isinstance(wanted, list):
            yield from ((version, case) for case in ordered if case["name"] in wanted)
        else:
            step = max(1, len(ordered) // (2 * wanted))
            yield from ((version, case) for case in ordered[::step][:wanted])


def graph(version, case):
    process = ftl.run("inspect", "--graph", golden.unpacked(version) / case["model"])
    assert process.returncode == 0, process.stderr
    return process.stdout


def path_of(version, case):
    return FOLDER / f"{version}-{case['name']}.txt"


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for version, case in cases():
        path_of(version, case).write_text(graph(version, case), encoding="utf-8")
    print(f"{len(list(FOLDER.iterdir()))} graphs")


if __name__ == "__main__":
    main()
