#!/usr/bin/env python3
"""Writes the corpus of malicious and broken model files: files/ and expected.json. Standard library only.

    python3 tests/corpus/make_corpus.py

Every case names the exit code, the error code (several may be right, separated by |) and a text that the one line on standard
error must contain. Cases that begin with `good` are valid: they show that the others are refused for what is wrong with
them. Output is the same in every run (compressed cases: with the same zlib, bzip2 and xz).
"""

import bz2
import gzip
import json
import lzma
import pathlib
import struct
import sys
import zlib

sys.dont_write_bytecode = True
import catboost_writer as cb  # noqa: E402
import pickle_writer as w  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
CASES = {}


def case(name, data, code, contains=""):
    assert name not in CASES, name
    exit_code = {"OK": 0, "NOMEM": 1, "LIMIT|NOMEM": [1, 3]}.get(code, 3)
    CASES[name] = (data, {"exit": exit_code, "code": code, "contains": contains})


def gz(data):
    return gzip.compress(data, 9, mtime=0)


GOOD_TREE = w.pickled(w.tree_regressor())
GOOD_PIPELINE = w.pickled(w.pipeline(w.scaler(), w.forest([w.tree_regressor(), w.tree_regressor()])))


def good():
    case("good-tree.pkl", GOOD_TREE, "OK")
    case("good-pipeline.pkl", GOOD_PIPELINE, "OK")
    case("good-linear.pkl", w.pickled(w.linear()), "OK")
    case("good-pipeline.pkl.gz", gz(GOOD_PIPELINE), "OK")
    case("good-pipeline.pkl.gz.bz2", bz2.compress(gz(GOOD_PIPELINE)), "OK")
    names = w.array("O8", (2,), ["clear\x1b[2J\nscreen", "title\x1b]0;x\x07\r"])
    case("good-terminal-codes.pkl", w.pickled(w.linear(feature_names_in_=names)), "OK")
    padding = b"\xff" * 3
    case("good-joblib.joblib", w.pickled(w.linear(w.joblib_array("f8", (2,), struct.pack("<2d", 1, 2), padding=padding))),
         "OK")


def execution():
    """What runs a program when Python loads it."""
    def refused(name, data, contains):
        case(f"run-{name}.pkl", data, "FORBIDDEN", contains)

    refused("os-system-protocol0", b"cos\nsystem\n(S'echo pwned'\ntR.", "os.system")
    refused("posix-system", w.pickled(w.call("posix", "system", "echo pwned")), "posix.system")
    refused("nt-system", w.pickled(w.call("nt", "system", "calc")), "nt.system")
    refused("subprocess-popen-newobj",
            w.pickled(w.named("subprocess", "Popen") + w.value(("echo", "pwned")) + w.NEWOBJ), "subprocess.Popen")
    refused("subprocess-newobj-ex",
            w.pickled(w.named("subprocess", "Popen") + w.value(("echo",)) + w.value({"shell": True}) + b"\x92"),
            "subprocess.Popen")
    refused("eval", w.pickled(w.call("builtins", "eval", "__import__('os').system('echo pwned')")), "builtins.eval")
    refused("exec-inst", b"(S'import os'\ni__builtin__\nexec\n.", "exec")
    refused("exec-obj", b"\x80\x02(" + b"c__builtin__\nexec\n" + w.value("import os") + b"o.", "exec")
    refused("compile", w.pickled(w.call("builtins", "compile", "1", "x", "eval")), "builtins.compile")
    refused("import", w.pickled(w.call("builtins", "__import__", "os")), "__import__")
    refused("getattr-chain",
            w.pickled(w.named("builtins", "getattr") + w.value((w.call("builtins", "__import__", "os"), "system"))
                      + w.REDUCE + w.value(("echo pwned",)) + w.REDUCE), "builtins.")
    refused("importlib", w.pickled(w.call("importlib", "import_module", "os")), "importlib.import_module")
    refused("open", w.pickled(w.call("builtins", "open", "/etc/passwd")), "builtins.open")
    refused("io-open", w.pickled(w.call("_io", "open", "/etc/passwd")), "open")
    refused("runpy", w.pickled(w.call("runpy", "run_path", "x.py")), "runpy")
    refused("pty-spawn", w.pickled(w.call("pty", "spawn", "sh")), "pty.spawn")
    refused("webbrowser", w.pickled(w.call("webbrowser", "open", "http://example.com")), "webbrowser.open")
    refused("shutil-rmtree", w.pickled(w.call("shutil", "rmtree", "/tmp/x")), "shutil.rmtree")
    refused("socket", w.pickled(w.call("socket", "create_connection", ("example.com", 80))), "socket")
    refused("ctypes", w.pickled(w.call("ctypes", "CDLL", "libc.so.6")), "ctypes.CDLL")
    refused("timeit", w.pickled(w.call("timeit", "timeit", "1")), "timeit")
    refused("nested-loads", w.pickled(w.call("pickle", "loads", w.raw(b"N."))), "pickle.loads")
    refused("numpy-runstring", w.pickled(w.call("numpy.testing._private.utils", "runstring", "1", {})), "runstring")
    refused("code-interact", w.pickled(w.call("code", "interact")), "code.interact")
    refused("popped", w.pickled(w.call("os", "system", "echo pwned") + w.POP + w.tree_regressor()), "os.system")
    refused("in-model-attribute", w.pickled(w.tree_regressor(note=w.call("os", "system", "echo pwned"))), "os.system")
    refused("in-model-state", w.pickled(w.pipeline(w.scaler(), w.tree_regressor(w.call("os", "system", "x")))),
            "os.system")
    refused("in-object-array", w.pickled(w.tree_regressor(classes_=w.array("O8", (1,), [w.call("os", "system", "x")]))),
            "os.system")
    refused("in-joblib-object-array",
            w.pickled(w.linear(w.joblib_array("O8", (1,), w.pickled(w.array("O8", (1,), [w.call("os", "system", "x")]), 2)))),
            "os.system")
    refused("in-gzip", gz(w.pickled(w.call("os", "system", "echo pwned"))), "os.system")
    refused("names-by-memo",
            w.pickled(w.text("system") + w.put(0) + w.POP + w.text("os") + w.put(1) + w.POP + w.get(1) + w.get(0)
                      + b"\x93" + w.value(("echo pwned",)) + w.REDUCE), "os.system")
    refused("global-not-called", w.pickled(w.value([w.named("os", "system")])), "os.system")
    refused("dotted-name", w.pickled(w.call("sklearn", "os.system", "x")), "os.system")
    case("run-extension.pkl", b"\x80\x02\x82\x01.", "UNSUPPORTED|CORRUPT|FORBIDDEN", "xtension")
    case("run-extension4.pkl", b"\x80\x02\x84\xff\xff\xff\x7f.", "UNSUPPORTED|CORRUPT|FORBIDDEN", "xtension")
    case("run-persistent-id.pkl", b"\x80\x02" + w.text("storage") + b"Q.", "UNSUPPORTED|CORRUPT", "")
    case("lambda-cloudpickle.pkl",
         w.pickled(w.call("cloudpickle.cloudpickle", "_make_function", w.call("cloudpickle.cloudpickle", "_make_cell"))),
         "UNSUPPORTED|FORBIDDEN", "lambda")
    case("lambda-dill.pkl", w.pickled(w.call("dill._dill", "_create_function", 1)), "UNSUPPORTED|FORBIDDEN", "lambda")
    case("class-main.pkl", w.pickled(w.instance("__main__", "MyModel", {"x": 1})), "UNSUPPORTED", "__main__.MyModel")
    case("class-unknown.pkl", w.pickled(w.instance("mypackage.models", "Magic", {"x": 1})), "UNSUPPORTED",
         "mypackage.models.Magic")
    case("class-unknown-step.pkl", w.pickled(w.pipeline(w.scaler(), w.instance("mypackage", "Magic", {"x": 1}))),
         "UNSUPPORTED", "steps[1]")
    case("class-no-inference.pkl",
         w.pickled(w.instance("sklearn.cluster._dbscan", "DBSCAN", {"eps": 0.5, "_sklearn_version": "1.5.2"})),
         "UNSUPPORTED", "DBSCAN")


