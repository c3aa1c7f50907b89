"""Runs the built program for the tests."""

import csv
import functools
import os
import pathlib
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program():
    """$FORETELL, else the release build, else the dev build."""
    if os.environ.get("FORETELL"):
        return os.environ["FORETELL"]
    for preset in ("release", "dev"):
        path = ROOT / "build" / preset / "foretell"
        if path.exists():
            return str(path)
    raise FileNotFoundError("build/release/foretell is not built; run make build, or name it in FORETELL")


@functools.lru_cache(maxsize=None)
def of_unit_tests(name):
    """What the build of the unit tests has made beside them, from the program's own build where that has it."""
    beside = pathlib.Path(program()).parent / "tests/unit" / name
    found = [beside] if beside.exists() else sorted(ROOT.glob(f"build/*/tests/unit/{name}"))
    assert found, f"no build has tests/unit/{name}"
    return str(found[0])


def run(*arguments, timeout=60, **options):
    """The finished process of `foretell ARGUMENTS…`; text output, no exception for exit codes."""
    return subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True, encoding="utf-8",
                          errors="replace", timeout=timeout, check=False, **options)


def unpack(archive, folder):
    """The files of a tar archive of this repository into folder."""
    with tarfile.open(archive) as tar:
        # The filter came with 3.11.4; Debian 12 has 3.11.2.
        tar.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))


def read_csv(path):
    """(header, rows) of a CSV file; a line without anything is a row with one empty cell."""
    with open(path, encoding="utf-8", newline="") as f:
        rows = [row or [""] for row in csv.reader(f)]
    if not rows:
        raise AssertionError("the output has no header")
    return rows[0], rows[1:]


def read_terminal(leader):
    """All that was written to a pseudo-terminal whose other end is closed; closes this one."""
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux's word for the end
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return shown.decode("utf-8")
