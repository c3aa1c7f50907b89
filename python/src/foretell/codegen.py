"""Code made from a model: scripts, services and C programs that run it, or the model itself as one C file.

    from foretell.codegen import PredictionGenerator, generate

    generate("churn.joblib", target="fastapi", output="service.py")
    script = PredictionGenerator("churn.joblib").generate(use_optimized_inference=True)

The command line has the same: foretell generate MODEL --target TARGET.
"""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from typing import Any

from foretell import _context, _core, errors

__all__ = ["TARGETS", "PredictionGenerator", "generate"]

PathLike = str | os.PathLike[str]

TARGETS = ("python", "fastapi", "c", "standalone-c")
MOST_ROWS = (1 << 32) - 1


def generate(
    model_path: PathLike,
    target: str = "python",
    use_optimized_inference: bool = True,
    batch_size: int | None = None,
    output: PathLike | None = None,
    *,
    data_path: PathLike | None = None,
    output_path: PathLike | None = None,
    probabilities: bool = False,
    methods: str | Sequence[str] | None = None,
    input_dtype: str = "float64",
    prefix: str | None = None,
    max_code_bytes: int | None = None,
) -> str:
    """The code, as text.

    model_path                the model: "PATH" or "PATH:ENTRY"; generated programs open it by this path
    target                    "python": a script that predicts a file batch by batch; "fastapi": a service
                              with the
                              model's own columns; "c": a C program on top of libforetell; "standalone-c":
                              one C file
                              with the model compiled in, which needs nothing else
    use_optimized_inference   of python alone. True: by foretell, in batches of 5000 rows. False: as joblib
                              and pandas
                              do it, in batches of 1000
    batch_size                rows that are computed together; None: the target's
    output                    a file for the code; it appears when it is complete
    data_path, output_path    the tables that programs read and write unless told otherwise
    probabilities             programs write probabilities beside the predictions
    methods                   which methods; None: predict (transform for a transformer), and predict_proba
                              beside it
    input_dtype, prefix       of standalone-c: the type of its rows, what its names begin with
    max_code_bytes            LimitError where the code would be longer; None: 64 MiB

    Raises the errors of opening a model, UnsupportedModelError where the target cannot express it, and
    ArgumentError.
    """
    if batch_size is not None and not 1 <= batch_size <= MOST_ROWS:
        raise errors.ArgumentError(f"batch_size is {batch_size!r}: give a number of rows of at least 1")
    path = os.fspath(model_path)
    model = _core.Model.open(_context.context(), path)
    options: dict[str, Any] = {
        "methods": (methods,) if isinstance(methods, str) else None if methods is None else tuple(methods),
        "input_dtype": input_dtype,
        "prefix": prefix,
        "max_code_bytes": max_code_bytes or 0,
        "model_path": path,
        "data_path": data_path,
        "output_path": output_path,
        "batch_size": batch_size or 0,
        "plain": not use_optimized_inference,
        "probabilities": probabilities,
    }
    code: str = model.generate(target, **options)
    if output is not None:
        write_whole(os.fspath(output), code)
    return code


def write_whole(path: str, text: str) -> None:
    """Writes a file that is there as a whole or not at all."""
    folder, name = os.path.split(path)
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{name[:60]}.", dir=folder or ".")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(file.fileno(), 0o666 & ~mask)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


class PredictionGenerator:
    """Generates code for one model.

    model_path: "PATH" or "PATH:ENTRY"; output_path and data_path are what generated programs use unless
    told otherwise.
    """

    def __init__(
        self, model_path: PathLike, *, data_path: PathLike | None = None, output_path: PathLike | None = None
    ) -> None:
        self.model_path = model_path
        self.data_path = data_path
        self.output_path = output_path

    def generate(
        self,
        use_optimized_inference: bool = True,
        batch_size: int | None = None,
        *,
        target: str = "python",
        output: PathLike | None = None,
        **options: Any,
    ) -> str:
        """The code: see foretell.codegen.generate. Batches are of 5000 rows, 1000 with
        use_optimized_inference=False."""
        return generate(
            self.model_path,
            target,
            use_optimized_inference,
            batch_size,
            output,
            data_path=self.data_path,
            output_path=self.output_path,
            **options,
        )

    def __repr__(self) -> str:
        return f"PredictionGenerator({os.fspath(self.model_path)!r})"