def shared_bomb(levels):
    """A tuple of the tuple below twice: 2**levels leaves for whoever walks it as a tree."""
    body = w.EMPTY_TUPLE + w.put(0)
    for level in range(levels):
        body += w.POP + w.get(level) + w.get(level) + b"\x86" + w.put(level + 1)
    return body


def bombs():
    memo = shared_bomb(100)
    case("bomb-memo.pkl", w.pickled(memo), "UNSUPPORTED|CORRUPT|LIMIT")
    case("bomb-memo-coef.pkl", w.pickled(w.linear(memo)), "UNSUPPORTED|CORRUPT|LIMIT", "coef_")
    case("bomb-memo-steps.pkl", w.pickled(w.instance("sklearn.pipeline", "Pipeline", {
        "steps": memo, "memory": None, "verbose": False, "_sklearn_version": "1.5.2"})),
        "UNSUPPORTED|CORRUPT|LIMIT", "steps")
    case("bomb-self-list.pkl", w.pickled(w.EMPTY_LIST + w.DUP + b"a"), "UNSUPPORTED|CORRUPT|LIMIT")
    case("bomb-dup.pkl.gz", gz(w.pickled(w.value("x" * 200) + w.DUP * 2_000_000)), "UNSUPPORTED|CORRUPT|LIMIT")
    case("bomb-dup-list.pkl.gz", gz(w.pickled(w.EMPTY_LIST + w.MARK + w.NONE + w.DUP * 3_000_000 + b"e")),
         "UNSUPPORTED|CORRUPT|LIMIT")
    case("bomb-objects.pkl.bz2", bz2.compress(w.pickled(w.EMPTY_LIST + w.MARK + w.EMPTY_LIST * 60_000_000 + b"e")),
         "LIMIT|NOMEM")
    case("bomb-pushes.pkl.bz2", bz2.compress(b"\x80\x04" + w.NONE * 200_000_000), "LIMIT|NOMEM")
    case("bomb-marks.pkl.bz2", bz2.compress(b"\x80\x04" + w.MARK * 200_000_000), "LIMIT|NOMEM")
    case("bomb-memoize.pkl.bz2", bz2.compress(b"\x80\x04" + w.NONE + w.MEMOIZE * 200_000_000), "LIMIT|NOMEM")
    depth = 100_000
    case("deep-lists.pkl.gz", gz(w.pickled(w.EMPTY_LIST * depth + b"a" * (depth - 1))), "LIMIT|UNSUPPORTED", "")
    case("deep-marks.pkl.gz", gz(w.pickled(w.MARK * depth + b"t" * depth)), "LIMIT|UNSUPPORTED", "")
    case("deep-tuples.pkl.gz", gz(w.pickled(w.NONE + b"\x85" * depth)), "LIMIT|UNSUPPORTED", "")
    case("deep-dicts.pkl.gz", gz(w.pickled((w.EMPTY_DICT + w.NONE) * depth + w.NONE + b"s" * depth)),
         "LIMIT|UNSUPPORTED", "")
    case("deep-coef.pkl.gz", gz(w.pickled(w.linear(w.NONE + b"\x85" * depth))), "LIMIT|CORRUPT|UNSUPPORTED", "")
    model = w.tree_regressor()
    for _ in range(400):
        model = w.pipeline(model)
    case("deep-pipelines.pkl.gz", gz(w.pickled(model)), "LIMIT", "")
    case("deep-joblib-arrays.pkl.gz", gz(nested_joblib_arrays(2000)), "LIMIT|CORRUPT", "")
    case("deep-object-arrays.pkl.gz", gz(w.pickled(w.linear(nested_object_arrays(2000)))), "LIMIT|CORRUPT", "")
    case("bomb-unions.pkl", w.pickled(shared_unions(40)), "LIMIT", "")
    case("bomb-pipelines.pkl", w.pickled(shared_pipelines(40)), "LIMIT", "")
    case("bomb-polynomial.pkl", w.pickled(w.instance("sklearn.preprocessing._polynomial", "PolynomialFeatures", {
        "degree": 12, "interaction_only": False, "include_bias": True, "order": "C", "n_features_in_": 500,
        "_min_degree": 0, "_max_degree": 12, "_n_out_full": 10 ** 15, "n_output_features_": 10 ** 15,
        "_sklearn_version": "1.5.2"})), "LIMIT", "")
    case("cycle-steps.pkl", w.pickled(cycle_pipeline()), "LIMIT|CORRUPT", "steps")
    case("cycle-estimators.pkl", w.pickled(cycle_forest()), "LIMIT|CORRUPT|UNSUPPORTED", "tree_")


def shared_unions(levels):
    """A union of the union below twice: 2**levels scalers for whoever unfolds it."""
    body = w.scaler() + w.put(0)
    for level in range(levels):
        parts = w.value([("a", w.get(level)), ("b", w.get(level))])
        body += w.POP + w.instance("sklearn.pipeline", "FeatureUnion", {
            "transformer_list": parts, "n_jobs": None, "transformer_weights": None, "verbose": False,
            "_sklearn_version": "1.5.2"}) + w.put(level + 1)
    return body


def shared_pipelines(levels):
    body = w.scaler() + w.put(0)
    for level in range(levels):
        steps = w.value([("a", w.get(level)), ("b", w.get(level))])
        body += w.POP + w.instance("sklearn.pipeline", "Pipeline", {
            "steps": steps, "memory": None, "verbose": False, "_sklearn_version": "1.5.2"}) + w.put(level + 1)
    return body


def nested_object_arrays(levels):
    body = w.NONE
    for _ in range(levels):
        body = w.array("O8", (1,), [body])
    return body


def nested_joblib_arrays(levels):
    body = w.NONE
    for _ in range(levels):
        body = w.joblib_array("O8", (1,), w.pickled(body, 2))
    return w.pickled(body)


def cycle_pipeline():
    """A pipeline whose only step is itself."""
    state = {"steps": w.value([("self", w.get(0))]), "memory": None, "verbose": False, "_sklearn_version": "1.5.2"}
    return (w.named("sklearn.pipeline", "Pipeline") + w.EMPTY_TUPLE + w.NEWOBJ + w.put(0) + w.value(state) + w.BUILD)


def cycle_forest():
    state = {"n_estimators": 1, "n_features_in_": 2, "n_outputs_": 1, "estimators_": w.value([w.get(0)]),
             "_sklearn_version": "1.5.2"}
    return (w.named("sklearn.ensemble._forest", "RandomForestRegressor") + w.EMPTY_TUPLE + w.NEWOBJ + w.put(0)
            + w.value(state) + w.BUILD)


