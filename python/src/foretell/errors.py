"""The exceptions of foretell.

Every one is an Error and, where Python has a builtin for the case, that builtin as well: whoever catches ValueError or
FileNotFoundError around scikit-learn's calls catches these, too.
"""

from __future__ import annotations

import os

__all__ = [
    "ArgumentError", "Cancelled", "CancelledError", "CorruptModelError", "DataError", "DataNotFoundError",
    "Error", "FileError", "ForbiddenError", "InternalError", "LimitError", "MethodMissingError", "ModelNotFoundError",
    "OutOfMemoryError", "SchemaError", "ShapeError", "UnsupportedModelError",
]


# What is wrong in a model's file: the line of these says which file, and where in it.
_OF_FILES = ("CORRUPT", "UNSUPPORTED", "FORBIDDEN", "LIMIT")


class Error(Exception):
    """What foretell could not do: one line that says what, where and what to do.

    Attributes are None where they do not apply:

    code     the status of the C library, such as "CORRUPT"
    reason   why, more finely, for programs to decide by, such as "MISSING_COLUMNS"
    message  the line without the places in file and path
    file     the model's file, of what is wrong in it
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
    file: str | None = None
    path: str | None = None
    row: int | None = None
    column: int | None = None
    line: int | None = None
    offset: int | None = None
    option: str | None = None

    def __str__(self) -> str:
        message = self.message or super().__str__()
        for place in (self.path, self.file) if self.code in _OF_FILES else ():
            if place and place not in message:
                message = f"{place}: {message}"
        return message


class ArgumentError(Error, ValueError):
    """An argument that cannot be used."""


class MethodMissingError(ArgumentError, AttributeError):
    """The model's class does not have the method."""


class FileError(Error, OSError):
    """The operating system refused to open, read or write; errno and filename as in OSError."""


class ModelNotFoundError(FileError, FileNotFoundError):
    """There is no file of that name."""


class DataNotFoundError(FileError, FileNotFoundError):
    """There is no file of rows of that name."""


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
    errno: int | None = None, filename: str | None = None, is_model: bool = True,
) -> Error:
    """The exception for an error of the C library. errno: the system's, of FileError and those below it.
    is_model: whether filename is the model's file, else one of rows."""
    kind = _CLASSES.get(code, InternalError)
    if option is not None:  # the C library says of which struct it is a field; here it is a keyword
        message = message.replace(f"options.{option}", option)
    if reason == "METHOD_MISSING":
        kind = MethodMissingError
    if kind is FileError and errno == 2:
        kind = ModelNotFoundError if is_model else DataNotFoundError
    error: Error
    if issubclass(kind, OSError):
        error = kind(errno, os.strerror(errno) if errno else message, filename)
    else:
        error = kind(message)
    error.code, error.message = code, message
    error.reason = None if reason == "NONE" else reason
    error.path, error.row, error.column, error.line = path, row, column, line
    error.offset, error.option = offset, option
    if is_model and code in _OF_FILES:
        error.file = filename
    return error
