"""ModelCache: the least recently used model leaves; files that change are opened again."""

import os
import shutil
import threading

import numpy as np
import pytest
from conftest import named_frame
from foretell import errors
from foretell.inference import ModelCache, OptimizedPredictor


@pytest.fixture
def copies(lr_path, tmp_path):
    """A function: the paths of n copies of a model, which are n models."""

    def go(n):
        paths = [tmp_path / f"copy{i}.joblib" for i in range(n)]
        for path in paths:
            shutil.copy(lr_path, path)
        return paths

    return go


def test_the_second_request_is_a_hit(lr_path):
    cache = ModelCache(5)
    cache.get(lr_path)
    cache.get(lr_path)
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["loads"]) == (1, 1, 1)
    assert stats["hit_rate"] == 0.5


def test_max_size_and_its_other_name():
    assert ModelCache(max_size=7).max_size == 7
    assert ModelCache(cache_size=7).max_size == 7
    assert ModelCache(7, cache_size=7).max_size == 7
    assert ModelCache().max_size == 15
    with pytest.raises(errors.ArgumentError, match="another name"):
        ModelCache(5, cache_size=7)


@pytest.mark.parametrize("size", [0, -1, True, 2.5, "5", 1 << 40])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="max_size is .*: give a whole number of at least 1; 5 suits"):
        ModelCache(size)


def test_the_size_is_called_as_the_caller_calls_it():
    for make in (ModelCache, OptimizedPredictor):
        with pytest.raises(errors.ArgumentError, match="^cache_size is 0: give a whole number"):
            make(cache_size=0)


def test_numpy_integers_are_sizes():
    assert ModelCache(np.int64(3)).max_size == 3


def test_the_least_recently_used_model_leaves(copies):
    a, b, c = copies(3)
    cache = ModelCache(2)
    cache.get(a)
    cache.get(b)
    cache.get(a)  # b is the older one now
    cache.get(c)
    assert a in cache and c in cache and b not in cache
    assert cache.stats()["evictions"] == 1
    assert len(cache) == 2


def test_a_model_that_was_evicted_is_opened_again(copies):
    a, b = copies(2)
    cache = ModelCache(1)
    for path in (a, b, a):
        cache.get(path)
    stats = cache.stats()
    assert (stats["loads"], stats["evictions"], stats["hits"]) == (3, 2, 0)


def test_a_model_that_is_held_outlives_its_eviction(copies, rows_of, lr_path):
    a, b = copies(2)
    cache = ModelCache(1)
    held = cache.get(a)
    cache.get(b)
    assert a not in cache
    assert len(held.run(rows_of(lr_path), ("predict",))[0]) == 400


def test_evict_and_clear(copies):
    a, b, c = copies(3)
    cache = ModelCache(5)
    for path in (a, b, c):
        cache.get(path)
    assert cache.evict(a) == 1 and a not in cache
    assert cache.evict(a) == 0
    assert cache.clear() == 2 and len(cache) == 0
    assert cache.stats()["loads"] == 3  # statistics stay


def test_iterating_gives_paths_the_last_used_first(copies):
    a, b = copies(2)
    cache = ModelCache(5)
    cache.get(a)
    cache.get(b)
    assert sorted(cache) == [str(a), str(b)]


def test_other_names_of_a_file_are_in_the_cache(lr_path, tmp_path):
    cache = ModelCache(5)
    cache.get(lr_path)
    link = tmp_path / "link.joblib"
    link.symlink_to(lr_path)
    assert link in cache and str(link) in cache and str(lr_path) in cache
    assert "nothing.joblib" not in cache and 5 not in cache


def test_use_cache_false_changes_nothing_in_the_cache(copies):
    a, b = copies(2)
    cache = ModelCache(1)
    cache.get(a)
    cache.get(b, use_cache=False)
    stats = cache.stats()
    assert a in cache and b not in cache
    assert (stats["private_loads"], stats["evictions"], stats["misses"]) == (1, 0, 1)


def test_a_file_that_was_replaced_is_opened_again(lr_path, forest_path, tmp_path):
    path = tmp_path / "model.joblib"
    shutil.copy(lr_path, path)
    cache = ModelCache(5, check_always=True)
    assert cache.get(path).info()["n_inputs"] == 4
    assert "LogisticRegression" in cache.get(path).describe()
    other = tmp_path / "new.joblib"
    shutil.copy(forest_path, other)
    os.replace(other, path)
    assert "RandomForest" in cache.get(path).describe()
    stats = cache.stats()
    assert stats["invalidations"] == 1 and stats["cache_size"] == 1


def test_a_file_that_is_half_written_leaves_the_model_of_before(lr_path, tmp_path):
    path = tmp_path / "model.joblib"
    shutil.copy(lr_path, path)
    cache = ModelCache(5, check_always=True)
    cache.get(path)
    path.write_bytes(lr_path.read_bytes()[:500])
    assert len(cache.get(path).run(named_frame(3), ("predict",))[0]) == 3
    stats = cache.stats()
    assert stats["stale_hits"] == 1
    assert stats["models"][0]["stale"] is True and stats["models"][0]["error"]


def test_a_file_that_is_gone_is_an_error_and_leaves_the_cache(lr_path, tmp_path):
    path = tmp_path / "model.joblib"
    shutil.copy(lr_path, path)
    cache = ModelCache(5, check_always=True)
    cache.get(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cache.get(path)
    assert len(cache) == 0


def test_max_bytes_bounds_the_models(copies):
    paths = copies(6)
    one = ModelCache(5)
    one.get(paths[0])
    size = one.stats()["bytes"]
    cache = ModelCache(30, max_bytes=3 * size)
    for path in paths:
        cache.get(path)
    stats = cache.stats()
    assert stats["bytes"] <= stats["max_bytes"] == 3 * size
    assert stats["evictions"] >= 2


def test_threads_that_ask_for_one_model_open_it_once(lr_path):
    cache = ModelCache(5)
    begin = threading.Barrier(8)
    models = []

    def ask():
        begin.wait()
        models.append(cache.get(lr_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 8 and cache.stats()["loads"] == 1


def test_options_make_another_model(forest_path, lr_path):
    cache = ModelCache(5)
    cache.get(lr_path)
    cache.get(lr_path, threshold=0.9)
    assert len(cache) == 2 and cache.evict(lr_path) == 2
    with pytest.raises(TypeError, match="treshold"):
        cache.get(lr_path, treshold=0.9)


def test_warm_makes_the_next_request_a_hit(lr_path):
    cache = ModelCache(5)
    answer = cache.warm(lr_path)
    assert answer["hit"] is False and answer["load_seconds"] > 0
    assert cache.warm(lr_path)["hit"] is True
    cache.get(lr_path)
    assert cache.stats()["loads"] == 1


@pytest.mark.parametrize("path", [None, 5, b"model.joblib", "", "a\0b", ["model.joblib"]])
def test_paths_that_are_none(path):
    with pytest.raises(ValueError, match="model_path is"):
        ModelCache(5).get(path)


def test_repr_says_how_full_it_is(lr_path):
    cache = ModelCache(5)
    cache.get(lr_path)
    assert repr(cache).startswith("<ModelCache: 1 of 5 models, ")