def inflating():
    """Small files that decode to much."""
    zeros = bytes(1 << 20)
    head = b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40)  # BINBYTES8 of 1 TiB
    packer = bz2.BZ2Compressor()
    data = packer.compress(head)
    for _ in range(1024):
        data += packer.compress(zeros)
    case("inflate-1GiB-bytes.pkl.bz2", data + packer.flush(), "LIMIT|NOMEM|CORRUPT", "")
    layers = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = layers.compress(head)
    for _ in range(1024):
        data += layers.compress(zeros)
    case("inflate-1GiB-bytes.pkl.gz.gz", gz(data + layers.flush()), "LIMIT|NOMEM|CORRUPT", "")
    case("inflate-zeros.gz.gz", gz(gz(bytes(64 << 20))), "CORRUPT", "")
    data = GOOD_TREE
    for _ in range(5):
        data = gz(data)
    case("inflate-five-layers.pkl.gz", data, "LIMIT", "layers")
    case("inflate-xz-dictionary.xz", b"\x5d\x00\x00\x00\x80" + b"\xff" * 8 + b"\0" * 32, "LIMIT", "MiB")
    case("zf-length.joblib", b"ZF" + hex(2**60).encode().ljust(19) + zlib.compress(GOOD_TREE), "LIMIT", "ZF")
    case("zf-length-short.joblib", b"ZF" + hex(len(GOOD_TREE) - 1).encode().ljust(19) + zlib.compress(GOOD_TREE),
         "CORRUPT", "ZF")
    case("zf-no-data.joblib", b"ZF" + hex(100).encode().ljust(19) + b"not zlib", "CORRUPT", "ZF")


def counts():
    """Sizes that are lies."""
    huge = struct.pack("<Q", 2**63)
    tera = struct.pack("<Q", 2**40)
    case("count-unicode8.pkl", b"\x80\x04\x8d" + huge + b"abc.", "CORRUPT|LIMIT")
    case("count-unicode8-tera.pkl", b"\x80\x04\x8d" + tera + b"abc.", "CORRUPT|LIMIT")
    case("count-unicode4.pkl", b"\x80\x02X\xff\xff\xff\xffabc.", "CORRUPT|LIMIT")
    case("count-bytes8.pkl", b"\x80\x04\x8e" + tera + b"abc.", "CORRUPT|LIMIT")
    case("count-bytes8-max.pkl", b"\x80\x04\x8e" + b"\xff" * 8 + b"abc.", "CORRUPT|LIMIT")
    case("count-bytearray8.pkl", b"\x80\x05\x96" + huge + b"abc.", "CORRUPT|LIMIT")
    case("count-bytes4.pkl", b"\x80\x03B\xff\xff\xff\xffabc.", "CORRUPT|LIMIT")
    case("count-string4-negative.pkl", b"\x80\x02T\xff\xff\xff\xffabc.", "CORRUPT|LIMIT")
    case("count-long4-negative.pkl", b"\x80\x02\x8b\xff\xff\xff\xff.", "CORRUPT|LIMIT")
    case("count-long4-huge.pkl", b"\x80\x02\x8b\xff\xff\xff\x7f\x01.", "CORRUPT|LIMIT")
    case("count-frame-huge.pkl", b"\x80\x04\x95" + huge + w.tree_regressor() + b".", "CORRUPT|LIMIT|OK")
    case("memo-index-huge.pkl", b"\x80\x02Nr\xff\xff\xff\xff.", "CORRUPT|LIMIT|UNSUPPORTED")
    case("memo-put-text-huge.pkl", b"Np99999999999999999999\n.", "CORRUPT|LIMIT")
    case("memo-put-negative.pkl", b"(p-1\nN.", "CORRUPT|LIMIT")
    case("memo-get-missing.pkl", b"\x80\x02h\x07.", "CORRUPT", "memo")
    case("memo-get-huge.pkl", b"\x80\x02j\xff\xff\xff\xff.", "CORRUPT", "memo")

    def shape(name, shape_, data=b"\0" * 16, kind="f8", code="CORRUPT|LIMIT"):
        case(f"shape-{name}.pkl", w.pickled(w.linear(w.array(kind, shape_, data))), code, "")
        case(f"shape-{name}.joblib", w.pickled(w.linear(w.joblib_array(kind, shape_, data))), code, "")

    shape("tera", (2**40,))
    shape("overflow", (2**62, 4))
    shape("negative", (-1,))
    shape("negative-pair", (-2, -1))
    shape("beyond-int64", (2**70,))
    shape("dims", (1,) * 40, code="CORRUPT|LIMIT|UNSUPPORTED")
    shape("zero-times-huge", (0, 2**62), data=b"", code="CORRUPT|LIMIT|UNSUPPORTED|SHAPE")
    shape("text", "ab")
    shape("floats", (2.0,))
    case("shape-short-data.pkl", w.pickled(w.linear(w.array("f8", (3,), b"\0" * 16))), "CORRUPT", "")
    case("shape-long-data.pkl", w.pickled(w.linear(w.array("f8", (1,), b"\0" * 16))), "CORRUPT", "")
    case("shape-object-count.pkl", w.pickled(w.linear(w.array("O8", (3,), [w.NONE]))), "CORRUPT", "")
    case("shape-list-for-numbers.pkl", w.pickled(w.linear(w.array("f8", (2,), [1.0, 2.0]))),
         "CORRUPT|UNSUPPORTED|OK", "")
    case("shape-bytes-for-objects.pkl", w.pickled(w.linear(w.array("O8", (2,), b"\x41" * 16))), "CORRUPT", "")


def dtypes():
    def bad(name, fields, size, code="CORRUPT|UNSUPPORTED", item=None):
        nodes = w.array(w.record(fields, size, item), (5,), w.node_bytes(w.GOOD_NODES))
        case(f"dtype-{name}.pkl", w.pickled(w.tree_regressor(w.tree(node_array=nodes))), code, "")

    fields = w.NODE_FIELDS
    bad("itemsize-small", fields, 16)
    bad("itemsize-zero", fields, 0)
    bad("itemsize-negative", fields, -64)
    bad("itemsize-huge", fields, 2**40)
    bad("itemsize-disagrees", fields, 64, "CORRUPT|OK", item="V8")  # numpy takes the state's word too
    bad("field-outside", fields[:-1] + [("missing_go_to_left", "u1", 64)], 64)
    bad("field-negative", [("left_child", "i8", -8)] + fields[1:], 64)
    bad("field-missing", fields[1:], 64)
    bad("field-text", [("left_child", "S8", 0)] + fields[1:], 64)
    bad("field-object", [("left_child", "O8", 0)] + fields[1:], 64)
    bad("field-narrow", [("left_child", "i1", 0)] + fields[1:], 64, "CORRUPT|UNSUPPORTED|OK")
    bad("field-overlap", [("left_child", "i8", 0), ("right_child", "i8", 0)] + fields[2:], 64)
    for name, code in (("unknown", "q9"), ("empty", ""), ("void-huge", "V99999999999"), ("text-width", "U99999999999"),
                       ("wide-float", "f9"), ("no-size", "f"), ("not-ascii", "f\u0668")):
        case(f"dtype-{name}.pkl", w.pickled(w.linear(w.array(w.dtype(code or " "), (2,), b"\0" * 16))),
             "CORRUPT|UNSUPPORTED|LIMIT", "")
    case("dtype-state-short.pkl", w.pickled(w.call("numpy", "dtype", "f8") + w.value((3, "<")) + w.BUILD),
         "CORRUPT|UNSUPPORTED", "")
    case("dtype-order.pkl", w.pickled(w.linear(w.array(w.dtype("f8", "?"), (2,), b"\0" * 16))), "CORRUPT", "")


