"""What any file may cost: a second and 64 bytes of memory a byte, and nothing hidden in what is printed.

Each test names the kind of trick. Files are made here, so that none need to be kept; sizes are such that a quadratic
walk, or a copy for every owner, would take many times the limits.
"""

import bz2
import copyreg
import functools
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zlib

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.multioutput import MultiOutputRegressor

import ftl

sys.path.insert(0, str(ftl.ROOT / "tests" / "corpus"))

import pickle_writer as w  # noqa: E402

FLOOR = 256 << 20  # memory that any file may take
PROGRAM = 24 << 20  # the program's own, and its buffers
PER_BYTE = 64


# A process begins with its parent's peak of memory: the program runs below a small one, which says what it used.
LAUNCHER = """
import os, resource, sys
child = os.fork()
if not child:
    limit = int(sys.argv[1])
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.execv(sys.argv[3], sys.argv[3:])
_, status, used = os.wait4(child, 0)
with open(sys.argv[2], "w") as out:
    print(os.waitstatus_to_exitcode(status), used.ru_maxrss, used.ru_utime + used.ru_stime, file=out)
"""


class Cost:
    def __init__(self, arguments, address_space=0):
        self.seconds = 1e9
        for _ in range(3):  # the least of three, as others use the machine
            with tempfile.NamedTemporaryFile("r") as used:
                run = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, str(address_space), used.name,
                                      ftl.program(), *map(str, arguments)], capture_output=True)
                code, memory, seconds = used.read().split()
            self.out, self.err = run.stdout, run.stderr
            self.code, self.memory = int(code), int(memory) * 1024
            self.seconds = min(self.seconds, float(seconds))
            if self.seconds < 0.7:
                break

    def error(self):
        return self.err.decode("utf-8")


def inspect(tmp_path, data, decoded=None, name="model.pkl"):
    """Inspects the bytes, within what they may cost."""
    path = tmp_path / name
    path.write_bytes(data)
    size = decoded or len(data)
    cost = Cost(["inspect", path], address_space=4 << 30)
    assert cost.code >= 0, f"killed by signal {-cost.code}"
    assert cost.code in (0, 3), cost.error()
    assert cost.seconds <= 1 + size * 1e-7, f"{cost.seconds} s for {size} bytes"
    assert cost.memory <= PROGRAM + FLOOR + PER_BYTE * size, f"{cost.memory} bytes for {size}"
    return cost


def refused(cost, *codes):
    assert cost.code == 3, (cost.code, cost.out, cost.err)
    assert any(f" {code}: " in cost.error() for code in codes), cost.error()
    assert cost.err.count(b"\n") == 1


def obj(module, name, **state):
    return w.instance(module, name, {**state, "_sklearn_version": "1.5.2"})


def many(first, use, n):
    """A list of one thing n times: made once, then referred to by its memo entry."""
    return w.EMPTY_LIST + w.MARK + first + use * (n - 1) + b"e"


# ---- Recursion and walks ----


@pytest.mark.parametrize("links", [1, 10, 20, 64, 200])
def test_booster_that_holds_itself(tmp_path, links):
    """Recursion around the limit of nesting: wrappers of wrappers, the last of which holds the first."""
    head = w.named("xgboost.sklearn", "XGBClassifier") + w.EMPTY_TUPLE + w.NEWOBJ + w.put(0)
    body = head
    for _ in range(links - 1):
        body += w.EMPTY_DICT + w.text("_Booster") + w.named("xgboost.sklearn", "XGBClassifier") + w.EMPTY_TUPLE + w.NEWOBJ
    body += w.EMPTY_DICT + w.text("_Booster") + w.get(0) + b"s" + w.BUILD
    body += (b"s" + w.BUILD) * (links - 1)
    refused(inspect(tmp_path, w.pickled(body)), "LIMIT", "CORRUPT")


@pytest.mark.parametrize("n", [100, 10000])
def test_list_that_holds_itself(tmp_path, n):
    """A walk that comes back to what it has walked."""
    lists = w.EMPTY_LIST + w.put(0) + w.MARK + w.get(0) * n + b"e"
    model = obj("sklearn.pipeline", "Pipeline", steps=[("a", obj("sklearn.nowhere", "Nothing", x=lists))])
    refused(inspect(tmp_path, w.pickled(model)), "UNSUPPORTED", "LIMIT")
    refused(inspect(tmp_path, w.pickled(lists)), "UNSUPPORTED", "LIMIT")


def test_levels_of_shared_lists(tmp_path):
    """Two references a level: a walk without memory takes 2 to the number of levels."""
    body = w.text("leaf") + w.put(0)
    for i in range(38):
        body += b"0" + w.EMPTY_LIST + w.put(i + 1) + w.MARK + w.get(i) * 2 + b"e"
    model = obj("sklearn.pipeline", "Pipeline", steps=[("a", obj("sklearn.nowhere", "Nothing", x=body))])
    refused(inspect(tmp_path, w.pickled(model)), "UNSUPPORTED")


