#!/usr/bin/env python3
"""Writes fuzz/corpus/ir: the smallest models of the golden archives that together have every operation, as files of
foretell's own. Run it anew when the descriptions of operations change (src/model/ops): needs the dev or release build."""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/python"))
import ftl  # noqa: E402
import golden  # noqa: E402

LARGEST = 24000


def operations(path):
    graph = ftl.run("inspect", "--graph", path).stdout
    return set(re.findall(r"^%\d+ = (\w+) ", graph, re.MULTILINE))


def models():
    """(size, operations, bytes, name) of what can be written, smallest first."""
    with tempfile.TemporaryDirectory() as folder:
        for version in golden.versions():
            if not re.search(r"-(1\.9\.1|1\.2\.2|0\.133\.1|4\.7\.0|1\.2\.10|3\.\d\.\d)$", version):
                continue
            for case in golden.cases(version):
                path, out = golden.unpacked(version) / case["model"], pathlib.Path(folder) / "out"
                if path.stat().st_size > LARGEST or subprocess.run(
                        [golden.rewriter(), path, out], capture_output=True, check=False).returncode:
                    continue
                if out.stat().st_size <= LARGEST:
                    yield out.stat().st_size, operations(out), out.read_bytes(), case["name"]


def main():
    corpus, covered = ROOT / "fuzz/corpus/ir", {"input"}
    corpus.mkdir(parents=True, exist_ok=True)
    for old in corpus.iterdir():
        old.unlink()
    for _, found, data, name in sorted(models(), key=lambda model: (model[0], model[3])):
        if not found <= covered:
            covered |= found
            (corpus / name).write_bytes(data)
    print(f"{len(list(corpus.iterdir()))} seeds with {len(covered)} operations")


if __name__ == "__main__":
    main()
