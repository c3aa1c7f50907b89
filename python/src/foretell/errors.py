"""The exceptions of foretell.

Every one is an Error and, where Python has a builtin for the case, that builtin as well: whoever catches ValueError or
FileNotFoundError around scikit-learn's calls catches these, too.
"""

from __future__ import annotations

import os

__all__ = [
    "ArgumentError", "Cancelled", "CancelledError", "CorruptModelError", "DataError", "Error", "FileError",
    "ForbiddenError", "InternalError", "LimitError", "MethodMissingError", "ModelNotFoundError", "OutOfMemoryError",
    "SchemaError", "ShapeError", "UnsupportedModelError",
]


class Error(Exception):
    """What foretell could not do: one line that says what, where and what to do.

    Attributes are None where they do not apply:

    code     the status of the C library, such as "CORRUPT"
    reason   why, more finely, for programs to decide by, such as "MISSING_COLUMNS"
    message  the line
    path     the dotted path into the model, such as "steps[1].estimators_[3]"
    row      0-based row of the data
    column   0-based column of the model's inputs
    line     1-based line of a text file
    offset   byte offset in the (decompressed) model
    option   the option to look at
    """

    code: str | None = None
    reason: str | None = None
    message: str = ""
    path: str | None = None
    row: int | None = None
    column: int | None = None
    line: int | None = None
    offset: int | None = None
    option: str | None = None

    def __str__(self) -> str:
        return self.message or super().__str__()


class ArgumentError(Error, ValueError):
    """An argument that cannot be used."""


class MethodMissingError(ArgumentError, AttributeError):
    """The model's class does not have the method."""


class FileError(Error, OSError):
    """The operating system refused to open, read or write; errno and filename as in OSError."""


class ModelNotFoundError(FileError, FileNotFoundError):
    """There is no file of that name."""


class CorruptModelError(Error, ValueError):
    """The model file is damaged, or not what it claims to be."""


class UnsupportedModelError(Error, NotImplementedError):
    """A class, parameter or version that foretell does not run."""


class ForbiddenError(Error, ValueError):
    """The file asks for something that is never done, such as calling a function."""


class LimitError(Error, ValueError):
    """A budget of bytes, objects, depth or memory was exceeded."""


class OutOfMemoryError(Error, MemoryError):
    """Memory ran out."""


class ShapeError(Error, ValueError):
    """The number of columns or rows does not fit the model."""


class SchemaError(Error, ValueError):
    """Columns are missing, there twice or of the wrong kind."""


class DataError(Error, ValueError):
    """A cell that the model refuses, by the rule of the library that wrote it."""


class Cancelled(Error):
    """The caller asked to stop."""


CancelledError = Cancelled


class InternalError(Error, RuntimeError):
    """A bug in foretell: please report it."""


_CLASSES: dict[str, type[Error]] = {
    "ARG": ArgumentError,
    "NOMEM": OutOfMemoryError,
    "IO": FileError,
    "CORRUPT": CorruptModelError,
    "UNSUPPORTED": UnsupportedModelError,
    "FORBIDDEN": ForbiddenError,
    "LIMIT": LimitError,
    "SHAPE": ShapeError,
    "SCHEMA": SchemaError,
    "CANCELLED": Cancelled,
    "VALUE": DataError,
    "INTERNAL": InternalError,
}


def make(
    code: str, reason: str = "NONE", message: str = "", path: str | None = None, row: int | None = None,
    column: int | None = None, line: int | None = None, offset: int | None = None, option: str | None = None,
    errno: int | None = None, filename: str | None = None,
) -> Error:
    """The exception for an error of the C library. errno: the system's, of FileError and ModelNotFoundError."""
    kind = _CLASSES.get(code, InternalError)
    if option is not None:  # the C library says of which struct it is a field; here it is a keyword
        message = message.replace(f"options.{option}", option)
    if reason == "METHOD_MISSING":
        kind = MethodMissingError
    if kind is FileError and errno == 2:
        kind = ModelNotFoundError
    error: Error
    if issubclass(kind, OSError):
        error = kind(errno, os.strerror(errno) if errno else message, filename)
    else:
        error = kind(message)
    error.code, error.message = code, message
    error.reason = None if reason == "NONE" else reason
    error.path, error.row, error.column, error.line = path, row, column, line
    error.offset, error.option = offset, option
    return error
