"""Runs a script or a module under a patch, as the interpreter itself would."""

from __future__ import annotations

import builtins
import io
import os
import runpy
import sys
import types
from collections.abc import Sequence
from typing import Any, Literal, cast

from foretell.patch import patch_joblib


def run(module: str | None, arguments: Sequence[str], fallback: str | None, threads: int) -> int:
    """The script arguments[0], or the module, with the other arguments. What it raises goes on."""
    patch_joblib(
        fallback=cast("Literal['python'] | None", fallback), threads=threads
    )  # for as long as the process lives
    _shorten_tracebacks()
    if module is not None:
        sys.argv = [module, *arguments]
        sys.path[0] = os.getcwd()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    path = arguments[0]
    if os.path.isdir(path):  # with a __main__.py, as python takes it
        sys.argv = list(arguments)
        runpy.run_path(path, run_name="__main__")
        return 0
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        print(f"foretell: error: cannot open {path}: {error.strerror}", file=sys.stderr)
        return 2
    sys.argv = list(arguments)
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = main
    exec(compile(source, path, "exec"), main.__dict__)
    return 0


def _shorten_tracebacks() -> None:
    """Uncaught errors are shown from the script on, without the frames that lead to it."""
    before = sys.excepthook
    ours = {
        __file__,
        os.path.join(os.path.dirname(__file__), "__main__.py"),
        runpy.__file__,
        "<frozen runpy>",
    }

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        first = trace
        while first is not None and first.tb_frame.f_code.co_filename in ours:
            first = first.tb_next
        if first is not None:
            error.__traceback__ = trace = first
        before(kind, error, trace)

    sys.excepthook = hook
