"""python -m foretell: patch and verify, which need Python; every other command is the native program's."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence

EXIT_INTERNAL, EXIT_USAGE = 1, 2

PATCH_HELP = """\
usage: python -m foretell patch [--fallback python] [--threads N] SCRIPT [ARGUMENT...]
       python -m foretell patch [--fallback python] [--threads N] -m MODULE [ARGUMENT...]

Runs a script, or a module, as python does, with joblib.load and pickle.load patched: models that foretell
runs become foretell's, without anything in their files being executed, and the script stays as it is.

  --fallback python   a file that foretell does not run is loaded by Python, which EXECUTES the pickle; a
                      warning says so. Without it such a file is an error
  --threads N         that one prediction may use (default 1; 0: all)

Processes that the script starts are not patched.
"""


def _usage(command: str, message: str) -> int:
    print(f"foretell: usage: {message}; see python -m foretell {command} --help", file=sys.stderr)
    return EXIT_USAGE


def program() -> str | None:
    """The native program that came with the package, else the one on PATH."""
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [os.path.join(here, "bin"), sysconfig.get_path("scripts"), os.path.join(here, "..", "bin")]
    for folder in folders:
        path = os.path.join(folder, "foretell")
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return os.path.normpath(path)
    return shutil.which("foretell")


def native(arguments: Sequence[str]) -> int:
    """Becomes the native program."""
    found = program()
    if found is None:
        print(
            "foretell: error: the foretell program is not there: it comes with the package's wheel, in "
            f"{sysconfig.get_path('scripts')}",
            file=sys.stderr,
        )
        return EXIT_INTERNAL
    sys.stdout.flush()
    os.execv(found, [found, *arguments])


def patch(arguments: Sequence[str]) -> int:
    """patch [options] SCRIPT [ARGUMENT...] or -m MODULE [ARGUMENT...]"""
    rest = list(arguments)
    fallback, threads, module = None, 1, None
    while rest and rest[0].startswith("-"):
        option, equals, value = rest.pop(0).partition("=")
        if option in ("-h", "--help"):
            print(PATCH_HELP, end="")
            return 0
        if option not in ("--fallback", "--threads", "-m"):
            return _usage("patch", f"there is no option {option}")
        if not equals:
            if not rest:
                return _usage("patch", f"{option} lacks its value")
            value = rest.pop(0)
        if option == "-m":
            module = value
            break
        if option == "--threads":
            if not value.isdecimal() or int(value) > 4096:
                return _usage("patch", f"--threads takes a number, not '{value}'")
            threads = int(value)
        elif value != "python":
            return _usage("patch", f"--fallback takes python, not '{value}'")
        else:
            fallback = "python"
    if module is None and not rest:
        return _usage("patch", "it takes a script, or -m and a module")
    from foretell import _run

    return _run.run(module, rest, fallback, threads)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line without the program's name; an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = given[0] if given else ""
    if command == "patch":
        return patch(given[1:])
    if command == "verify" and not any(argument.startswith("--against") for argument in given):
        from foretell import _verify_cli

        return _verify_cli.main(given[1:])
    if given[:2] == ["help", "patch"]:
        return patch(["--help"])
    return native(given)


if __name__ == "__main__":
    sys.exit(main())
