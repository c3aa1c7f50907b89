"""get_optimized_predictor: one predictor a process."""

import subprocess
import sys
import threading

import pytest
from conftest import named_frame
from foretell import errors
from foretell.inference import OptimizedPredictor, get_optimized_predictor


def test_there_is_one():
    assert get_optimized_predictor() is get_optimized_predictor()
    assert isinstance(get_optimized_predictor(), OptimizedPredictor)


def test_one_s_own_is_another():
    assert OptimizedPredictor() is not get_optimized_predictor()


def test_threads_get_the_same_one():
    script = """
import threading
from foretell.inference import get_optimized_predictor
begin, found = threading.Barrier(16), []
def ask():
    begin.wait()
    found.append(get_optimized_predictor())
threads = [threading.Thread(target=ask) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 16 and len({id(each) for each in found}) == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_it_is_configured_by_the_first_call():
    script = """
from foretell.inference import get_optimized_predictor
from foretell import errors
predictor = get_optimized_predictor(cache_size=30)
assert predictor.cache.max_size == 30
assert get_optimized_predictor() is predictor
assert get_optimized_predictor(cache_size=30) is predictor
try:
    get_optimized_predictor(cache_size=5)
except errors.ArgumentError as error:
    assert "30" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_other_settings_later_are_refused():
    get_optimized_predictor()
    with pytest.raises(errors.ArgumentError, match="OptimizedPredictor of your own"):
        get_optimized_predictor(cache_size=1234)


def test_it_keeps_models_between_callers(lr_path):
    get_optimized_predictor().warmup(lr_path)
    found = []

    def elsewhere():
        found.append(get_optimized_predictor().predict(lr_path, named_frame(3))["cache_hit"])

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [True]


def test_the_child_of_a_fork_has_it_too(lr_path):
    script = f"""
import os, threading, time
import numpy as np
from foretell.inference import get_optimized_predictor
predictor = get_optimized_predictor()
row = [{{"age": 30, "tenure": 2, "balance": 900.0, "rate": 0.5}}]
predictor.predict({str(lr_path)!r}, row)
if os.fork() == 0:
    assert get_optimized_predictor() is predictor
    assert predictor.predict({str(lr_path)!r}, row)["cache_hit"]
    assert predictor.get_cache_stats()["predictions"] == 2
    os._exit(7)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)
