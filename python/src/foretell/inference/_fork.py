"""What is made anew in the child of a fork: locks that another thread held, threads that are gone."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    def _after_fork(self) -> None: ...


_alive: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def after_fork(thing: Forkable) -> None:
    """Calls thing._after_fork() in every child of this process, as long as the thing lives."""
    _alive.add(thing)


def _in_child() -> None:
    for thing in list(_alive):
        thing._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
