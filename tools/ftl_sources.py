"""What the checks share: the files of the repository, and C text without comments and strings."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Comments, string and character literals of C; the only places where code-like text is not code.
_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def repository_files(root, *suffixes):
    """Paths relative to root of tracked and new files (git's ignore rules hold), sorted."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
    else:  # a release archive, or a test's folder
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith("build/")]
    return sorted({pathlib.PurePosixPath(name) for name in names
                   if (not suffixes or name.endswith(suffixes)) and (root / name).is_file()})


def code_only(text, keep_strings=False):
    """C text with comments (and the inside of literals) blanked, line numbers kept."""
    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found if keep_strings else found[0] + found[0]
        return re.sub(r"[^\n]", " ", found)
    return _NOT_CODE.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def report(name, problems, checked):
    """Prints the problems or one line of praise; returns the exit status."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{name}: {len(problems)} problem{'s' if len(problems) != 1 else ''}")
        return 1
    print(f"{name}: ok ({checked})")
    return 0
