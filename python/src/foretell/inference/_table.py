"""The table that predict_batch gives: read when it is asked for, from memory, a spool or the output file."""

import html
import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from foretell import _context
from foretell._results import as_labels
from foretell.inference._options import PathLike, path_of
from foretell.inference._outputs import Outputs
from foretell.inference._results import BatchMetrics
from foretell.inference._stored import InSpool, Stored

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_FIGURES = (
    "n_samples",
    "n_batches",
    "n_rejected",
    "n_nulled",
    "batch_size",
    "inference_time_seconds",
    "total_time_seconds",
    "throughput_samples_per_sec",
    "load_time_seconds",
    "cache_hit",
    "output_path",
)


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


class BatchResult:
    """The rows of a job over files, and its figures. Nothing is read before it is asked for.

    It is a table:
      len(result), result.shape, result.columns, result.head(n)     cheap, however many rows there are
      for batch in result                                       Arrow record batches; memory stays the same
      result.to_pandas(), .to_polars(), .to_arrow(), .to_numpy()    everything at once
      result.write(path)                                        a file of all rows; memory stays the same
      result["prediction"], result[mask], result.groupby(...)   of the pandas DataFrame, made on first use
      polars.DataFrame(result), pyarrow.table(result), duckdb ...   by __arrow_c_stream__
    and has figures:
      result.metrics                       of the job: rows, seconds, rows per second, where the time went
      result["predictions"]                numpy array, (n,) or (n, targets), in the dtype of the model's
                                           classes
      result["probabilities"]              (n, classes), with return_probabilities; several targets: a list
      result["classes"], result["n_samples"], result["n_batches"], result["inference_time_seconds"],
      result["total_time_seconds"], result["throughput_samples_per_sec"], result["output_path"], ...

    A column of the table wins where it is called like a figure; metrics has all figures in any case. The
    table is read-only; to_pandas() gives a DataFrame of the caller's own. The rows that were kept of a CSV or
    JSON input are texts, as they stood there, and so are those that are read back from a CSV or JSON output.

    Every method may be called from any thread at once. close(), or the end of a with block, gives memory and
    disk back at once; otherwise the end of the object does.
    """

    def __init__(
        self,
        stored: Stored,
        metrics: BatchMetrics,
        output_path: str | None,
        outputs: Outputs,
        classes: list[np.ndarray[Any, Any]] | None,
    ) -> None:
        self.metrics = metrics
        self.output_path = output_path
        self._stored = stored
        self._outputs = outputs
        self._classes = classes
        self._frame: pd.DataFrame | None = None

    # ---- Its size, cheaply

    def __len__(self) -> int:
        return self._stored.rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self._stored.names)

    @property
    def columns(self) -> Any:
        """The names of the columns: a pandas Index, or a list without pandas."""
        names = list(self._stored.names)
        if not _has("pandas"):
            return names
        import pandas as pd

        return pd.Index(names)

    def head(self, n: int = 5) -> Any:
        """The first n rows, as a pandas DataFrame; only they are read."""
        if n < 0:
            return self._pandas().head(n)
        parts: list[Any] = []
        rows = 0
        for batch in self._stored.batches(batch_rows=max(min(n, 5000), 1)):
            parts.append(batch)
            rows += batch.num_rows
            if rows >= n:
                break
        return _frame_of(
            {
                name: np.concatenate([batch.column(i) for batch in parts])[:n]
                if parts
                else np.empty(0, dtype=object)
                for i, name in enumerate(self._stored.names)
            }
        )

    # ---- The rows

    def __iter__(self) -> Iterator[Any]:
        """Record batches: pyarrow's, or without it objects with __arrow_c_array__, num_rows and column()."""
        if not _has("pyarrow"):
            return self._stored.batches()
        import pyarrow as pa

        return iter(pa.RecordBatchReader.from_stream(self))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """An Arrow stream of all rows; the requested schema is not looked at, which the protocol allows."""
        return self._stored.stream()

    def to_arrow(self) -> "pa.Table":
        """A pyarrow Table of all rows."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_stream(self).read_all()

    def to_polars(self) -> "pl.DataFrame":
        """A polars DataFrame of all rows."""
        import polars as pl

        return pl.DataFrame(self)

    def to_pandas(self) -> "pd.DataFrame":
        """A pandas DataFrame of all rows, of the caller's own."""
        if self._frame is not None:
            return self._frame.copy()
        if _has("pyarrow"):
            return self.to_arrow().to_pandas()
        return _frame_of(self._stored.columns())

    def write(
        self, path: PathLike, *, output_format: str | None = None, compression: str | None = None
    ) -> None:
        """Writes all rows as a file, in the format that its name says, in constant memory.

        As with output_path the file appears when it is complete, or not at all; docs/FILES.md.
        """
        options = {"output_format": output_format, "compression": compression}
        _context.context().write_table(self._stored.stream(), path_of("path", path), **options)

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """(rows, columns): numbers where all columns are numbers, objects otherwise."""
        columns = [self._stored.column(name) for name in self._stored.names]
        return np.stack(columns, axis=1) if columns else np.empty((len(self), 0))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("the rows are not an array yet: copy=False cannot be had")
        found = self.to_numpy()
        return found if dtype is None else found.astype(dtype)

    # ---- As a DataFrame, and as a dict of figures

    def _pandas(self) -> "pd.DataFrame":
        if self._frame is None:
            self._frame = self.to_pandas()
        return self._frame

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self._pandas()[key]
        if key in self._stored.names:
            return self._pandas()[key] if _has("pandas") else self._stored.column(key)
        if key in ("predictions", "probabilities") and key in self:
            return self._matrix(key)
        if key == "classes" and self._classes is not None:
            return self._classes[0] if len(self._classes) == 1 else self._classes
        if key in _FIGURES:
            return self._figure(key)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return (
            key in self._stored.names
            or key in _FIGURES
            or key == "predictions"
            or (key == "probabilities" and "predict_proba" in self._outputs)
            or (key == "classes" and self._classes is not None)
        )

    def get(self, key: str, default: Any = None) -> Any:
        """result[key], or the default where there is no such column or figure."""
        try:
            return self[key]
        except KeyError:
            return default

    def _figure(self, key: str) -> Any:
        figures = self.metrics
        if key == "output_path":
            return self.output_path
        if (
            key == "inference_time_seconds"
        ):  # predicting alone, as if all threads had begun and ended together
            return figures["predict_seconds"] / max(figures["threads"], 1)
        return {
            "n_samples": figures["rows"],
            "n_batches": figures["n_batches"],
            "n_rejected": figures["rows_rejected"],
            "n_nulled": figures["rows_nulled"],
            "batch_size": figures["batch_size"],
            "total_time_seconds": figures["seconds"],
            "throughput_samples_per_sec": figures["rows_per_second"],
            "load_time_seconds": figures["load_seconds"],
            "cache_hit": figures["cache_hit"],
        }[key]

    def _matrix(self, key: str) -> Any:
        """The columns of the predictions or the probabilities: one as (n,), several as (n, columns)."""
        method = "predict_proba" if key == "probabilities" else self._outputs.methods[0]
        columns = [self._stored.column(name) for name in self._outputs.find(method, self._stored.names)]
        if method == "predict" and self._classes is not None and not self.metrics["rows_nulled"]:
            columns = [
                as_labels(column, classes.dtype)
                for column, classes in zip(columns, self._classes, strict=False)
            ]
        if len(columns) == 1 and method in ("predict", "decision_function", "score_samples", "margin"):
            return columns[0]
        matrix = np.stack(columns, axis=1)
        if method != "predict_proba" or self._classes is None or len(self._classes) == 1:
            return matrix
        ends = np.cumsum([len(classes) for classes in self._classes])[:-1]
        return np.split(matrix, ends, axis=1)  # of several targets: a list, as predict_proba gives it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'BatchResult' object has no attribute {name!r}")
        if not _has("pandas"):
            raise AttributeError(
                f"'BatchResult' object has no attribute {name!r}; those of a DataFrame need pandas, "
                "which is not installed"
            )
        return getattr(self._pandas(), name)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            "a BatchResult is read-only: frame = result.to_pandas() gives a DataFrame of your own"
        )

    def __reduce__(self) -> Any:
        raise TypeError("a BatchResult cannot be pickled: send result.to_pandas() or result.to_arrow()")

    def __repr__(self) -> str:
        figures = self.metrics
        where = f" in {self.output_path}" if self.output_path is not None else ""
        return (
            f"<BatchResult: {len(self)} rows{where}; {figures['seconds']:.3f} s, "
            f"{figures['rows_per_second']:,.0f} rows/s>"
        )

    def _repr_html_(self) -> str | None:
        """For notebooks: the first rows."""
        try:
            frame: str = self.head()._repr_html_()
        except (ImportError, OSError, ValueError):  # no pandas, or the rows are gone
            return None
        return f"<p>{html.escape(repr(self))}</p>{frame}"

    # ---- Its end

    def close(self) -> None:
        """Gives back what the rows take, in memory or on disk; an output file stays."""
        if isinstance(self._stored, InSpool):
            self._stored.spool.close()
        self._frame = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _frame_of(columns: dict[str, np.ndarray[Any, Any]]) -> Any:
    import pandas as pd

    return pd.DataFrame(columns)