def trees():
    def bad(name, tree, code="CORRUPT"):
        case(f"tree-{name}.pkl", w.pickled(w.tree_regressor(tree)), code, "tree")
        case(f"forest-{name}.pkl.gz", gz(w.pickled(w.forest([w.tree_regressor(), w.tree_regressor(tree)]))), code,
             "tree")

    # Node counts and outputs beside the arrays are not used by anybody: a lie there may pass.
    def nodes(index, node):
        changed = list(w.GOOD_NODES)
        changed[index] = node
        return changed

    bad("child-outside", w.tree(nodes(2, (3, 5, 1, 1.5))))
    bad("child-huge", w.tree(nodes(2, (3, 2**62, 1, 1.5))))
    bad("child-negative", w.tree(nodes(2, (3, -7, 1, 1.5))))
    bad("child-half-leaf", w.tree(nodes(2, (3, -1, 1, 1.5))))
    bad("cycle-self", w.tree(nodes(2, (2, 4, 1, 1.5))))
    bad("cycle-root", w.tree(nodes(2, (0, 4, 1, 1.5))))
    bad("cycle-pair", w.tree([(1, 2, 0, 0.5), (2, 3, 0, 0.1), (1, 4, 1, 1.5), (-1, -1, -2, -2.0), (-1, -1, -2, -2.0)]))
    bad("shared-child", w.tree([(1, 1, 0, 0.5), (-1, -1, -2, -2.0)]))
    bad("feature-outside", w.tree(nodes(2, (3, 4, 2, 1.5))))
    bad("feature-huge", w.tree(nodes(2, (3, 4, 2**40, 1.5))))
    bad("feature-negative", w.tree(nodes(2, (3, 4, -3, 1.5))))
    bad("no-nodes", w.tree([]))
    bad("count-more", w.tree(count=6), code="CORRUPT|OK")
    bad("count-negative", w.tree(count=-1), code="CORRUPT|OK")
    bad("count-huge", w.tree(count=2**50), code="CORRUPT|OK")
    bad("values-few", w.tree(values=[1.0, 2.0]))
    bad("values-flat", w.tree(value_array=w.doubles(1, 2, 3, 4, 5)))
    bad("values-text", w.tree(value_array=w.array("S8", (5, 1, 1), b"a" * 40)))
    bad("values-none", w.tree(value_array=w.NONE))
    bad("nodes-none", w.tree(node_array=w.NONE))
    bad("nodes-plain", w.tree(node_array=w.doubles(1, 2, 3)))
    bad("outputs-negative", w.tree(n_outputs=-1), code="CORRUPT|OK")
    bad("outputs-huge", w.tree().replace(w.longs(1) + w.value(1), w.longs(1) + w.value(2**31 - 1)), code="CORRUPT|OK")
    bad("classes-huge", w.tree(classes=2**40), code="CORRUPT|OK")
    bad("not-a-tree", w.value("tree"))
    depth = 20_000
    chain = [(i + 1, 2 * depth - i, 0, 0.5) for i in range(depth)] + [(-1, -1, -2, -2.0)] * (depth + 1)
    case("tree-deep.pkl.xz", lzma.compress(w.pickled(w.tree_regressor(w.tree(chain, values=[0.0] * len(chain))))),
         "OK|LIMIT", "")
    case("forest-empty.pkl", w.pickled(w.forest([])), "CORRUPT", "estimators_")
    case("forest-of-text.pkl", w.pickled(w.forest([w.value("a"), w.value("b")])), "CORRUPT|UNSUPPORTED", "estimators_")
    case("forest-features-differ.pkl", w.pickled(w.forest([w.tree_regressor(w.tree(n_features=7))])),
         "CORRUPT|SHAPE|OK", "")
    case("forest-features-negative.pkl", w.pickled(w.forest([w.tree_regressor()], n_features_in_=-2)),
         "CORRUPT|SHAPE|UNSUPPORTED", "")
    case("forest-features-huge.pkl", w.pickled(w.forest([w.tree_regressor()], n_features_in_=2**62)),
         "CORRUPT|SHAPE|LIMIT", "")


def models():
    """Attributes of the wrong kind or size."""
    def bad(name, model, contains, code="CORRUPT|SHAPE"):
        case(f"model-{name}.pkl", w.pickled(model), code, contains)

    bad("coef-short", w.linear(w.doubles(1.0)), "")
    bad("coef-text", w.linear(w.value("coefficients")), "coef_")
    bad("coef-none", w.linear(w.NONE), "coef_")
    bad("coef-cube", w.linear(w.array("f8", (1, 1, 2), struct.pack("<2d", 1, 2))), "coef_")
    bad("coef-complex", w.linear(w.array("c16", (2,), b"\0" * 32)), "coef_", "CORRUPT|UNSUPPORTED")
    bad("intercept-wide", w.linear(intercept_=w.doubles(1, 2, 3)), "intercept_")
    bad("features-text", w.linear(n_features_in_="two"), "n_features_in_", "CORRUPT|OK")
    bad("scale-short", w.pipeline(w.scaler(scale=w.doubles(1.0)), w.linear()), "steps[0]")
    bad("widths-disagree", w.pipeline(w.scaler(), w.linear(w.doubles(1, 2, 3), n_features_in_=3)), "steps[1]")
    bad("no-state", w.named("sklearn.linear_model._base", "LinearRegression") + w.EMPTY_TUPLE + w.NEWOBJ, "",
        "CORRUPT|UNSUPPORTED")
    bad("state-list", w.instance("sklearn.linear_model._base", "LinearRegression", [1, 2]), "", "CORRUPT|UNSUPPORTED")
    bad("steps-empty", w.pipeline(), "steps", "CORRUPT|UNSUPPORTED")
    bad("steps-not-pairs", w.instance("sklearn.pipeline", "Pipeline", {"steps": [1, 2], "_sklearn_version": "1.5.2"}),
        "steps")
    bad("version-strange", w.linear(_sklearn_version="one.two"), "", "CORRUPT|UNSUPPORTED|OK")
    bad("version-missing", w.linear(_sklearn_version=w.NONE), "", "CORRUPT|UNSUPPORTED|OK")
    bad("version-future", w.linear(_sklearn_version="99.0"), "99.0", "UNSUPPORTED|OK")
    bad("not-fitted", w.instance("sklearn.linear_model._base", "LinearRegression",
                                 {"fit_intercept": True, "_sklearn_version": "1.5.2"}),
        "LinearRegression", "CORRUPT|UNSUPPORTED")
    bad("class-itself", w.named("sklearn.linear_model._base", "LinearRegression"), "", "CORRUPT|UNSUPPORTED")
    bad("plain-number", w.value(42), "", "UNSUPPORTED")
    bad("plain-dict", w.value({"a": 1}), "", "UNSUPPORTED")
    bad("plain-array", w.doubles(1, 2), "", "UNSUPPORTED")
    bad("none", w.NONE, "", "UNSUPPORTED")
    bad("terminal-codes", w.instance("evil\x1b[2J\nmodule", "Cl\rass\x1b]0;x\x07", {}), "", "UNSUPPORTED")
    case("model-long-name.pkl.gz", gz(w.pickled(w.instance("m" * 60000, "n" * 60000, {}))), "LIMIT", "1000 bytes")


def vectorizer(cls="CountVectorizer", **changes):
    state = {"input": "content", "strip_accents": None, "lowercase": True, "preprocessor": None, "tokenizer": None,
             "analyzer": "word", "token_pattern": r"(?u)\b\w\w+\b", "stop_words": None, "ngram_range": (1, 1), "binary": False,
             "vocabulary": None, "dtype": w.named("numpy", "float64"), "vocabulary_": {"aa": 0, "bb": 1},
             "_sklearn_version": "1.5.2"}
    return w.instance("sklearn.feature_extraction.text", cls, {**state, **changes})


def weights(**changes):
    state = {"norm": "l2", "use_idf": True, "smooth_idf": True, "sublinear_tf": False, "idf_": w.doubles(1, 2),
             "_sklearn_version": "1.5.2"}
    return w.instance("sklearn.feature_extraction.text", "TfidfTransformer", {**state, **changes})


