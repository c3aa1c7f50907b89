"""Arguments of the predictor: checked here, so that a message names the argument as the caller wrote it."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypedDict

from foretell import _core, errors

PathLike = str | os.PathLike[str]
DataPath = PathLike | Sequence[PathLike]
BatchSize = int | Literal["auto"] | None
Progress = bool | Callable[[dict[str, Any]], object] | None

USUAL_ROWS = 5000  # rows of a batch unless the caller says otherwise
_MOST_ROWS = (1 << 32) - 1
_ADVICE = 'give the rows of a batch, such as 1000 where memory is short, 5000, 10000, or "auto"'


class BatchOptions(TypedDict, total=False):
    """Options of predict_batch that say how a table is read, and what is made of it. All may be None.

    method                another method than the model's usual one, or a list of them, computed in one pass
    keep                  columns of the input that are copied in front of the predictions; "*": all
    features              columns that are the model's inputs, in order, for models without names
    on_error              what a bad row does: "fail" ends the job, "skip" leaves it out, "null" gives it
                          empty outputs
    reject_path           a file for the bad rows with their reasons
    threads               at most so many; 0: one a processor
    limit                 rows to read at most
    delimiter, decimal, no_header, na_values, encoding, empty_text, max_record_bytes, input_format
                          how a text is read: docs/CSV.md, docs/JSON.md
    output_format, compression   of output_path, where its name does not say it
    more_models, more_names, name   further models (foretell's own objects) of the same rows, and names for
                                    all
    memory                bytes that batches on their way may take, about
    resume                a job that is stopped goes on where it was when it is called again (docs/FILES.md)
    warn                  receives a line for everything about the table that is hardly meant
    """

    method: str | Sequence[str] | None
    keep: str | Sequence[str] | None
    features: Sequence[str] | None
    on_error: Literal["fail", "skip", "null"] | None
    reject_path: PathLike | None
    threads: int | None
    limit: int | None
    delimiter: str | None
    decimal: str | None
    no_header: bool | None
    na_values: Sequence[str] | None
    encoding: str | None
    empty_text: str | None
    max_record_bytes: int | None
    input_format: str | None
    output_format: str | None
    compression: str | None
    more_models: Sequence[Any] | None
    more_names: Sequence[str] | None
    name: str | None
    memory: int | None
    resume: bool | None
    warn: Callable[[str], object] | None


def refuse(message: str) -> errors.ArgumentError:
    """The exception for an argument that cannot be used."""
    return errors.ArgumentError(message)


def check_on_error(on_error: object, *words: str) -> None:
    """Refuses what is none of the words."""
    if on_error not in words:
        raise refuse(f"on_error is {on_error!r}: give {', '.join(words[:-1])} or {words[-1]}")


def path_of(name: str, path: object) -> str:
    """The text of a path; bytes and everything else is refused."""
    found = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(found, str):
        raise refuse(f"{name} is {_kind_of(path)}: give a path as str or os.PathLike")
    if not found or "\0" in found:
        raise refuse(f"{name} is {found!r}: give the path of a file")
    return found


def _kind_of(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def whole_number(
    name: str, value: object, *, default: int, least: int = 1, most: int = (1 << 63) - 1, advice: str = ""
) -> int:
    """An integer of any integer type; None is the default; bools and floats are refused."""
    if value is None:
        return default
    number = _integer(value)
    if number is None or not least <= number <= most:
        raise refuse(f"{name} is {value!r}: give a whole number of at least {least}{advice and '; '}{advice}")
    return number


def _integer(value: object) -> int | None:
    index = getattr(type(value), "__index__", None)
    return int(index(value)) if index and not isinstance(value, bool) else None


def batch_rows(batch_size: object, chunk_size: object = None, usual: int = USUAL_ROWS) -> int:
    """Rows of a batch as the core takes them: 0 for "auto". chunk_size is another name of batch_size."""
    if batch_size is not None and chunk_size is not None and batch_size != chunk_size:
        raise refuse(
            f"batch_size is {batch_size!r} and chunk_size, another name of it, {chunk_size!r}: "
            "give one of them"
        )
    name, size = ("chunk_size", chunk_size) if batch_size is None else ("batch_size", batch_size)
    if size is None:
        return usual
    if isinstance(size, str):
        if size == "auto":
            return 0
        raise refuse(f"{name} is {size!r}: {_ADVICE}")
    number = _integer(size)
    if number is None or not 0 < number <= _MOST_ROWS:
        raise refuse(f"{name} is {size!r}: {_ADVICE}")
    return number


def inputs_of(data_path: object) -> list[str]:
    """The paths of the tables: one, or those of a list. The core expands patterns and folders."""
    if isinstance(data_path, (str, os.PathLike)):
        return [path_of("data_path", data_path)]
    if (
        isinstance(data_path, bytes)
        or not isinstance(data_path, Iterable)
        or hasattr(data_path, "__array__")
        or hasattr(data_path, "__dataframe__")
        or isinstance(data_path, dict)
    ):
        raise refuse(
            f"data_path is {_kind_of(data_path)}: give a path, a pattern, a folder or a list of these; "
            "rows that are in memory go to predict()"
        )
    paths = [path_of("data_path", path) for path in data_path]
    if not paths:
        raise refuse("data_path is an empty list: give one path at least")
    return paths


def texts_of(name: str, value: object) -> list[str] | None:
    """A text or several."""
    if value is None:
        return None
    if isinstance(value, str):
        return [value]
    texts = list(value) if isinstance(value, Iterable) and not isinstance(value, (bytes, dict)) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise refuse(f"{name} is {value!r}: give a text or a list of texts")
    return texts


def score_options(paths: list[str], rows: int, probabilities: bool, options: BatchOptions) -> dict[str, Any]:
    """The core's options of a job (the fields of ftl_score_options)."""
    unknown = sorted(set(options) - set(BatchOptions.__annotations__))
    if unknown:
        raise TypeError(f"predict_batch() got an unexpected keyword argument {unknown[0]!r}")
    core = {name: value for name, value in options.items() if value is not None}
    core["batch_rows"] = rows
    check_on_error(core.get("on_error", "fail"), "fail", "skip", "null")
    if len(paths) > 1:
        core["more_inputs"] = paths[1:]
    methods = texts_of("method", core.pop("method", None))
    if methods:
        core["method"] = methods[0]
        if methods[1:]:
            core["more_methods"] = methods[1:]
    if probabilities:
        core["proba"] = True
        core.setdefault("method", "predict")
    for name in ("keep", "features", "na_values", "more_names"):
        if name in core:
            core[name] = texts_of(name, core[name])
    others: Any = core.get("more_models", ())
    if not isinstance(others, (list, tuple)) or not all(isinstance(model, _core.Model) for model in others):
        raise refuse("more_models holds something that is no model: give a list of what ModelCache.get gives")
    if "reject_path" in core:
        core["reject_path"] = path_of("reject_path", core["reject_path"])
    core["threads"] = whole_number("threads", core.get("threads"), default=0, least=0, most=_MOST_ROWS)
    core["limit"] = whole_number("limit", core.get("limit"), default=0, least=1)
    core["memory"] = whole_number("memory", core.get("memory"), default=0, least=1)
    return core
