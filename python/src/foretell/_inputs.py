"""X of any kind as what the C library reads: a matrix of numbers, or columns.

The C side reads plain numpy matrices by itself and asks prepare() for everything else. What a column becomes follows
what the original library makes of the same object:

- Columns are found by name where the model and X have names, by position otherwise; others are ignored.
- float32 stays float32 where all numbers that the model looks at are (and small integers, as numpy promotes them).
- Where the model takes numbers, objects become numbers as numpy makes them: None is NaN, "1.5" is 1.5. A model that
  looks numbers up as categories refuses text there, because 1 and "1" are not the same category.
- Where the model takes text, what is no text (a number, a bool, None for a model that saw NaN) is a category that
  the model never saw, as it is for scikit-learn. CatBoost reads integers as their digits, and so is it done here.
- float16 is computed with as the float32 or float64 that it equals, not in half precision.
- What a sparse matrix does not store is 0.0, but for XGBoost, to which it is missing.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from foretell import _frames
from foretell.errors import ArgumentError, DataError, Error, SchemaError, ShapeError, make

# ftl_column_kind and ftl_type
NUMERIC, STRING, BOOL, MIXED, UNUSED = range(5)
F64, TEXT = 0, 4
MISSING_NAN, MISSING_NONE, MISSING_REFUSED = range(3)

# Cells of a dense block that a sparse matrix is read by: 4 MiB of float64.
_BLOCK_CELLS = 1 << 19
_ABSENT = object()
# Characters of the dtypes that the C side reads as they are.
_READ = frozenset("efdbBhHiIlLqQ?")


class Input(NamedTuple):
    """One column that the model takes."""

    name: str | None
    kind: int
    type: int
    missing: int
    no_texts: bool = False  # numbers and bools are its categories, though cells of a file are read as text
    texts: frozenset[str] = frozenset()  # those among its categories, where numbers are among them as well

    @property
    def wants_numbers(self) -> bool:
        return self.type == F64


_UNKNOWN = Input(None, NUMERIC, F64, MISSING_NAN)  # a column of a model of open width


class Schema(NamedTuple):
    """What the model takes; made once a model, by schema()."""

    inputs: tuple[Input, ...]
    has_names: bool
    open_width: bool
    class_name: str
    library: str
    answers: str  # the class of the estimator that answers: the last step of a pipeline, the best of a search
    encodes: bool  # there are encoders in it: a number is a category there
    boosts_xgboost: bool  # XGBoost reads some of it
    takes_dicts: bool  # DictVectorizer is what X goes into
    picked: dict[tuple[Any, ...], list[int | None]]  # what _pick found for the names of X of late

    @property
    def takes_vectors(self) -> bool:
        """Whether X has one dimension, as of an encoder of labels."""
        return self.class_name.rpartition(".")[2] in ("LabelEncoder", "LabelBinarizer", "IsotonicRegression")

    def is_unused(self, i: int) -> bool:
        return i < len(self.inputs) and self.inputs[i].kind == UNUSED

    @property
    def takes_texts(self) -> bool:
        """Whether X is a list of texts, as of a vectorizer."""
        return len(self.inputs) == 1 and not self.has_names and not self.inputs[0].wants_numbers


def schema(
    rows: tuple[tuple[str | None, int, int, int], ...], has_names: bool, open_width: bool, class_name: str,
    library: str, description: str,
) -> Schema:
    described = json.loads(description)
    steps = [(step["path"], step["class"]) for step in described["steps"]]
    names = [name.rpartition(".")[2] for _, name in steps]
    known = [column.get("categories", []) for column in described["inputs"]]
    known += [[]] * (len(rows) - len(known))
    return Schema(
        tuple(_input(row, among, library) for row, among in zip(rows, known, strict=True)),
        has_names, open_width, class_name, library,
        _answering(dict(steps)) or class_name, any("Encoder" in name for name in names),
        any(name.startswith("xgboost") for _, name in steps) or library == "XGBoost",
        any(path in ("", "steps[0]") and name.endswith(".DictVectorizer") for path, name in steps), {},
    )


def _input(row: tuple[str | None, int, int, int], categories: list[Any], library: str) -> Input:
    if row[1] != MIXED or library == "CatBoost" or not categories:  # CatBoost's are texts, also where they were numbers
        return Input(*row)
    texts = frozenset(one for one in categories if isinstance(one, str))
    return Input(*row, not texts, texts)


def _answering(steps: dict[str, str]) -> str | None:
    """The class at the end of pipelines, searches and the like, of classes by their paths in the model."""
    at = ""
    while True:
        inner = [f"{at}.{name}" if at else name for name in ("best_estimator_", "estimator_", "estimator")]
        found = [path for path in inner if path in steps]
        if not found:
            prefix = f"{at}.steps[" if at else "steps["
            last = [path for path in steps if path.startswith(prefix) and path.endswith("]")]
            found = sorted(last, key=lambda path: (len(path), path))[-1:]
        if not found or "CV" not in steps.get(at, "Pipeline") and "Pipeline" not in steps.get(at, "Pipeline"):
            return steps.get(at)
        at = found[0]


# What prepare() gives: a matrix; (rows, is_float32, columns); or an iterator of such.
Prepared = Any


def prepare(X: Any, schema: Schema) -> Prepared:
    """X as the C side reads it. Raises what says how X has to be."""
    kind = _frames.kind_of(X)
    if isinstance(X, np.ndarray):
        return _array(X, schema)
    if kind == "pandas.DataFrame":
        return _columns(_frames.PandasTable(X), schema)
    if kind == "pandas.Series":
        return _series(X, schema)
    if kind == "polars.LazyFrame":
        raise ArgumentError("X is a LazyFrame: give X.collect(), or a file and score_file for large data")
    if kind == "polars.Series":
        return _array(np.asarray(X.to_numpy()), schema)
    if kind == "scipy.sparse":
        return _sparse(X, schema)
    if kind == "arrow":
        return _arrow(X, schema)
    if isinstance(X, Mapping):
        return _columns(_frames.MappingTable(X), schema)
    if isinstance(X, (str, bytes)):
        raise ShapeError("X is one text; give a list of rows. A file of rows goes to predict_batch()")
    if kind == "array":
        return _array(_foreign_array(X), schema)
    if isinstance(X, Sequence):
        return _sequence(X, schema)
    if isinstance(X, os.PathLike):
        raise ArgumentError("X is a path; give the rows themselves. A file of rows goes to predict_batch()")
    of_type = f"{type(X).__module__}.{type(X).__qualname__}".removeprefix("builtins.")
    raise ArgumentError(
        f"X is {'None' if X is None else f'of type {of_type}'}; give a numpy array, a DataFrame, an Arrow table, "
        "a sparse matrix, a list of rows or a dict of columns"
    )


# ---- Arrays ------------------------------------------------------------------------------------------------


def _foreign_array(X: Any) -> np.ndarray[Any, Any]:
    """An array of another library: on the CPU by DLPack without a copy, else what it makes of itself."""
    if hasattr(X, "__dlpack__"):
        try:
            return np.from_dlpack(X)
        except (RuntimeError, BufferError, TypeError, ValueError) as error:
            if not hasattr(X, "__array__"):
                raise ArgumentError(f"X could not be read by DLPack: {error}; is it on the CPU?") from None
    try:
        return np.asarray(X)
    except Exception as error:
        raise ArgumentError(f"X could not be read as an array: {error}; move it to the CPU first") from error


def _check_dimensions(X: np.ndarray[Any, Any], schema: Schema) -> None:
    if X.ndim == 2:
        return
    if X.ndim == 1:
        raise ShapeError(
            f"X has one dimension where two are expected ({X.shape[0]} values). Give X.reshape(1, -1) for a single "
            "row, X.reshape(-1, 1) for a single column"
        )
    raise ShapeError(f"X has {X.ndim} dimensions; give one of rows and columns")


def _array(X: np.ndarray[Any, Any], schema: Schema) -> Prepared:
    if isinstance(X, np.ma.MaskedArray):
        raise ArgumentError("X is a masked array, whose mask the models do not know; give X.filled(float('nan'))")
    X = np.asarray(X)  # a matrix of numpy's has no columns of one dimension
    if X.dtype.names is not None:
        return _columns(_frames.MappingTable({name: X[name] for name in X.dtype.names}), schema)
    if X.ndim == 1 and schema.takes_vectors:
        X = X.reshape(-1, 1)
    if X.ndim == 1 and schema.takes_texts and X.dtype.kind in "OUT":
        return len(X), False, (_text_column(_objects(X), schema.inputs[0], schema),)
    _check_dimensions(X, schema)
    kind = X.dtype.kind
    if kind in "fiub" and all(column.wants_numbers or column.kind == UNUSED for column in schema.inputs):
        return _numbers(X)
    if kind in "fiubOUT":
        _check_width(X.shape[1], schema)
        values = _objects(X)
        width = X.shape[1] if schema.open_width else len(schema.inputs)
        return _finish(len(X), [None if schema.is_unused(i) else values[:, i] for i in range(width)], schema)
    raise SchemaError(f"X is of dtype {X.dtype}, which no model takes; convert it to numbers or text")


def _objects(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Text of a variable width is a dtype that nobody views, and the other order of bytes one that C does not read."""
    if X.dtype.kind == "U" and not X.dtype.isnative:
        return X.astype(X.dtype.newbyteorder("="))
    return X.astype(object) if X.dtype.kind == "T" else X


