"""scripts/bootstrap and make help on machines that lack things. Nothing is installed here: apt and id are stand-ins."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ["awk", "bash", "cat", "cksum", "cp", "dirname", "env", "grep", "head", "mkdir", "rm", "sed", "sleep", "sort", "tr"]
INSTALLER = """#!/bin/bash
echo "$*" >>"{log}"
case "$*" in *install*) for t in cc make cmake ninja pkg-config; do cp "{stand_in}" "{bin}/$t"; done ;; esac
"""
# Answers as compiler, cmake, and everything else that bootstrap asks.
STAND_IN = "#!/bin/bash\necho 'cmake version {cmake}'\ncat >/dev/null\n"


@pytest.fixture
def machine(tmp_path):
    """A function that runs bootstrap where only TOOLS and the stand-ins exist: (status, output, apt's calls)."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("tests/python/requirements.txt", "tests/python/requirements-serve.txt", "python/requirements-recipes.txt", "tools/requirements-format.txt",
                 "tools/third_party"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def script(name, text):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def run(user="1000", apt=True, brew=False, cmake="3.25.1", server=False):
        stand_in = tmp_path / "stand_in"
        stand_in.write_text(STAND_IN.format(cmake=cmake), encoding="utf-8")
        stand_in.chmod(0o755)
        script("id", f"#!/bin/bash\necho {user}\n")
        log = tmp_path / "apt.log"
        if apt:
            script("apt-get", INSTALLER.format(log=log, stand_in=stand_in, bin=folder))
        if brew:
            script("brew", "#!/bin/bash\n")
        result = subprocess.run([str(folder / "bash"), "scripts/bootstrap", "build"], cwd=tmp_path, text=True,
                                env={"PATH": str(folder), **({} if server else {"FTL_SERVER": "no"})}, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        calls = log.read_text(encoding="utf-8") if log.exists() else ""
        return result.returncode, result.stdout + result.stderr, calls

    return run


def test_without_root_it_prints_the_one_line(machine):
    status, output, calls = machine()
    assert status == 1 and calls == ""
    assert re.fullmatch(r"sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends gcc [\w+ .-]+'",
                        output.splitlines()[-1])


def test_as_root_it_says_what_it_installs_and_the_second_run_does_nothing(machine):
    status, output, calls = machine(user="0")
    assert status == 0, output
    assert "installing with apt: gcc" in output and "cmake" in output
    assert "install -y" in calls
    status, output, again = machine(user="0")
    assert (status, output, again) == (0, "", calls)


def test_without_what_the_server_needs_the_rest_is_ready(machine):
    status, output, _ = machine(user="0", server=True)
    assert status == 0 and "libuv1-dev" in output, output
    assert len([line for line in output.splitlines() if "foretell-server is not built" in line]) == 1, output


def test_homebrew_and_unknown_systems_get_a_line(machine):
    status, output, _ = machine(apt=False)
    assert status == 1 and "install what these Debian packages hold" in output
    status, output, _ = machine(apt=False, brew=True)
    assert status == 1 and output.splitlines()[-1].startswith("brew install ") and "zstd" in output


def test_an_old_cmake_is_named(machine):
    status, output, _ = machine(user="0", cmake="3.22.1")
    assert status == 1 and "CMake 3.25 or newer is needed" in output


def test_help_lists_every_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE).group(1).split()
    shown = subprocess.run(["make", "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True,
                           env={**os.environ, "MAKEFLAGS": ""}).stdout
    assert re.findall(r"^  make ([\w-]+)", shown, re.MULTILINE) == phony


def test_continuous_integration_runs_make_test_alone():
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "make test" and os.access(ROOT / ".ci/run", os.X_OK)
