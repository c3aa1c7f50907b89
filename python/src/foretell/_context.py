"""The context and the cache that everything of the package shares: one of each per interpreter, made when first used.

The child of a fork goes on with both: the library starts its threads anew there.
"""

from __future__ import annotations

import os
import threading

from foretell._core import Cache, Context

_lock = threading.Lock()
_context: Context | None = None
_cache: Cache | None = None


def threads_wanted() -> int:
    """FORETELL_THREADS: threads of the library; unset, empty or 0: one per CPU that the process may use."""
    text = os.environ.get("FORETELL_THREADS", "").strip() or "0"
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"FORETELL_THREADS is a number from 0 to 65535, not {text!r}")
    return int(text)


def context() -> Context:
    """The shared context. Thread-safe."""
    global _context
    found = _context
    if found is None:
        with _lock:
            if _context is None:
                _context = Context(threads=threads_wanted())
            found = _context
    return found


def cache() -> Cache:
    """The shared cache, of the default size. Thread-safe."""
    global _cache
    found = _cache
    if found is None:
        shared = context()
        with _lock:
            if _cache is None:
                _cache = Cache(shared)
            found = _cache
    return found


def interruptible() -> bool:
    """Whether this is the main thread and Ctrl-C raises KeyboardInterrupt there; asked before a job over files."""
    import signal

    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def _after_fork() -> None:
    """The lock may have been held by a thread that the child does not have."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
