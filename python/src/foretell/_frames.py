"""Tables of other libraries, column by column, without importing any of them: whoever gives one has imported it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from foretell.errors import ArgumentError, SchemaError, ShapeError, make

# Formats of the Arrow C data interface that are numbers, and numpy's name of them; "b" is a bool.
ARROW_NUMBERS: dict[str, Any] = {
    "c": np.dtype("i1"), "C": np.dtype("u1"), "s": np.dtype("i2"), "S": np.dtype("u2"), "i": np.dtype("i4"),
    "I": np.dtype("u4"), "l": np.dtype("i8"), "L": np.dtype("u8"), "e": np.dtype("f2"), "f": np.dtype("f4"),
    "g": np.dtype("f8"),
}
ARROW_TEXTS = ("u", "U", "vu")


def is_arrow_read(format: str) -> bool:
    """Whether a column of the format is numbers, decimals, bools, texts or nulls."""
    return format in ARROW_NUMBERS or format in ARROW_TEXTS or format in ("b", "n") or format.startswith("d:")


class Table(Protocol):
    """Columns with names. column() gives an array, or what core_column_open (csrc/input.h) takes."""

    names: list[Any]
    rows: int

    def column(self, place: int) -> Any: ...


def kind_of(X: Any) -> str:
    """Which library's object X is, by the module of its class and what it can do."""
    for cls in type(X).__mro__:
        root, name = (cls.__module__ or "").partition(".")[0], cls.__name__
        if root == "pandas" and name in ("DataFrame", "Series"):
            return f"pandas.{name}"
        if root == "polars" and name in ("LazyFrame", "Series"):
            return f"polars.{name}"
        if root == "scipy" and (name.startswith("spmatrix") or name in ("sparray", "_spbase")):
            return "scipy.sparse"
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
        return "arrow"
    given = ("__dlpack__", "__array__", "__array_interface__")
    if isinstance(X, (memoryview, array)) or any(hasattr(X, name) for name in given):
        return "array"
    return ""


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # NA is neither equal nor unequal, and arrays are both
        return type(value).__name__ == "NAType"


# ---- Plain Python ------------------------------------------------------------------------------------------


class MappingTable:
    """A dict of columns: arrays, lists, Series."""

    def __init__(self, columns: Mapping[Any, Any]) -> None:
        self.names = list(columns)
        _check_indexes(columns)
        self._columns = [_plain_column(name, values) for name, values in columns.items()]
        lengths = {_length(column) for column in self._columns}
        if len(lengths) > 1:
            raise ShapeError(f"the columns of X have different lengths: {sorted(lengths)}")
        self.rows = lengths.pop() if lengths else 0

    def column(self, place: int) -> Any:
        return self._columns[place]


def _length(column: Any) -> int:
    if isinstance(column, tuple) and column[0] == "arrow":
        from foretell import _core

        return _core.arrow_rows(column[2])
    return len(column[1] if isinstance(column, tuple) else column)


def _check_indexes(columns: Mapping[Any, Any]) -> None:
    """Series of a dict belong together by their labels, which a DataFrame of them would go by."""
    first: Any = None
    for name, values in columns.items():
        if kind_of(values) != "pandas.Series":
            continue
        if first is None:
            first = values.index
        elif values.index is not first and len(values) == len(first) and not values.index.equals(first):
            raise ShapeError(
                f"the Series of column '{name}' has another index than those before it; give pandas.DataFrame(X), "
                "which puts rows of the same label together, or arrays"
            )


def _plain_column(name: Any, values: Any) -> Any:
    if kind_of(values) == "pandas.Series":
        return pandas_column(values)
    if isinstance(values, np.ma.MaskedArray):
        raise ArgumentError(
            f"column '{name}' is a masked array, whose mask the models do not know; give .filled(float('nan'))"
        )
    if isinstance(values, Mapping):
        raise ArgumentError(
            f"column '{name}' is a dict, as DataFrame.to_dict() gives it; give its values, as by to_dict('list')"
        )
    if isinstance(values, (set, frozenset)):
        raise ArgumentError(f"column '{name}' is a {type(values).__name__}, which has no order; give a list")
    if isinstance(values, np.ndarray):
        array = values
    elif isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise ShapeError(f"column '{name}' is one value; give a list, such as [{values!r}], or [X] for X as a single row")
    else:
        try:
            array = np.asarray(values)
        except ValueError:  # lists of several lengths in it
            raise SchemaError(f"column '{name}' holds lists; give one value a row") from None
        if array.dtype.kind in "USO":  # numbers among texts stay numbers
            array = np.empty(len(values), dtype=object)
            array[:] = list(values)
    if array.ndim != 1:
        raise ShapeError(f"column '{name}' has {array.ndim} dimensions; give one")
    return array


def names_its_values(kind: type) -> bool:
    """Whether rows of the class say their columns: Series, as of iterrows, and named tuples, as of itertuples."""
    series = any(base.__name__ == "Series" and base.__module__.partition(".")[0] == "pandas" for base in kind.__mro__)
    return series or issubclass(kind, tuple) and hasattr(kind, "_fields")


