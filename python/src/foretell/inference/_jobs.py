"""Jobs over files: a table in; out comes the caller's file, or rows in a spool."""

from collections.abc import Mapping
from typing import Any

from foretell import _context, _core, errors
from foretell.inference._options import (
    BatchOptions,
    DataPath,
    PathLike,
    Progress,
    batch_rows,
    inputs_of,
    path_of,
    refuse,
    score_options,
    whole_number,
)
from foretell.inference._outputs import Outputs
from foretell.inference._progress import reporter
from foretell.inference._results import batch_metrics
from foretell.inference._spool import Spool, score_into_spool
from foretell.inference._stored import InFile, InSpool, Stored, format_of
from foretell.inference._table import BatchResult

MEMORY_CAP = 256 << 20

# Options of the C library that have other names here.
_NAMES = {"proba": "return_probabilities", "batch_rows": "batch_size", "more_inputs": "data_path"}


class Job:
    """One call of predict_batch: its arguments are checked when it is made."""

    def __init__(
        self,
        model_path: PathLike,
        data_path: DataPath,
        output_path: PathLike | None,
        batch_size: object,
        chunk_size: object,
        return_probabilities: bool,
        progress: Progress,
        memory_cap: int | None,
        spool_dir: PathLike | None,
        model_options: dict[str, Any] | None,
        options: BatchOptions,
    ) -> None:
        self.model_path = path_of("model_path", model_path)
        self.model_options = dict(model_options or {})
        self._inputs = inputs_of(data_path)
        self._output = None if output_path is None else path_of("output_path", output_path)
        self._probabilities = bool(return_probabilities)
        self._options = score_options(
            self._inputs, batch_rows(batch_size, chunk_size), self._probabilities, options
        )
        for name in ("output_format", "compression", "resume"):
            if self._output is None and options.get(name):
                raise refuse(f"{name} is given without an output_path, whose file it is about")
        self._progress = progress
        self._cap = whole_number("memory_cap", memory_cap, default=MEMORY_CAP, least=0)
        self._spool_dir = None if spool_dir is None else path_of("spool_dir", spool_dir)
        self.cancel = _core.Cancel(_context.context())

    def run(self, model: "_core.Model", answer: Mapping[str, Any]) -> BatchResult:
        """Runs the job; nothing is left behind when it fails. answer: of the cache, for the figures."""
        outputs = self._outputs_of(model)
        report, done = reporter(self._progress, self._inputs[0])
        options = dict(self._options)
        if report is not None:
            options["progress"] = report
        rows: int | None = None
        try:
            figures, stored = self._score(model, outputs, options)
            rows = figures["rows_read"]
        except errors.Error as error:
            name = _NAMES.get(error.option or "", None)
            if name is not None:
                error.message, error.option = error.message.replace(error.option or "", name), name
            raise
        finally:
            done(rows)
        has_classes = "predict" in outputs or "predict_proba" in outputs
        classes = model.classes() if has_classes else []
        return BatchResult(stored, batch_metrics(figures, answer), self._output, outputs, classes or None)

    def _score(
        self, model: "_core.Model", outputs: Outputs, options: dict[str, Any]
    ) -> tuple[dict[str, Any], Stored]:
        if self._output is None:
            return self._score_into_spool(model, options)
        figures = model.score_file(self._inputs[0], self._output, cancel=self.cancel, **options)
        form = format_of(self._output, options.get("output_format"))
        rows = figures["rows_written"]
        if rows == 0 and form in ("json", "jsonl"):  # without rows they have no columns: the first row, or none
            others = ("reject_path", "resume", "output_format", "compression", "warn", "progress")
            options = {name: value for name, value in options.items() if name not in others}
            return figures, self._score_into_spool(model, {**options, "limit": 1})[1]
        return figures, InFile(self._output, form, rows, outputs, figures["rows_nulled"] > 0)

    def _score_into_spool(
        self, model: "_core.Model", options: dict[str, Any]
    ) -> tuple[dict[str, Any], Stored]:
        spool = Spool(self._cap, self._spool_dir)
        try:
            figures = score_into_spool(model, self._inputs[0], spool, self.cancel, options)
        except BaseException:
            spool.close()
            raise
        return figures, InSpool(spool, figures["rows_written"])

    def _outputs_of(self, model: "_core.Model") -> Outputs:
        methods = [self._options["method"]] if "method" in self._options else []
        if self._probabilities:
            methods.append("predict_proba")
        if self._options.get("more_methods"):
            methods = (methods or [model.default_method]) + self._options["more_methods"]
        return Outputs([model, *self._options.get("more_models", ())], methods, self._options.get("keep"))