def test_unsupported_parts_many(tmp_path):
    """Each problem compared with all earlier ones."""
    parts = [(f"p{i}", obj("sklearn.nowhere", f"N{i}")) for i in range(8000)]
    refused(inspect(tmp_path, w.pickled(obj("sklearn.pipeline", "Pipeline", steps=parts))), "UNSUPPORTED")


# ---- Texts and dicts that are worked on at every reference ----


@pytest.mark.parametrize("size", [900, 200_000])
def test_long_names(tmp_path, size):
    """STACK_GLOBAL with one long remembered name."""
    body = w.text("m" * size) + w.put(0) + w.text("n" * size) + w.put(1) + b"00" + w.EMPTY_LIST + w.MARK
    body += (w.get(0) + w.get(1) + b"\x93") * 60000 + b"e"
    refused(inspect(tmp_path, w.pickled(body)), "LIMIT", "UNSUPPORTED")


def test_long_names_of_functions_that_calls_name(tmp_path):
    """Names come out of _ufunc_reconstruct's and dill's _get_attr's arguments, too."""
    name = w.text(".a" * 250_000)
    ufunc = w.named("numpy.core", "_ufunc_reconstruct") + w.put(0) + w.text("numpy") + name + b"\x86" + w.put(1) + b"00"
    body = ufunc + w.EMPTY_LIST + w.MARK + (w.get(0) + w.get(1) + w.REDUCE) * 200 + b"e"
    refused(inspect(tmp_path, w.pickled(body)), "LIMIT")
    module = w.named("dill._dill", "_import_module") + w.text("numpy.core.multiarray") + b"\x85" + w.REDUCE
    dill = w.named("dill._dill", "_get_attr") + w.put(0) + module + name + b"\x86" + w.put(1) + b"00"
    body = dill + w.EMPTY_LIST + w.MARK + (w.get(0) + w.get(1) + w.REDUCE) * 200 + b"e"
    refused(inspect(tmp_path, w.pickled(body)), "LIMIT")


def test_long_dtype_text(tmp_path):
    """numpy.dtype of one long remembered text."""
    body = w.named("numpy", "dtype") + w.put(0) + w.text("f" + "0" * 200_000 + "8") + b"\x85" + w.put(1) + b"00"
    body += w.EMPTY_LIST + w.MARK + (w.get(0) + w.get(1) + w.REDUCE) * 50000 + b"e"
    refused(inspect(tmp_path, w.pickled(body)), "UNSUPPORTED", "LIMIT")


@pytest.mark.parametrize("module, name", [("scipy.sparse._csr", "csr_matrix"), ("joblib.numpy_pickle", "NumpyArrayWrapper"),
                                          ("pandas.core.arrays.string_arrow", "ArrowStringArray")])
def test_shared_state(tmp_path, module, name):
    """A large state dict that thousands of objects share: looked through for each."""
    state = w.EMPTY_DICT + w.MARK + b"".join(w.text(f"k{i}") + w.NONE for i in range(30000)) + b"u" + w.put(0) + b"0"
    body = state + w.named(module, name) + w.EMPTY_TUPLE + w.NEWOBJ + w.put(1) + b"0" + w.EMPTY_LIST + w.MARK
    body += w.named(module, name) + w.put(2) + b"0"
    body += (w.get(2) + w.EMPTY_TUPLE + w.NEWOBJ + w.get(0) + w.BUILD) * 20000 + b"e"
    refused(inspect(tmp_path, w.pickled(body)), "LIMIT", "CORRUPT", "UNSUPPORTED")


def test_estimators_with_one_large_state(tmp_path):
    """Attributes of 20,000 estimators looked up in one dict of 30,000."""
    state = w.EMPTY_DICT + w.MARK + w.text("_sklearn_version") + w.text("1.5.2") + w.text("n_features_in_") + w.integer(2)
    state += w.text("coef_") + w.doubles(1.0, 2.0) + w.text("intercept_") + w.number(0.5)
    state += b"".join(w.text(f"k{i}") + w.NONE for i in range(30000)) + b"u" + w.put(0) + b"0"
    first = state + w.named("sklearn.linear_model._base", "LinearRegression") + w.put(1) + b"0"
    children = first + w.EMPTY_LIST + w.MARK + (w.get(1) + w.EMPTY_TUPLE + w.NEWOBJ + w.get(0) + w.BUILD) * 20000 + b"e"
    inspect(tmp_path, w.pickled(obj("sklearn.multioutput", "MultiOutputRegressor", estimators_=children)))


