"""foretell.fastapi: files and jobs."""

import os
import threading
import time

import numpy as np
import pandas as pd
import pytest
from conftest import mixed_frame
from fastapi_place import API, ask, make_client

pytest_plugins = ["fastapi_place"]


# ---- predict-batch


@pytest.mark.parametrize("data", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_files_in_the_answer(client, original, pipeline_path, data):
    frame, model = mixed_frame(3000, seed=5), original(pipeline_path)
    got = ask(
        client, "predict-batch", model_path="pipeline.joblib", data_path=data, return_probabilities=True
    )
    assert got["predictions"] == model.predict(frame).tolist()
    np.testing.assert_allclose(got["probabilities"], model.predict_proba(frame), atol=1e-12)
    assert got["classes"] == ["no", "yes"] and (got["n_samples"], got["n_batches"]) == (3000, 1)
    assert got["inference_time_seconds"] > 0 and got["total_time_seconds"] > 0 and "output_path" not in got


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_files_into_files(client, place, original, pipeline_path, ending):
    got = ask(
        client,
        "predict-batch",
        model_path="pipeline.joblib",
        data_path="rows.csv",
        output_path=f"done.{ending}",
        batch_size=1000,
        keep=["city"],
    )
    assert got["output_path"] == f"done.{ending}" and got["n_batches"] == 3 and "predictions" not in got
    read = {
        "csv": pd.read_csv,
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }[ending]
    written = read(place / f"out/done.{ending}")
    frame = mixed_frame(3000, seed=5)
    assert written["prediction"].tolist() == original(pipeline_path).predict(frame).tolist()
    assert written["city"].tolist() == frame["city"].tolist()
    assert not [name for name in os.listdir(place / "out") if name.startswith(".")]


def test_batch_sizes(client):
    for size, batches in (
        ({"batch_size": 1000}, 3),
        ({"chunk_size": 1000}, 3),
        ({"batch_size": "1000"}, 3),
        ({}, 1),
    ):
        got = ask(
            client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", limit=3000, **size
        )
        assert got["n_batches"] == batches
    assert (
        ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", batch_size="auto")[
            "n_samples"
        ]
        == 3000
    )
    for wrong in (0, -5, 1.5, "many", True, [5], 10**12):
        ask(
            client, "predict-batch", 422, model_path="pipeline.joblib", data_path="rows.csv", batch_size=wrong
        )
    ask(
        client,
        "predict-batch",
        422,
        model_path="pipeline.joblib",
        data_path="rows.csv",
        batch_size=5,
        chunk_size=5,
    )


@pytest.mark.parametrize(
    "path, status",
    [
        ("../outside/secret.csv", 403),
        ("sub/../../outside/secret.csv", 404),
        ("/etc/passwd", 403),
        ("link.csv", 403),
        ("nothing.csv", 404),
        ("", 422),
        ("pipe", 422),
        ("rows.csv/x", 404),
        ("x" * 5000, 422),
        ("inner.csv", 200),
        ("./seven.csv", 200),
    ],
)
def test_data_lies_beneath_its_root(client, place, path, status):
    answer = client.post(f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "data_path": path})
    assert answer.status_code == status, answer.text
    assert str(place) not in answer.text and "/proc/" not in answer.text


@pytest.mark.parametrize(
    "path, status",
    [
        ("../outside/x.csv", 403),
        ("/tmp/x.csv", 403),
        ("away/x.csv", 403),
        ("none/x.csv", 404),
        ("..", 403),
        (".", 422),
        ("a/", 422),
        ("", 422),
        ("x" * 300 + ".csv", 422),
        ("x.xlsx", 422),
    ],
)
def test_outputs_lie_beneath_their_root(client, place, path, status):
    if not (place / "out/away").is_symlink():
        (place / "out/away").symlink_to(place / "outside")
    before = sorted(os.listdir(place / "outside"))
    answer = client.post(
        f"{API}/predict-batch",
        json={"model_path": "pipeline.joblib", "data_path": "seven.csv", "output_path": path},
    )
    assert answer.status_code == status, answer.text
    assert str(place) not in answer.text and "/proc/" not in answer.text
    assert sorted(os.listdir(place / "outside")) == before


def test_outputs_are_not_written_over(client, place):
    def batch(status=200, **more):
        return ask(
            client, "predict-batch", status, model_path="pipeline.joblib", data_path="seven.csv", **more
        )

    (place / "out/there.csv").write_text("mine")
    assert "overwrite" in batch(409, output_path="there.csv")["detail"]
    assert (place / "out/there.csv").read_text() == "mine"
    batch(output_path="there.csv", overwrite=True)
    assert len((place / "out/there.csv").read_text().splitlines()) == 8
    (place / "out/folder.csv").mkdir()
    batch(409, output_path="folder.csv", overwrite=True)
    victim, link = place / "outside/victim.csv", place / "out/victim.csv"
    victim.write_text("mine")
    link.symlink_to(victim)
    batch(409, output_path="victim.csv")
    batch(output_path="victim.csv", overwrite=True)
    assert victim.read_text() == "mine" and not link.is_symlink()
    victim.unlink()


