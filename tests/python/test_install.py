"""Installs the release build into an empty folder and uses it from there, as another project would.

examples/predict.c is built four ways (pkg-config and find_package, shared and static) and runs the demo's model;
examples/arrow_stream.c gives the same by Arrow streams, examples/score_stream.c by functions; examples/cache.c asks a cache for
models.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
MODEL = ROOT / "examples/demo/model.joblib"
# A customer of the demo (see examples/demo/train.py for the columns); the empty cells are missing values.
ROW = {"age": "41", "tenure_months": "18", "monthly_charge": "", "support_calls": "3", "plan": "basic",
       "region": "north", "payment": ""}


def run(*command, env=None, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False,
                            env={**os.environ, **(env or {})}, **options)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def pkg_config(prefix, *options):
    folder = next(prefix.rglob("foretell.pc")).parent
    return shlex.split(run("pkg-config", *options, "foretell", env={"PKG_CONFIG_PATH": str(folder)}))


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix") / "moved"
    run("cmake", "--install", BUILD, "--prefix", folder.parent / "first")
    (folder.parent / "first").rename(folder)  # the package files must not hold the place of the installation
    return folder


def library_folder(prefix):
    return next(prefix.rglob("libforetell.a")).parent


def use(program, prefix, tmp_path):
    """Runs the program in each of its three ways and compares it with the installed foretell command."""
    env = {"LD_LIBRARY_PATH": str(library_folder(prefix))}
    assert "plan (" in run(program, MODEL, env=env)
    header, values = ",".join(ROW), ",".join(ROW.values())
    (tmp_path / "rows.csv").write_text(f"{header}\n{values}\n", encoding="utf-8")
    by_command = run(prefix / "bin/foretell", "predict", MODEL, tmp_path / "rows.csv").splitlines()
    assert run(program, MODEL, "row", *ROW.values(), env=env).strip() == by_command[1]
    run(program, MODEL, "file", tmp_path / "rows.csv", tmp_path / "out.csv", env=env)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines() == by_command


def test_pkg_config_shared(prefix, tmp_path):
    run("cc", "-std=gnu17", ROOT / "examples/predict.c", *pkg_config(prefix, "--cflags", "--libs"), "-o",
        tmp_path / "predict")
    use(tmp_path / "predict", prefix, tmp_path)


def test_pkg_config_static(prefix, tmp_path):
    """With the archive alone, the names in Libs.private must suffice."""
    only_static = tmp_path / "static"
    shutil.copytree(prefix, only_static, symlinks=True)
    for shared in only_static.rglob("libforetell.so*"):
        shared.unlink()
    run("cc", "-std=gnu17", ROOT / "examples/predict.c", *pkg_config(only_static, "--cflags", "--static", "--libs"),
        "-o", tmp_path / "predict")
    use(tmp_path / "predict", prefix, tmp_path)


@pytest.mark.parametrize("target", ["predict", "predict_static"])
def test_find_package(prefix, tmp_path, target):
    run("cmake", "-S", ROOT / "examples", "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build", "--target", target)
    use(tmp_path / "build" / target, prefix, tmp_path)


def test_arrow_streams(prefix, tmp_path):
    run("cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", ROOT / "examples/arrow_stream.c",
        *pkg_config(prefix, "--cflags", "--libs"), "-o", tmp_path / "arrow_stream")
    env = {"LD_LIBRARY_PATH": str(library_folder(prefix))}
    (tmp_path / "rows.csv").write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n", encoding="utf-8")
    _, by_command = run(prefix / "bin/foretell", "predict", MODEL, tmp_path / "rows.csv").splitlines()
    assert run(tmp_path / "arrow_stream", MODEL, 3, *ROW.values(), env=env).splitlines() == 3 * [by_command]


def test_tables_without_a_program(prefix, tmp_path):
    """examples/convert.c: a file, a model and a file give what the command gives."""
    run("cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", ROOT / "examples/convert.c",
        *pkg_config(prefix, "--cflags", "--libs"), "-o", tmp_path / "convert")
    env = {"LD_LIBRARY_PATH": str(library_folder(prefix))}
    rows, parquet, out = (tmp_path / name for name in ("rows.csv", "rows.parquet", "out.csv"))
    names, values = ",".join(["id", *ROW]), ",".join(ROW.values())
    rows.write_text(f"{names}\n" + "".join(f"r{i},{values}\n" for i in range(3)), encoding="utf-8")
    assert run(tmp_path / "convert", "-", rows, parquet, env=env) == "3 rows\n"
    assert run(tmp_path / "convert", MODEL, parquet, out, env=env) == "3 rows\n"
    assert out.read_text(encoding="utf-8") == run(prefix / "bin/foretell", "predict", MODEL, rows, "--keep", "id")


def test_functions_in_the_places_of_files(prefix, tmp_path):
    """examples/score_stream.c: who sends a row has its answer before the next one, and at the end what the command gives."""
    run("cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", ROOT / "examples/score_stream.c",
        *pkg_config(prefix, "--cflags", "--libs"), "-o", tmp_path / "score_stream")
    rows = [json.dumps({**ROW, "age": age}) + "\n" for age in (20, 41, 80)]
    (tmp_path / "rows.jsonl").write_text("".join(rows), encoding="utf-8")
    expected = run(prefix / "bin/foretell", "predict", MODEL, tmp_path / "rows.jsonl", "--proba", "--output-format", "jsonl")
    with subprocess.Popen([tmp_path / "score_stream", MODEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, env={**os.environ, "LD_LIBRARY_PATH": str(library_folder(prefix))}) as process:
        answers = []
        for row in rows:
            process.stdin.write(row)
            process.stdin.flush()
            answers.append(process.stdout.readline())
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0 and "".join(answers) == expected


def test_cache(prefix, tmp_path):
    run("cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", ROOT / "examples/cache.c",
        *pkg_config(prefix, "--cflags", "--libs"), "-o", tmp_path / "cache")
    models = [tmp_path / f"{name}.joblib" for name in "abc"]
    for model in models:
        shutil.copy(MODEL, model)
    env = {"LD_LIBRARY_PATH": str(library_folder(prefix))}
    lines = run(tmp_path / "cache", 0, 2, *models, env=env).splitlines()
    assert lines[:6] == 2 * [f"{model}: 7 columns, hit" for model in models]
    assert [line.split(":")[0] for line in lines[6:9]] == [str(model) for model in reversed(models)]
    assert all(": 2 hits, " in line for line in lines[6:9])
    assert lines[9] == "3 of 15 models, 6 hits, 3 misses, 0 evictions"
    lines = run(tmp_path / "cache", 2, 1, *models, env=env).splitlines()  # each has gone when it is asked for again
    assert lines[:3] == [f"{model}: 7 columns, opened" for model in models]
    assert lines[-1] == "2 of 2 models, 0 hits, 6 misses, 4 evictions"


@pytest.mark.parametrize("compiler, flags", [
    ("cc", "-std=c99"), ("cc", "-std=c11"), ("cc", "-std=c17"), ("c++", "-std=c++17")])
@pytest.mark.parametrize("header", sorted(path.name for path in (ROOT / "include/foretell").glob("*.h")))
def test_public_header_compiles_alone(tmp_path, compiler, flags, header):
    suffix = "cc" if compiler == "c++" else "c"
    source = tmp_path / f"alone.{suffix}"
    source.write_text(f"#include <foretell/{header}>\n", encoding="utf-8")
    run(compiler, flags, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{ROOT / 'include'}", source)


def test_server(prefix):
    """It answers, finds its web assets from where it lies, and the notices of what others wrote are there."""
    version, web = run(prefix / "bin/foretell-server", "--version").splitlines()
    assert re.fullmatch(r"foretell-server \d+\.\d+\.\d+ \(libuv 1\.\d+\.\d+, llhttp 9\.\d+\.\d+, OpenSSL 3\.\d+\.\d+\)", version)
    assert pathlib.Path(web.removeprefix("web assets: ")).resolve() == prefix.resolve() / "share/foretell/web"
    for name in ("swagger-ui/swagger-ui.css", "swagger-ui/swagger-ui-bundle.js", "redoc/redoc.standalone.js"):
        assert (prefix / "share/foretell/web" / name).stat().st_size > 100_000
    notices = prefix / "share/doc/foretell"
    page = (notices / "THIRD-PARTY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(third-party/[\w.-]+)`", page))
    found = {f"third-party/{path.name}" for path in (notices / "third-party").iterdir()}
    assert found == named - ({"third-party/llhttp.txt"} - found) and len(found) >= 3
    assert "Apache License" in (notices / "third-party/swagger-ui.txt").read_text(encoding="utf-8")
    assert "MIT" in (notices / "third-party/redoc.txt").read_text(encoding="utf-8")


def test_server_in_the_build_folder(prefix, tmp_path):
    """There the assets are those that were fetched; a program without any says so."""
    assert (ROOT / "build/third_party/web").samefile(
        run(BUILD / "foretell-server", "--version").splitlines()[1].removeprefix("web assets: "))
    alone = tmp_path / "foretell-server"
    shutil.copy(prefix / "bin/foretell-server", alone)
    assert run(alone, "--version").splitlines()[1].startswith("web assets: none")


def test_installed_program_is_stripped_and_complete(prefix):
    program = prefix / "bin/foretell"
    assert program.stat().st_size <= 3 * 1024 * 1024
    assert run(program, "--version").startswith("foretell ")
    needed = run("ldd", program) if shutil.which("ldd") else ""
    assert "not found" not in needed and "libstdc++" not in needed


def test_manuals_and_completions_lie_where_readers_look(prefix):
    """A page for every command and for the server; completions under the names by which each shell finds them."""
    commands = [command["name"] for command in json.loads(run(prefix / "bin/foretell", "help", "--json"))["commands"]]
    pages = {path.name for path in (prefix / "share/man/man1").iterdir()}
    assert pages == {"foretell.1", "foretell-server.1", *(f"foretell-{name}.1" for name in commands)}
    assert "FORETELL_SERVE_CACHE_SIZE" in (prefix / "share/man/man1/foretell-server.1").read_text(encoding="utf-8")
    for shell, names in (("bash", ["bash-completion/completions/foretell", "bash-completion/completions/foretell-server"]),
                         ("zsh", ["zsh/site-functions/_foretell"]),
                         ("fish", ["fish/vendor_completions.d/foretell.fish", "fish/vendor_completions.d/foretell-server.fish"])):
        for name in names:
            assert (prefix / "share" / name).read_text(encoding="utf-8") == run(prefix / "bin/foretell", "completion", shell)


def test_uninstall_removes_what_install_wrote(tmp_path):
    for target in ("install", "uninstall"):
        run("make", "-C", ROOT, target, f"PREFIX={tmp_path / 'prefix'}", env={"MAKEFLAGS": "", "FTL_SERVER": "no"})
        files = [path for path in (tmp_path / "prefix").rglob("*") if not path.is_dir()]
        assert (len(files) > 20) == (target == "install"), files
