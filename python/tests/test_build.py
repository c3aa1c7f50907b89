"""What is installed: one extension module of the limited API that exports nothing else, small, and imported when needed."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

import foretell
import pytest
from foretell import _core

SITE = pathlib.Path(foretell.__file__).parents[1]
SOURCES = pathlib.Path(__file__).parents[1]


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(SITE)})
    return done.stdout.split()


def test_importing_takes_nothing_along():
    loaded = python("import sys; before = set(sys.modules); import foretell; print(*set(sys.modules) - before)")
    assert "foretell" in loaded
    assert not {"numpy", "pandas", "polars", "pyarrow", "sklearn", "scipy", "asyncio", "json"} & set(loaded)


def test_predicting_takes_numpy_alone(lr_path):
    loaded = python("import sys\nimport foretell\nfrom foretell import _context\n"
                    f"m, _ = _context.cache().get({str(lr_path)!r})\nm.run([[1, 2, 3, 4]], ('predict',))\nprint(*sys.modules)")
    assert "numpy" in loaded
    assert not {"pandas", "polars", "pyarrow", "sklearn", "scipy", "joblib", "fastapi"} & set(loaded)


def test_one_module_for_all_pythons():
    assert pathlib.Path(_core.__file__).name == "_core.abi3.so"


@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not installed")
def test_nothing_else_is_exported():
    listing = subprocess.run(["nm", "-D", "--defined-only", _core.__file__], capture_output=True, text=True, check=True)
    assert {line.split()[-1] for line in listing.stdout.splitlines()} == {"PyInit__core", "foretell_core_version"}


@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not installed")
def test_only_the_limited_api_is_used():
    """What belongs to one version of Python alone begins with _Py; these are part of the stable ABI."""
    listing = subprocess.run(["nm", "-D", "--undefined-only", _core.__file__], capture_output=True, text=True, check=True)
    names = {line.split()[-1] for line in listing.stdout.splitlines()}
    stable = {"_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_Py_Dealloc"}
    assert not {name for name in names if name.startswith("_Py") and not name.endswith("_SizeT")} - stable


def test_it_is_small():
    size = sum(path.stat().st_size for path in [*SITE.glob("foretell/**/*"), SITE / "bin/foretell"] if path.is_file())
    assert pathlib.Path(_core.__file__).stat().st_size < 3 << 20
    assert size < 8 << 20  # less than half of it in a wheel, which is compressed


def test_the_program_comes_along():
    program = SITE / "bin/foretell"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["foretell", foretell.__version__]


def test_types_come_along():
    assert (SITE / "foretell/py.typed").exists() and (SITE / "foretell/_core.pyi").exists()


def test_the_stub_names_what_there_is():
    """Every public name of the extension module is in _core.pyi, and the other way round."""
    import ast
    tree = ast.parse((SOURCES / "src/foretell/_core.pyi").read_text(encoding="utf-8"))
    known = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            known[node.name] = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            known[node.name] = None
        elif isinstance(node, ast.AnnAssign) and not node.target.id.startswith("_"):
            known[node.target.id] = None
    real = {name for name in dir(_core) if not name.startswith("_")}
    assert set(known) == real
    for name, members in known.items():
        if members is not None:
            public = {member for member in vars(getattr(_core, name)) if not member.startswith("_")}
            assert {member for member in members if not member.startswith("_")} == public, name


def test_only_numpy_is_needed():
    text = (SOURCES / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dependencies = ["numpy>=1.26"]' in text
    assert importlib.metadata.version("numpy")
