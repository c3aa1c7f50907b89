"""Paths of requests lead beneath a root, whatever links and dots say."""

import errno
import os
import stat
from pathlib import Path

# A descriptor that names a file and reads nothing of it: pipes and devices are not waked.
NAME_ONLY = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_CLOEXEC | os.O_NOFOLLOW
FOLDER = NAME_ONLY | os.O_DIRECTORY
MOST_LINKS = 40


class PathError(Exception):
    """A path that is not to be followed; status is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def status_of(error: OSError) -> int:
    """404 for what is not there, 422 for what is no path, 403 for everything else."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return 404
    return 422 if error.errno == errno.ENAMETOOLONG else 403


class Walk:
    """A way down from a folder, component by component.

    Every folder on the way is held open, links are read and followed by name, and ".." goes back to the
    folder that is
    held, never above the first one: whoever renames folders or swaps links meanwhile leads nowhere else.
    """

    def __init__(self, folder: int) -> None:
        self.held = [os.dup(folder)]
        self.names: list[str] = []

    def close(self) -> None:
        for descriptor in self.held:
            os.close(descriptor)
        self.held = []

    def go(self, path: str) -> None:
        """Follows a relative path; the last component may be a file."""
        left = path.split("/")[::-1]
        links = 0
        while left:
            name = left.pop()
            if name in ("", "."):
                self._be_folder()
                continue
            if name == "..":
                self._be_folder()
                if not self.names:
                    raise PathError(403)
                os.close(self.held.pop())
                self.names.pop()
                continue
            descriptor = os.open(name, NAME_ONLY, dir_fd=self.held[-1])
            if stat.S_ISLNK(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                target = os.readlink(name, dir_fd=self.held[-1])
                links += 1
                if target.startswith("/") or links > MOST_LINKS:
                    raise PathError(403)
                left += target.split("/")[::-1]
                continue
            self.held.append(descriptor)
            self.names.append(name)

    def _be_folder(self) -> None:
        if not stat.S_ISDIR(os.fstat(self.held[-1]).st_mode):
            raise PathError(404)


class Root:
    """A folder beneath which the paths of requests lie; None: there is none."""

    def __init__(self, folder: str | os.PathLike[str] | None, setting: str) -> None:
        self.setting = setting
        self.folder = Path(folder).resolve(strict=True) if folder not in (None, "") else None
        if self.folder is not None and not self.folder.is_dir():
            raise NotADirectoryError(f"{setting}: {folder} is no folder")

    def below(self, path: str) -> str:
        """The path relative to the root; an absolute one that begins with the root's is meant so, too."""
        if not path or "\0" in path or len(os.fsencode(path)) >= 4096:
            raise PathError(422)
        if path.startswith("/"):
            root = str(self.folder or "")
            inside = path.startswith(root) and (root == "/" or path[len(root) :].startswith("/"))
            if not root or not inside:
                raise PathError(403)
            path = path[len(root) :].lstrip("/")
        if self.folder is None or not path:
            raise PathError(403)
        return path

    def walk(self, path: str) -> Walk:
        """Where a path leads; the caller closes it."""
        below = self.below(path)
        start = os.open(str(self.folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            walk = Walk(start)
        finally:
            os.close(start)
        try:
            walk.go(below)
        except OSError as error:
            walk.close()
            raise PathError(status_of(error)) from None
        except (PathError, ValueError):
            walk.close()
            raise
        return walk

    def find(self, path: str) -> str:
        """The real path, without links, of a file or folder."""
        walk = self.walk(path)
        try:
            mode = os.fstat(walk.held[-1]).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise PathError(403)  # opening a pipe or a device may wait for ever, or do something
            return str(self.folder and self.folder.joinpath(*walk.names))
        finally:
            walk.close()

    def open_file(self, path: str) -> tuple[int, str]:
        """A descriptor of a plain file, and its real path."""
        walk = self.walk(path)
        try:
            if not stat.S_ISREG(os.fstat(walk.held[-1]).st_mode):
                raise PathError(422)
            return os.dup(walk.held[-1]), str(self.folder and self.folder.joinpath(*walk.names))
        finally:
            walk.close()

    def open_folder(self, path: str) -> tuple[int, str, str]:
        """A descriptor of the folder in which a path's last component lies, the folder's real path, and
        the last component."""
        below = self.below(path)
        name = below.rpartition("/")[2]
        if not name or name == "." or len(os.fsencode(name)) > 255:
            raise PathError(422)
        if name == "..":
            raise PathError(403)
        walk = self.walk(below[: -len(name)] or ".")
        try:
            if not stat.S_ISDIR(os.fstat(walk.held[-1]).st_mode):
                raise PathError(404)
            return os.dup(walk.held[-1]), str(self.folder and self.folder.joinpath(*walk.names)), name
        finally:
            walk.close()

    def shown(self, path: str) -> str:
        """What a client may know of a real path."""
        root = str(self.folder or "")
        if len(root) > 1 and path.startswith(root + "/"):
            return path[len(root) + 1 :]
        return path.rpartition("/")[2]
