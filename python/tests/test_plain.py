"""foretell._plain: pickles and joblib dumps are read without executing anything in them."""

import collections
import datetime
import decimal
import io
import os
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from foretell import _plain
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

PLAIN = {
    "scalars": [1, -(10**30), 2.5, True, None, "ä", b"\0\xff", 1 + 2j, bytearray(b"ab")],
    "containers": {"a": [1, (2, 3)], "b": {4, 5}, "c": frozenset([6]), 7: collections.OrderedDict(x=1)},
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "dates": [datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
              datetime.timedelta(days=3), datetime.time(1, 2)],
    "decimal": decimal.Decimal("1.10"),
    "arrays": [np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(["a", "bc"]),
               np.array([1, "x", None], dtype=object), np.zeros((0, 3), np.float32), np.array(3.0),
               np.array(["2020-01-01"], "M8[D]"), np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])],
    "numpy_scalars": [np.float64(1.5), np.int32(3), np.str_("x"), np.bool_(True), np.dtype("f4")],
}


def same(left, right):
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and bool((left == right).all())
    if isinstance(left, dict):
        return type(left) is type(right) and list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", PLAIN)
def test_plain_pickles(name, protocol):
    assert same(_plain.read_pickle(io.BytesIO(pickle.dumps(PLAIN[name], protocol))), PLAIN[name])


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("lz4", 3)])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_joblib(tmp_path, name, compress):
    path = tmp_path / "m.joblib"
    joblib.dump(PLAIN[name], path, compress=compress)
    with open(path, "rb") as file:
        assert same(_plain.read_joblib(file), PLAIN[name])


class Executes:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function, arguments", [
    (os.system, ("touch {}",)), (eval, ("open({!r}, 'w')",)), (exec, ("open({!r}, 'w')",)), (open, ("{}", "w")),
    (os.mkdir, ("{}",))])
def test_nothing_is_executed(tmp_path, function, arguments):
    path = tmp_path / "made"
    arguments = tuple(text.format(str(path)) for text in arguments)
    read = _plain.read_pickle(io.BytesIO(pickle.dumps({"a": Executes(function, *arguments), "b": 1})))
    assert isinstance(read["a"], _plain.Inert) and read["b"] == 1
    assert not path.exists()


@pytest.mark.parametrize("first, arguments", [
    (np.empty, (10**12,)), (bytearray, (10**12,)), (np.ndarray, ((10**12,),)),
    (np.core.multiarray._reconstruct if not hasattr(np, "_core") else np._core.multiarray._reconstruct,
     (np.ndarray, (10**12,), "d"))])
def test_nothing_is_allocated_for_few_bytes(first, arguments):
    try:
        read = _plain.read_pickle(io.BytesIO(pickle.dumps(Executes(first, *arguments))))
    except pickle.UnpicklingError:
        return
    assert isinstance(read, _plain.Inert)


def test_types_that_files_may_use_cannot_be_changed():
    for kind in {*_plain.PLAIN.values()}:
        with pytest.raises(TypeError):
            kind.foretell_test = 1


def test_marks_of_one_file_are_not_those_of_another():
    """A file can set attributes of the classes that stand for its own; another file has other ones."""
    data = b"\x80\x04\x8c\x01m\x8c\x01C\x93N}\x8c\x01n\x8c\x04evil\x86\x86b."  # BUILD of the class itself, slots
    changed = b"\x80\x04\x8c\x01m\x8c\x01C\x93N}\x8c\x04name\x8c\x04evils\x86b."
    for each in (data, changed):
        try:
            _plain.read_pickle(io.BytesIO(each))
        except pickle.UnpicklingError:
            pass
    assert _plain.Inert.name == "an object"
    fresh = _plain.read_pickle(io.BytesIO(b"\x80\x04\x8c\x01m\x8c\x01C\x93."))
    assert fresh.name == "m.C"


def test_models_are_marks_and_the_file_stands_behind_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    models = [RandomForestClassifier(5).fit(x, y), HistGradientBoostingClassifier(max_iter=3).fit(x, y), pd.DataFrame(x)]
    file = io.BytesIO(b"".join(pickle.dumps(model) for model in models) + pickle.dumps("end"))
    names = [_plain.read_pickle(file).name for _ in models]
    assert names[:2] == ["sklearn.ensemble._forest.RandomForestClassifier",
                         "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier"]
    assert _plain.read_pickle(file) == "end"
    with pytest.raises(EOFError):
        _plain.read_pickle(file)


@pytest.mark.parametrize("compress", [0, 3])
def test_marks_in_containers(tmp_path, compress):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    model = RandomForestClassifier(5).fit(x, y)
    path = tmp_path / "m.joblib"
    joblib.dump({"model": model, "more": [model, (1, model)], "mean": x.mean(axis=0)}, path, compress=compress)
    with open(path, "rb") as file:
        read = _plain.read_joblib(file)
    found = list(_plain.marks(read))
    assert [place for place, _ in found] == [("model",), ("more", 0), ("more", 1, 1)]
    assert len({id(mark) for _, mark in found}) == 1
    assert (read["mean"] == x.mean(axis=0)).all() and _plain.hidden(read) is None
    assert _plain.replaced(read, {id(found[0][1]): "here"})["more"] == ["here", (1, "here")]


def test_hidden_marks():
    mark = _plain.Inert()
    for value in ([{mark}], {"a": np.array([mark, 1], dtype=object)}, [type(mark)]):
        assert _plain.hidden(value) is not None, value


@pytest.mark.parametrize("seed", range(200))
def test_damaged_files_are_errors(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    data = bytearray(pickle.dumps([RandomForestClassifier(2, max_depth=2).fit(x, y), PLAIN["arrays"]]) if seed < 20
                     else pickle.dumps(list(PLAIN.values())))
    for _ in range(rng.integers(1, 4)):
        data[rng.integers(0, len(data))] = rng.integers(0, 256)
    for read in (_plain.read_pickle, _plain.read_joblib):
        try:
            read(io.BytesIO(bytes(data)))
        except (pickle.UnpicklingError, EOFError, MemoryError):
            pass
