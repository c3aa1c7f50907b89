"""python -m foretell verify, which foretell verify runs: options in, report out."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from foretell import errors
from foretell._verify import METHODS, Report, verify

EXIT_DONE, EXIT_INTERNAL, EXIT_USAGE, EXIT_MODEL, EXIT_DATA, EXIT_DISAGREE = range(6)

DESCRIPTION = """\
Predicts the same rows with foretell and with the library that wrote MODEL, which must be installed in this
Python, and
compares every method. The library loads the file, which EXECUTES a pickle: verify your own models alone."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"foretell: usage: {message}; see foretell verify --help", file=sys.stderr)
        sys.exit(EXIT_USAGE)


def _above_zero(text: str) -> int:
    value = int(text)
    if not 0 < value <= 10_000_000:
        raise ValueError
    return value


def _tolerance(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError
    return value


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="foretell verify",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file, or FILE:ENTRY")
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        help="CSV, TSV, Parquet, JSON, JSON lines or .npy; default: rows are made up",
    )
    parser.add_argument(
        "--method", action="append", choices=METHODS, metavar="NAME", help="this method alone; may repeat"
    )
    parser.add_argument("--rows", type=_above_zero, default=1000, metavar="N", help="rows (default 1000)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of rows that are made up (default 0)"
    )
    parser.add_argument("--select", metavar="KEY", help="an entry of a dict, list or tuple")
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="T",
        help="largest difference, relative to the larger value and 1 (default 1e-9; float32: 1e-5)",
    )
    parser.add_argument("--exact", action="store_true", help="every bit must be the same")
    parser.add_argument(
        "--execute-pickle",
        action="store_true",
        help="load the file although it names code that belongs to no model",
    )
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    return parser


def main(arguments: Sequence[str]) -> int:
    """An exit code: 0 all agree, 5 not all, 2 usage, 3 the model, 4 the data, 1 anything else."""
    given = _parser().parse_args(list(arguments))
    try:
        report = verify(
            given.model,
            given.data,
            given.rows,
            methods=given.method,
            select=given.select,
            tolerance=given.tolerance,
            exact=given.exact,
            seed=given.seed,
            trust=given.execute_pickle,
        )
    except errors.Error as error:
        print(f"foretell: error: {_one_line(str(error))}", file=sys.stderr)
        return _exit_code(error, given.data)
    except MemoryError:
        print("foretell: error: out of memory", file=sys.stderr)
        return EXIT_INTERNAL
    print(json.dumps(_finite(report.to_dict()), default=str) if given.json else text(report))
    return EXIT_DONE if report.agrees else EXIT_DISAGREE


def _exit_code(error: errors.Error, data: str | None) -> int:
    if isinstance(error, errors.ArgumentError):
        return EXIT_USAGE
    if error.code in ("SHAPE", "SCHEMA", "VALUE") or (
        error.code == "IO" and data is not None and getattr(error, "filename", None) == data
    ):
        return EXIT_DATA
    return EXIT_INTERNAL if error.code in ("NOMEM", "INTERNAL") else EXIT_MODEL


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN: they are null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return value


# ---- For people ------------------------------------------------------------------------------------------


def text(report: Report) -> str:
    """The report in lines."""
    now = ", ".join(f"{name} {version}" for name, version in report.versions.items() if name != "written_by")
    origin = f"made up with seed {report.seed}" if report.made_up else "of the table"
    lines = [
        f"{report.class_name}, written by {report.versions['written_by']}; here {now}",
        f"{report.rows:,} rows, {origin}",
    ]
    lines += [f"note: {note}" for note in report.notes]
    for method in report.methods:
        lines += ["", *_method(method, report.worst_inputs.get(method.method))]
    lines += [f"\n{method}: not compared: {_one_line(why)}" for method, why in report.not_compared.items()]
    if report.refused_by_both:
        lines += ["", f"both refuse {report.refused_by_both:,} rows"]
    for row, who, why in report.refused[:5]:
        lines += ["", f"row {row}: {who} alone refuses it: {_one_line(why)}"]
    if report.speed:
        lines.append("")
    for name, (theirs, ours) in report.speed.items():
        lines.append(
            f"{name}: the library {_seconds(theirs)}, foretell {_seconds(ours)} (medians), "
            f"{theirs / ours if ours else math.inf:.1f} times as fast"
        )
    lines += [
        "",
        "all agree" if report.agrees else "nothing was compared" if not report.methods else "NOT all agree",
    ]
    return "\n".join(lines)


def _method(found: Any, inputs: Any) -> list[str]:
    if found.problem:
        return [f"{found.method}: {found.problem}"]
    share = 100.0 * found.values_equal / found.values if found.values else 100.0
    shown = "100" if found.values_equal == found.values else f"{min(share, 99.99):.2f}"
    lines = [
        f"{found.method}: {found.rows_agreeing:,} of {found.rows:,} rows agree"
        + (" within " + f"{found.tolerance:g}" if found.largest_relative is not None else "")
        + f"; {shown}% of the values are the same to the bit"
    ]
    if found.ties:
        lines.append(f"  in {found.ties:,} rows the label is a tie of two scores")
    if found.largest_absolute:
        lines.append(
            f"  largest difference {found.largest_absolute:.3g}, relative {found.largest_relative:.3g}"
            + (f", {found.largest_ulps:,} units in the last place" if found.largest_ulps is not None else "")
        )
    if found.worst_row is not None:
        lines.append(
            f"  worst row {found.worst_row}: {_short(found.worst_original)} of the library, "
            f"{_short(found.worst_foretell)} of foretell"
        )
        lines.append(f"  its inputs: {_short(inputs)}")
    return lines


def _short(value: Any) -> str:
    shown = _one_line(repr(value))
    return shown if len(shown) <= 300 else shown[:297] + "..."


def _seconds(value: float) -> str:
    return (
        f"{1e6 * value:.1f} µs"
        if value < 1e-3
        else f"{1e3 * value:.2f} ms"
        if value < 1
        else f"{value:.2f} s"
    )
