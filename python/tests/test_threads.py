"""Threads, forks, subinterpreters, and limits of threads: the same numbers whatever runs beside."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import threading

import foretell
import numpy as np
import pytest
from foretell import _context, _core, threadpool

SITE = str(pathlib.Path(foretell.__file__).parents[1])


def run(program, **environment):
    """What a program prints that is run by this interpreter with this package."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": SITE, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_threads_share_a_model(forest_path):
    model = _core.Model.open(_core.Context(), forest_path)
    X = np.random.default_rng(0).normal(size=(2000, 4))
    expected = model.run(X, ("predict", "predict_proba"))
    for got in ([model.run(X, ("predict", "predict_proba"), threads=n) for n in (0, 2, 3)]):
        assert np.array_equal(got[0], expected[0]) and np.array_equal(got[1], expected[1])

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(50):
            rows = rng.integers(0, 2000, rng.choice([1, 3, 700]))
            if not np.array_equal(model.run(X[rows], ("predict_proba",))[0], expected[1][rows]):
                return False
        return True
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_the_first_run_of_many_threads(lr_path, rows_of, original):
    """Facts and plans are made once, whoever comes first."""
    X, expected = rows_of(lr_path), original(lr_path).predict(rows_of(lr_path))
    for _ in range(10):
        model, barrier, wrong = _core.Model.open(_core.Context(), lr_path), threading.Barrier(4), []

        def work(model=model, barrier=barrier, wrong=wrong):
            barrier.wait()
            if not np.array_equal(model.run(X, ("predict",))[0], expected):
                wrong.append(1)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_a_cache_of_many_threads(lr_path, forest_path):
    cache = _core.Cache(_core.Context(), cache_size=1)

    def work(i):
        model, _ = cache.get((lr_path, forest_path)[i % 2])
        return model.run(np.zeros((1, 4)), ("predict_proba",))[0].shape
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(100))) == {(1, 2), (1, 3)}


def test_long_work_lets_others_go_on(forest_path):
    """The interpreter is given away while the library predicts: another thread counts meanwhile."""
    model = _core.Model.open(_core.Context(), forest_path)
    X = np.zeros((300_000, 4))
    model.run(X[:10], ("predict_proba",))
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1
    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = counted[0]
        model.run(X, ("predict_proba",))
        during = counted[0] - before
    finally:
        done.set()
        thread.join()
    assert during > 100


def test_one_context_and_cache_a_process(lr_path):
    assert _context.context() is _context.context() and _context.cache() is _context.cache()
    model, _ = _context.cache().get(lr_path)
    assert model.info()["n_inputs"] == 4


FORK = """
import os
import numpy as np
from foretell import _context
path = {path!r}
model, _ = _context.cache().get(path)
X = np.zeros((200000, 4))
expected = model.run(X, ("predict_proba",), threads=0)[0]
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        again, answer = _context.cache().get(path)
        same = np.array_equal(again.run(X, ("predict_proba",), threads=0)[0], expected)
        same = same and np.array_equal(model.run(X[:1], ("predict_proba",))[0], expected[:1])
        os._exit(0 if same and answer["hit"] else 1)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
print(np.array_equal(model.run(X, ("predict_proba",), threads=0)[0], expected))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_children_of_a_fork_go_on(forest_path):
    assert run(FORK.format(path=str(forest_path))) == ["[0,", "0,", "0]", "True"]


def test_threads_by_the_environment(forest_path):
    program = ("from foretell import _context, threadpool; import numpy as np\n"
               f"m, _ = _context.cache().get({str(forest_path)!r})\n"
               "print(_context.context().threads, threadpool.get_num_threads())\n"
               "m.run(np.zeros((400000, 4)), ('predict_proba',), threads=0)\n"
               "import os; print(len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)")
    environment = {"OPENBLAS_NUM_THREADS": "1"}
    assert run(program, FORETELL_THREADS="1", **environment)[:2] == ["1", "1"]
    assert run(program, FORETELL_THREADS="3", **environment)[:2] == ["3", "3"]
    with pytest.raises(AssertionError, match="FORETELL_THREADS is a number from 0 to 65535, not 'two'"):
        run(program, FORETELL_THREADS="two")


def test_limits_of_threads(lr_path, rows_of, tmp_path):
    rows_of(lr_path).to_csv(tmp_path / "rows.csv", index=False)
    model = _core.Model.open(_core.Context(threads=4), lr_path)
    try:
        threadpool.set_num_threads(1)
        assert threadpool.get_num_threads() == 1
        assert model.score_file(tmp_path / "rows.csv", tmp_path / "out.csv")["threads"] == 1
        assert model.run(rows_of(lr_path), ("predict",), threads=0)[0].shape == (400,)
    finally:
        threadpool.set_num_threads(None)
    assert threadpool.get_num_threads() >= 1
    with pytest.raises(ValueError):
        threadpool.set_num_threads(0)


def test_threadpoolctl_knows_the_threads():
    import threadpoolctl
    threadpool.register()
    threadpool.register()
    own = [row for row in threadpoolctl.threadpool_info() if row["user_api"] == "foretell"]
    assert len(own) == 1 and own[0]["version"] == foretell.__version__
    with threadpoolctl.threadpool_limits(1, user_api="foretell"):
        assert threadpool.get_num_threads() == 1
    assert threadpool.get_num_threads() == own[0]["num_threads"]


SUBINTERPRETER = """
import sys
import _interpreters
program = '''
import foretell
from foretell import _context, _core
model, answer = _context.cache().get({path!r})
seen = []
figures = model.score_file({rows!r}, {out!r}, progress=seen.append)
print(model.info()["n_inputs"], figures["rows_written"], len(seen) > 0)
'''
for kind in ("legacy", "isolated"):
    interpreter = _interpreters.create(kind)
    problem = _interpreters.run_string(interpreter, program)
    if problem:
        print(problem.errdisplay, file=sys.stderr)
        sys.exit(1)
    _interpreters.destroy(interpreter)
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="interpreters beside the first one are made by Python 3.13 and later")
def test_interpreters_beside_the_first(lr_path, rows_of, tmp_path):
    """Files are scored there as well, each interpreter with a GIL of its own; numpy cannot be imported there."""
    rows_of(lr_path).to_csv(tmp_path / "rows.csv", index=False)
    program = SUBINTERPRETER.format(path=str(lr_path), rows=str(tmp_path / "rows.csv"), out=str(tmp_path / "out.csv"))
    assert run(program) == ["4", "400", "True"] * 2
