"""A file through a model: where the files lie, the work, and what came of it."""

import contextlib
import errno
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from typing import Any

from foretell import errors

from ._answers import Refusal, classes_of, message_of
from ._paths import PathError, Root
from .schemas import BatchPredictionRequest

USUAL_ROWS = 5000
FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
}
PACKED = (".gz", ".zst", ".bz2", ".xz", ".lz4")
NESTED = ("predict_proba", "predict_log_proba", "transform", "inverse_transform", "kneighbors")
MOST_BYTES = 256 << 20  # of predictions in an answer
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
HAS_DESCRIPTORS = os.path.isdir("/proc/self/fd")


def format_of_name(name: str) -> str | None:
    """What formats that look alike are told by: the input's name, since the library is given a descriptor."""
    lower = name.lower()
    for ending in PACKED:
        lower = lower.removesuffix(ending)
    return next((form for ending, form in FORMATS.items() if lower.endswith(ending)), None)


def refuse_path(status: int, field: str, path: str, root: Root, what: str) -> Refusal:
    """Of a path that is not followed."""
    if status == 404:
        return Refusal(404, f"{what} {path[:200]} is not there: a path is looked for beneath {root.setting}")
    if status == 403:
        return Refusal(403, f"{what} {path[:200]} is not beneath {root.setting}")
    return Refusal(status, f"{what} {path[:200]} is no path of a file", field=field)


def too_much() -> Refusal:
    """Of an answer that would not fit."""
    return Refusal(503, "the predictions are too much for the service's memory; name an output_path")


