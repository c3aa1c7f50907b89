"""Where a model came from: a file, its bytes, and whether they are still what they were."""

from __future__ import annotations

import glob
import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foretell import errors

Mark = tuple[int, int, int, int, int]

_digests: dict[tuple[str, Mark], str] = {}
_digests_lock = threading.Lock()


def split_entry(text: str) -> tuple[str, str]:
    """PATH and ":ENTRY" of a name; the second is "" where a file has the whole name, as in opening."""
    if ":" not in text or os.path.exists(text):
        return text, ""
    path, colon, entry = text.rpartition(":")
    while path and not os.path.exists(path) and ":" in path:
        path, colon, rest = path.rpartition(":")
        entry = f"{rest}:{entry}"
    return (path, colon + entry) if path and os.path.exists(path) else (text, "")


def absolute(text: str) -> str:
    """The same name from everywhere; an entry of the model's own file (":ENTRY") stays as it is."""
    if text.startswith(":"):
        return text
    path, entry = split_entry(text)
    return os.path.abspath(path) + entry


def mark_of(path: str) -> Mark:
    """What changes when a file is rewritten or replaced: device, inode, size, times of bytes and inode."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal; computed again only when the file has changed."""
    mark = mark_of(path)
    with _digests_lock:
        known = _digests.get((path, mark))
    if known is not None:
        return known
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if mark_of(path) != mark:
        raise _changed(path, "was rewritten while it was read; try again")
    with _digests_lock:
        if len(_digests) >= 1000:
            _digests.clear()
        _digests[path, mark] = digest
    return digest


def _changed(path: str, what: str) -> errors.Error:
    return errors.make("IO", reason="FILE_CHANGED", message=f"{path} {what}", filename=path)


def _side_files(path: str) -> list[str]:
    """Arrays that joblib before 0.10 wrote beside a dump: PATH_01.npy, PATH_01.npy.z."""
    base = glob.escape(path)
    return sorted(glob.glob(f"{base}_[0-9][0-9]*.npy") + glob.glob(f"{base}_[0-9][0-9]*.npy.z"))


def _files(path: str, options: Mapping[str, Any]) -> list[str]:
    """Every file that a model with these options is made of."""
    names = [path]
    then = options.get("then") or ()
    names += [then] if isinstance(then, str) else list(then)
    labels = options.get("labels")
    if labels and not str(labels).startswith(":"):
        names.append(labels)
    out: list[str] = []
    for name in names:
        file, _ = split_entry(os.fspath(name))
        out += [file, *_side_files(file)]
    return list(dict.fromkeys(out))


def _fixed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options whose names of files hold everywhere."""
    fixed = {name: value for name, value in options.items() if value is not None}
    if "then" in fixed:
        then = fixed["then"]
        fixed["then"] = [absolute(os.fspath(name)) for name in ([then] if isinstance(then, str) else then)]
    if "labels" in fixed:
        fixed["labels"] = absolute(os.fspath(fixed["labels"]))
    return fixed


@dataclass(frozen=True)
class Source:
    """What was loaded: path and the marks of its files at that time, or bytes; and the options of opening it.

    keep: the bytes are kept, and travel with pickles.
    """

    path: str | None
    data: bytes | None
    options: dict[str, Any]
    marks: dict[str, Mark]

    @classmethod
    def of_path(cls, path: str, options: Mapping[str, Any], keep: bool = False) -> Source:
        path, fixed = absolute(path), _fixed(options)
        if not keep:
            marks = {}
            for file in _files(path, fixed):
                try:
                    marks[file] = mark_of(file)
                except OSError:  # opening it says what is wrong
                    continue
            return cls(path, None, fixed, marks)
        file, entry = split_entry(path)
        if "then" in fixed or not str(fixed.get("labels", ":")).startswith(":") or _side_files(file):
            raise errors.make(
                "ARG",
                reason="BAD_OPTION",
                option="portable",
                message=f"{file} needs other files beside it (side files, then, labels), so its bytes "
                f"alone are no model: load it without portable=True",
            )
        try:
            with open(file, "rb") as stream:
                data = stream.read()
        except FileNotFoundError:
            return cls(path, None, fixed, {})
        if entry:
            fixed["select"] = entry[1:]
        return cls(path, data, fixed, {})

    @classmethod
    def of_bytes(cls, data: bytes, options: Mapping[str, Any]) -> Source:
        return cls(None, data, _fixed(options), {})

    def unchanged(self) -> bool:
        """Whether the files are those that were loaded."""
        try:
            return all(mark_of(file) == mark for file, mark in self.marks.items())
        except OSError:
            return False

    def require_unchanged(self, purpose: str) -> None:
        """An error that says so where the files have changed since they were loaded."""
        for file, mark in self.marks.items():
            try:
                same = mark_of(file) == mark
            except OSError:
                raise _changed(
                    file,
                    f"is gone since the model was loaded, so it cannot {purpose}; "
                    f"load with portable=True to be independent of the file",
                ) from None
            if not same:
                raise _changed(
                    file,
                    f"has changed since the model was loaded, so it cannot {purpose}; "
                    f"load it again, or with portable=True to be independent of the file",
                )

    def state(self) -> dict[str, Any]:
        """What a pickle holds: the bytes, or the path and the SHA-256 of every file."""
        if self.data is not None:
            return {"path": self.path, "data": self.data, "options": self.options}
        self.require_unchanged("be pickled")
        return {
            "path": self.path,
            "options": self.options,
            "digests": {file: digest_of(file) for file in self.marks},
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Source:
        """The source of a pickle; an error that says so where a file is not what it was."""
        data = state.get("data")
        if data is not None:
            return cls(state["path"], data, dict(state["options"]), {})
        source = cls.of_path(state["path"], state["options"])
        for file, digest in state["digests"].items():
            if not os.path.exists(file):
                raise errors.make(
                    "IO",
                    message=f"{file} is not here: the pickled model is a path and a digest; put "
                    f"the file there, or load with portable=True before pickling",
                    filename=file,
                    errno=2,
                )
            if digest_of(file) != digest:
                raise _changed(
                    file,
                    "is not the file that was loaded when the model was pickled (its SHA-256 "
                    "differs); load and pickle it again",
                )
        return source
