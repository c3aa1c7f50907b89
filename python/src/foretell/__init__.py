"""foretell: runs saved tabular models exactly and fast, without executing what is in the file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from foretell._core import version as _version

if TYPE_CHECKING:
    from foretell import errors
    from foretell.model import load
    from foretell.patch import patch_joblib
    from foretell._verify import verify

__version__ = _version()

# Name of the package -> the module that has it; imported when it is first asked for.
_LAZY: dict[str, str] = {
    "errors": "foretell.errors:",
    "load": "foretell.model:load",
    "patch_joblib": "foretell.patch:patch_joblib",
    "verify": "foretell._verify:verify",
}

__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    where = _LAZY.get(name)
    if where is None:
        raise AttributeError(f"module 'foretell' has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
