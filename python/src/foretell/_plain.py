"""Reads a pickle or a joblib dump without executing it: plain data as it is, everything else as inert marks.

Plain are Python's own values and containers, dates, decimals, and numpy's arrays, scalars and dtypes. A class
or function that is none of these becomes a class that takes whatever the file gives it and does nothing. So a
container of models and data beside them can be taken apart, and each model opened by foretell.
"""

from __future__ import annotations

import bz2
import collections
import contextlib
import datetime
import decimal
import gzip
import importlib
import io
import lzma
import math
import pickle
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

import numpy as np

# Types that cannot be changed from outside, so that a file cannot either.
PLAIN: dict[tuple[str, str], Any] = {
    **{
        ("builtins", kind.__name__): kind
        for kind in (set, frozenset, list, dict, tuple, str, int, float, bool, complex, slice)
    },
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("decimal", "Decimal"): decimal.Decimal,
    **{
        ("datetime", kind.__name__): kind
        for kind in (datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone)
    },
    ("numpy", "dtype"): np.dtype,
}
SCALAR = np.float64(0).__reduce__()[0]  # numpy's function that makes scalars, wherever this version has it
ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")


class Inert:
    """What stands for an object that is not plain. name: its class or function, such as sklearn.svm.SVC."""

    name = "an object"

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        pass

    def extend(self, values: Any) -> None:
        pass

    def add(self, value: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


class _Ndarray(Inert):
    """numpy.ndarray where it is named; arrays are made by functions that look at what they are given."""

    name = "numpy.ndarray"


class _Array(Inert):
    """joblib's mark that an array's bytes follow in the file."""

    state: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How protocols below 3 hold bytes."""
    if encoding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode(encoding)


def _bytes(*args: Any) -> bytes:
    return bytes(_bytearray(*args))


def _bytearray(value: Any = b"", encoding: str = "latin1") -> bytearray:
    if isinstance(value, str):
        return bytearray(_encode(value, encoding))
    if not isinstance(value, bytes):
        raise pickle.UnpicklingError("a bytearray of no bytes")
    return bytearray(value)


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> Any:
    """How protocol 5 holds arrays: bytes, and how they lie."""
    if not isinstance(data, (bytes, bytearray)) or not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("an array of no bytes")
    array = np.frombuffer(data, dtype=dtype)
    if order == "K" and axes is not None:
        return array.reshape(shape).transpose(axes)
    return array.reshape(shape, order="F" if order == "F" else "C")


class _Names:
    """Answers which class or function a name is; new ones in each file, so that no file changes another's."""

    def __init__(self, restore: Callable[..., Any] | None) -> None:
        self.restore = restore
        self.marks: dict[tuple[str, str], type] = {}

    def find(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins"}.get(module, module)
        plain = PLAIN.get((module, name))
        if plain is not None:
            return plain
        made = self._made(module, name)
        if made is not None:
            return made
        key = (module, name)
        if key not in self.marks:
            base = {("joblib.numpy_pickle", "NumpyArrayWrapper"): _Array, ("numpy", "ndarray"): _Ndarray}.get(
                key, Inert
            )
            self.marks[key] = type("Inert", (base,), {"name": f"{module}.{name}"})
        return self.marks[key]

    def _made(self, module: str, name: str) -> Any:
        """Functions of ours in the place of the file's."""
        if module in ARRAY_MODULES and name in ("scalar", "_reconstruct"):
            return SCALAR if name == "scalar" else self._reconstruct()
        if module in ("numpy._core.numeric", "numpy.core.numeric") and name == "_frombuffer":
            return lambda *args: _frombuffer(*args)
        if (module, name) == ("_codecs", "encode"):
            return lambda *args: _encode(*args)
        if (module, name) == ("builtins", "bytearray"):
            return lambda *args: _bytearray(*args)
        if (module, name) == ("builtins", "bytes"):
            return lambda *args: _bytes(*args)
        if (module, name) == ("foretell.model", "_restore") and self.restore is not None:
            restore = self.restore
            return lambda state: restore(state)
        return None

    def _reconstruct(self) -> Callable[..., Any]:
        mark = type("Inert", (Inert,), {"name": "a kind of numpy array"})

        def reconstruct(kind: Any, shape: Any, typ: Any) -> Any:
            if not (isinstance(kind, type) and issubclass(kind, _Ndarray)):
                return kind() if isinstance(kind, type) and issubclass(kind, Inert) else mark()
            if tuple(shape) != (0,):
                raise pickle.UnpicklingError("an array that begins with a size")
            return np.ndarray((0,), dtype="b")

        return reconstruct


# Python's own reader in Python: its steps can be added to, and its memo grows with what is in it, where the
# one in C allocates for whatever number of an entry the file names.
_Unpickler: Any = pickle._Unpickler


class _PickleReader(_Unpickler):  # type: ignore[misc]
    """Of one pickle, without out-of-band buffers."""

    def __init__(self, file: Any, names: _Names, encoding: str) -> None:
        super().__init__(file, encoding=encoding, errors="replace")
        self._stream = file
        self._names = names

    def find_class(self, module: str, name: str) -> Any:
        return self._names.find(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return Inert()

    def get_extension(self, code: int) -> None:
        self.append(type("Inert", (Inert,), {"name": f"extension {code}"}))


class _JoblibReader(_PickleReader):
    """Of a joblib dump, where the bytes of arrays stand between the opcodes."""

    dispatch = dict(_Unpickler.dispatch)

    def __init__(self, file: IO[bytes], names: _Names) -> None:
        super().__init__(file, names, "latin1")

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Array):
            self.stack[-1] = self._array(self.stack[-1].state)

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, state: dict[str, Any]) -> Any:
        dtype, shape = state.get("dtype"), state.get("shape")
        if (
            not isinstance(dtype, np.dtype)
            or not isinstance(shape, tuple)
            or not all(type(n) is int and 0 <= n < 1 << 48 for n in shape)
        ):
            raise pickle.UnpicklingError("an array without a dtype or a shape")
        subclass = state.get("subclass")
        plain = isinstance(subclass, type) and issubclass(subclass, _Ndarray)
        if dtype.hasobject:
            found = _JoblibReader(self._stream, self._names).load()
            return found if plain else Inert()
        if state.get("numpy_array_alignment_bytes") is not None:
            self._stream.read(self._stream.read(1)[0])
        size = math.prod(shape) * dtype.itemsize
        data = self._read_all(size)
        if not plain:
            return Inert()
        return np.frombuffer(data, dtype=dtype).reshape(
            shape, order="F" if state.get("order") == "F" else "C"
        )

    def _read_all(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:  # memory grows with what is there, not with what the file says
            part = self._stream.read(min(size - len(data), 1 << 24))
            if not part:
                raise EOFError("the file ends within an array")
            data += part
        return data


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    """joblib's compressed dumps by their first bytes; others as they are."""
    head = file.read(6)
    file.seek(-len(head), io.SEEK_CUR)
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(file))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(file))
    if head.startswith((b"\xfd7zXZ", b"\x5d\x00")):
        return cast("IO[bytes]", lzma.open(file))
    if head[:1] == b"x" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return _ZlibFile(file)
    if head.startswith(b"\x04\x22\x4d\x18"):
        lz4 = importlib.import_module("lz4.frame")  # of the user, who wrote such a file
        return cast("IO[bytes]", lz4.open(file))
    return file


