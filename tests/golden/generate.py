#!/usr/bin/env python3
"""Write the golden fixtures: small models of many scikit-learn versions with those versions' own outputs.

    generate.py joblib                  joblib.tar.xz: array and object layouts of joblib 0.9 to the newest
    generate.py sklearn                 sklearn-<version>.tar.xz for every version
    generate.py sklearn 1.2.2 1.9.1     for these only

The pinned environments are made on first use, from wheels, under --envs.  Archives are deterministic: sorted
members, no times, no owners; the same library versions give the same bytes wherever the library itself does.
"""

import argparse
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import envs

HERE = os.path.dirname(os.path.abspath(__file__))


def pack(directory, archive):
    """Tar a directory with sorted members and fixed metadata, then compress it with xz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder, subfolders, files in os.walk(directory):
            subfolders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                info = tarfile.TarInfo(os.path.relpath(path, directory).replace(os.sep, "/"))
                info.size = os.path.getsize(path)
                info.mode = 0o644
                with open(path, "rb") as f:
                    tar.addfile(info, f)
    data = lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    with open(archive, "wb") as f:
        f.write(data)
    print("%s: %d bytes, %d unpacked" % (os.path.basename(archive), len(data), buffer.tell()))


def run(env, root, script, *arguments):
    python, variables = envs.ensure(env, root)
    subprocess.run([python, os.path.join(HERE, script)] + list(arguments), env=variables, check=True)


def joblib_archive(options):
    with tempfile.TemporaryDirectory() as work:
        for env in envs.JOBLIB:
            kind = "joblib" if env.name.startswith("joblib") else "pickle"
            run(env, options.envs, "joblib_objects.py", os.path.join(work, env.name), kind)
        index = []
        for env in envs.JOBLIB:
            path = os.path.join(work, env.name, "index.json")
            with open(path) as f:
                index += json.load(f)
            os.remove(path)
        with open(os.path.join(work, "index.json"), "w") as f:
            json.dump(index, f, indent=1, sort_keys=True)
        # The same list for readers without a JSON parser: file, then the name of the object it holds.
        with open(os.path.join(work, "index.txt"), "w") as f:
            f.writelines("%s %s\n" % (entry["file"], entry["object"]) for entry in index)
        pack(work, os.path.join(options.out, "joblib.tar.xz"))


def sklearn_archives(options):
    known = {env.name[len("sklearn-"):]: env for env in envs.SKLEARN}
    for version in options.versions or known:
        if version not in known:
            sys.exit("no environment for scikit-learn %s; there are: %s" % (version, ", ".join(known)))
        work = options.keep and os.path.join(options.keep, "sklearn-" + version)
        with tempfile.TemporaryDirectory() as temporary:
            work = work or temporary
            shutil.rmtree(work, ignore_errors=True)
            os.makedirs(work)
            run(known[version], options.envs, "cases.py", work)
            pack(work, os.path.join(options.out, "sklearn-%s.tar.xz" % version))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", default=os.path.expanduser("~/.cache/foretell/envs"),
                        help="where the pinned environments live (default: %(default)s)")
    parser.add_argument("--out", default=HERE, help="where the archives go (default: beside this script)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("joblib", help="write joblib.tar.xz").set_defaults(run=joblib_archive)
    sklearn = commands.add_parser("sklearn", help="write sklearn-<version>.tar.xz")
    sklearn.add_argument("versions", nargs="*", help="scikit-learn versions (default: all)")
    sklearn.add_argument("--keep", help="leave the unpacked trees in this folder")
    sklearn.set_defaults(run=sklearn_archives)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