def as_record(row: Any) -> dict[Any, Any]:
    """Such a row as a dict."""
    if isinstance(row, tuple):
        return dict(zip(row._fields, row, strict=True))  # type: ignore[attr-defined]
    if not row.index.is_unique:
        raise make("SCHEMA", "DUPLICATE_COLUMN", f"a row of X has more than one value of a name: {list(row.index)}")
    return dict(zip(row.index, row.array, strict=True))


class RecordsTable:
    """A list of dicts. A key that a row lacks is missing there."""

    def __init__(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        names: dict[Any, None] = {}
        for row in rows:
            names.update(dict.fromkeys(row))
        self._rows, self.names, self.rows = rows, list(names), len(rows)

    def column(self, place: int) -> Any:
        name = self.names[place]
        values = [row.get(name) for row in self._rows]
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
            try:
                return np.array(values)
            except OverflowError:
                pass
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array


# ---- pandas ------------------------------------------------------------------------------------------------


class PandasTable:
    """A DataFrame. Columns of numbers are views of its blocks."""

    def __init__(self, frame: Any) -> None:
        self._frame, self.rows = frame, len(frame)
        self.names = list(frame.columns)
        # What pandas itself takes columns by: a Series for each costs thirty times as much.
        self._array_of = getattr(frame, "_get_column_array", None)

    def column(self, place: int) -> Any:
        if self._array_of is None:
            return pandas_column(self._frame.iloc[:, place])
        return _pandas_values(self._array_of(place), self.names[place])


def pandas_column(series: Any) -> Any:
    """A Series: a view of its numbers where it has them."""
    return _pandas_values(series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array, series.name)


def _pandas_values(values: Any, column: Any) -> Any:
    """An array of numpy's or of pandas' own."""
    if isinstance(values, np.ndarray):
        return values
    dtype = values.dtype
    name = type(dtype).__name__
    if name == "CategoricalDtype":
        categories = values.categories
        known = categories.to_numpy() if isinstance(categories.dtype, np.dtype) else categories.array
        return ("codes", np.asarray(values.codes), _pandas_values(known, column))
    if name == "ArrowDtype" or (name == "StringDtype" and "pyarrow" in str(getattr(dtype, "storage", ""))):
        return _pandas_arrow(values)
    if hasattr(values, "_mask") and hasattr(values, "_data"):
        return ("masked", values._data, values._mask)
    if name == "SparseDtype" or isinstance(dtype, np.dtype):
        return np.asarray(values)
    if name == "StringDtype":
        return values.to_numpy(dtype=object)
    raise make(
        "SCHEMA", "COLUMN_TYPE",
        f"column '{column}' is of dtype {dtype}, which no model takes; convert it to numbers or text",
    )


def without_nulls(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Objects with NaN for pandas' NA and NaT; None stays None."""
    pandas = sys.modules["pandas"]
    missing = pandas.isna(values)
    if not missing.any():
        return values
    copy = values.copy()
    for at in np.flatnonzero(missing):
        if copy[at] is not None:
            copy[at] = np.nan
    return copy


def _pandas_arrow(values: Any) -> Any:
    array = values.__arrow_array__()
    if hasattr(array, "combine_chunks"):
        array = array.combine_chunks()
        if hasattr(array, "num_chunks"):  # older pyarrow keeps an empty one chunked
            return np.empty(0, dtype=object)
    schema, data = array.__arrow_c_array__()
    return ("arrow", schema, data, _arrow_format(schema), -1)


def arrow_objects(column: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """What _pandas_arrow() gave, as texts and None. It is taken, and gone."""
    array = sys.modules["pyarrow"].Array._import_from_c_capsule(column[1], column[2])
    objects: np.ndarray[Any, Any] = array.to_numpy(zero_copy_only=False)
    return objects.astype(object)


# ---- Arrow -------------------------------------------------------------------------------------------------


def _arrow_format(schema: Any) -> str:
    """The format of an array's values."""
    from foretell import _core

    return _core.arrow_fields(schema)[0][1]


class ArrowTable:
    """A record batch."""

    def __init__(self, schema: Any, array: Any, fields: list[tuple[str, str]], rows: int) -> None:
        self._schema, self._array, self._fields, self.rows = schema, array, fields, rows
        self.names: list[Any] = [name for name, _ in fields]

    def column(self, place: int) -> Any:
        return ("arrow", self._schema, self._array, self._fields[place][1], place)


def arrow_tables(X: Any) -> Iterator[Table]:
    """The record batches of anything that gives itself as an Arrow stream or array."""
    from foretell import _core

    stream = X.__arrow_c_stream__() if hasattr(X, "__arrow_c_stream__") else None
    schema, array = (_core.arrow_schema(stream), None) if stream is not None else X.__arrow_c_array__()
    whole, *fields = _core.arrow_fields(schema)
    if whole[1] != "+s":
        raise SchemaError("X is one Arrow array; give a table or a record batch")
    if array is not None:
        yield ArrowTable(schema, array, fields, _core.arrow_rows(array))
        return
    empty = True
    while (array := _core.arrow_next(stream)) is not None:
        empty = False
        yield ArrowTable(schema, array, fields, _core.arrow_rows(array))
    if empty:
        yield MappingTable({name: [] for name, _ in fields})