def test_what_is_read_is_not_written_over(place, models_folder):
    with make_client(place, models_folder, output_root=place / "data") as client:
        before = (place / "data/seven.csv").read_bytes()
        answer = ask(
            client,
            "predict-batch",
            409,
            model_path="pipeline.joblib",
            data_path="seven.csv",
            output_path="seven.csv",
            overwrite=True,
        )
        assert (
            "read by this very request" in answer["detail"]
            and (place / "data/seven.csv").read_bytes() == before
        )


def test_bad_rows(client, place):
    def batch(status=200, **more):
        return ask(client, "predict-batch", status, model_path="pipeline.joblib", data_path="bad.csv", **more)

    refused = batch(422, output_path="bad.csv")["detail"][0]
    assert "line 3, column 'age'" in refused["msg"] and not (place / "out/bad.csv").exists()
    skipped = batch(on_error="skip")
    assert len(skipped["predictions"]) == 2 and skipped["n_rejected"] == 1
    nulled = batch(on_error="null", return_probabilities=True)
    assert (
        nulled["predictions"][1] is None
        and nulled["probabilities"][1] == [None, None]
        and nulled["n_nulled"] == 1
    )
    assert not [name for name in os.listdir(place / "out") if name.startswith(".")]


def test_what_is_wrong_with_a_batch_is_said(client, place):
    for wrong in (
        {"on_error": "maybe"},
        {"method": "guess"},
        {"keep": [1]},
        {"async": 1},
        {"return_probabilities": "perhaps"},
        {"delimiter": ";;"},
        {"keep": ["city"]},
        {"async": True},
        {"limit": 0},
    ):
        ask(client, "predict-batch", 422, model_path="pipeline.joblib", data_path="seven.csv", **wrong)
    ask(client, "predict-batch", 404, model_path="none.joblib", data_path="seven.csv")
    ask(client, "predict-batch", 403, model_path="../x", data_path="seven.csv")
    ask(
        client,
        "predict-batch",
        422,
        model_path="pipeline.joblib",
        data_path="seven.csv",
        keep=["none"],
        output_path="never.csv",
    )
    ask(
        client,
        "predict-batch",
        422,
        model_path="regressor.joblib",
        data_path="seven.csv",
        return_probabilities=True,
    )
    assert not (place / "out/never.csv").exists()


def test_answers_have_a_limit(place, models_folder):
    with make_client(place, models_folder, max_answer_rows=2999) as client:
        refused = ask(client, "predict-batch", 413, model_path="pipeline.joblib", data_path="rows.csv")
        assert "output_path" in refused["detail"]
        got = ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", limit=5)
        assert len(got["predictions"]) == 5


def test_without_an_output_root_nothing_is_written(place, models_folder):
    with make_client(place, models_folder, output_root="") as client:
        ask(
            client,
            "predict-batch",
            403,
            model_path="pipeline.joblib",
            data_path="seven.csv",
            output_path="x.csv",
        )
        assert (
            len(
                ask(client, "predict-batch", model_path="pipeline.joblib", data_path="seven.csv")[
                    "predictions"
                ]
            )
            == 7
        )


# ---- jobs


def ended(client, number, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job = client.get(f"{API}/jobs/{number}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {job}")


def start(client, status=202, **more):
    answer = client.post(
        f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "async": True, **more}
    )
    assert answer.status_code == status, answer.text
    return answer


def test_a_job_from_beginning_to_end(client, place):
    answer = start(client, data_path="seven.csv", output_path="job.csv")
    job = answer.json()
    assert answer.headers["location"] == f"{API}/jobs/{job['id']}" and job["state"] in (
        "queued",
        "running",
        "done",
    )
    done = ended(client, job["id"])
    assert (
        done["state"] == "done" and done["progress"] == 1 and done["eta_seconds"] == 0 and done["rows"] == 7
    )
    assert done["result"]["n_samples"] == 7 and done["result"]["output_path"] == "job.csv"
    assert done["metrics"]["rows"] == 7 and set(done["metrics"]["work_seconds"]) == {
        "read",
        "parse",
        "predict",
        "format",
        "write",
    }
    assert done["created"] <= done["started"] <= done["ended"] <= time.time()
    assert job["id"] in [one["id"] for one in client.get(f"{API}/jobs").json()["jobs"]]
    assert client.delete(f"{API}/jobs/{job['id']}").status_code == 200
    assert client.get(f"{API}/jobs/{job['id']}").status_code == 404
    assert client.delete(f"{API}/jobs/nothing").status_code == 404


