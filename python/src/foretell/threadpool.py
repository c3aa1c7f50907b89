"""foretell's threads for threadpoolctl: `with threadpool_limits(2)` holds for foretell as it does for BLAS.

    import foretell.threadpool
    foretell.threadpool.register()

The library keeps as many threads as FORETELL_THREADS or the process's CPUs say. A limit says how many of them a
prediction or a file job uses at most, where its own `threads` asks for more. Results never depend on it.
"""

from __future__ import annotations

import os
import threading

from foretell import _core
from foretell._context import threads_wanted

__all__ = ["get_num_threads", "register", "set_num_threads"]

_lock = threading.Lock()
_registered = False


def _available() -> int:
    """The threads of work that nobody limits."""
    wanted = threads_wanted()
    if wanted:
        return wanted
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_num_threads() -> int:
    """The threads that work may use now."""
    return _core.thread_limit() or _available()


def set_num_threads(number: int | None) -> None:
    """Limits work to so many threads; None takes the limit away. Thread-safe."""
    if number is not None and number < 1:
        raise ValueError("the number of threads is 1 or more, or None")
    _core.set_thread_limit(number or 0)


def register() -> None:
    """Tells threadpoolctl of foretell's threads. Needs threadpoolctl 3.2 or newer; doing it again does nothing."""
    global _registered
    import threadpoolctl

    with _lock:
        if _registered:
            return

        class ForetellController(threadpoolctl.LibController):  # type: ignore[misc]
            user_api = "foretell"
            internal_api = "foretell"
            filename_prefixes = ("_core.",)
            check_symbols = ("foretell_core_version",)

            def get_num_threads(self) -> int:
                return get_num_threads()

            def set_num_threads(self, num_threads: int) -> None:
                set_num_threads(num_threads)

            def get_version(self) -> str:
                return _core.version()

        threadpoolctl.register(ForetellController)
        _registered = True