def _ZlibFile(file: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Inflating(file), 1 << 16)


class _Inflating(io.RawIOBase):
    """The bytes of a zlib stream."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflater = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")
        while True:
            data = self._inflater.unconsumed_tail or self._file.read(1 << 16)
            out = self._inflater.decompress(data, len(room)) if data else self._inflater.flush()
            if out or not data:
                room[: len(out)] = out
                return len(out)


@contextlib.contextmanager
def _as_broken() -> Iterator[None]:
    """Whatever a damaged file makes the reader do is one kind of error."""
    try:
        yield
    except (pickle.UnpicklingError, EOFError, MemoryError):
        raise
    except Exception as error:
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error


def read_pickle(file: IO[bytes], restore: Callable[..., Any] | None = None, encoding: str = "latin1") -> Any:
    """What one pickle holds; the file then stands behind it. UnpicklingError where it is damaged."""
    with _as_broken():
        return _PickleReader(file, _Names(restore), encoding).load()


def read_joblib(file: IO[bytes], restore: Callable[..., Any] | None = None) -> Any:
    """The same of a file that joblib wrote, compressed or not, or of a pickle."""
    with _as_broken():
        return _JoblibReader(_decompressed(file), _Names(restore)).load()


def marks(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Inert]]:
    """Every inert object in dicts, lists and tuples, with the keys that lead to it."""
    if isinstance(value, Inert):
        yield place, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from marks(entry, (*place, key))
    elif isinstance(value, (list, tuple)):
        for i, entry in enumerate(value):
            yield from marks(entry, (*place, i))


def hidden(value: Any) -> str | None:
    """The name of what is inert and cannot be replaced, as a key or in a set or an array is; else None."""
    if isinstance(value, type) and issubclass(value, Inert):
        return value.name
    if isinstance(value, dict):
        return next((name for entry in (*value, *value.values()) for name in [_inside(entry)] if name), None)
    if isinstance(value, (list, tuple)):
        return next((name for entry in value for name in [_inside(entry)] if name), None)
    if isinstance(value, (set, frozenset)):
        return next((entry.name for entry in value if isinstance(entry, Inert)), None)
    if isinstance(value, np.ndarray) and value.dtype.hasobject and value.dtype.fields is None:
        return next((entry.name for entry in value.flat if isinstance(entry, Inert)), None) or next(
            (name for entry in value.flat for name in [hidden(entry)] if name), None
        )
    return None


def _inside(entry: Any) -> str | None:
    return None if isinstance(entry, Inert) else hidden(entry)


def replaced(value: Any, by: dict[int, Any]) -> Any:
    """The same containers with inert objects replaced, by their id()."""
    if isinstance(value, Inert):
        return by[id(value)]
    if isinstance(value, dict):
        for key in value:
            value[key] = replaced(value[key], by)
        return value
    if isinstance(value, list):
        value[:] = [replaced(entry, by) for entry in value]
        return value
    if type(value) is tuple:
        return tuple(replaced(entry, by) for entry in value)
    return value