def test_a_job_that_fails_says_why(client, place):
    failed = ended(client, start(client, data_path="bad.csv", output_path="failed.csv").json()["id"])
    assert (
        failed["state"] == "failed"
        and failed["error"]["status"] == 422
        and "column 'age'" in failed["error"]["detail"]
    )
    assert "result" not in failed and not (place / "out/failed.csv").exists()
    (place / "out/mine.csv").write_text("mine")
    start(client, 409, data_path="seven.csv", output_path="mine.csv")
    start(client, 404, data_path="none.csv", output_path="x.csv")
    start(client, 422, data_path="seven.csv")


def test_a_job_is_watched_and_cancelled(client, place, large):
    number = start(client, data_path=large, output_path="never.csv", keep="*").json()["id"]
    until = time.monotonic() + 30
    while time.monotonic() < until:
        seen = client.get(f"{API}/jobs/{number}").json()
        if seen["rows"]:
            break
    assert seen["state"] == "running" and 0 < seen["progress"] < 1 and seen["eta_seconds"] > 0
    assert client.delete(f"{API}/jobs/{number}").status_code == 202
    cancelled = ended(client, number)
    assert cancelled["state"] == "cancelled" and "error" not in cancelled
    assert not (place / "out/never.csv").exists() and not [
        name for name in os.listdir(place / "out") if name.startswith(".")
    ]


def test_jobs_end_with_the_application(place, models_folder, large):
    with make_client(place, models_folder, max_jobs=1, max_waiting_jobs=1) as client:
        start(client, data_path=large, output_path="cut.csv", keep="*")
        start(client, data_path=large, output_path="cut2.csv", keep="*")
        refused = start(client, 503, data_path="seven.csv", output_path="cut3.csv")
        assert int(refused.headers["retry-after"]) > 0
        assert (
            len(
                ask(client, "predict-batch", model_path="pipeline.joblib", data_path="seven.csv")[
                    "predictions"
                ]
            )
            == 7
        )
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert not [name for name in os.listdir(place / "out") if name.startswith((".foretell", "cut"))]


def test_jobs_are_forgotten_after_a_while(place, models_folder):
    with make_client(place, models_folder, job_keep=0) as client:
        number = start(client, data_path="seven.csv", output_path="short.csv").json()["id"]
        until = time.monotonic() + 30
        while client.get(f"{API}/jobs/{number}").status_code != 404:
            assert time.monotonic() < until
        assert (place / "out/short.csv").exists()


def test_an_answer_of_too_many_bytes_is_refused(client, monkeypatch):
    import foretell.fastapi._batch as module

    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    answer = ask(client, "predict-batch", 503, model_path="pipeline.joblib", data_path="rows.csv")
    assert "output_path" in answer["detail"]


def test_requests_that_fail_keep_no_files_open(client, place):
    def some():
        for data in ("none.csv", "../x", "bad.csv", "rows.csv/x", "pipe", "inner.csv"):
            for output in (None, "../x.csv", "none/x.csv", "x.xlsx"):
                body = {"model_path": "pipeline.joblib", "data_path": data, "output_path": output}
                client.post(f"{API}/predict-batch", json=body)
                client.post(f"{API}/predict-batch", json={**body, "async": True})
        return len(os.listdir("/proc/self/fd"))

    before = some()
    assert some() < before + 10  # a leak would be of dozens


def test_a_name_that_is_swapped_leads_nowhere_else(client, place):
    """The data is now a link to the inside and now one to the outside: the outside is never read."""
    link, over = place / "data/swapped.csv", threading.Event()

    def swap():
        half = place / "data/.swap"
        while not over.is_set():
            for target in ("../outside/secret.csv", "seven.csv"):
                half.symlink_to(target)
                half.replace(link)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for _ in range(150):
            body = {"model_path": "pipeline.joblib", "data_path": "swapped.csv"}
            answer = client.post(f"{API}/predict-batch", json=body)
            seen.add(answer.json()["n_samples"] if answer.status_code == 200 else answer.status_code)
    finally:
        over.set()
        thread.join()
        link.unlink(missing_ok=True)
    assert 7 in seen and seen <= {7, 403, 404}


def test_rows_of_files_count_in_the_figures(place, models_folder):
    with make_client(place, models_folder) as client:
        ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv")
        assert client.get(f"{API}/cache/stats").json()["throughput_samples_per_sec"] > 0
