"""The structures of library.py have the layout of the public header."""

import ctypes
import pathlib
import subprocess

import library
import pytest

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
MIRRORS = {"ftl_error": library.Error, "ftl_session_options": library.SessionOptions,
           "ftl_model_options": library.ModelOptions, "ftl_matrix": library.Matrix}


@pytest.mark.parametrize("name", MIRRORS)
def test_mirrors_have_the_layout_of_the_header(name, tmp_path):
    mirror = MIRRORS[name]
    fields = [field for field, _ in mirror._fields_]
    facts = [f"sizeof({name})"]
    for field in fields:
        facts += [f"offsetof({name}, {field})", f"sizeof((({name} *)0)->{field})"]
    source = tmp_path / "layout.c"
    lines = "".join(f'    printf("%zu\\n", {fact});\n' for fact in facts)
    source.write_text(f"#include <foretell/foretell.h>\n#include <stdio.h>\nint main(void)\n{{\n{lines}    return 0;\n}}\n",
                      encoding="utf-8")
    subprocess.run(["cc", f"-I{INCLUDE}", source, "-o", tmp_path / "layout"], check=True)
    said = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout.split()
    mirrored = [ctypes.sizeof(mirror)]
    for field in fields:
        mirrored += [getattr(mirror, field).offset, getattr(mirror, field).size]
    assert [int(number) for number in said] == mirrored