def test_one_handle_of_many_boosters(tmp_path):
    """The same library's own bytes parsed for every owner."""
    nodes = 3000
    tree = {"left_children": [-1] * nodes, "junk": ["x" * 20] * nodes}
    handle = json.dumps({"learner": {"gradient_booster": {"model": {"trees": [tree]}}}, "version": [2, 0, 0]}).encode()
    booster = w.named("xgboost.core", "Booster") + w.put(1) + b"0" + w.raw(handle) + w.put(0) + b"0"
    one = w.get(1) + w.EMPTY_TUPLE + w.NEWOBJ + w.EMPTY_DICT + w.text("handle") + w.get(0) + b"s" + w.BUILD
    children = booster + w.EMPTY_LIST + w.MARK + one * 16000 + b"e"
    inspect(tmp_path, w.pickled(obj("sklearn.multioutput", "MultiOutputRegressor", estimators_=children)))


class Owner:
    """Pickled as an object of the library's class with this state."""

    def __init__(self, cls, state):
        self.cls, self.state = cls, state


class OwnersPickler(pickle.Pickler):
    def reducer_override(self, thing):
        if isinstance(thing, Owner):
            return copyreg._reconstructor, (thing.cls, object, None), dict(thing.state)
        return NotImplemented


@functools.lru_cache(None)
def booster_state(library):
    x = np.random.default_rng(0).normal(size=(500, 4))
    if library == "lightgbm":
        booster = lightgbm.LGBMRegressor(n_estimators=50, verbose=-1).fit(x, x[:, 0]).booster_
    elif library == "catboost":
        booster = catboost.CatBoostRegressor(iterations=200, verbose=0, allow_writing_files=False).fit(x, x[:, 0])
    else:
        booster = xgboost.XGBRegressor(n_estimators=50).fit(x, x[:, 0]).get_booster()
    return type(booster), booster.__getstate__()