class Batch:
    """Belongs to one thread at a time; rows, bytes_read and bytes_total may be read by any, and cancel()
    called."""

    def __init__(
        self,
        request: BatchPredictionRequest,
        model_file: str,
        shown: str,
        open_model: Callable[[str], Any],
        cancel: Any,
        data_root: Root,
        output_root: Root,
        max_answer_rows: int,
        count: Callable[[int, int], None],
    ) -> None:
        self.request = request
        self.model_file = model_file
        self.shown = shown
        self.open_model = open_model
        self.token = cancel
        self.data_root = data_root
        self.output_root = output_root
        self.max_answer_rows = max_answer_rows
        self.count = count  # rows, and nanoseconds that they took
        self.data = self.folder = -1
        self.rows = self.bytes_read = self.bytes_total = 0
        self.seen: dict[str, Any] = {}  # ftl_score_result
        self.hide = {model_file: shown}

    def cancel(self) -> None:
        """The work ends soon, and leaves no output."""
        self.token.trigger()

    def close(self) -> None:
        """Lets the files go."""
        for descriptor in (self.data, self.folder):
            if descriptor >= 0:
                os.close(descriptor)
        self.data = self.folder = -1

    # ---- Files

    def prepare(self) -> None:
        """Finds the files; raises Refusal."""
        request = self.request
        try:
            self.data, self.data_file = self.data_root.open_file(request.data_path)
        except PathError as error:
            raise refuse_path(
                error.status, "data_path", request.data_path, self.data_root, "the data"
            ) from None
        self.input = f"/proc/self/fd/{self.data}" if HAS_DESCRIPTORS else self.data_file
        self.hide |= {self.input: request.data_path, self.data_file: request.data_path}
        if request.output_path is not None:
            self._find_output(request.output_path)
        elif request.keep or request.output_format or len(request.method or ()) > 1:
            raise Refusal(
                422, "keep, several methods and output_format are for an output_path", field="output_path"
            )

    def _find_output(self, path: str) -> None:
        if self.output_root.folder is None:
            raise Refusal(403, "this service writes no files: it was made without output_root")
        try:
            self.folder, folder_path, self.name = self.output_root.open_folder(path)
        except PathError as error:
            what = "the folder of the output" if error.status == 404 else "the output"
            raise refuse_path(error.status, "output_path", path, self.output_root, what) from None
        try:
            there = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            there = None
        if there is not None:
            self._may_replace(there, path)
        # written under a name that nobody can guess, in a folder that is held; the ending says what is
        # written
        self.hidden = f".foretell-{secrets.token_hex(16)}-{self.name[-60:]}"
        base = f"/proc/self/fd/{self.folder}" if HAS_DESCRIPTORS else folder_path
        self.output = f"{base}/{self.hidden}"
        self.hide = {self.output: path, f"{base}/": "", **self.hide}

    def _may_replace(self, there: os.stat_result, path: str) -> None:
        if stat.S_ISDIR(there.st_mode):
            raise Refusal(409, f"{path[:200]} is a folder")
        if not self.request.overwrite:
            raise Refusal(409, f"{path[:200]} is there already; overwrite: true replaces it")
        read = [os.fstat(self.data)]
        if os.path.exists(self.model_file):
            read.append(os.stat(self.model_file))
        if any((one.st_dev, one.st_ino) == (there.st_dev, there.st_ino) for one in read):
            raise Refusal(409, f"{path[:200]} is read by this very request")

    def _publish(self) -> None:
        """Gives the complete file its name; an existing one is replaced when the request says so."""
        path = self.request.output_path
        try:
            if self.request.overwrite:
                os.rename(self.hidden, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            else:
                os.link(
                    self.hidden,
                    self.name,
                    src_dir_fd=self.folder,
                    dst_dir_fd=self.folder,
                    follow_symlinks=False,
                )
        except FileExistsError:
            raise Refusal(409, f"{path} has come to be there meanwhile") from None
        except OSError as error:
            raise Refusal(
                507 if error.errno in FULL else 500, f"cannot write {path}: {error.strerror}"
            ) from None
        finally:
            self._remove_hidden()

    def _remove_hidden(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.hidden, dir_fd=self.folder)

    # ---- Work

    def options(self) -> dict[str, Any]:
        """What the library is told."""
        request = self.request
        methods = list(request.method or ())
        if request.return_probabilities and not methods:
            methods = ["predict"]  # transformers, say, then refuse them
        size = request.batch_size if request.batch_size is not None else request.chunk_size
        options: dict[str, Any] = {
            "method": methods[0] if methods else None,
            "more_methods": methods[1:] or None,
            "proba": request.return_probabilities or None,
            "batch_rows": USUAL_ROWS if size is None else size,
            "keep": request.keep,
            "features": request.features,
            "on_error": request.on_error,
            "limit": request.limit,
            "input_format": request.input_format or format_of_name(request.data_path),
            "output_format": request.output_format,
            "delimiter": request.delimiter,
            "decimal": request.decimal,
            "encoding": request.encoding,
            "no_header": request.no_header or None,
            "progress": self._note,
            "cancel": self.token,
        }
        return {name: value for name, value in options.items() if value is not None}

    def _note(self, seen: dict[str, Any]) -> None:
        self.rows = seen["rows"]
        self.bytes_read = seen["bytes_read"]
        self.bytes_total = seen["bytes_total"]

    def run(self) -> dict[str, Any]:
        """Predicts; the answer. Raises Refusal."""
        try:
            try:
                model = self.open_model(self.model_file)
            except errors.Error as error:
                raise self._refusal(error, "model_path") from None
            try:
                answer = (
                    self._into_file(model)
                    if self.request.output_path is not None
                    else self._into_answer(model)
                )
            except errors.Error as error:
                raise self._refusal(error, "data_path") from None
        finally:
            if self.request.output_path is not None:
                self._remove_hidden()
        self.rows = self.seen["rows_read"]
        self.bytes_read = self.seen["bytes_read"]
        return answer

    def _into_file(self, model: Any) -> dict[str, Any]:
        self._score(model, self.output, self.options())
        self._publish()
        return {"output_path": self.request.output_path, **self._figures()}

    def _score(self, model: Any, output: str, options: dict[str, Any]) -> None:
        self.seen = model.score_file(self.input, output, **options)
        self.count(self.seen["rows_read"], int(1e9 * self.seen["seconds"]))

    def _into_answer(self, model: Any) -> dict[str, Any]:
        options, most = self.options(), self.max_answer_rows
        options["limit"] = min(options.get("limit", most + 1), most + 1)
        options["output_format"] = "jsonl"
        with tempfile.TemporaryDirectory(prefix="foretell-") as folder:
            path = os.path.join(folder, "answer.jsonl")
            self.hide[path] = "the answer"

            def note(seen: dict[str, Any]) -> bool:
                self._note(seen)
                return self._bytes_of(folder) <= MOST_BYTES  # False ends the work

            try:
                self._score(model, path, {**options, "progress": note})
            except errors.Cancelled:
                if not self.token.triggered:
                    raise too_much() from None
                raise
            if self.seen["rows_read"] > most:
                raise Refusal(
                    413,
                    f"there are more than {most} rows, which is the most that an answer holds "
                    "(max_answer_rows); name an output_path",
                )
            if self._bytes_of(folder) > MOST_BYTES:
                raise too_much()
            answer = self._read_answer(path, model, options)
        classes = classes_of(model.classes())
        if classes is not None:
            answer["classes"] = classes
        return {**answer, **self._figures()}

    def _read_answer(self, path: str, model: Any, options: dict[str, Any]) -> dict[str, Any]:
        """The predictions of lines of JSON; the last values of each are the probabilities."""
        wanted = self.request.return_probabilities
        n_probabilities = len(model.outputs("predict_proba")) if wanted else 0
        flat = (options.get("method") or model.info()["default_method"]) not in NESTED
        predictions, probabilities = [], []
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                values = list(json.loads(line).values())
                split = len(values) - n_probabilities
                predictions.append(values[0] if flat and split == 1 else values[:split])
                probabilities.append(values[split:])
        answer: dict[str, Any] = {"predictions": predictions}
        return {**answer, "probabilities": probabilities} if n_probabilities else answer

    @staticmethod
    def _bytes_of(folder: str) -> int:
        """Bytes of the files in a folder; one that is renamed meanwhile counts the next time."""
        total = 0
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(folder, name)).st_size
        return total

    def _figures(self) -> dict[str, Any]:
        seen = self.seen
        rows, size, seconds = seen["rows_read"], seen["batch_rows"] or 1, seen["seconds"]
        return {
            "n_samples": rows,
            "n_batches": -(-rows // size),
            "n_rejected": seen["rows_rejected"],
            "n_nulled": seen["rows_nulled"],
            "inference_time_seconds": seen["predict_seconds"] / (seen["threads"] or 1),
            "total_time_seconds": seconds,
            "throughput_samples_per_sec": rows / seconds if seconds > 0 else 0.0,
        }

    def metrics(self) -> dict[str, Any]:
        """The figures of the work, as `foretell predict --metrics` has them."""
        seen = self.seen
        seconds = seen["seconds"] or 1e-9
        return {
            "rows": seen["rows_read"],
            "rows_resumed": 0,
            "rows_written": seen["rows_written"],
            "rows_rejected": seen["rows_rejected"],
            "rows_nulled": seen["rows_nulled"],
            "seconds": seen["seconds"],
            "rows_per_second": seen["rows_read"] / seconds,
            "bytes_read": seen["bytes_read"],
            "bytes_written": seen["bytes_written"],
            "megabytes_per_second": seen["bytes_read"] / 1e6 / seconds,
            "batch_rows": seen["batch_rows"],
            "threads": seen["threads"],
            "work_seconds": {
                part: seen[f"{part}_seconds"] for part in ("read", "parse", "predict", "format", "write")
            },
        }

    def _refusal(self, error: errors.Error, field: str) -> Refusal:
        message = message_of(error, rows=False)
        for path, shown in self.hide.items():
            message = message.replace(path, shown)
        for name, shown in (
            ("options.batch_rows", "batch_size"),
            ("options.proba", "return_probabilities"),
            ("options.", ""),
        ):
            message = message.replace(name, shown)
        status = 422
        if isinstance(error, (errors.OutOfMemoryError, errors.Cancelled)):
            status = 503
        elif isinstance(error, errors.LimitError):
            status = 413
        elif isinstance(error, errors.InternalError):
            status = 500
        elif isinstance(error, FileNotFoundError):
            status = 404
        elif isinstance(error, errors.FileError):
            full = error.errno in FULL or any(os.strerror(number) in message for number in FULL)
            status = 507 if full else 500 if "cannot write" in message else 422
        return Refusal(status, message, field=field)
