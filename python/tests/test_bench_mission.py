"""bench/mission works: every figure is there, and what it times agrees."""

import json
import os
import pathlib
import subprocess
import sys
import xml.dom.minidom

import foretell

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_quick(tmp_path):
    site = str(pathlib.Path(foretell.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, ROOT / "bench/mission", "--quick", "--out", tmp_path],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "FORETELL_BENCH": "1", "PYTHONPATH": site},
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "mission.json").read_text())["figures"]
    assert len(figures) == 8 and all(one["peer"] > 0 and one["foretell"] > 0 for one in figures.values())
    assert done.stdout.count(" x |") == 8
    assert len(xml.dom.minidom.parse(str(tmp_path / "mission.svg")).getElementsByTagName("rect")) == 17
    cached = figures["load, used before"]
    assert cached["foretell"] < cached["peer"] / 10  # a lookup beside reading a file: thousands of times less