def texts():
    """Vectorizers whose parts do not fit, and patterns that must not run."""
    def bad(name, model, contains, code="CORRUPT"):
        case(f"text-{name}.pkl", w.pickled(model), code, contains)

    case("good-text.pkl", w.pickled(vectorizer("TfidfVectorizer", _tfidf=weights())), "OK")
    bad("number-missing", vectorizer(vocabulary_={"aa": 0, "bb": 2}), "vocabulary_")
    bad("number-twice", vectorizer(vocabulary_={"aa": 0, "bb": 0}), "vocabulary_")
    bad("number-negative", vectorizer(vocabulary_={"aa": 0, "bb": -1}), "vocabulary_")
    bad("number-text", vectorizer(vocabulary_={"aa": 0, "bb": "1"}), "vocabulary_")
    bad("word-number", vectorizer(vocabulary_={"aa": 0, 5: 1}), "vocabulary_")
    bad("no-words", vectorizer(vocabulary_={}), "vocabulary_", "CORRUPT|LIMIT")
    bad("never-fitted", vectorizer(vocabulary_=None), "vocabulary_")
    bad("ngrams-none", vectorizer(ngram_range=(0, 0)), "ngram_range", "CORRUPT|UNSUPPORTED")
    bad("ngrams-backwards", vectorizer(ngram_range=(3, 2)), "ngram_range", "CORRUPT|UNSUPPORTED")
    case("good-text-ngrams.pkl", w.pickled(vectorizer(ngram_range=(1, 2**40))), "OK")
    bad("analyzer", vectorizer(analyzer="words"), "analyzer", "CORRUPT|UNSUPPORTED")
    bad("tokenizer", vectorizer(tokenizer=w.named("nltk.tokenize", "word_tokenize")), "tokenizer", "UNSUPPORTED")
    bad("stop-words", vectorizer(stop_words=7), "stop_words", "CORRUPT|UNSUPPORTED")
    bad("idf-short", vectorizer("TfidfVectorizer", _tfidf=weights(idf_=w.doubles(1))), "idf_")
    bad("idf-text", vectorizer("TfidfVectorizer", _tfidf=weights(idf_="12")), "idf_")
    bad("no-weights", vectorizer("TfidfVectorizer"), "_tfidf", "CORRUPT|UNSUPPORTED")
    bad("norm", vectorizer("TfidfVectorizer", _tfidf=weights(norm="l3")), "norm")
    bad("weights-of-nothing", weights(idf_=w.doubles()), "idf_")
    bad("no-hashes", vectorizer("HashingVectorizer", n_features=0), "n_features")
    bad("hashes", vectorizer("HashingVectorizer", n_features=2**31 - 1), "n_features", "LIMIT")
    case("good-text-hashes.pkl", w.pickled(vectorizer("HashingVectorizer", n_features=9, norm="l2")), "OK")
    for name, pattern in (("callout", r"(?C1)\w"), ("verb", r"(*LIMIT_MATCH=9)\w"), ("one-byte", r"\C"), ("recursion", r"(?R)"),
                          ("two-groups", r"(\w)(\w)"), ("open", "(" * 60), ("not-closed", "[a"), ("half", "\\"),
                          ("zero", "a\0b\\"), ("surrogate", "\ud800+"), ("huge-repeat", r"\w{99999}x"), ("reset", r"a\Kb")):
        bad("pattern-" + name, vectorizer(token_pattern=pattern), "token_pattern", "UNSUPPORTED|CORRUPT|LIMIT")


def machine():
    """Pickles that break the rules of the machine."""
    def bad(name, data, code="CORRUPT", contains=""):
        if len(data) < 9000:
            case(f"pickle-{name}.pkl", data, code, contains)
        else:
            case(f"pickle-{name}.pkl.gz", gz(data), code, contains)

    bad("no-stop", GOOD_TREE[:-1])
    bad("stop-only", b".")
    bad("stop-after-proto", b"\x80\x04.")
    bad("stop-on-mark", b"\x80\x04(.")
    bad("proto-6", b"\x80\x06N.", "CORRUPT|UNSUPPORTED", "protocol")
    bad("proto-255", b"\x80\xffN.", "CORRUPT|UNSUPPORTED", "protocol")
    bad("unknown-opcode", b"\x80\x04\xffN.")
    bad("zero-bytes", b"\0" * 64)
    # Opcodes that take something from the stack, which is empty. \x86 and so on: TUPLE2, TUPLE3, ADDITEMS, FROZENSET, …
    for opcode in b"012abdelostuQR\x81\x85\x86\x87\x90\x91\x92\x93\x94":
        bad(f"underflow-{opcode:02x}", b"\x80\x04" + bytes([opcode]) + b".")
    bad("no-mark-tuple", w.pickled(w.NONE + b"t"))
    bad("no-mark-appends", w.pickled(w.EMPTY_LIST + w.NONE + b"e"))
    bad("odd-dict", w.pickled(w.MARK + w.NONE + b"d"))
    bad("odd-setitems", w.pickled(w.EMPTY_DICT + w.MARK + w.NONE + b"u"))
    bad("append-to-int", w.pickled(w.value(1) + w.NONE + b"a"))
    bad("setitem-on-int", w.pickled(w.value(1) + w.NONE + w.NONE + b"s"))
    bad("build-on-int", w.pickled(w.value(1) + w.value({"a": 1}) + w.BUILD), "CORRUPT|UNSUPPORTED")
    bad("reduce-int", w.pickled(w.value(1) + w.EMPTY_TUPLE + w.REDUCE), "CORRUPT|UNSUPPORTED")
    bad("reduce-args-not-tuple", w.pickled(w.named("numpy", "dtype") + w.value(1) + w.REDUCE))
    bad("newobj-int", w.pickled(w.value(1) + w.EMPTY_TUPLE + w.NEWOBJ), "CORRUPT|UNSUPPORTED")
    bad("global-not-text", w.pickled(w.value(1) + w.value(2) + b"\x93"))
    bad("global-no-newline", b"\x80\x02csklearn.svm")
    bad("global-empty", b"\x80\x02c\n\nN.", "CORRUPT|UNSUPPORTED")
    bad("set-of-lists", w.pickled(w.EMPTY_SET + w.MARK + w.EMPTY_LIST + w.EMPTY_DICT + b"\x90"), "CORRUPT|UNSUPPORTED")
    bad("dict-of-list-keys", w.pickled(w.EMPTY_DICT + w.EMPTY_LIST + w.NONE + b"s"), "CORRUPT|UNSUPPORTED")
    bad("text-not-utf8", w.pickled(b"\x8c\x02\xff\xfe"))
    bad("int-not-number", b"Iabc\n.")
    bad("int-empty", b"I\n.")
    bad("int-huge", b"I" + b"9" * 10000 + b"\n.", "CORRUPT|LIMIT|UNSUPPORTED")
    bad("long-not-number", b"L12xL\n.")
    bad("float-not-number", b"F1.2.3\n.")
    bad("string-no-quotes", b"\x80\x02Sabc\n.")
    bad("string-open-quote", b"S'abc\n.")
    bad("string-escape", b"S'\\xZZ'\n.")
    bad("unicode-escape", b"\x80\x02V\\uD8\n.", "CORRUPT|UNSUPPORTED")
    bad("line-without-end", b"I" + b"1" * 100_000, "CORRUPT|LIMIT")
    bad("buffer-out-of-band", w.pickled(b"\x97", 5), "CORRUPT|UNSUPPORTED", "")
    bad("readonly-buffer", w.pickled(b"\x98", 5), "CORRUPT|UNSUPPORTED", "")
    bad("nested-proto", w.pickled(b"\x80\x04" * 3 + w.EMPTY_TUPLE), "CORRUPT|UNSUPPORTED")
    for percent in (1, 25, 50, 75, 99):
        cut = len(GOOD_PIPELINE) * percent // 100
        bad(f"cut-{percent}-percent", GOOD_PIPELINE[:cut])


