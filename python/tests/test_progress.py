"""The line on a terminal, functions that are told, and what Ctrl-C leaves."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from conftest import named_frame
from foretell.inference import OptimizedPredictor
from foretell.inference._progress import bar_of, clock, line_of, short


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    named_frame(50_000).to_csv(path, index=False)
    return path


SCRIPT = """
import sys
from foretell.inference import OptimizedPredictor
model, data, output, times, progress = sys.argv[1:6]
OptimizedPredictor().predict_batch(model, [data] * int(times), output or None,
                                   progress={"none": None, "no": False}[progress])
"""


def start(lr_path, data, output, times, progress="none"):
    """The script with a terminal as its standard error; the process and the terminal's other side."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(lr_path), str(data), str(output), str(times), progress],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    os.close(theirs)
    return process, ours


def read_until(terminal, seconds, wanted=None):
    text, until = "", time.monotonic() + seconds
    while time.monotonic() < until and not (wanted and re.search(wanted, text)):
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        text += piece.decode()
    return text


def test_a_bar_on_a_terminal(lr_path, data, tmp_path):
    process, terminal = start(lr_path, data, tmp_path / "out.csv", 400)
    text = read_until(terminal, 60)
    assert process.wait(30) == 0
    os.close(terminal)
    line = (
        r"rows\.csv: +\d+%\|[█▏▎▍▌▋▊▉ ]+\| [\d.]+[kMG]?B/[\d.]+[kMG]B "
        r"\[\d\d:\d\d<[\d:?]+, [\d.]+[kMG]? rows/s\]"
    )
    assert re.search(line, text), text
    assert "100%" in text and text.endswith("\r\n")
    assert all(len(each) <= 80 for each in re.split(r"[\r\n]|\x1b\[K", text))


def test_no_bar_when_it_is_switched_off(lr_path, data, tmp_path):
    process, terminal = start(lr_path, data, tmp_path / "out.csv", 100, "no")
    assert read_until(terminal, 60) == "" and process.wait(30) == 0
    os.close(terminal)


def test_no_bar_without_a_terminal(lr_path, data, tmp_path, capfd):
    OptimizedPredictor().predict_batch(lr_path, [data] * 100, tmp_path / "out.csv", progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("output", ["out.csv", ""])
def test_ctrl_c_leaves_nothing_behind(output, lr_path, data, tmp_path):
    process, terminal = start(lr_path, data, tmp_path / output if output else "", 100_000)
    read_until(terminal, 60, r"\d%\|")
    os.kill(process.pid, signal.SIGINT)
    begun = time.monotonic()
    text = read_until(terminal, 30)
    assert process.wait(30) != 0 and time.monotonic() - begun < 15
    os.close(terminal)
    assert "KeyboardInterrupt" in text and list(tmp_path.iterdir()) == []


def test_a_function_is_told(lr_path, data, tmp_path):
    reports = []
    result = OptimizedPredictor().predict_batch(
        lr_path, [data] * 200, tmp_path / "out.csv", progress=reports.append
    )
    assert reports and set(reports[0]) == {"rows", "bytes_read", "bytes_total"}
    rows = [report["rows"] for report in reports]
    assert rows == sorted(rows) and rows[-1] <= len(result) == 10_000_000
    assert reports[0]["bytes_total"] in (0, 200 * data.stat().st_size)


def test_a_function_that_returns_false_ends_the_job(lr_path, data, tmp_path):
    from foretell import errors

    with pytest.raises(errors.Error, match="cancel"):
        OptimizedPredictor().predict_batch(
            lr_path, [data] * 4000, tmp_path / "out.csv", progress=lambda report: False
        )
    assert list(tmp_path.iterdir()) == []


def test_a_function_that_raises_ends_the_job(lr_path, data, tmp_path):
    def progress(report):
        raise LookupError("enough")

    for target in (tmp_path / "out.csv", None):
        with pytest.raises(LookupError, match="enough"):
            OptimizedPredictor().predict_batch(lr_path, [data] * 4000, target, progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_progress(lr_path, data):
    with pytest.raises(TypeError, match="progress is of type int"):
        OptimizedPredictor().predict_batch(lr_path, data, progress=5)


def test_how_numbers_look():
    assert [short(number) for number in (0, 999, 1000, 1234, 12345, 123456, 1.5e6, 99.97e6, 7e9)] == [
        "0",
        "999",
        "1.00k",
        "1.23k",
        "12.3k",
        "123k",
        "1.50M",
        "100M",
        "7.00G",
    ]
    assert [clock(seconds) for seconds in (0, 61, 3600 + 65)] == ["00:00", "01:01", "1:01:05"]
    assert (
        bar_of(0, 4) == "    "
        and bar_of(0.5, 4) == "██  "
        and bar_of(1, 4) == "████"
        and bar_of(2, 4) == "████"
    )
    assert bar_of(1 / 32, 4) == "▏   "


def test_how_lines_look():
    line = line_of("rows.csv", 1_500_000, 225_000_000, 500_000_000, 3, 80)
    assert line.startswith("rows.csv:  45%|") and line.endswith("| 225MB/500MB [00:03<00:03, 500k rows/s]")
    assert len(line) == 80
    assert line_of("rows.csv", 1500, 9000, 0, 3, 80) == "rows.csv: 1.50k rows, 9.00kB [00:03, 500 rows/s]"
