"""apredict and its kin: the loop does not wait, tasks that are cancelled end their work."""

import asyncio
import os
import time

import numpy as np
import pytest
from conftest import named_frame, numeric_rows
from foretell import errors
from foretell.inference import OptimizedPredictor


@pytest.fixture(scope="module")
def predictor():
    return OptimizedPredictor(cache_size=5)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    named_frame(50_000).to_csv(path, index=False)
    return path


def test_apredict(predictor, forest_path, original):
    rows = numeric_rows(20)
    result = asyncio.run(predictor.apredict(forest_path, rows, return_probabilities=True))
    assert np.array_equal(result["predictions"], original(forest_path).predict(rows))
    assert result["probabilities"].shape == (20, 3)


def test_many_at_once(predictor, forest_path, original):
    parts = [numeric_rows(20, seed=i) for i in range(50)]

    async def all_of_them():
        return await asyncio.gather(*(predictor.apredict(forest_path, rows) for rows in parts))

    for rows, result in zip(parts, asyncio.run(all_of_them()), strict=True):
        assert np.array_equal(result["predictions"], original(forest_path).predict(rows))


def test_awarmup_and_apredict_batch(predictor, lr_path, large, original, tmp_path):
    async def work():
        warmed = await predictor.awarmup(lr_path)
        result = await predictor.apredict_batch(lr_path, large, tmp_path / "out.csv", chunk_size=1000)
        return warmed, result

    warmed, result = asyncio.run(work())
    assert warmed["models"][0]["cached"] and len(result) == 50_000 and result.metrics["batch_size"] == 1000


def test_errors_come_through(predictor, tmp_path):
    with pytest.raises(errors.ModelNotFoundError):
        asyncio.run(predictor.apredict(tmp_path / "no.joblib", [[1.0]]))
    with pytest.raises(ValueError, match="batch_size"):
        asyncio.run(predictor.apredict_batch("model.joblib", "rows.csv", batch_size=0))


def test_the_loop_goes_on_meanwhile(predictor, lr_path, large):
    async def work():
        gaps, running = [], True

        async def tick():
            last = time.perf_counter()
            while running:
                await asyncio.sleep(0.001)
                gaps.append(time.perf_counter() - last)
                last = time.perf_counter()

        ticking = asyncio.create_task(tick())
        await predictor.apredict_batch(lr_path, [large] * 40)
        running = False
        await ticking
        return gaps

    gaps = asyncio.run(work())
    assert len(gaps) > 10


def test_a_cancelled_task_ends_its_job_and_leaves_nothing(predictor, lr_path, large, tmp_path):
    seen = []

    async def work(**options):
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def progress(report):
            seen.append(report["rows"])
            loop.call_soon_threadsafe(begun.set)

        task = asyncio.create_task(
            predictor.apredict_batch(lr_path, [large] * 4000, progress=progress, **options)
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    descriptors = len(os.listdir("/proc/self/fd"))
    begun = time.monotonic()
    asyncio.run(work(output_path=tmp_path / "out.csv"))
    asyncio.run(work(memory_cap=0, spool_dir=tmp_path))
    assert time.monotonic() - begun < 20 and max(seen) < 200_000_000
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_a_cancelled_prediction(predictor, forest_path):
    rows = numeric_rows(200_000)

    async def work():
        task = asyncio.create_task(predictor.apredict(forest_path, rows))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert predictor.predict(forest_path, rows[:5])["n_samples"] == 5


@pytest.mark.parametrize("size", [1, 4])
def test_apredict_stream_of_an_async_iterable(size, predictor, lr_path, original):
    frame = named_frame(10, seed=4)

    async def rows():
        for row in frame.to_dict("records"):
            await asyncio.sleep(0)
            yield row

    async def work():
        return [each async for each in predictor.apredict_stream(lr_path, rows(), batch_size=size)]

    assert asyncio.run(work()) == list(original(lr_path).predict(frame))


def test_apredict_stream_of_an_iterable(predictor, lr_path, original):
    frame = named_frame(10, seed=4)

    async def work():
        return [
            each
            async for each in predictor.apredict_stream(
                lr_path, frame.values.tolist(), 3, return_probabilities=True
            )
        ]

    assert [each["prediction"] for each in asyncio.run(work())] == list(original(lr_path).predict(frame))


def test_apredict_stream_refuses_at_once(predictor, lr_path):
    with pytest.raises(ValueError, match="rows is"):
        predictor.apredict_stream(lr_path, 5)


def test_the_child_of_a_fork_has_threads_of_its_own(predictor, forest_path):
    rows = numeric_rows(5)
    asyncio.run(predictor.apredict(forest_path, rows))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if asyncio.run(predictor.apredict(forest_path, rows))["n_samples"] == 5 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