def _numbers(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers in this machine's order of bytes, of a type that C reads, not broadcast."""
    if X.dtype.kind == "f" and X.dtype.itemsize > 8:
        return X.astype(np.float64)
    plain = np.asarray(X)
    if not plain.dtype.isnative:
        plain = plain.astype(plain.dtype.newbyteorder("="))
    if 0 in plain.strides:
        plain = np.ascontiguousarray(plain)
    return plain


# ---- Lists -------------------------------------------------------------------------------------------------


def _sequence(X: Sequence[Any], schema: Schema) -> Prepared:
    kinds = set(map(type, X))
    if kinds and all(issubclass(kind, Mapping) for kind in kinds):
        if schema.takes_dicts:
            return _dicts(X, schema)
        return _columns(_frames.RecordsTable(X), schema)
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        raise ArgumentError("X has rows that are masked arrays, whose mask the models do not know; give NaN there")
    if schema.has_names and kinds and all(map(_frames.names_its_values, kinds)):
        rows = [_frames.as_record(row) for row in X]
        known = {column.name for column in schema.inputs}
        if any(name in known for row in rows for name in row):
            return _columns(_frames.RecordsTable(rows), schema)
    if len(X) and schema.takes_texts and all(isinstance(row, str) or row is None for row in X):
        values = np.empty(len(X), dtype=object)
        values[:] = X
        return len(X), False, (_text_column(values, schema.inputs[0], schema),)
    try:
        array = np.asarray(X)
        if array.dtype.kind in "USO":  # numbers among texts stay numbers
            array = np.array(X, dtype=object)
    except ValueError:
        raise ShapeError("the rows of X are not all of the same length") from None
    if len(X) == 0 and array.ndim == 1:
        array = array.reshape(0, len(schema.inputs))
    if len(X) and array.ndim == 1 and not schema.takes_vectors:
        raise ShapeError(
            f"X is a list of values where rows are expected ({len(X)} values). Give [X] for a single row, "
            "[[value] for value in X] for a single column"
        )
    return _array(array, schema)


def _dicts(X: Sequence[Mapping[Any, Any]], schema: Schema) -> Prepared:
    """Rows as DictVectorizer takes them: a key that a row lacks is no feature there, NaN is a number, and a text is a
    text also where it looks like a number."""
    done: list[Any] = []
    for known in schema.inputs:
        values = np.empty(len(X), dtype=object)
        for at, row in enumerate(X):
            value = row.get(known.name, _ABSENT)
            if value is _ABSENT and known.name is not None and known.name.lstrip("-").isdecimal():
                value = row.get(int(known.name), _ABSENT)  # names may be whole numbers
            values[at] = None if value is _ABSENT else _dict_value(value, known)
        done.append(_column(values, known, len(done), schema))
    return len(X), False, tuple(done)


def _dict_value(value: Any, known: Input) -> Any:
    if value is None or _frames.is_missing(value):
        return "nan"  # as the number stands in a file; an empty cell is a key that is not there
    if isinstance(value, str) and known.kind != STRING and _reads_as_other(value):
        return value + "\0"  # a category that nobody has
    return value


def _reads_as_other(text: str) -> bool:
    """Whether a cell of that text would be a number, a bool or missing."""
    try:
        float(text)
    except ValueError:
        return text.strip().lower() in ("", "true", "false", "na", "n/a", "null", "none", "<na>", "#n/a")
    return True


# ---- Tables ------------------------------------------------------------------------------------------------


def _check_width(width: int, schema: Schema) -> None:
    if not schema.open_width and schema.inputs and width != len(schema.inputs):  # without inputs X is not looked at
        raise make(
            "SHAPE", "COLUMN_COUNT",
            f"X has {width} columns; {schema.class_name} expects {len(schema.inputs)}",
        )


def _pick(names: Sequence[Any], schema: Schema) -> list[int | None]:
    """Where each of the model's columns is among the names of X; None for those that it does not look at."""
    if not schema.has_names:
        _check_width(len(names), schema)
        return list(range(len(names) if schema.open_width else len(schema.inputs)))
    places: dict[Any, int] = {}
    twice: set[Any] = set()
    for i, name in enumerate(names):
        if name in places:
            twice.add(name)
        places.setdefault(name, i)
    if schema.library == "LightGBM":  # which keeps names with underscores for spaces
        for i, name in enumerate(names):
            if isinstance(name, str):
                places.setdefault(name.replace(" ", "_"), i)
    found: list[int | None] = []
    absent: list[str] = []
    for column in schema.inputs:
        place = places.get(column.name)
        if place is None and column.kind != UNUSED:
            absent.append(str(column.name))
        if column.name in twice and column.kind != UNUSED:
            raise make("SCHEMA", "DUPLICATE_COLUMN", f"X has more than one column '{column.name}'")
        found.append(place)
    if absent:
        raise _missing_columns(absent, names)
    return found


def _missing_columns(absent: list[str], names: Sequence[Any]) -> Error:
    listed = ", ".join(f"'{name}'" for name in absent[:10]) + (f" and {len(absent) - 10} more" if absent[10:] else "")
    hint = ""
    if names and not any(isinstance(name, str) for name in names):
        hint = "; the columns of X have no names, give an array to go by position"
    near = _near(absent, names)
    if near:
        hint = "; did you mean " + ", ".join(f"'{name}'" for name in near) + "?"
    noun = "column" if len(absent) == 1 else "columns"
    return make("SCHEMA", "MISSING_COLUMNS", f"X lacks {noun} {listed}{hint}")


def _near(absent: list[str], names: Sequence[Any]) -> list[str]:
    """Names of X that look like the first of those that are absent: of another case, with spaces, misspelt."""
    plain = {name.strip().lower(): name for name in names[:1000] if isinstance(name, str)}
    found: list[str] = []
    for name in absent[:10]:
        for match in difflib.get_close_matches(name.strip().lower(), plain, n=1, cutoff=0.75):
            found.append(plain.pop(match))
    return found


def _columns(table: _frames.Table, schema: Schema) -> Prepared:
    try:
        names = tuple(table.names)
        picked = schema.picked.get(names)
    except TypeError:  # a name that has no hash is none of the model's
        raise SchemaError("a column of X has a name that is neither text nor number") from None
    if picked is None:
        picked = [None if schema.is_unused(i) else place for i, place in enumerate(_pick(table.names, schema))]
        if len(schema.picked) >= 8:
            schema.picked.clear()
        schema.picked[names] = picked
    return _finish(table.rows, [None if place is None else table.column(place) for place in picked], schema)


def _finish(rows: int, columns: list[Any], schema: Schema) -> Prepared:
    """Columns as they are in X become what the C side reads."""
    inputs = schema.inputs
    done: list[Any] = []
    kinds: set[str] = set()  # characters of dtypes where the model takes numbers; "" where that is none of numpy's
    for i, column in enumerate(columns):
        if column is None:
            done.append(None)
            continue
        known = inputs[i] if i < len(inputs) else _UNKNOWN
        if type(column) is np.ndarray and known.type == F64:
            dtype = column.dtype
            if dtype.char in _READ and dtype.isnative and column.strides != (0,):
                kinds.add(dtype.char)
                done.append(column)
                continue
        made = _column(column, known, i, schema)
        if known.type == F64:
            kinds.add(_number_char(made))
        done.append(made)
    return rows, "f" in kinds and _is_float32(kinds), tuple(done)


def _is_float32(kinds: set[str]) -> bool:
    """Whether numpy's promotion of the columns' dtypes gives float32. Frames with bools are made of objects first."""
    return not kinds & {"", "?"} and bool(np.result_type(*kinds) == np.float32)


def _number_char(column: Any) -> str:
    if isinstance(column, np.ndarray):
        return str(column.dtype.char)
    if isinstance(column, tuple) and column[0] == "arrow":
        found = _frames.ARROW_NUMBERS.get(column[3])
        return "" if found is None else str(found.char)
    return ""


# ---- Columns -----------------------------------------------------------------------------------------------


def _place(column: Input, i: int) -> str:
    return f"column '{column.name}'" if column.name is not None else f"column {i}"


def _column(values: Any, known: Input, i: int, schema: Schema) -> Any:
    """One column for the C side: see core_column_open in csrc/input.h."""
    if isinstance(values, tuple):
        return _tagged(values, known, i, schema)
    kind = values.dtype.kind
    if kind in "fiub":
        if known.wants_numbers or known.kind != STRING:
            _refuse_like_text(values, known, i)
            return _numbers(values)
        return _numbers_for_text(values, known, i, schema)
    if kind in "OUT":
        values = _objects(values)
        if known.wants_numbers:
            return _objects_as_numbers(values, known, i, schema)
        if known.no_texts and (kind != "O" or any(issubclass(of, str) for of in set(map(type, values.tolist())))):
            raise _wrong_type(known, i, "text", "numbers")
        return _text_column(_told_apart(values, known, i) if known.texts and kind == "O" else values, known, schema)
    raise make(
        "SCHEMA", "COLUMN_TYPE",
        f"{_place(known, i)} is of dtype {values.dtype}, which no model takes; convert it to numbers or text",
        None, None, i,
    )


def _tagged(values: tuple[Any, ...], known: Input, i: int, schema: Schema) -> Any:
    tag = values[0]
    if tag == "codes":
        categories = values[2]
        if isinstance(categories, tuple) and categories[0] == "masked":  # of which none is missing
            categories = categories[1]
        return ("codes", values[1], _column(categories, known, i, schema))
    if tag == "masked" and not known.wants_numbers and known.kind == STRING:
        _, data, mask = values
        if not mask.all():
            return _numbers_for_text(data[~mask], known, i, schema) if schema.library != "CatBoost" else values
        return np.full(len(data), np.nan)
    if tag == "masked":
        _refuse_like_text(values[1][~values[2]], known, i)
    if tag == "arrow":
        if not _frames.is_arrow_read(values[3]):
            raise make(
                "SCHEMA", "COLUMN_TYPE", f"{_place(known, i)} is of Arrow's type '{values[3]}', which no model takes; "
                "convert it to numbers or text", None, None, i,
            )
        numbers = _frames.ARROW_NUMBERS.get(values[3]) is not None or values[3] == "b"
        text = values[3] in _frames.ARROW_TEXTS
        if numbers and known.kind == STRING and not known.wants_numbers and schema.library != "CatBoost":
            raise _wrong_type(known, i, "numbers", "text")
        if text and known.texts and values[4] < 0:  # a column of pandas
            return _column(_frames.arrow_objects(values), known, i, schema)
        if text and (known.no_texts or known.wants_numbers and known.kind != MIXED):
            raise _wrong_type(known, i, "text", "numbers")
    return values


def _wrong_type(known: Input, i: int, given: str, wanted: str) -> Error:
    advice = "convert it with astype(float)" if wanted == "numbers" else "convert it with astype(str)"
    return make(
        "SCHEMA", "COLUMN_TYPE", f"{_place(known, i)} holds {given} where the model takes {wanted}; {advice} if that "
        "is what was meant", None, None, i,
    )


def _numbers_for_text(values: np.ndarray[Any, Any], known: Input, i: int, schema: Schema) -> Any:
    """Numbers where the model knows texts: none but a column of missing values alone, and integers for CatBoost."""
    if values.dtype.kind == "f" and np.isnan(values).all():
        return values
    if schema.library == "CatBoost" and values.dtype.kind in "iub":
        return _numbers(values)
    raise _wrong_type(known, i, "numbers", "text")


def _objects_as_numbers(values: np.ndarray[Any, Any], known: Input, i: int, schema: Schema) -> Any:
    if "pandas" in sys.modules:
        values = _frames.without_nulls(values)
    kinds = set(map(type, values.tolist()))
    if any(issubclass(kind, (str, bytes)) for kind in kinds) and schema.encodes:
        raise _wrong_type(known, i, "text", "numbers")
    try:
        if kinds and all(issubclass(kind, (int, np.integer)) and kind is not bool for kind in kinds):
            return np.array(values.tolist(), dtype=np.int64)
        return values.astype(np.float64)
    except OverflowError:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{_place(known, i)}: {error}; the model takes numbers there") from None


def _text_column(values: np.ndarray[Any, Any], known: Input, schema: Schema) -> Any:
    """Texts, and what stands among them, which the C side asks cell_text() for."""
    if values.dtype.kind != "O":
        return values
    return ("texts", values, known.missing, known.kind == STRING and schema.library != "CatBoost")


def _told_apart(values: np.ndarray[Any, Any], known: Input, i: int) -> np.ndarray[Any, Any]:
    """Objects for a column that has both numbers and texts among its categories, where a cell may be either: a text
    is none of the numbers, and a number that reads as one of the texts cannot be said."""
    made = values.copy()
    for at, value in enumerate(values.tolist()):
        if isinstance(value, (int, float, np.number, np.bool_)):
            _refuse_like_text(np.array([value]), known, i)
        elif isinstance(value, str) and value not in known.texts and _reads_as_other(value):
            made[at] = value + "\0"  # a category that nobody has
    return made


def _refuse_like_text(values: np.ndarray[Any, Any], known: Input, i: int) -> None:
    """Numbers that the C library would take for one of the texts that the model knows."""
    if not known.texts or values.dtype.kind not in "fiub":
        return
    found = np.flatnonzero(np.isin(values.astype(np.float64), [*map(float, filter(_is_number, known.texts))]))
    if len(found):
        raise DataError(
            f"{_place(known, i)}: the model knows a text that reads as the number {values[found[0]]}, and "
            f"the two cannot be told apart; convert the column with astype(str) if texts are meant"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def cell_text(value: Any, missing: int, strict: bool) -> str | None:
    """An object that is no str as the text of a cell; None: it is missing.

    strict: the model knows texts alone, so that a number is something that it never saw, as is None for a model that
    saw NaN, and NaN for one that saw None. Otherwise numbers are their digits.
    """
    if value is None:
        return "None (NoneType)" if strict and missing == MISSING_NAN else None
    if _frames.is_missing(value):
        return "nan (float)" if strict and missing == MISSING_NONE else None
    return f"{value} ({type(value).__name__})" if strict else str(value)


# ---- Series ------------------------------------------------------------------------------------------------


def _series(X: Any, schema: Schema) -> Prepared:
    if schema.takes_texts or schema.takes_vectors:
        column = _frames.pandas_column(X)
        return len(X), False, (_column(column, schema.inputs[0], 0, schema),)
    raise ShapeError(
        "X is a Series, which has one dimension. Give X.to_frame() for a single column, X.to_frame().T for a single row"
    )


# ---- Sparse matrices ---------------------------------------------------------------------------------------


def _sparse(X: Any, schema: Schema) -> Iterator[Prepared]:
    absent = 0.0
    if schema.boosts_xgboost:
        if not schema.class_name.startswith("xgboost"):
            raise ArgumentError(
                "X is sparse, and XGBoost, which is a part of this model, takes what is not stored for missing; "
                "give X.toarray() if zeros are meant"
            )
        absent = float("nan")
    if not all(column.wants_numbers or column.kind == UNUSED for column in schema.inputs):
        raise SchemaError("X is sparse, and the model takes text; give a DataFrame")
    _check_width(X.shape[1], schema)
    if X.dtype.kind not in "fiub":
        raise SchemaError(f"X is of dtype {X.dtype}, which no model takes; convert it to numbers")
    return _dense_blocks(_rows_of(X), absent)


def _rows_of(X: Any) -> Any:
    """As CSR, of which all places lie in the matrix: scipy writes beside it where they do not."""
    try:
        if hasattr(X, "check_format"):  # CSR, CSC, BSR: arrays that anybody may have changed
            X.check_format(full_check=True)
        elif X.format == "coo" and X.nnz:
            for at, length in zip((X.row, X.col), X.shape, strict=True):
                if int(at.min()) < 0 or int(at.max()) >= length:
                    raise ValueError("places beyond its shape")
        csr = X.tocsr()
        if csr is not X:
            csr.check_format(full_check=True)
        return csr
    except (ValueError, IndexError) as error:
        raise ShapeError(f"X is a sparse matrix that is not whole: {error}") from None


def _dense_blocks(csr: Any, absent: float) -> Iterator[Prepared]:
    """Rows by blocks, so that memory stays the same for a matrix of any height."""
    rows, width = csr.shape
    dtype = np.float32 if csr.dtype == np.float32 else np.float64
    step = max(1, _BLOCK_CELLS // max(1, width))
    for first in range(0, max(rows, 1), step):
        part = csr[first : first + step]
        if absent == 0.0:
            yield part.toarray().astype(dtype, copy=False)
            continue
        block = np.full(part.shape, absent, dtype=dtype)
        part = part.tocoo()
        block[part.row, part.col] = part.data
        yield block


# ---- Arrow -------------------------------------------------------------------------------------------------


def _arrow(X: Any, schema: Schema) -> Iterator[Prepared]:
    for table in _frames.arrow_tables(X):
        yield _columns(table, schema)
