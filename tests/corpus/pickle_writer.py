"""Writes pickles by hand, opcode by opcode, so that they can be wrong in any way. Every function returns bytes."""

import struct

STOP, MARK, POP, DUP = b".", b"(", b"0", b"2"
NONE, TRUE, FALSE = b"N", b"\x88", b"\x89"
EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET = b")", b"]", b"}", b"\x8f"
REDUCE, BUILD, NEWOBJ, INST, OBJ, MEMOIZE = b"R", b"b", b"\x81", b"i", b"o", b"\x94"


def pickled(body, protocol=4):
    return b"\x80" + bytes([protocol]) + body + STOP


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return (b"\x8c" + bytes([len(data)]) if len(data) < 256 else b"X" + struct.pack("<I", len(data))) + data


def raw(data):
    return (b"C" + bytes([len(data)]) if len(data) < 256 else b"B" + struct.pack("<I", len(data))) + data


def integer(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def number(value):
    return b"G" + struct.pack(">d", value)


def value(thing):
    """Python's simple values; bytes are taken as opcodes already written."""
    if isinstance(thing, bytes):
        return thing
    if thing is None:
        return NONE
    if isinstance(thing, bool):
        return TRUE if thing else FALSE
    if isinstance(thing, int):
        return integer(thing)
    if isinstance(thing, float):
        return number(thing)
    if isinstance(thing, str):
        return text(thing)
    if isinstance(thing, tuple):
        return MARK + b"".join(map(value, thing)) + b"t"
    if isinstance(thing, list):
        return EMPTY_LIST + MARK + b"".join(map(value, thing)) + b"e"
    if isinstance(thing, dict):
        return EMPTY_DICT + MARK + b"".join(value(k) + value(v) for k, v in thing.items()) + b"u"
    raise TypeError(thing)


def get(index):
    return b"h" + bytes([index]) if index < 256 else b"j" + struct.pack("<I", index)


def put(index):
    return b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)


def named(module, name):
    return text(module) + text(name) + b"\x93"


def call(module, name, *arguments):
    return named(module, name) + value(tuple(arguments)) + REDUCE


def instance(module, name, state):
    return named(module, name) + EMPTY_TUPLE + NEWOBJ + value(state) + BUILD


# ---- numpy ----


def dtype(code, byte_order="<"):
    state = (3, byte_order, None, None, None, -1, -1, 0)
    if code[0] in "OVSU":
        state = (3, "|", None, None, None, -1, -1, 63 if code == "O8" else 0)
    return call("numpy", "dtype", code, False, True) + value(state) + BUILD


def record(fields, size, code=None):
    """A structured dtype: fields are (name, code, offset)."""
    names = tuple(name for name, _, _ in fields)
    places = {name: (dtype(kind, "|" if kind == "u1" else "<"), offset) for name, kind, offset in fields}
    state = (3, "|", None, names, places, size, 1, 16)
    return call("numpy", "dtype", code or f"V{size}", False, True) + value(state) + BUILD


def array(kind, shape, data, fortran=False):
    """data: bytes of the elements, or opcodes of a list for object arrays, given as a list."""
    kind = dtype(kind) if isinstance(kind, str) else kind
    start = call("numpy.core.multiarray", "_reconstruct", named("numpy", "ndarray"), (0,), raw(b"b"))
    content = value(data) if isinstance(data, list) else raw(data)
    return start + value((1, shape, kind, fortran, content)) + BUILD


def doubles(*numbers):
    return array("f8", (len(numbers),), struct.pack(f"<{len(numbers)}d", *numbers))


def longs(*numbers):
    return array("i8", (len(numbers),), struct.pack(f"<{len(numbers)}q", *numbers))


# ---- joblib ----


def joblib_array(kind, shape, data, order="C", padding=None, wrapper="NumpyArrayWrapper"):
    """An array as joblib writes it: the wrapper object, then the bytes in the stream."""
    kind = dtype(kind) if isinstance(kind, str) else kind
    state = {"subclass": named("numpy", "ndarray"), "shape": shape, "order": order, "dtype": kind, "allow_mmap": False}
    if padding is not None:
        state["numpy_array_alignment_bytes"] = 16
        data = bytes([len(padding)]) + padding + data
    return instance("joblib.numpy_pickle", wrapper, state) + data


# ---- scikit-learn ----

