"""Where the results of a job over files are kept: memory up to a cap, a file without a name past it.

The job writes an Arrow stream into a pipe; a thread moves it into the spool meanwhile. The spool's file has
no name, so that nothing is left of it however the process ends.
"""

import contextlib
import fcntl
import os
import select
import tempfile
import threading
import weakref
from typing import Any

from foretell import _core, errors

_PIECE = 1 << 20
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux


def _memory_file() -> int:
    """A descriptor of a file in memory; -1 where the system has none."""
    try:
        return os.memfd_create("foretell-results", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return -1


class Spool:
    """Bytes that are written once and read by path, any number of times, until the spool is gone."""

    def __init__(self, memory_cap: int, folder: str | None) -> None:
        self._cap = memory_cap
        self._folder = folder
        self.size = 0
        self._fd = _memory_file() if memory_cap else -1
        self.on_disk = self._fd < 0
        if self.on_disk:
            self._fd = self._nameless_file()
        self._close = weakref.finalize(self, os.close, self._fd)

    def _nameless_file(self) -> int:
        with tempfile.TemporaryFile(dir=self._folder, prefix="foretell-") as file:
            return os.dup(file.fileno())

    @property
    def path(self) -> str:
        """A path that leads to the bytes in this process."""
        return f"/proc/self/fd/{self._fd}"

    @property
    def fd(self) -> int:
        """The descriptor of the bytes."""
        return self._fd

    def write(self, data: memoryview) -> None:
        """Appends bytes; moves all to a file on disk when memory has had its share."""
        if not self.on_disk and self.size + len(data) > self._cap:
            self._move_to_disk()
        while data:
            written = os.write(self._fd, data)
            self.size += written
            data = data[written:]

    def _move_to_disk(self) -> None:
        disk = self._nameless_file()
        at = 0
        while at < self.size:
            at += os.sendfile(disk, self._fd, at, min(self.size - at, 1 << 30))
        self._close()
        self._fd, self.on_disk = disk, True
        self._close = weakref.finalize(self, os.close, disk)

    def close(self) -> None:
        """Gives memory and disk back; what was read before stays good."""
        self._close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return not self._close.alive


class _Receiver(threading.Thread):
    """Moves bytes from a pipe into the spool until it is told that no more will come, and has all."""

    def __init__(self, source: int, spool: Spool, cancel: "_core.Cancel") -> None:
        super().__init__(name="foretell-spool", daemon=True)
        self._source, self._spool, self._cancel = source, spool, cancel
        # The end of the pipe is no sign: a child of a fork may hold the other side open.
        self._ended, self._end = os.pipe()
        self.failure: BaseException | None = None

    def run(self) -> None:
        buffer = memoryview(bytearray(_PIECE))
        waiting = select.poll()
        waiting.register(self._source, select.POLLIN)
        waiting.register(self._ended, select.POLLIN)
        ended = False
        while True:
            if not ended:
                ended = any(fd == self._ended for fd, _ in waiting.poll())
            try:
                size = os.readv(self._source, [buffer])
            except BlockingIOError:
                if ended:
                    return
                continue
            if size == 0:
                return
            self._keep(buffer[:size])

    def _keep(self, data: memoryview) -> None:
        if self.failure is None:
            try:
                self._spool.write(data)
            except (
                BaseException
            ) as failure:  # the pipe is emptied all the same, or the job would wait for ever
                self.failure = failure
                self._cancel.trigger()

    def finish(self) -> None:
        """All bytes are in the pipe: waits until they are in the spool."""
        try:
            os.write(self._end, b".")
            self.join()
        finally:
            os.close(self._end)
            os.close(self._ended)


def score_into_spool(
    model: "_core.Model", input_path: str, spool: Spool, cancel: "_core.Cancel", options: dict[str, Any]
) -> dict[str, Any]:
    """Runs a job whose results go into the spool, as an Arrow stream; returns its figures."""
    source, target = os.pipe()
    try:
        os.set_blocking(source, False)
        with contextlib.suppress(OSError):  # a limit of the system's: a smaller pipe does as well
            fcntl.fcntl(target, _SET_PIPE_SIZE, _PIECE)
        receiver = _Receiver(source, spool, cancel)
        receiver.start()
        try:
            figures = model.score_file(
                input_path, f"/proc/self/fd/{target}", output_format="arrow", cancel=cancel, **options
            )
        except errors.Error:
            receiver.finish()
            if receiver.failure is not None:
                raise receiver.failure from None
            raise
        except BaseException:
            receiver.finish()
            raise
        receiver.finish()
        if receiver.failure is not None:
            raise receiver.failure
        return figures
    finally:
        os.close(target)
        os.close(source)
