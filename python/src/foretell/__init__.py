"""foretell: runs saved tabular models exactly and fast, without executing what is in the file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretell import errors, inference, threadpool
    from foretell._verify import verify
    from foretell.inference import ModelCache, OptimizedPredictor, get_optimized_predictor
    from foretell.model import load
    from foretell.patch import patch_joblib

    __version__: str

__all__ = [
    "ModelCache",
    "OptimizedPredictor",
    "__version__",
    "errors",
    "get_optimized_predictor",
    "inference",
    "threadpool",
    "load",
    "patch_joblib",
    "verify",
]

# Name of the package -> the module that has it and its name there, if that is no module; imported when it is first
# asked for, so that `import foretell` takes no longer than it has to.
_LAZY: dict[str, str] = {
    "errors": "foretell.errors:",
    "inference": "foretell.inference:",
    "ModelCache": "foretell.inference:ModelCache",
    "OptimizedPredictor": "foretell.inference:OptimizedPredictor",
    "get_optimized_predictor": "foretell.inference:get_optimized_predictor",
    "threadpool": "foretell.threadpool:",
    "load": "foretell.model:load",
    "patch_joblib": "foretell.patch:patch_joblib",
    "verify": "foretell._verify:verify",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from foretell._core import version

        return version()
    where = _LAZY.get(name)
    if where is None:
        raise AttributeError(f"module 'foretell' has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