NODE_FIELDS = [("left_child", "i8", 0), ("right_child", "i8", 8), ("feature", "i8", 16), ("threshold", "f8", 24),
               ("impurity", "f8", 32), ("n_node_samples", "i8", 40), ("weighted_n_node_samples", "f8", 48),
               ("missing_go_to_left", "u1", 56)]
# left, right, feature, threshold; 3 leaves
GOOD_NODES = [(1, 2, 0, 0.5), (-1, -1, -2, -2.0), (3, 4, 1, 1.5), (-1, -1, -2, -2.0), (-1, -1, -2, -2.0)]


def node_bytes(nodes):
    return b"".join(struct.pack("<qqqddqdB7x", left, right, feature, threshold, 0.0, 2, 2.0, 0)
                    for left, right, feature, threshold in nodes)


def tree(nodes=None, n_features=2, n_outputs=1, values=None, count=None, node_array=None, value_array=None, classes=1):
    nodes = GOOD_NODES if nodes is None else nodes
    count = len(nodes) if count is None else count
    if node_array is None:
        node_array = array(record(NODE_FIELDS, 64), (len(nodes),), node_bytes(nodes))
    if value_array is None:
        values = [float(i) for i in range(len(nodes))] if values is None else values
        value_array = array("f8", (len(values), 1, 1), struct.pack(f"<{len(values)}d", *values))
    state = {"max_depth": 2, "node_count": count, "nodes": node_array, "values": value_array}
    return (call("sklearn.tree._tree", "Tree", n_features, longs(*[classes] * n_outputs), n_outputs) + value(state)
            + BUILD)


def tree_regressor(tree_=None, **changes):
    state = {"criterion": "squared_error", "splitter": "best", "max_depth": 2, "min_samples_split": 2,
             "min_samples_leaf": 1, "min_weight_fraction_leaf": 0.0, "max_features": None, "max_leaf_nodes": None,
             "random_state": 0, "min_impurity_decrease": 0.0, "class_weight": None, "ccp_alpha": 0.0,
             "monotonic_cst": None, "n_features_in_": 2, "n_outputs_": 1, "max_features_": 2,
             "tree_": tree() if tree_ is None else tree_, "_sklearn_version": "1.5.2"}
    state.update(changes)
    return instance("sklearn.tree._classes", "DecisionTreeRegressor", state)


def forest(trees, **changes):
    state = {"estimator": tree_regressor(), "n_estimators": len(trees), "estimator_params": (), "bootstrap": True, "oob_score": False,
             "n_jobs": None, "random_state": 0, "verbose": 0, "warm_start": False, "class_weight": None,
             "max_samples": None, "criterion": "squared_error", "max_depth": 2, "min_samples_split": 2,
             "min_samples_leaf": 1, "min_weight_fraction_leaf": 0.0, "max_features": 1.0, "max_leaf_nodes": None,
             "min_impurity_decrease": 0.0, "ccp_alpha": 0.0, "monotonic_cst": None, "n_features_in_": 2,
             "n_outputs_": 1, "estimators_": list(trees), "_sklearn_version": "1.5.2"}
    state.update(changes)
    return instance("sklearn.ensemble._forest", "RandomForestRegressor", state)


def linear(coefficients=None, **changes):
    state = {"fit_intercept": True, "copy_X": True, "n_jobs": None, "positive": False, "n_features_in_": 2,
             "coef_": doubles(1.0, 2.0) if coefficients is None else coefficients, "rank_": 2,
             "singular_": doubles(1.0, 1.0), "intercept_": 0.5, "_sklearn_version": "1.5.2"}
    state.update(changes)
    return instance("sklearn.linear_model._base", "LinearRegression", state)


def scaler(mean=None, scale=None):
    mean = doubles(0.0, 0.0) if mean is None else mean
    scale = doubles(1.0, 1.0) if scale is None else scale
    return instance("sklearn.preprocessing._data", "StandardScaler",
                    {"with_mean": True, "with_std": True, "copy": True, "n_features_in_": 2, "n_samples_seen_": 4,
                     "mean_": mean, "var_": scale, "scale_": scale, "_sklearn_version": "1.5.2"})


def pipeline(*steps):
    named_steps = [(f"step{i}", step) for i, step in enumerate(steps)]
    return instance("sklearn.pipeline", "Pipeline",
                    {"steps": named_steps, "memory": None, "verbose": False, "_sklearn_version": "1.5.2"})