def damaged():
    """Compressed models that were cut or changed on their way."""
    for name, data in (("gz", gz(GOOD_PIPELINE)), ("zlib", zlib.compress(GOOD_PIPELINE)),
                       ("bz2", bz2.compress(GOOD_PIPELINE)), ("xz", lzma.compress(GOOD_PIPELINE))):
        case(f"damaged-cut.pkl.{name}", data[: len(data) * 2 // 3], "CORRUPT", "early")
        case(f"damaged-end.pkl.{name}", data[:-1], "CORRUPT", "early")
        middle = len(data) // 2
        case(f"damaged-flip.pkl.{name}", data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1:], "CORRUPT")
        case(f"damaged-tail.pkl.{name}", data + b"tail", "CORRUPT", "follow")
    checksum = bytearray(gz(GOOD_PIPELINE))
    checksum[-6] ^= 1
    case("damaged-checksum.pkl.gz", bytes(checksum), "CORRUPT", "gzip")
    # joblib.dump truncates in place: the second half of an older, longer dump may still be there.
    case("damaged-two-versions.pkl", GOOD_PIPELINE[: len(GOOD_PIPELINE) // 2] + GOOD_TREE, "CORRUPT|UNSUPPORTED")


def joblib():
    def side_file(name, path, module="joblib.numpy_pickle", cls="NDArrayWrapper", contains="", **state):
        state = {"filename": path, "subclass": w.named("numpy", "ndarray"), "allow_mmap": True, **state}
        case(f"joblib-side-{name}.joblib", w.pickled(w.linear(w.instance(module, cls, state)), 2),
             "FORBIDDEN|CORRUPT|IO", contains)

    side_file("parent", "../../../../../../etc/passwd", contains="passwd")
    side_file("absolute", "/etc/passwd", contains="passwd")
    side_file("hidden-parent", "x/../../etc/passwd", contains="passwd")
    side_file("backslash", "..\\..\\windows\\win.ini", contains="win.ini")
    side_file("dots", "..")
    side_file("empty", "")
    side_file("nul", "good\0.npy")
    side_file("missing", "missing_01.npy", contains="missing_01.npy")
    side_file("itself", "joblib-side-itself.joblib")
    side_file("number", 42)
    side_file("compressed-parent", "../../etc/passwd", cls="ZNDArrayWrapper", contains="passwd",
              init_args=(w.named("numpy", "ndarray"), (0,), w.raw(b"b")), state=(1, (2,), w.dtype("f8"), False))
    side_file("old-name", "../etc/passwd", module="sklearn.externals.joblib.numpy_pickle", contains="passwd")
    cut = w.pickled(w.linear(w.joblib_array("f8", (2,), struct.pack("<2d", 1, 2))))
    case("joblib-array-cut.joblib", cut[: cut.index(struct.pack("<2d", 1, 2)) + 5], "CORRUPT", "")
    case("joblib-padding-beyond.joblib", w.pickled(w.linear(
        instance_with_padding(255, b"\xff" * 10))), "CORRUPT", "")
    case("joblib-order.joblib", w.pickled(w.linear(w.joblib_array("f8", (2,), b"\0" * 16, order="Q"))),
         "CORRUPT|UNSUPPORTED|OK", "")
    case("joblib-object-not-pickle.joblib", w.pickled(w.linear(w.joblib_array("O8", (2,), b"\0" * 64))), "CORRUPT", "")
    case("joblib-object-other-count.joblib",
         w.pickled(w.linear(w.joblib_array("O8", (2,), w.pickled(w.array("O8", (5,), [w.NONE] * 5), 2)))),
         "CORRUPT|UNSUPPORTED", "")
    case("joblib-wrapper-empty.joblib", w.pickled(w.instance("joblib.numpy_pickle", "NumpyArrayWrapper", {})), "CORRUPT")


def instance_with_padding(length, data):
    state = {"subclass": w.named("numpy", "ndarray"), "shape": (2,), "order": "C", "dtype": w.dtype("f8"),
             "allow_mmap": False, "numpy_array_alignment_bytes": 16}
    return w.instance("joblib.numpy_pickle", "NumpyArrayWrapper", state) + bytes([length]) + data


def zip_of(name):
    header = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0)
    return header + name.encode()


def other_files():
    """What people give by mistake."""
    def file(name, data, code, contains):
        case(f"file-{name}", data, code, contains)

    file("empty.pkl", b"", "CORRUPT", "empty")
    file("lfs-pointer.joblib", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1234\n",
         "CORRUPT", "git lfs pull")
    file("page.pkl", b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n", "CORRUPT", "web page")
    file("not-found.pkl", b"404: Not Found", "CORRUPT", "text")
    file("table.csv", b"id,price\n1,2.5\n2,3.5\n", "CORRUPT", "text")
    file("columns.csv", b"city,country\nOslo,Norway\n", "CORRUPT", "text")
    file("script.py", b"import joblib\nmodel = joblib.load('x')\n", "CORRUPT", "text")
    file("utf16.txt", "id,price\n1,2\n".encode("utf-16"), "CORRUPT", "")
    file("notebook.ipynb", b'{"cells": [], "metadata": {}}', "UNSUPPORTED", "JSON")
    file("table.parquet", b"PAR1\x15\x04\x15\x10" + b"\0" * 40 + b"PAR1", "UNSUPPORTED", "Parquet")
    file("table.arrow", b"ARROW1\0\0" + b"\0" * 40, "UNSUPPORTED", "Arrow")
    file("array.npy", b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n" + b"\0" * 16,
         "UNSUPPORTED", "NumPy array")
    file("arrays.npz", zip_of("arr_0.npy"), "UNSUPPORTED", "npz")
    file("torch.pt", zip_of("archive/data.pkl"), "UNSUPPORTED", "PyTorch zip archive")
    file("torch-old.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "UNSUPPORTED", "PyTorch")
    file("keras.keras", zip_of("metadata.json"), "UNSUPPORTED", "Keras")
    file("keras.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 56, "UNSUPPORTED", "HDF5")
    file("model.skops", zip_of("schema.json"), "UNSUPPORTED", "skops")
    file("model.onnx", b"\x08\x08\x12\x08skl2onnx\x1a\x061.20.0", "UNSUPPORTED", "ONNX")
    file("model.cbm", b"CBM1" + b"\0" * 60, "CORRUPT", "CatBoost")
    file("lightgbm.txt", b"tree\nversion=v4\nnum_class=1\n", "CORRUPT", "LightGBM")
    file("xgboost.json", b'{"learner":{"attributes":{},"feature_names":[]},"version":[2,1,0]}', "CORRUPT", "intercepts")
    file("xgboost.ubj", b"{L\0\0\0\0\0\0\0\x07learner{", "CORRUPT", "XGBoost")
    file("model.pmml", b'<?xml version="1.0"?>\n<PMML version="4.4">\n', "UNSUPPORTED", "PMML")
    file("model.rds", gz(b"X\n\0\0\0\x03\0\x04\x03\0"), "UNSUPPORTED", "R object")
    file("program", b"\x7fELF\x02\x01\x01" + b"\0" * 57, "UNSUPPORTED", "program")
    tar = bytearray(512)
    tar[:9] = b"model.pkl"
    tar[257:263] = b"ustar\0"
    file("archive.tar.gz", gz(bytes(tar)), "UNSUPPORTED", "tar archive")


def lightgbm_text(**changes):
    """LightGBM's own text: one tree of two splits, the second by category. Values replace lines of that key."""
    lines = [("version", "v4"), ("num_class", "1"), ("num_tree_per_iteration", "1"), ("label_index", "0"),
             ("max_feature_idx", "1"), ("objective", "regression"), ("feature_names", "a b"),
             ("feature_infos", "[0:1] 1:0:2"), ("tree_sizes", "9"), None, ("Tree", "0"), ("num_leaves", "3"),
             ("num_cat", "1"), ("split_feature", "0 1"), ("threshold", "0.5 0"), ("decision_type", "2 1"),
             ("left_child", "1 -1"), ("right_child", "-2 -3"), ("leaf_value", "1 2 3"), ("cat_boundaries", "0 1"),
             ("cat_threshold", "5"), ("is_linear", "0"), ("shrinkage", "1"), None, None]
    text = "tree\n"
    for line in lines:
        text += "\n" if line is None else f"{line[0]}={changes.get(line[0], line[1])}\n"
    end = changes.get("end", "end of trees\n\npandas_categorical:%s\n")
    return (text + (end % changes.get("categories", "[]") if "%" in end else end)).encode()


def lightgbm():
    def refused(name, code, contains="", **changes):
        case(f"lightgbm-{name}.txt", lightgbm_text(**changes), code, contains)

    case("good-lightgbm.txt", lightgbm_text(), "OK")
    case("good-lightgbm-categories.txt", lightgbm_text(categories='[["x", "\\u00e9", "y\\"z"]]'), "OK")
    refused("version", "UNSUPPORTED", "version 'v9'", version="v9")
    refused("objective", "UNSUPPORTED", "'magic'", objective="magic")
    refused("cut", "CORRUPT", "cut off", end="")
    refused("more-trees", "CORRUPT", "another number", tree_sizes="9 9")
    refused("columns-huge", "CORRUPT", "max_feature_idx", max_feature_idx="99999999999")
    refused("columns-names", "CORRUPT", "feature_names", max_feature_idx="5")
    case("lightgbm-columns-latin1.txt", lightgbm_text(feature_names="a \u00e9").decode().encode("latin-1"), "CORRUPT", "UTF-8")
    refused("scores-zero", "CORRUPT", "num_tree_per_iteration", num_tree_per_iteration="0")
    refused("leaves-huge", "CORRUPT", "num_leaves", num_leaves="2147483647")
    refused("leaves-none", "CORRUPT", "num_leaves", num_leaves="0")
    refused("child-beyond", "CORRUPT", "left_child", left_child="7 -1")
    refused("leaf-beyond", "CORRUPT", "right_child", right_child="-9 -3")
    refused("child-twice", "CORRUPT", "tree 0", right_child="1 -3")
    refused("cycle", "CORRUPT", "tree 0", left_child="1 0")
    refused("column-beyond", "CORRUPT", "split_feature", split_feature="0 2")
    refused("values-few", "CORRUPT", "leaf_value", leaf_value="1 2 ")
    refused("value-text", "CORRUPT", "leaf_value", leaf_value="1 2 0x3")
    refused("type", "CORRUPT", "decision_type", decision_type="14 1")
    refused("set-beyond", "CORRUPT", "threshold", threshold="0.5 1")
    refused("set-fraction", "CORRUPT", "threshold", threshold="0.5 0.25")
    refused("set-words", "CORRUPT", "cat_boundaries", cat_boundaries="0 1000000000")
    refused("set-backwards", "CORRUPT", "cat_boundaries", cat_boundaries="3 1")
    refused("set-word-huge", "CORRUPT", "cat_threshold", cat_threshold="4294967296")
    refused("linear-lacking", "CORRUPT", "num_features", is_linear="1")
    refused("categories-json", "CORRUPT", "pandas_categorical", categories='[["x"')
    refused("categories-deep", "CORRUPT|LIMIT", "pandas_categorical", categories="[" * 3000)
    refused("categories-many", "CORRUPT", "pandas_categorical", categories="[[],[],[]]")
    refused("categories-elsewhere", "CORRUPT", "pandas_categorical", categories='[["x"]]')
    state = {"_handle": lightgbm_text(left_child="1 0").decode(), "best_iteration": -1}
    case("lightgbm-booster-cycle.pkl", w.pickled(w.instance("lightgbm.basic", "Booster", state)), "CORRUPT", "tree 0")
    state = {"_Booster": w.instance("lightgbm.basic", "Booster", {"_handle": lightgbm_text().decode()}), "_n_classes": 2}
    case("lightgbm-classes-missing.pkl", w.pickled(w.instance("lightgbm.sklearn", "LGBMClassifier", state)), "CORRUPT",
         "_classes")
    case("lightgbm-not-fitted.pkl", w.pickled(w.instance("lightgbm.sklearn", "LGBMRegressor", {"_Booster": None})),
         "CORRUPT", "not fitted")


def xgboost_json(tree=None, model=None, learner=None, objective="reg:squarederror"):
    """XGBoost's JSON: one tree of two splits, the second by category. Keyword arguments replace members."""
    nodes = {"left_children": [1, -1, 3, -1, -1], "right_children": [2, -1, 4, -1, -1], "split_indices": [0, 0, 1, 0, 0],
             "split_conditions": [0.5, 1.0, 0, 2.0, 3.0], "default_left": [1, 0, 0, 0, 0], "base_weights": [0] * 5,
             "split_type": [0, 0, 1, 0, 0], "categories_nodes": [2], "categories_segments": [0], "categories_sizes": [2],
             "categories": [1, 3], "tree_param": {"num_nodes": "5", "size_leaf_vector": "1"}, "id": 0}
    booster = {"gbtree_model_param": {"num_trees": "1", "num_parallel_tree": "1"}, "trees": [dict(nodes, **(tree or {}))],
               "tree_info": [0], "iteration_indptr": [0, 1]}
    whole = {"attributes": {}, "feature_names": [], "feature_types": [],
             "gradient_booster": {"name": "gbtree", "model": dict(booster, **(model or {}))},
             "learner_model_param": dict({"base_score": "[5E-1]", "num_class": "0", "num_feature": "2", "num_target": "1"},
                                         **(learner or {})),
             "objective": {"name": objective}}
    return json.dumps({"learner": whole, "version": [3, 2, 0]}).encode()


def xgboost():
    def refused(name, code, contains="", **changes):
        case(f"xgboost-{name}.json", xgboost_json(**changes), code, contains)

    good = xgboost_json()
    case("good-xgboost.json", good, "OK")
    case("xgboost-cut.json", good[:-40], "CORRUPT", "damaged")
    case("xgboost-deep.json", b'{"learner": {"attributes": {"x": ' + b"[" * 3000, "LIMIT", "nested")
    case("xgboost-more.json", good + b"{}", "OK")  # what follows the value is not looked at
    refused("objective", "UNSUPPORTED", "magic", objective="magic")
    refused("intercept", "CORRUPT", "base_score", learner={"base_score": "[1,x]"})
    refused("intercepts", "CORRUPT", "2 intercepts", learner={"base_score": "[1,2]"})
    refused("columns-huge", "CORRUPT|LIMIT", "columns", learner={"num_feature": "2147483647"})
    refused("classes-huge", "CORRUPT", "outputs", learner={"num_class": "2147483647"})
    refused("lists", "CORRUPT", "different lengths", tree={"right_children": [2, -1]})
    refused("child-beyond", "CORRUPT", "tree 0", tree={"left_children": [1, -1, 9, -1, -1]})
    refused("cycle", "CORRUPT", "tree 0", tree={"left_children": [1, -1, 0, -1, -1]})
    refused("column-beyond", "CORRUPT", "tree 0", tree={"split_indices": [0, 0, 7, 0, 0]})
    refused("child-fraction", "CORRUPT", "integer", tree={"left_children": [1, -1, 0.5, -1, -1]})
    refused("child-huge", "CORRUPT", "integer", tree={"left_children": [1, -1, 1 << 40, -1, -1]})
    refused("no-nodes", "CORRUPT", "no nodes", tree={"left_children": []})
    refused("output-beyond", "CORRUPT", "output", model={"tree_info": [4]})
    refused("set-node", "CORRUPT", "categories", tree={"categories_nodes": [17]})
    refused("set-beyond", "CORRUPT", "categories", tree={"categories_sizes": [1000000]})
    refused("set-negative", "CORRUPT", "categories", tree={"categories_segments": [-1]})
    refused("set-huge", "CORRUPT", "categories", tree={"categories": [1, 2147483647]})
    refused("set-missing", "CORRUPT", "category", tree={"categories_nodes": []})
    refused("vector", "CORRUPT", "leaf", tree={"tree_param": {"size_leaf_vector": "3"}}, learner={"num_target": "3"})
    refused("categories", "CORRUPT", "categories", model={"cats": {"enc": [{"offsets": [0, 99], "values": [65]}]}})
    refused("booster", "CORRUPT", "type", model={"trees": {}})
    big = b"\x7f" + b"\xff" * 7
    case("xgboost-count.ubj", b"{L" + struct.pack(">q", 7) + b"learner{L" + struct.pack(">q", 13) + b"feature_names[#L" + big,
         "CORRUPT", "XGBoost")
    case("xgboost-raw.ubj", b"{L" + struct.pack(">q", 7) + b"version[$l#L" + big, "CORRUPT", "longer than the file")
    case("xgboost-key.ubj", b"{L" + big + b"learner", "CORRUPT", "longer than the file")
    binary = struct.pack("<fIiiiii", 0.5, 2, 0, 0, 0, 1, 2) + bytes(108)
    name = struct.pack("<Q", 16) + b"reg:squarederror" + struct.pack("<Q", 6) + b"gbtree"
    case("xgboost-trees.bin", b"binf" + binary + name + struct.pack("<i", 1 << 30) + bytes(156), "CORRUPT", "no trees")
    case("xgboost-nodes.bin", b"binf" + binary + name + struct.pack("<i", 1) + bytes(156) + struct.pack("<2i", 1, 1 << 30)
         + bytes(140), "CORRUPT", "longer than the file")
    case("xgboost-cut.bin", b"binf" + binary[:100], "CORRUPT", "too early")
    state = {"_Booster": w.instance("xgboost.sklearn", "XGBRegressor", {}), "n_classes_": 2}
    case("xgboost-no-booster.pkl", w.pickled(w.instance("xgboost.sklearn", "XGBClassifier", state)), "CORRUPT", "no Booster")
    case("xgboost-not-fitted.pkl", w.pickled(w.instance("xgboost.sklearn", "XGBClassifier", {})), "CORRUPT", "not fitted")


def catboost():
    """Damage in every part of a CatBoost model. Those of cb.model() that are good are seeds of the fuzz target too."""
    def refused(name, code, contains="", **changes):
        case(f"catboost-{name}.cbm", cb.model(**changes), code, contains)

    case("good-catboost.cbm", cb.model(), "OK")
    case("good-catboost-uneven.cbm", cb.uneven(), "OK")
    case("good-catboost-classes.cbm", cb.model(info={
        "class_params": '{"class_names":["no","yes"],"class_to_label":[0,1]}',
        "params": '{"loss_function":{"type":"Logloss"}}'}), "OK")
    good = cb.model()
    for at in (7, 9, 40, len(good) // 2, len(good) - 1):
        case(f"catboost-cut-{at}.cbm", good[:at], "CORRUPT")
    case("catboost-size-huge.cbm", good[:4] + b"\xff" * 12 + good[16:], "CORRUPT", "cut off")
    refused("format", "UNSUPPORTED", "FlabuffersModel_v2", format="FlabuffersModel_v2")
    refused("outputs-none", "CORRUPT", "outputs", width=0)
    refused("outputs-many", "CORRUPT", "leaf values", width=3, bias=[1, 2, 3])
    refused("split-beyond", "CORRUPT", "question 5", splits=[0, 2, 5, 1])
    refused("split-negative", "CORRUPT", "question -1", splits=[0, 2, -1, 1])
    refused("depth", "CORRUPT", "splits", splits=[0] * 18, sizes=[17, 1])
    refused("sizes-beyond", "CORRUPT", "splits", sizes=[3, 2])
    refused("values-few", "CORRUPT", "leaf values", values=[1.0] * 9)
    refused("borders-order", "CORRUPT", "order", borders=[2.5, 0.5])
    refused("borders-nan", "CORRUPT", "order", borders=[float("nan")])
    refused("nan-rule", "CORRUPT", "rule", nan_rule=3)
    refused("column-twice", "CORRUPT", "number 0", flat=0)
    refused("column-huge", "CORRUPT", "number 2147483647", flat=2 ** 31 - 1)
    refused("match-beyond", "CORRUPT", "category", matched=1)
    refused("bias-many", "CORRUPT", "biases", bias=[1.0, 2.0])
    refused("bias-infinite", "CORRUPT", "finite", bias=[float("inf")])
    refused("kind", "CORRUPT", "missing", statistic=9)
    refused("statistics-column", "CORRUPT", "column", categories=[4])
    refused("tables-none", "CORRUPT", "tables", parts=[])
    refused("tables-missing", "CORRUPT", "missing", tables=[])
    refused("table-full", "CORRUPT", "full", buckets=[(1, 0), (2, 1)])
    refused("table-odd", "CORRUPT", "buckets", buckets=[(1, 0), (2 ** 64 - 1, 0), (2, 1)])
    refused("table-entry", "CORRUPT", "entry", buckets=[(5, 0), (2 ** 64 - 1, 0), (6, 9), (2 ** 64 - 1, 0)])
    refused("table-classes", "CORRUPT", "classes", classes=-1)
    refused("text", "UNSUPPORTED", "text features", trees={
        12: cb.Vector([cb.feature(0, 0, 2, "words")]), 13: cb.Vector([cb.Table({0: cb.i32(0)})])})
    refused("classes-json", "CORRUPT", "JSON", info={"class_params": '{"class_names":["no"'})
    refused("classes-many", "CORRUPT", "classes", info={
        "class_params": '{"class_names":["a","b","c"]}', "params": '{"loss_function":{"type":"Logloss"}}'})
    refused("classes-mixed", "CORRUPT", "texts and numbers", info={"class_params": '{"class_names":["a",1]}'})
    case("catboost-step-beyond.cbm", cb.uneven(steps=[(0, 3), (0, 1), (0, 0), (0, 0)]), "CORRUPT", "tree 0")
    case("catboost-step-twice.cbm", cb.uneven(steps=[(1, 1), (0, 1), (0, 0), (0, 0)]), "CORRUPT", "tree 0")
    case("catboost-leaf-beyond.cbm", cb.uneven(leaves=[0, 1, 4, 3]), "CORRUPT", "leaf")
    case("catboost-steps-few.cbm", cb.uneven(steps=[(0, 1)]), "CORRUPT", "nodes")
    state = {"__model": w.raw(good[:100]), "loss_function": "RMSE"}
    case("catboost-pickle-cut.pkl", w.pickled(w.instance("catboost.core", "CatBoostRegressor", state)), "CORRUPT",
         "cut off")
    case("catboost-not-fitted.pkl", w.pickled(w.instance("catboost.core", "CatBoostClassifier", {"depth": 3})),
         "CORRUPT", "not fitted")


def main():
    for make in (good, execution, bombs, inflating, counts, dtypes, trees, models, texts, machine, damaged, joblib, other_files,
                 lightgbm, xgboost, catboost):
        make()
    files = FOLDER / "files"
    files.mkdir(exist_ok=True)
    for old in files.iterdir():
        if old.name not in CASES:
            old.unlink()
    for name, (data, _) in CASES.items():
        (files / name).write_bytes(data)
    expected = {name: CASES[name][1] for name in sorted(CASES)}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in expected.items())
    (FOLDER / "expected.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"{len(CASES)} cases, {sum(len(data) for data, _ in CASES.values())} bytes")


if __name__ == "__main__":
    main()
