"""A line on a terminal that shows how far a job over files is."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from foretell.inference._options import Progress

_EIGHTHS = " ▏▎▍▌▋▊▉"
_QUIET_SECONDS = 0.3  # a job that is done by then shows no line

Report = Callable[[dict[str, Any]], object]


def short(number: float) -> str:
    """A number in three digits with k, M, G or T: 5.23M."""
    for unit in ("", "k", "M", "G", "T", "P"):
        if number < 999.5 or unit == "P":
            break
        number /= 1000
    digits = 0 if not unit or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f}{unit}"


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are some: 01:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def bar_of(share: float, width: int) -> str:
    """width characters, a share (0 to 1) of which are filled."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def line_of(name: str, rows: int, done: int, total: int, seconds: float, width: int) -> str:
    """name:  45%|████▌     | 225M/500M [00:03<00:04, 1.50M rows/s]; without a total, what is known."""
    rate = f"{short(rows / seconds) if seconds > 0 else '?'} rows/s"
    if total <= 0:
        return f"{name}: {short(rows)} rows, {short(done)}B [{clock(seconds)}, {rate}]"[:width]
    share = min(done / total, 1.0)
    left = clock(seconds * (1 - share) / share) if share > 0 else "?"
    before = f"{name}: {int(100 * share):3}%|"
    after = f"| {short(done)}B/{short(total)}B [{clock(seconds)}<{left}, {rate}]"
    return f"{before}{bar_of(share, max(width - len(before) - len(after), 4))}{after}"


class Bar:
    """Shows one job's reports on a terminal; close() leaves the last line, or none of a job that failed."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name if len(name) <= 24 else f"…{name[-23:]}"
        self._stream = stream
        self._begun = time.monotonic()
        self._shown = False
        self._last: dict[str, Any] | None = None

    def __call__(self, report: dict[str, Any]) -> None:
        self._last = report
        if time.monotonic() - self._begun >= _QUIET_SECONDS:
            self._show(report["rows"], report["bytes_read"], report["bytes_total"])

    def _show(self, rows: int, done: int, total: int) -> None:
        width = shutil.get_terminal_size().columns - 1
        line = line_of(self._name, rows, done, total, time.monotonic() - self._begun, width)
        self._write(f"\r{line}\x1b[K")
        self._shown = True

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except UnicodeEncodeError:
            self._write(text.translate({ord(each): "#" for each in "█…" + _EIGHTHS[1:]}))
        except (OSError, ValueError):  # a terminal that is gone ends no job
            pass

    def close(self, rows: int | None) -> None:
        """The job is done, with so many rows; None: it failed."""
        if not self._shown:
            return
        if rows is None or self._last is None:
            self._write("\r\x1b[K")
        else:
            total = max(self._last["bytes_total"], self._last["bytes_read"])
            self._show(rows, total, total)
            self._write("\n")


def reporter(progress: Progress, name: str) -> tuple[Report | None, Callable[[int | None], None]]:
    """Who receives a job's reports, and what to call at its end with the rows, or None for failure."""
    if callable(progress):
        return progress, lambda rows: None
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress is of type {type(progress).__name__}: give True, False or a function")
    if progress is False or sys.stderr is None or not _is_terminal(sys.stderr):
        return None, lambda rows: None
    bar = Bar(os.path.basename(name.rstrip("/")) or name, sys.stderr)
    return bar, bar.close


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False
