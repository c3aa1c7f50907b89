"""The rows that a job over files made, wherever they are: in a spool or in the caller's output file."""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from foretell import _context, _core, errors
from foretell.inference._outputs import Outputs
from foretell.inference._spool import Spool

_TEXTS = ("csv", "json", "jsonl")
_BY_ENDING = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow",
    ".npy": "npy",
}
_RECORD_BYTES = 15 << 20  # of a row of a text: the most that is read
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".lz4")


def _ending_of(path: str) -> str:
    """The ending that says a format, in small letters: that in front of .gz and the like."""
    stem, ending = os.path.splitext(path.lower())
    return os.path.splitext(stem)[1] if ending in _COMPRESSED else ending


def format_of(path: str, output_format: str | None) -> str:
    """In which format a job writes a file: "csv" unless the option or the name says another."""
    if output_format is not None:
        return output_format
    return _BY_ENDING.get(_ending_of(path), "csv")


class Stored:
    """Rows that can be read any number of times, column by column or batch by batch."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._names: tuple[str, ...] | None = None

    def _path(self) -> str:
        raise NotImplementedError

    def _typed(self, capsule: Any) -> Any:
        """The stream with the types that the rows had before they were written."""
        return capsule

    def _options(self) -> dict[str, Any]:
        return {}

    def stream(self, keep: Sequence[str] | None = None, batch_rows: int = 0) -> Any:
        """A capsule of an Arrow stream of all rows, with the columns to keep, in their order; None: all."""
        options = self._options()
        if batch_rows:
            options["batch_rows"] = batch_rows
        if keep is not None:
            options["keep"] = list(keep)
        return self._typed(self._raw(options))

    def _raw(self, options: dict[str, Any]) -> Any:
        return _context.context().read_table(self._path(), **options)

    def batches(self, keep: Sequence[str] | None = None, batch_rows: int = 0) -> Iterator["_core.Batch"]:
        """The rows as batches that have __arrow_c_array__ and give numpy arrays."""
        return iter(_core.Batches(self.stream(keep, batch_rows)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        if self._names is None:
            self._names = _core.Batches(self._raw(self._options())).names
        return self._names

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """All rows of a column: numbers, or an object array of texts with None for missing ones."""
        parts = [batch.column(0) for batch in self.batches([name])]
        return np.concatenate(parts) if parts else np.empty(0, dtype=object)

    def columns(self) -> dict[str, np.ndarray[Any, Any]]:
        """All rows of all columns."""
        parts = list(self.batches())
        return {
            name: np.concatenate([batch.column(i) for batch in parts]) if parts else np.empty(0, dtype=object)
            for i, name in enumerate(self.names)
        }


class InSpool(Stored):
    """Rows in a spool."""

    def __init__(self, spool: Spool, rows: int) -> None:
        super().__init__(rows)
        self.spool = spool

    def _path(self) -> str:
        if self.spool.closed:
            raise ValueError("the result was closed: its rows are gone")
        return self.spool.path

    def _options(self) -> dict[str, Any]:
        return {"input_format": "arrow"}


class InFile(Stored):
    """Rows in the file that a job wrote for the caller. One that was changed since is refused."""

    def __init__(self, path: str, form: str, rows: int, outputs: Outputs, nulls: bool) -> None:
        super().__init__(rows)
        self._shown, self._file, self._form = path, os.path.abspath(path), form
        self._outputs, self._nulls = outputs, nulls
        self._known = self._identity() if path != "-" else None  # standard output

    def _identity(self) -> tuple[int, int, int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return (
            (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if stat.S_ISREG(found.st_mode)
            else None
        )

    def _path(self) -> str:
        if self._known is None:
            raise errors.ArgumentError(
                f"{self._shown} is no plain file: its rows cannot be read back; leave out "
                "output_path to keep them in the result"
            )
        now = self._identity()
        if now is None:
            raise FileNotFoundError(f"{self._shown} is gone: the result's rows were in it")
        if now != self._known:
            raise ValueError(
                f"{self._shown} was changed after the job wrote it: the result's rows are not in it any more"
            )
        return self._file

    def _typed(self, capsule: Any) -> Any:
        if self._form not in _TEXTS:
            return capsule
        types = self._outputs.types(self.names)
        return _core.typed_stream(capsule, lambda _: types, self._nulls)

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"input_format": self._form, "max_record_bytes": _RECORD_BYTES}
        if self._form == "csv":
            options["delimiter"] = "\t" if _ending_of(self._file) in (".tsv", ".tab") else ","
        return options