@pytest.mark.parametrize("library", ["lightgbm", "catboost", "xgboost"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_real_handle_of_many_boosters(tmp_path, library, listed):
    """The library's own bytes, which boosters of one model, or of a dict, share: read once, or a limit."""
    cls, state = booster_state(library)
    owners = [Owner(cls, state) for _ in range(20_000)]
    model = MultiOutputRegressor(None)
    model.estimators_, model.n_features_in_ = owners, 4
    data = io.BytesIO()
    OwnersPickler(data, 4).dump({str(i): owner for i, owner in enumerate(owners)} if listed else model)
    inspect(tmp_path, data.getvalue())


# ---- What the file shares, copied for every owner ----


def texts(values):
    return w.array("O8", (len(values),), values)


def encoder(cls, categories, n, **state):
    return obj("sklearn.preprocessing._encoders", cls, categories="auto", dtype=w.named("numpy", "float64"),
               handle_unknown="error", unknown_value=None, encoded_missing_value=float("nan"), min_frequency=None,
               max_categories=None, n_features_in_=n, categories_=categories, drop=None, drop_idx_=None,
               sparse_output=False, feature_name_combiner="concat", _drop_idx_after_grouping=None,
               _infrequent_enabled=False, **state)


@pytest.mark.parametrize("cls", ["OrdinalEncoder", "OneHotEncoder"])
@pytest.mark.parametrize("n, values", [(100_000, [f"c{i}" for i in range(1000)]), (300, ["v" * 3000 + str(i) for i in range(300)])])
def test_shared_categories(tmp_path, cls, n, values):
    categories = many(texts(values) + w.put(0), w.get(0), n)
    cost = inspect(tmp_path, w.pickled(encoder(cls, categories, n)))
    if cls == "OneHotEncoder":
        return refused(cost, "LIMIT")  # a name for every column that it makes
    assert cost.code == 0 and cost.memory < FLOOR, (cost.error(), cost.memory)


def test_plan_of_shared_categories(tmp_path):
    """The steps of a plan share as well: the same list for all columns, one table to look it up."""
    values = ["v" * 3000 + str(i) for i in range(300)]
    model, rows = tmp_path / "model.pkl", tmp_path / "rows.csv"
    model.write_bytes(w.pickled(encoder("OrdinalEncoder", many(texts(values) + w.put(0), w.get(0), 300), 300)))
    rows.write_text(",".join(f"x{i}" for i in range(300)) + "\n" + ",".join(values[i] for i in range(300)) + "\n")
    cost = Cost(["predict", model, rows, "--method", "transform", "-o", tmp_path / "out.npy"])
    assert cost.code == 0 and cost.memory < PROGRAM + (32 << 20), (cost.error(), cost.memory)
    assert np.load(tmp_path / "out.npy").tolist() == [list(range(300))]


def test_plan_that_looks_up_shared_categories(tmp_path):
    """Two lists in turns: the model has each once, but a plan would make a table for every column."""
    a, b, n = texts([f"a{i}" for i in range(1000)]) + w.put(0), texts([f"b{i}" for i in range(1000)]) + w.put(1), 20000
    categories = w.EMPTY_LIST + w.MARK + a + b + (w.get(0) + w.get(1)) * (n // 2 - 1) + b"e"
    model, rows = tmp_path / "model.pkl", tmp_path / "rows.csv"
    data = w.pickled(encoder("OrdinalEncoder", categories, n))
    assert inspect(tmp_path, data).code == 0
    rows.write_text(",".join(f"x{i}" for i in range(n)) + "\n")
    cost = Cost(["predict", model, rows, "--method", "transform", "-o", tmp_path / "out.npy"], address_space=4 << 30)
    refused(cost, "LIMIT")
    assert "its plan" in cost.error() and cost.memory <= PROGRAM + 2 * FLOOR + 2 * PER_BYTE * len(data)


def test_shared_column_name(tmp_path):
    """One-hot columns of one long name: a name for every category."""
    values = [f"c{i}" for i in range(4000)]
    names = texts(["n" * 1_000_000])
    inspect(tmp_path, w.pickled(encoder("OneHotEncoder", [texts(values)], 1, feature_names_in_=names)))


def test_names_of_products(tmp_path):
    """Polynomial features of long names: half a million products of three."""
    names = texts([f"{i}" + "f" * 2000 for i in range(150)])
    poly = obj("sklearn.preprocessing._polynomial", "PolynomialFeatures", degree=3, interaction_only=False,
               include_bias=True, order="C", n_features_in_=150, _min_degree=0, _max_degree=3,
               n_output_features_=585276, _n_out_full=585276, feature_names_in_=names)
    inspect(tmp_path, w.pickled(poly))


def test_shared_weights(tmp_path):
    """A bag of one linear model, 30,000 times, over 60,000 columns."""
    n = 60000
    line = w.linear(w.array("f8", (n,), b"\0" * 8 * n), n_features_in_=n) + w.put(0)
    chosen = many(w.array("i8", (n,), b"\0" * 8 * n) + w.put(1), w.get(1), 30000)
    bag = obj("sklearn.ensemble._bagging", "BaggingRegressor", n_features_in_=n, n_estimators=30000,
              estimators_=many(line, w.get(0), 30000), estimators_features_=chosen, bootstrap_features=False)
    inspect(tmp_path, w.pickled(bag))


def test_pipeline_of_one_scaler(tmp_path):
    n = 60000
    zeros = w.array("f8", (n,), b"\0" * 8 * n) + w.put(0)
    scaler = obj("sklearn.preprocessing._data", "StandardScaler", with_mean=True, with_std=True, n_features_in_=n,
                 n_samples_seen_=4, mean_=zeros, var_=w.get(0), scale_=w.get(0)) + w.put(1)
    steps = w.EMPTY_LIST + w.MARK + w.text("a") + scaler + b"\x86"
    steps += b"".join(w.text(f"s{i}") + w.get(1) + b"\x86" for i in range(3000)) + b"e"
    inspect(tmp_path, w.pickled(obj("sklearn.pipeline", "Pipeline", steps=steps, memory=None, verbose=False)))


def test_forest_of_one_tree(tmp_path):
    depth = 3000
    nodes = []
    for i in range(depth):  # a chain: each node has a leaf and the next node
        nodes += [(2 * i + 1, 2 * i + 2, i % 2, 0.5), (-1, -1, -2, -2.0)]
    nodes.append((-1, -1, -2, -2.0))
    tree = w.tree_regressor(w.tree(nodes)) + w.put(0)
    inspect(tmp_path, w.pickled(w.forest([], n_estimators=30000, estimators_=many(tree, w.get(0), 30000))))


def test_many_small_objects(tmp_path):
    """A byte an object, from few compressed bytes."""
    plain = w.pickled(w.EMPTY_LIST + w.MARK + w.EMPTY_LIST * 5_000_000 + b"e")
    refused(inspect(tmp_path, gzip.compress(plain), decoded=len(plain)), "UNSUPPORTED", "LIMIT")


# ---- Codecs and side files ----


def zstd_frame(data):
    """A frame of one raw block."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


MEMBERS = {"gzip": gzip.compress(b""), "bzip2": bz2.compress(b""), "xz": lzma.compress(b""), "zstd": zstd_frame(b""),
           "bzip2 of a byte": bz2.compress(b"x"), "gzip of a byte": gzip.compress(b"x")}


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_that_hold_nothing(tmp_path, kind):
    """Millions of members, each of which takes time to begin, out of a few hundred bytes."""
    good = w.pickled(w.linear())
    data = gzip.compress(gzip.compress(MEMBERS[kind] * 400_000 + good))
    refused(inspect(tmp_path, data), "LIMIT", "CORRUPT")


def test_members_that_are_full(tmp_path):
    """Files in pieces, as parallel compressors write them, open."""
    good = w.pickled(w.linear(padding="p" * 400_000))
    parts = [good[i:i + 65536] for i in range(0, len(good), 65536)]
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert inspect(tmp_path, b"".join(map(pack, parts)), decoded=len(good)).code == 0


@pytest.mark.parametrize("where", ["first", "between", "last"])
def test_skippable_frames(tmp_path, where):
    """zstd with skippable frames, as pzstd and the seekable format write it."""
    good = w.pickled(w.linear())
    skip = b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"\1\2\3\4"
    a, b = zstd_frame(good[:200]), b"".join(zstd_frame(good[i:i + 200]) for i in range(200, len(good), 200))
    data = {"first": skip + a + b, "between": a + skip + skip + b, "last": a + b + skip}[where]
    cost = inspect(tmp_path, data)
    assert cost.code == 0, cost.err


def side_model(name, n):
    state = {"filename": name, "state": (1, (n,), w.dtype("f8"), False),
             "init_args": (w.named("numpy", "ndarray"), (0,), w.raw(b"b"))}
    return w.instance("joblib.numpy_pickle", "ZNDArrayWrapper", state)


def test_side_file_bomb(tmp_path):
    """A compressed side file that decodes to gigabytes."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    data = gzip.compress(data)
    (tmp_path / "m_01.npy.z").write_bytes(data)
    path = tmp_path / "m.pkl"
    path.write_bytes(w.pickled(side_model("m_01.npy.z", 1 << 27), 2))
    cost = Cost(["inspect", path], address_space=4 << 30)
    refused(cost, "LIMIT")
    assert cost.memory <= PROGRAM + 2 * FLOOR + PER_BYTE * len(data)


def test_side_file_twice(tmp_path):
    """One side file, an array for every mention."""
    (tmp_path / "m_01.npy.z").write_bytes(zlib.compress(bytes(1 << 20)))
    side = side_model("m_01.npy.z", 1 << 17)
    refused(inspect(tmp_path, w.pickled(w.value([side] * 50), 2), name="m.pkl"), "CORRUPT")


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_side_file_that_is_none(tmp_path, kind):
    """A side file that is a link leads out of the folder, and a pipe never ends."""
    if kind == "link":
        (tmp_path / "m_01.npy.z").symlink_to("/etc/passwd")
    else:
        os.mkfifo(tmp_path / "m_01.npy.z")
    path = tmp_path / "m.pkl"
    path.write_bytes(w.pickled(side_model("m_01.npy.z", 8), 2))
    run = ftl.run("inspect", path, timeout=20)
    assert run.returncode == 3 and " FORBIDDEN: " in run.stderr, run.stderr


# ---- Tables and outputs ----


def test_batch_of_a_wide_model(tmp_path):
    """Five thousand rows of ten thousand outputs are not held at once."""
    n = 10000
    model = w.linear(w.array("f8", (n, 1), b"\0" * 8 * n), n_features_in_=1,
                     intercept_=w.array("f8", (n,), b"\0" * 8 * n))
    (tmp_path / "m.pkl").write_bytes(w.pickled(model))
    (tmp_path / "rows.csv").write_text("a\n" + "1\n" * 6000)
    cost = Cost(["predict", tmp_path / "m.pkl", tmp_path / "rows.csv", "-q", "-o", "/dev/null"])
    assert cost.code == 0, cost.err
    assert cost.memory < 200 << 20, cost.memory


def test_wide_header(tmp_path):
    """Names of a header of many columns are found in a table, not one after the other."""
    names = [f"column_{i}" for i in range(50000)]
    (tmp_path / "m.pkl").write_bytes(w.pickled(obj(
        "sklearn.preprocessing._data", "StandardScaler", with_mean=False, with_std=False, n_features_in_=len(names),
        n_samples_seen_=4, mean_=None, var_=None, scale_=None, feature_names_in_=texts(names))))
    (tmp_path / "rows.csv").write_text(",".join(reversed(names)) + "\n" + ",".join("1" * len(names)) + "\n")
    cost = Cost(["predict", tmp_path / "m.pkl", tmp_path / "rows.csv", "-q", "-o", "/dev/null"])
    assert cost.code == 0, cost.err
    assert cost.seconds < 1.5, cost.seconds


def test_npy_that_claims_too_much(tmp_path):
    """A size whose product wraps around."""
    header = b"{'descr': '<f8', 'fortran_order': True, 'shape': (4611686018427387904, 2), }"
    header += b" " * (117 - len(header)) + b"\n"
    (tmp_path / "rows.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    (tmp_path / "m.pkl").write_bytes(w.pickled(w.linear()))
    run = ftl.run("predict", tmp_path / "m.pkl", tmp_path / "rows.npy")
    assert run.returncode == 4 and "too large" in run.stderr, run.stderr


def test_trees_without_columns(tmp_path):
    """A booster of no columns: refused when it is opened, not a division by zero."""
    tree = {"base_weights": [0.5], "left_children": [-1], "right_children": [-1], "parents": [2147483647],
            "split_indices": [0], "split_conditions": [0.5], "default_left": [0], "split_type": [0], "categories": [],
            "categories_nodes": [], "categories_segments": [], "categories_sizes": [], "id": 0,
            "loss_changes": [0.0], "sum_hessian": [1.0],
            "tree_param": {"num_deleted": "0", "num_feature": "0", "num_nodes": "1", "size_leaf_vector": "1"}}
    model = {"learner": {"attributes": {}, "feature_names": [], "feature_types": [],
                         "gradient_booster": {"model": {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
                                                        "iteration_indptr": [0, 1], "tree_info": [0], "trees": [tree]},
                                              "name": "gbtree"},
                         "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0",
                                                 "num_feature": "0", "num_target": "1"},
                         "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}},
             "version": [2, 0, 3]}
    (tmp_path / "m.json").write_text(json.dumps(model))
    (tmp_path / "rows.csv").write_text("a\n1\n")
    for arguments in (["inspect", "m.json"], ["predict", "m.json", "rows.csv"], ["check", "m.json", "rows.csv"]):
        run = ftl.run(*arguments, cwd=tmp_path)
        assert run.returncode in (0, 3), (arguments, run.returncode, run.stderr)


# ---- The file is at fault, and it is said so ----


def test_method_that_a_step_lacks(tmp_path):
    """A pipeline whose first step has no transform: not an internal error."""
    model = w.pipeline(w.tree_regressor(), w.linear())
    refused(inspect(tmp_path, w.pickled(model)), "CORRUPT", "UNSUPPORTED")


def test_name_of_64_kilobytes(tmp_path):
    """A name beyond what names may be: not out of memory."""
    union = obj("sklearn.pipeline", "FeatureUnion", n_jobs=None, transformer_weights=None, verbose=False,
                verbose_feature_names_out=True, transformer_list=[("n" * 66000, w.scaler())])
    refused(inspect(tmp_path, w.pickled(union)), "LIMIT")


def test_sizes_that_no_memory_holds(tmp_path):
    """Columns beyond all memory: the file's fault, not the machine's."""
    n = (1 << 20) - 1
    refused(inspect(tmp_path, w.pickled(obj("sklearn.preprocessing._polynomial", "PolynomialFeatures", degree=2,
                                            interaction_only=False, include_bias=True, order="C", n_features_in_=n,
                                            _min_degree=0, _max_degree=2, n_output_features_=1, _n_out_full=1))),
            "LIMIT")


# ---- What is printed ----

NASTY = "a\nclasses\x1b[31m\x9b31m\x85\u2028\u202eb\ud800c"


def classifier(labels):
    return obj("sklearn.linear_model._logistic", "LogisticRegression", penalty="l2", multi_class="auto", solver="lbfgs",
               coef_=w.array("f8", (1, 2), struct.pack("<2d", 1, 2)), intercept_=w.doubles(0.5), classes_=labels,
               n_features_in_=2, feature_names_in_=texts([NASTY, "plain"]))


def printable(data):
    text = data.decode("utf-8")  # strictly: no lone surrogates
    assert not any(c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029\u202e") for c in text), text
    return text


def test_hostile_names_in_text(tmp_path):
    """Line breaks, terminal codes (C0 and C1), marks of direction and lone surrogates in names and labels."""
    (tmp_path / "m.pkl").write_bytes(w.pickled(classifier(texts([NASTY, "no"]))))
    cost = Cost(["inspect", tmp_path / "m.pkl"])
    assert cost.code == 0, cost.err
    lines = printable(cost.out).splitlines()
    assert lines.count("classes") == 1  # none is forged
    assert sum(line.startswith("  a?classes?") for line in lines) == 2  # the label and the column


def test_hostile_names_in_json(tmp_path):
    (tmp_path / "m.pkl").write_bytes(w.pickled(classifier(texts([NASTY, "no"]))))
    cost = Cost(["inspect", "--json", tmp_path / "m.pkl"])
    assert cost.code == 0, cost.err
    shown = json.loads(printable(cost.out))
    assert shown["inputs"][0]["name"] == NASTY
    assert shown["classes"][0][0] == NASTY.replace("\ud800", "\ufffd")


def test_hostile_names_in_results(tmp_path):
    """The header and labels of a result are valid UTF-8."""
    (tmp_path / "m.pkl").write_bytes(w.pickled(classifier(texts([NASTY, "no"]))))
    (tmp_path / "rows.csv").write_text("-1,-1\n1,1\n")
    for method in ("predict", "predict_proba"):
        cost = Cost(["predict", tmp_path / "m.pkl", tmp_path / "rows.csv", "-q", "--no-header", "--method", method])
        assert cost.code == 0, cost.err
        assert "a\nclasses" in cost.out.decode("utf-8")


def test_hostile_names_in_messages(tmp_path):
    for thing in (w.call("mod" + NASTY, "fn"), obj("sklearn.nowhere", NASTY)):
        cost = inspect(tmp_path, w.pickled(thing))
        assert cost.code == 3
        printable(cost.err)
        assert cost.err.count(b"\n") == 1


def test_infinite_labels_in_json(tmp_path):
    """JSON has no infinity."""
    (tmp_path / "m.pkl").write_bytes(w.pickled(classifier(w.doubles(float("-inf"), float("inf")))))
    cost = Cost(["inspect", "--json", tmp_path / "m.pkl"])
    assert cost.code == 0, cost.err

    def never(constant):
        raise AssertionError(constant)

    assert json.loads(cost.out, parse_constant=never)["classes"] == [["-inf", "inf"]]


# ---- Other code in the file ----

# By kind: what test files of scanners of pickles call. Each stands in an attribute that nothing reads.
SYSTEM = [("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
          ("builtins", "exec"), ("__builtin__", "eval"), ("builtins", "eval.__call__"), ("builtins", "compile"),
          ("builtins", "__import__"), ("builtins", "open"), ("builtins", "getattr.__call__"), ("sys", "exit"),
          ("socket", "create_connection"), ("webbrowser", "open"), ("pydoc", "locate"), ("pydoc", "pipepager"),
          ("pkgutil", "resolve_name"), ("importlib", "import_module"), ("runpy", "run_path"), ("code", "InteractiveInterpreter"),
          ("cProfile", "runctx"), ("profile", "Profile.runctx"), ("timeit", "timeit"), ("trace", "Trace.run"),
          ("doctest", "debug_script"), ("bdb", "Bdb.run"), ("pdb", "run"), ("ensurepip", "_run_pip"), ("venv", "create"),
          ("idlelib.autocomplete", "AutoComplete.get_entity"), ("idlelib.pyshell", "ModifiedInterpreter.runcode"),
          ("lib2to3.pgen2.grammar", "Grammar.loads"), ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
          ("http.client", "HTTPSConnection"), ("httplib", "HTTPSConnection"), ("urllib.request", "urlopen"), ("ftplib", "FTP"),
          ("smtplib", "SMTP"), ("ctypes", "CDLL"), ("shutil", "rmtree"), ("tempfile", "mktemp"), ("pickle", "loads"),
          ("_pickle", "loads"), ("marshal", "loads"), ("zipimport", "zipimporter"), ("shelve", "open"), ("sqlite3", "connect"),
          ("logging.config", "dictConfig"), ("logging", "FileHandler"), ("linecache", "getline"), ("_aix_support", "_read_cmd_output"),
          ("_osx_support", "_read_output"), ("uuid", "_get_command_stdout"), ("operator", "attrgetter"),
          ("operator", "methodcaller"), ("functools", "reduce"), ("types", "CodeType.__new__"), ("gc", "get_objects"),
          ("commands", "getoutput"), ("popen2", "popen2"), ("multiprocessing.util", "spawnv_passfds"), ("signal", "signal"),
          ("threading", "Thread"), ("concurrent.futures.process", "_process_worker"), ("distutils.file_util", "write_file"),
          ("numpy.testing._private.utils", "runstring"), ("numpy.f2py.crackfortran", "getlincoef"), ("numpy", "load"),
          ("numpy.distutils.exec_command", "exec_command"), ("pandas", "read_pickle"), ("pandas", "eval"), ("joblib", "load"),
          ("sklearn", "os.system"), ("numpy", "f2py.os.system"), ("sklearn.utils", "joblib.os.system"), ("pip", "main"),
          ("setuptools", "setup"), ("requests.api", "get"), ("torch", "load"), ("random", "_os.system"),
          ("random", "_urandom"), ("typing", "get_type_hints"), ("typing", "ForwardRef"), ("pathlib", "Path.write_text"),
          ("pathlib", "PosixPath.unlink"), ("dataclasses", "_create_fn"), ("dataclasses", "make_dataclass"),
          ("re", "functools.reduce"), ("collections", "_sys.modules.clear"), ("test.support.script_helper", "assert_python_ok")]
OTHER = [("aiohttp.client", "ClientSession"), ("torch.utils.bottleneck.__main__", "run_cprofile"), ("torch.jit", "execWrapper"),
         ("tensorflow", "io.read_file"), ("keras.models", "load_model"), ("mypackage.tools", "Cleaner"), ("__main__", "Payload"),
         ("builtins", "getattr"), ("cloudpickle.cloudpickle", "_make_function"), ("dill._dill", "_create_code")]
OPCODES = {
    "reduce": lambda m, n: w.named(m, n) + w.EMPTY_TUPLE + w.REDUCE,
    "global": lambda m, n: b"c" + m.encode() + b"\n" + n.encode() + b"\n" + w.EMPTY_TUPLE + w.REDUCE,
    "inst": lambda m, n: w.MARK + b"i" + m.encode() + b"\n" + n.encode() + b"\n",
    "obj": lambda m, n: w.MARK + w.named(m, n) + b"o",
    "newobj": lambda m, n: w.named(m, n) + w.EMPTY_TUPLE + w.NEWOBJ,
    "mentioned": w.named,
    "popped": lambda m, n: w.named(m, n) + w.EMPTY_TUPLE + w.REDUCE + b"0" + w.NONE,
}


@pytest.mark.parametrize("module, name", SYSTEM)
def test_calls_of_the_system_are_refused(tmp_path, module, name):
    cost = inspect(tmp_path, w.pickled(w.linear(extra_=OPCODES["reduce"](module, name))))
    refused(cost, "FORBIDDEN")
    assert f"asks Python to call {module}.{name}" in cost.error()
    assert "do not load it with Python" in cost.error()


@pytest.mark.parametrize("opcode", OPCODES)
def test_every_opcode_that_names(tmp_path, opcode):
    refused(inspect(tmp_path, w.pickled(w.linear(extra_=OPCODES[opcode]("os", "system")))), "FORBIDDEN")
    cost = inspect(tmp_path, w.pickled(w.linear(extra_=OPCODES[opcode]("mypackage.tools", "clean"))))
    assert cost.code == 0 and b"asks Python to call mypackage.tools.clean:" in cost.out


@pytest.mark.parametrize("module, name", OTHER)
def test_other_code_is_listed(tmp_path, module, name):
    """A payload in an attribute that is not read: inert here, and yet told."""
    path = tmp_path / "m.pkl"
    path.write_bytes(w.pickled(w.linear(extra_=OPCODES["reduce"](module, name))))
    cost = Cost(["inspect", path])
    assert cost.code == 0, cost.err
    line = f"  asks Python to call {module}.{name}: do not load it with Python unless you trust it"
    assert line in cost.out.decode().splitlines()
    assert json.loads(Cost(["inspect", "--json", path]).out)["other_code"] == [f"{module}.{name}"]


CALL = b"\x80\x04" + OPCODES["global"]("os", "system") + b"0"
# Python has called the function before it sees what is wrong.
BROKEN = {
    "memo": CALL + w.get(3) + b".",
    "stack": CALL + b"K\x2a\x8c\x02osK\x01\x93.",
    "truncated": CALL + b"X\xff\xff\x00\x00abc",
    "opcode": CALL + b"\xff.",
    "no protocol": b"cos\nsystem\n(V" + b"echo\ntR0N.",
    "text": b"Vos\np2\n0Vsystem\np3\n0g2\ng3\n\x93(Vecho\ntR.",
    "plain text": b"Vos\np2\n0Vposix\np3\n0cposix\nsystem\n(Vecho\ntR.",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_code_in_a_file_that_breaks_off(tmp_path, kind):
    cost = inspect(tmp_path, BROKEN[kind])
    refused(cost, "FORBIDDEN")
    assert "asks Python to call" in cost.error() and "system" in cost.error()


@pytest.mark.parametrize("module, name", [("aiohttp.client", "ClientSession"), ("torch.utils.collect_env", "run"),
                                          ("types", "CodeType")])
def test_other_code_in_the_place_of_the_model(tmp_path, module, name):
    cost = inspect(tmp_path, w.pickled(OPCODES["reduce"](module, name)))
    refused(cost, "UNSUPPORTED")
    assert f"{module}.{name}" in cost.error() and "do not load it with Python unless you trust it" in cost.error()


def test_other_code_beside_a_part_that_fails(tmp_path):
    """A file that holds no model names the code, too."""
    cost = inspect(tmp_path, w.pickled(w.value([1, OPCODES["reduce"]("mypackage.tools", "clean")])))
    refused(cost, "UNSUPPORTED")
    assert "asks Python to call mypackage.tools.clean" in cost.error()


def test_other_code_of_many_names(tmp_path):
    calls = w.value([w.named("mypackage.tools", f"f{i}") for i in range(5000)])
    cost = inspect(tmp_path, w.pickled(w.linear(extra_=calls)))
    assert cost.code == 0
    assert cost.out.count(b"asks Python to call mypackage.tools.f") == 256 and cost.out.endswith(b"  and more\n")


def test_clean_models_list_nothing(tmp_path):
    for model in (w.linear(), w.pipeline(w.scaler(), w.forest([w.tree_regressor()]))):
        cost = inspect(tmp_path, w.pickled(model))
        assert cost.code == 0 and b"other code" not in cost.out, cost.out
