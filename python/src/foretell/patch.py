"""foretell.patch_joblib: code that loads models by joblib or pickle runs unchanged, on foretell's models.

While a patch holds, joblib.load and pickle.load (and load of cloudpickle and dill, where they are imported)
execute nothing of the file: models come back as foretell.load gives them, plain data (Python's values and
containers, numpy's arrays) as it is, and containers of both with each model in its place.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pickle
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Any, Literal

from foretell import _plain, errors
from foretell.model import LoadedModel, _restore

ADVICE = (
    "patch_joblib(fallback='python') lets Python load such a file, which executes it; "
    "python -m foretell patch --fallback python does"
)


class PickleExecutedWarning(UserWarning):
    """A file was loaded by Python, under fallback='python', because foretell does not run what is in it."""


class _State:
    """What is patched now, in the whole process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.patches: list[Patch] = []
        self.originals: dict[tuple[str, str], Callable[..., Any]] = {}
        self.wrappers: dict[tuple[str, str], Callable[..., Any]] = {}


# Where one pickle ends and another begins, but for protocols 0 and 1, which have no beginning.
_ANOTHER = re.compile(rb"\.\x80[\x02-\x05]")

_state = _State()
_inside = threading.local()  # .original: this thread is within a library's own load


def _current() -> Patch | None:
    if getattr(_inside, "original", False):
        return None
    patches = _state.patches
    try:
        return patches[-1]
    except IndexError:
        return None


@contextlib.contextmanager
def _unpatched() -> Iterator[None]:
    before = getattr(_inside, "original", False)
    _inside.original = True
    try:
        yield
    finally:
        _inside.original = before


class Patch:
    """A patch that holds: undo() ends it, and so does leaving its with statement. Made by patch_joblib."""

    def __init__(self, fallback: str | None, threads: int) -> None:
        self.fallback = fallback
        self.threads = threads
        with _state.lock:
            if not _state.patches:
                _install()
            _state.patches = [*_state.patches, self]

    def undo(self) -> None:
        """Ends this patch; patches that were made before or after it hold on. Twice is no error."""
        with _state.lock:
            _state.patches = [patch for patch in _state.patches if patch is not self]
            if not _state.patches:
                _uninstall()

    def __enter__(self) -> Patch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()


def patch_joblib(*, fallback: Literal["python"] | None = None, threads: int = 1) -> Patch:
    """From now on joblib.load and pickle.load give foretell's models, in all threads of this process.

    As a context manager the patch ends with the with statement; otherwise with undo() of what is returned.
    Patches nest: the newest one decides. Names that were imported before (from joblib import load) keep what
    they were.

    fallback: None: a file that foretell does not run is an UnsupportedModelError. "python": Python loads such
    a file, which EXECUTES the pickle, and a PickleExecutedWarning says so. A file that asks for something
    that no model needs (ForbiddenError), or is damaged, is an error all the same.
    threads: as in foretell.load.

    What comes back is no instance of scikit-learn's classes; is_classifier and the like say what they did.
    """
    if fallback not in (None, "python"):
        raise errors.make("ARG", option="fallback", message=f"fallback is None or 'python', not {fallback!r}")
    return Patch(fallback, threads)


# ---- Putting functions in the places of others -----------------------------------------------------------


def _targets() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    yield "joblib", "load", _load_joblib
    yield "pickle", "load", _load_pickle
    for module in ("cloudpickle", "dill"):
        if module in sys.modules:
            yield module, "load", _load_pickle


def _install() -> None:
    for module, name, replacement in _targets():
        try:
            found = importlib.import_module(module)
        except ImportError:
            continue  # no joblib, nothing to patch
        original = getattr(found, name)
        wrapper = _wrapper(original, replacement)
        _state.originals[module, name] = original
        _state.wrappers[module, name] = wrapper
        setattr(found, name, wrapper)


def _uninstall() -> None:
    for (module, name), original in _state.originals.items():
        found = sys.modules.get(module)
        # somebody else's patch on top of ours stays; ours passes everything on from now
        if found is not None and getattr(found, name, None) is _state.wrappers[module, name]:
            setattr(found, name, original)
    _state.originals.clear()
    _state.wrappers.clear()


