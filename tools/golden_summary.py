#!/usr/bin/env python3
"""Run the golden cases and print how many pass, per archive and class, with the failures by cause.

    tools/golden_summary.py                    every version
    tools/golden_summary.py --version sklearn-1.2.2 --only rf --failures
"""

import argparse
import collections
import concurrent.futures
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/python"))
import golden  # noqa: E402


def attempt(version, case, method):
    """(version, case, method, None or what went wrong)"""
    with tempfile.TemporaryDirectory() as folder:
        try:
            golden.check(version, case, method, folder)
        except Exception as error:  # every way to fail counts
            return version, case, method, str(error) or type(error).__name__
    return version, case, method, None


def cause(text):
    """The failure with its particulars taken out, so that alike failures count together."""
    text = re.sub(r"\S*/(models|inputs)/\S+", r"\1", text)
    return re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", text)[:160]


def table(results):
    passed, total = collections.Counter(), collections.Counter()
    for version, case, _, wrong in results:
        for key in ((case["final"], version), ("all", version)):
            total[key] += 1
            passed[key] += wrong is None
    versions = golden.versions()
    names = sorted({name for name, _ in total} - {"all"}) + ["all"]
    versions = [version for version in versions if ("all", version) in total]
    print("%-32s" % "" + "".join("%10s" % version.replace("sklearn-", "")[-9:] for version in versions))
    for name in names:
        cells = ["%d/%d" % (passed[name, v], total[name, v]) if total[name, v] else "" for v in versions]
        print("%-32s" % name + "".join("%10s" % cell for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="append", help="archive, such as sklearn-1.2.2 (may be repeated)")
    parser.add_argument("--only", default="", help="regular expression on case names and classes")
    parser.add_argument("--failures", action="store_true", help="list every failure")
    parser.add_argument("--jobs", type=int, default=2, help="programs at once (default: 2)")
    options = parser.parse_args()
    wanted = re.compile(options.only)
    work = [(version, case, method) for version in options.version or golden.versions()
            for case in golden.cases(version) if wanted.search(case["name"]) or wanted.search(case["final"])
            for method in golden.methods(case)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda item: attempt(*item), work))
    table(results)
    failures = [result for result in results if result[3] is not None]
    by_cause = collections.defaultdict(list)
    for version, case, method, wrong in failures:
        by_cause[case["final"], cause(wrong)].append(f"{version}-{case['name']}-{method}")
    print()
    for (name, text), ids in sorted(by_cause.items(), key=lambda item: (item[0][0], -len(item[1]))):
        print("%4d  %s: %s   e.g. %s" % (len(ids), name, text, ids[0]))
    if options.failures:
        print()
        for version, case, method, wrong in failures:
            print(f"{version}-{case['name']}-{method}: {wrong}")
    print("\n%d passed, %d failed" % (len(results) - len(failures), len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
