"""The graphs that front ends make of some golden models, against the committed text (tests/golden/graphs)."""

import importlib.util

import ftl
import golden
import pytest

spec = importlib.util.spec_from_file_location("make_graphs", ftl.ROOT / "tests/golden/make_graphs.py")
make_graphs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_graphs)

CASES = list(make_graphs.cases())


@pytest.mark.parametrize("version, case", [pytest.param(version, case, id=f"{version}-{case['name']}")
                                           for version, case in CASES])
def test_graph_of_golden(version, case):
    wanted = make_graphs.path_of(version, case).read_text(encoding="utf-8")
    assert make_graphs.graph(version, case) == wanted, "see tests/golden/make_graphs.py"


def test_graphs_are_all_compared():
    names = {make_graphs.path_of(version, case).name for version, case in CASES}
    assert {path.name for path in make_graphs.FOLDER.iterdir()} == names
    assert len(names) >= 20


def test_graph_of_golden_copy(tmp_path):
    """A file of foretell's own has the graph of the model that it was written from."""
    version, case = CASES[0]
    process, copy = golden.rewrite(version, case, tmp_path)
    assert process.returncode == 0, process.stderr
    assert ftl.run("inspect", "--graph", copy).stdout == make_graphs.graph(version, case)
