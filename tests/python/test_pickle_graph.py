"""The pickle machine against tests/golden/joblib.tar.xz: every layout of joblib and every pickle protocol gives the content
that is written beside the dumps. Three things are known to differ and are put right first: arrays are native-endian after
loading, a frozenset is a set, and an array without axes is a scalar."""

import re
import subprocess

import pytest

from ftl import ROOT, of_unit_tests, unpack


def native_bytes(line, size):
    """Turns each item of a line of hex items round."""
    items = [bytes.fromhex(item)[::-1].hex() for item in line.split()]
    assert all(len(item) == 2 * size for item in items)
    return " ".join(items)


def as_loaded(text):
    """The expected text with the three known differences put right."""
    out, swap, depth, lines = [], 0, 0, iter(text.splitlines())
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if swap and indent > depth:
            out.append(" " * indent + native_bytes(line, swap))
            continue
        swap = 0
        scalar = re.fullmatch(r"( *)ndarray ([<>|]\w+) scalar", line)
        big = re.fullmatch(r"( *ndarray )>([iuf])(\d+)( .*)", line)
        if scalar:
            out.append(f"{scalar[1]}scalar {scalar[2]} {next(lines).strip()}")
        elif big:
            out.append(f"{big[1]}<{big[2]}{big[3]}{big[4]}")
            swap, depth = int(big[3]), indent
        else:
            out.append(re.sub(r"^( *)frozenset", r"\1set", line))
    return "\n".join(out) + "\n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joblib")
    unpack(ROOT / "tests/golden/joblib.tar.xz", folder)
    return folder


def test_every_dump_gives_its_content(archive):
    entries = [line.split() for line in (archive / "index.txt").read_text(encoding="utf-8").splitlines()]
    assert len(entries) > 200
    expected = {name: as_loaded((archive / "expected" / f"{name}.txt").read_text(encoding="utf-8"))
                for name in {name for _, name in entries}}
    wrong = []
    for path, name in entries:
        done = subprocess.run([of_unit_tests("pickle_dump"), str(archive / path)], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode or done.stdout != expected[name]:
            wrong.append((path, done.stderr.strip() or "other content"))
    assert not wrong
