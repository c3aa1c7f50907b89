"""Each check of tools/ accepts a clean tree and refuses one with the fault that it is there to find."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
CLEAN = "/* strcpy(a, b) and printf( in a comment are fine */\nint f(void) { return 0; }\n"


def check(tool, root, *options):
    result = subprocess.run([sys.executable, str(TOOLS / tool), *options, "--root", str(root)],
                            capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def tree(tmp_path):
    def write(name, text=CLEAN):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path
    write("src/base/clean.c")
    return write


@pytest.mark.parametrize("tool", ["check_layers", "check_bans", "check_format"])
def test_clean_tree_passes(tree, tool):
    status, output = check(tool, tree("cli/main.c", "#include <foretell/foretell.h>\n"))
    assert (status, "ok" in output) == (0, True), output


@pytest.mark.parametrize("name, text", [
    ("src/base/a.c", '#include "io/stream.h"\n'),
    ("src/pickle/a.c", '#include "model/model.h"\n'),
    ("src/plan/a.h", '#  include "estimators/families.h"\n'),
    ("src/table/a.c", '#include "engine/session.h"\n'),
    ("src/newfolder/a.c", '#include "base/alloc.h"\n'),
    ("cli/a.c", '#include "base/alloc.h"\n'),
    ("examples/a.c", '#include "../src/base/alloc.h"\n'),
    ("server/a.c", '#include "engine/session.h"\n'),
    ("server/a.c", '#include "../src/base/alloc.h"\n'),
    ("server/a.c", '#include "other.h"\n'),
    ("src/engine/a.c", '#include "server/server.h"\n'),
    ("src/engine/a.c", '#include "../../server/server.h"\n'),
    ("cli/a.c", '#include "../server/server.h"\n'),
    ("bench/a.c", '#include "../server/server.h"\n'),
    ("src/base/long.c", "\n" * 1001),
])
def test_layers_can_fail(tree, name, text):
    status, output = check("check_layers", tree(name, text))
    assert status == 1 and name in output


@pytest.mark.parametrize("name, text", [
    ("src/io/a.c", '#include "base/alloc.h"\n'),
    ("src/engine/a.c", '#include "estimators/families.h"\n'),
    ("src/io/a.c", '/* #include "plan/plan.h" */\n'),
    ("server/a.c", '#include "io/json.h"\n#include <foretell/foretell.h>\n#include <uv.h>\n#include "a.c"\n'),
    ("tests/unit/a.c", '#include "../../server/server.h"\n'),
])
def test_layers_allow(tree, name, text):
    assert check("check_layers", tree(name, text))[0] == 0


def compiled(tree, **sources):
    """A tree whose files are compiled where the build would; a name is base_a for src/base/a.c."""
    for name, text in sources.items():
        path = name.replace("_", "/", 1) + ".c"
        root = tree(f"src/{path}", text)
        target = root / "build/dev/src/CMakeFiles/ftl_objects.dir" / f"{path}.o"
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-c", "-fPIC", "-o", target, root / "src" / path], check=True)
    return root


CALLS = [
    # what each file holds, what is found (None: nothing)
    ({"base_a": "int ftl_up(void); int ftl_a(void) { return ftl_up(); }", "engine_b": "int ftl_up(void) { return 1; }"},
     "src/base/a.c: calls ftl_up of src/engine/b.c"),
    ({"build_a": "extern const int ftl_list[]; int ftl_a(void) { return ftl_list[0]; }",
      "estimators_b": "const int ftl_list[] = {1};"}, "src/build/a.c: calls ftl_list of src/estimators/b.c"),
    ({"plan_a": "int ftl_status(int); int (*ftl_a)(int) = ftl_status;", "engine_b": "int ftl_status(int x) { return x; }"},
     "src/plan/a.c: calls ftl_status of src/engine/b.c"),
    ({"pickle_a": "int ftl_b(void); int ftl_a(void) { return ftl_b(); }",
      "pickle_b": "int ftl_c(void); int ftl_b(void) { return ftl_c(); }",
      "pickle_c": "int ftl_a(void); int ftl_c(void) { return ftl_a(); }"},
     "calls in a circle: pickle/a.c, pickle/b.c, pickle/c.c"),
    ({"engine_a": "int ftl_b(void); int ftl_a(void) { return ftl_b(); }", "base_b": "int ftl_b(void) { return 1; }"}, None),
    ({"io_a": "int puts(const char *); int ftl_a(void) { return puts(\"\"); }"}, None),
    # a static function of the same name is another one
    ({"base_a": "static int f(void) { return 2; } int ftl_a(void) { return f(); }", "engine_b": "int f(void) { return 1; }"},
     None),
]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("sources, fault", CALLS)
def test_layers_see_calls(tree, sources, fault, named):
    root = compiled(tree, **sources)
    options = ["--objects", str(root / "build/dev/src/CMakeFiles/ftl_objects.dir")] if named else []
    status, output = check("check_layers", root, *options)
    assert (status, fault is None or fault in output) == (0 if fault is None else 1, True), output
    assert fault or "calls of" in output


@pytest.mark.parametrize("folder, public, fault", [
    ("base", False, False), ("engine", False, True), ("engine", True, False), ("plan", False, True)])
def test_layers_see_calls_of_the_server(tree, folder, public, fault):
    root = compiled(tree, **{f"{folder}_b": "int ftl_b(void) { return 1; }"})
    tree("include/foretell/foretell.h", "FTL_API int ftl_b(void);\n" if public else "/* ftl_b() is not public */\n")
    tree("server/a.c", "int ftl_b(void); int main(void) { return ftl_b(); }\n")
    target = root / "build/dev/server/CMakeFiles/foretell-server.dir/a.c.o"
    target.parent.mkdir(parents=True)
    subprocess.run(["cc", "-c", "-o", target, root / "server/a.c"], check=True)
    status, output = check("check_layers", root)
    assert (status, f"server/a.c: calls ftl_b of src/{folder}/b.c" in output) == (int(fault), fault), output


def test_layers_ask_for_a_build_that_they_were_told_of(tree):
    root = tree("src/base/a.c")
    (root / "empty").mkdir()
    status, output = check("check_layers", root, "--objects", str(root / "empty"))
    assert status == 1 and "build them first" in output


def test_layers_do_not_look_at_left_over_objects(tree):
    root = compiled(tree, **CALLS[0][0])
    (root / "src/base/a.c").unlink()
    assert check("check_layers", root)[0] == 0


@pytest.mark.parametrize("name, text", [
    ("src/io/a.c", "char *p = malloc(3);\n"),
    ("src/io/a.c", "free (p);\n"),
    ("src/base/a.c", "strcpy(a, b);\n"),
    ("src/base/a.c", 'sprintf(a, "x");\n'),
    ("src/base/a.c", 'fprintf(stderr, "x");\n'),
    ("src/base/a.c", "abort();\n"),
    ("src/table/a.c", "double d = strtod(s, 0);\n"),
    ("cli/a.c", "int i = atoi(s);\n"),
    ("server/a.c", "int i = atoi(s);\n"),
    ("server/a.c", "long i = strtol(s, 0, 10);\n"),
    ("server/a.c", 'system("ls");\n'),
    ("tests/unit/a.c", "strcat(a, b);\n"),
    ("src/io/a.c", 'fail("raise it with --limit");\n'),
    ("src/io/a.c", 'fail("the record is too long; raise the limit with " "--max-record");\n'),
    ("src/io/a.c", 'fail("the limit (--limit) is small");\n'),
    ("src/base/a.c", "/* TO" + "DO: later */\n"),
    ("docs/a.md", "See /ro" + "ot/notes.\n"),
    ("a.md", "<<<<" + "<<< ours\n"),
])
def test_bans_can_fail(tree, name, text):
    status, output = check("check_bans", tree(name, text))
    assert status == 1 and name in output


@pytest.mark.parametrize("name, text", [
    ("src/base/a.c", "free(p);\n"),
    ("src/io/a.c", '/* the program says --limit */ fail("raise options.limit - or not -- see below");\n'),
    ("cli/a.c", 'const char *help = "  --limit N";\n'),
    ("src/io/a.c", "z->free(p); stream.free(p); ftl_free(p); snprintf(a, n, s);\n"),
    ("src/io/a.c", 'const char *text = "call abort() // malloc(1)";\n'),
    ("tests/unit/a.c", "double d = strtod(s, 0);\n"),
])
def test_bans_allow(tree, name, text):
    assert check("check_bans", tree(name, text))[0] == 0


@pytest.mark.parametrize("name, text", [
    ("src/base/a.c", "int f(void) {return  0;}\n"),
    ("a.md", "trailing \n"),
    ("a.md", "no newline"),
    ("a.py", "if 1:\n\tpass\n"),
])
def test_format_can_fail(tree, name, text):
    status, output = check("check_format", tree(name, text))
    assert status == 1 and name in output


def test_format_fixes(tree):
    root = tree("src/base/a.c", "int f(void) {return  0;}")
    tree("a.md", "trailing \n\n\n")
    assert check("check_format", root, "--fix")[0] == 0
    assert check("check_format", root)[0] == 0


@pytest.mark.parametrize("header, source, fault", [
    ("FTL_API int ftl_a(void);", "", "ftl_a: declared"),
    ("FTL_API int ftl_a(void);", "int ftl_a(void){return 0;} int ftl_b(void){return 0;}", "ftl_b: exported"),
    ("FTL_API const char *ftl_a(\n int x);", "int ftl_a(int x){return x;}", None),
    ("/* FTL_API int ftl_b(void); */ FTL_API int ftl_a(void);", "int ftl_a(void){return 0;}", None),
])
def test_symbols(tmp_path, header, source, fault):
    (tmp_path / "foretell.h").write_text(header, encoding="utf-8")
    (tmp_path / "a.c").write_text(source, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "lib.so", tmp_path / "a.c"], check=True)
    result = subprocess.run([sys.executable, str(TOOLS / "check_symbols"), str(tmp_path / "lib.so"), "--headers",
                             str(tmp_path)], capture_output=True, text=True, check=False)
    assert (result.returncode, fault is None or fault in result.stdout) == (0 if fault is None else 1, True)


def test_architecture_page_has_the_table_of_layers():
    script = "import runpy; t = runpy.run_path('check_layers')['ALLOWED']; print({k: sorted(t[k]) for k in t})"
    table = subprocess.run([sys.executable, "-c", script], cwd=TOOLS, capture_output=True, text=True, check=True)
    allowed = {folder: set(names) for folder, names in ast.literal_eval(table.stdout).items()}
    page = (TOOLS.parent / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `src/(\w+)/` \|[^|]*\| ([^|]*) \|$", page, re.MULTILINE))
    folders = {path.name for path in (TOOLS.parent / "src").iterdir() if path.is_dir()}
    assert folders <= set(rows)
    for folder, cell in rows.items():
        named = set(cell.split(", ")) if cell not in ("–", "everything", "all of the above") else None
        assert named is None or named == allowed[folder], folder


@pytest.mark.parametrize("page, folders", [("ADD-AN-ESTIMATOR.md", ["src/estimators"]), ("ADD-AN-OPERATION.md", ["src"])])
def test_code_in_the_page_is_the_code(page, folders):
    root = TOOLS.parent
    text = (root / "docs" / page).read_text(encoding="utf-8")
    files = sorted(path for folder in folders for path in (root / folder).rglob("*") if path.suffix in (".c", ".def"))
    sources = "".join("".join(path.read_text(encoding="utf-8") for path in files).split())
    excerpts = re.findall(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert excerpts
    for excerpt in excerpts:
        assert "".join(excerpt.split()) in sources, excerpt


def test_files_of_an_operation_are_counted():
    """Every operation is where the page says: a line, a record, an implementation of that name."""
    root = TOOLS.parent / "src"
    lines = re.findall(r"^OP\((\w+), (\w+), (\w+),", (root / "model/ops/ops.def").read_text(encoding="utf-8"), re.MULTILINE)
    records = "".join(path.read_text(encoding="utf-8") for path in (root / "model/ops").glob("*.def"))
    runs = "".join(path.read_text(encoding="utf-8") for path in (root / "plan").glob("op_*.c"))
    assert len(lines) > 40
    for kind, name, record in lines:
        assert record == "no_parameters" or f"PARAMETERS({record}, " in records, kind
        assert f"const ftl_op_impl ftl_op_impl_{name} =" in runs, kind


def test_operations_that_mark_rows_say_so():
    """A plan runs these whoever reads their results: FTL_MAY_REFUSE in ops.def."""
    text = (TOOLS.parent / "src/model/ops/ops.def").read_text()
    marked = {name for name, traits in re.findall(r"^OP\(\w+, (\w+), .*, ([\w| ]+), \w+\)$", text, re.M) if "FTL_MAY_REFUSE" in traits}
    marks = set()
    for path in (TOOLS.parent / "src/plan").glob("op_*.c"):
        source = path.read_text()
        if "ftl_exec_bad(" in source or "ftl_encode_refuse(" in source:
            marks |= set(re.findall(r"ftl_op_impl ftl_op_impl_(\w+) =", source))
    others = {"match", "neighbor_mean"}  # in the file of an operation that marks
    assert {"check", "onehot", "splines"} <= marks and marks - others == marked
