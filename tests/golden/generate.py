#!/usr/bin/env python3
"""Write the golden fixtures: small models of many scikit-learn versions with those versions' own outputs.

    generate.py joblib                  joblib.tar.xz: array and object layouts of joblib 0.9 to the newest
    generate.py SET                     <set>-<version>.tar.xz for every version; the sets are in sets.py
    generate.py sklearn 1.2.2 1.9.1     for these versions only

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
import sets

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


def set_archives(options):
    chosen = sets.SETS[options.command]
    known = {env.name.partition("-")[2]: env for env in chosen.envs}
    for version in options.versions or known:
        if version not in known:
            sys.exit("no environment for %s %s; there are: %s" % (options.command, version, ", ".join(known)))
        name = "%s-%s" % (options.command, version)
        with tempfile.TemporaryDirectory() as temporary:
            work = os.path.join(options.keep, name) if options.keep else temporary
            shutil.rmtree(work, ignore_errors=True)
            os.makedirs(work)
            run(known[version], options.envs, "cases.py", work, *chosen.modules)
            pack(work, os.path.join(options.out, name + ".tar.xz"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", default=os.path.expanduser("~/.cache/foretell/envs"),
                        help="where the pinned environments live (default: %(default)s)")
    parser.add_argument("--out", default=HERE, help="where the archives go (default: beside this script)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("joblib", help="write joblib.tar.xz").set_defaults(run=joblib_archive)
    for name in sets.SETS:
        command = commands.add_parser(name, help="write %s-<version>.tar.xz" % name)
        command.add_argument("versions", nargs="*", help="versions (default: all)")
        command.add_argument("--keep", help="leave the unpacked trees in this folder")
        command.set_defaults(run=set_archives)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