def _wrapper(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    def load(*args: Any, **kwargs: Any) -> Any:
        patch = _current()
        if patch is None:
            return original(*args, **kwargs)
        return replacement(patch, original, *args, **kwargs)

    load.__doc__, load.__module__ = original.__doc__, original.__module__
    load.__wrapped__ = original  # type: ignore[attr-defined]
    return load


# ---- Loading ---------------------------------------------------------------------------------------------

Source = str | bytes


def _load_joblib(patch: Patch, original: Callable[..., Any], filename: Any, *args: Any, **kwargs: Any) -> Any:
    """joblib.load: of a path, or of a file that is open."""
    if isinstance(filename, (str, os.PathLike)):
        path = os.fspath(filename)
        return _Load(patch, path, path, lambda: original(filename, *args, **kwargs)).joblib()
    data = filename.read()
    where = str(getattr(filename, "name", "the file"))
    return _Load(patch, data, where, lambda: original(io.BytesIO(data), *args, **kwargs)).joblib()


def _load_pickle(
    patch: Patch, original: Callable[..., Any], file: IO[bytes], *args: Any, **kwargs: Any
) -> Any:
    """pickle.load: one pickle of a file that is open, which then stands behind it."""
    path = _alone(file)
    if path is not None:
        model = _Load(patch, path, path, lambda: None).alone()
        if model is not None:
            file.seek(0, os.SEEK_END)
            return model
    encoding = kwargs.get("encoding", "ASCII")
    try:
        seekable = file.seekable()
    except AttributeError:
        seekable = False
    stream: Any = file if seekable else _Recording(file)
    start = file.tell() if seekable else 0
    content: Any = None
    broken: Exception | None = None
    try:
        content = _plain.read_pickle(stream, _restore, "latin1" if encoding == "ASCII" else encoding)
    except pickle.UnpicklingError as error:
        broken = error
    if isinstance(stream, _Recording):
        data = bytes(stream.data)
        load = _Load(patch, data, "the stream", lambda: original(io.BytesIO(data), *args, **kwargs))
    else:
        end = file.tell()

        def again() -> Any:
            file.seek(start)
            return original(file, *args, **kwargs)

        load = _Load(patch, _named(file, start, end), str(getattr(file, "name", "the file")), again)
    return load.broken(broken) if broken is not None else load.of(content)


def _path_of(file: Any) -> str | None:
    """The path of a file of the system, where it still leads there."""
    name = getattr(file, "name", None)
    if type(file) is not io.BufferedReader or not isinstance(name, str):
        return None
    try:
        return name if os.path.samestat(os.stat(name), os.fstat(file.fileno())) else None
    except (OSError, ValueError):
        return None


def _alone(file: Any) -> str | None:
    """The path of a file at its beginning that holds nothing which looks like a second pickle; else None."""
    path = _path_of(file)
    try:
        if path is None or file.tell() != 0:
            return None
        last, another = b"", False
        while part := file.read(1 << 22):
            last = last[-2:] + part
            another = another or _ANOTHER.search(last) is not None
        file.seek(0)
        return path if last.endswith(b".") and not another else None
    except (OSError, ValueError):
        return None


def _named(file: Any, start: int, end: int) -> Source:
    """The path of a file that holds this pickle alone, where it still leads there; else its bytes."""
    path = _path_of(file)
    if path is not None and start == 0 and os.fstat(file.fileno()).st_size == end:
        return path
    file.seek(start)
    data: bytes = file.read(end - start)
    return data


class _Recording:
    """A file that cannot be wound back, and what was read of it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.data = bytearray()

    def read(self, size: int = -1) -> bytes:
        return self._kept(self._file.read(size))

    def readline(self) -> bytes:
        return self._kept(self._file.readline())

    def _kept(self, data: bytes) -> bytes:
        self.data += data
        return data


class _Load:
    """One call: source is a path or the bytes of the pickle, original loads it by Python."""

    def __init__(self, patch: Patch, source: Source, where: str, original: Callable[[], Any]) -> None:
        self.patch = patch
        self.source = source
        self.where = where
        self.original = original

    def model(self, select: str | None = None) -> LoadedModel:
        return LoadedModel(self.source, threads=self.patch.threads, select=select)

    def alone(self) -> LoadedModel | None:
        """The model of a file that holds one and nothing beside it; else None."""
        try:
            model = self.model()
        except errors.UnsupportedModelError:
            return None
        return model if model._core.info()["parts"] is None else None

    def joblib(self) -> Any:
        """A file of joblib's: most hold a model, which foretell tells at once; others are read here."""
        model = self.alone()
        if model is not None:
            return model
        try:
            if isinstance(self.source, bytes):
                content = _plain.read_joblib(io.BytesIO(self.source), _restore)
            else:
                with open(self.source, "rb") as file:
                    content = _plain.read_joblib(file, _restore)
        except (pickle.UnpicklingError, EOFError, ImportError) as error:
            return self.broken(error)
        return self.of(content)

    def of(self, content: Any) -> Any:
        """What the file holds, with a model for each object that is not plain."""
        try:
            hidden = _plain.hidden(content)
            marks = list(_plain.marks(content))
        except RecursionError:
            return self.python(self.unsupported("it holds a container within itself"))
        if hidden is not None:
            self.look()
            return self.python(self.unsupported(f"{hidden} stands in it where foretell puts no model"))
        if not marks:
            return content
        by: dict[int, Any] = {}
        for place, mark in marks:
            if id(mark) in by:
                continue
            try:
                by[id(mark)] = self.model(None if place == () else ".".join(str(key) for key in place))
                # names of columns that stand beside a model become its own, and whoever wrote this knew none
                by[id(mark)]._warns = by[id(mark)]._warns and place == ()
            except errors.UnsupportedModelError as error:
                return self.python(error)
        return _plain.replaced(content, by)

    def broken(self, why: Exception) -> Any:
        self.look()
        return self.python(self.unsupported(f"it cannot be read without executing it: {why}"))

    def look(self) -> None:
        """Refuses what asks for something that no model needs, before Python may load it."""
        try:
            self.model()
        except errors.ForbiddenError:
            raise
        except errors.Error:
            pass

    def unsupported(self, what: str) -> errors.Error:
        return errors.make("UNSUPPORTED", message=f"{self.where}: {what}")

    def python(self, error: errors.Error) -> Any:
        """Loads the file by Python where the patch allows that; else raises the error, with advice."""
        if self.patch.fallback != "python":
            raise errors.make(
                error.code or "UNSUPPORTED",
                reason=error.reason or "NONE",
                message=f"{error}; {ADVICE}",
                path=error.path,
                offset=error.offset,
            ) from None
        warnings.warn(
            f"{self.where} is loaded by Python, which executes what is in it: {error}",
            PickleExecutedWarning,
            stacklevel=_depth(),
        )
        with _unpatched():
            return self.original()


def _depth() -> int:
    """How many frames of this file, and of the wrappers, lie between warn and the user's code."""
    frame, depth = sys._getframe(1), 1
    while frame is not None and frame.f_code.co_filename == __file__:
        back = frame.f_back
        if back is None:
            break
        frame, depth = back, depth + 1
    return depth
