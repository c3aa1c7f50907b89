"""Jobs of predict-batch: watched, cancelled, kept for a while, ended with the server."""

import json
import os
import signal
import time

import pytest
import serve_models
import serving

BATCH, JOBS = serving.NATIVE + "/predict-batch", serving.NATIVE + "/jobs"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with models, seven.csv and large.csv, which takes some seconds."""
    folder = tmp_path_factory.mktemp("jobs")
    serve_models.write_models(folder)
    serve_models.table(7).to_csv(folder / "seven.csv", index=False)
    head, rows = serve_models.table(4000).to_csv(index=False).encode().split(b"\n", 1)
    with open(folder / "large.csv", "wb") as f:
        f.write(head + b"\n")
        for _ in range(1500):
            f.write(rows)
    (folder / "out").mkdir()
    return folder


def start(server, status=202, **request):
    answer = server.post_json(BATCH, {"model_path": "churn.joblib", "async": True, **request})
    assert answer.status == status, answer
    return answer


def state(server, job):
    return server.get(f"{JOBS}/{job}").json()


def ended(server, job):
    return serving.wait_until(lambda: state(server, job)["state"] in ("done", "failed", "cancelled") and state(server, job))


def leftovers(folder):
    return [name for name in os.listdir(folder / "out") if name.startswith(".")]


def test_a_job_from_beginning_to_end(files):
    with serving.Server("--output-root", "out", cwd=files) as server:
        answer = start(server, data_path="seven.csv", output_path="first.jsonl", return_probabilities=True)
        job = answer.json()
        assert answer.headers["location"] == f"{JOBS}/{job['id']}" and job["state"] == "queued"
        done = ended(server, job["id"])
        assert done["state"] == "done" and done["progress"] == 1 and done["eta_seconds"] == 0
        assert done["rows"] == 7 and done["result"]["n_samples"] == 7 and done["result"]["output_path"] == "first.jsonl"
        assert done["bytes"] == (files / "seven.csv").stat().st_size
        assert done["created"] <= done["started"] <= done["ended"] <= time.time()
        assert done["metrics"]["rows"] == 7 and set(done["metrics"]["work_seconds"]) == {
            "read", "parse", "predict", "format", "write"}
        assert len((files / "out/first.jsonl").read_text().splitlines()) == 7
        listed = server.get(JOBS).json()["jobs"]
        assert [entry["id"] for entry in listed] == [job["id"]]
        # DELETE of one that is over takes it from the list
        assert server.request("DELETE", f"{JOBS}/{job['id']}").status == 200
        assert server.get(JOBS).json() == {"jobs": []} and server.get(f"{JOBS}/{job['id']}").status == 404
        assert server.request("DELETE", f"{JOBS}/nothing").status == 404


def test_what_is_wrong_is_said_before_there_is_a_job(files):
    with serving.Server("--output-root", "out", cwd=files) as server:
        assert start(server, 422, data_path="seven.csv").json()["detail"][0]["loc"] == ["body", "output_path"]
        start(server, 404, data_path="none.csv", output_path="x.csv")
        start(server, 403, data_path="../x.csv", output_path="x.csv")
        start(server, 403, data_path="seven.csv", output_path="../x.csv")
        (files / "out/mine.csv").write_text("mine")
        start(server, 409, data_path="seven.csv", output_path="mine.csv")
        assert server.get(JOBS).json() == {"jobs": []}
        # what only the work tells
        (files / "bad.csv").write_text("age,income,city\n1,2,Ulm\nold,2,Ulm\n")
        failed = ended(server, start(server, data_path="bad.csv", output_path="bad.csv").json()["id"])
        assert failed["state"] == "failed" and failed["error"]["status"] == 422
        assert "column 'age'" in failed["error"]["detail"] and "result" not in failed
        assert not (files / "out/bad.csv").exists() and not leftovers(files)


def test_a_job_is_watched_and_cancelled(files):
    with serving.Server("--output-root", "out", cwd=files) as server:
        job = start(server, data_path="large.csv", output_path="never.csv", keep="*").json()["id"]
        seen = serving.wait_until(lambda: state(server, job)["rows"] and state(server, job))
        assert seen["state"] == "running" and 0 < seen["progress"] < 1 and seen["eta_seconds"] > 0
        assert seen["bytes_total"] == (files / "large.csv").stat().st_size
        assert leftovers(files)
        assert server.request("DELETE", f"{JOBS}/{job}").status == 202
        cancelled = ended(server, job)
        assert cancelled["state"] == "cancelled" and "error" not in cancelled
        assert not (files / "out/never.csv").exists() and not leftovers(files)


def test_a_job_outlives_its_client_and_others_wait(files):
    with serving.Server("--output-root", "out", "--max-jobs", "1", "--max-waiting-jobs", "1", cwd=files) as server:
        connection = server.connection()
        connection.request("POST", BATCH, json.dumps({"model_path": "churn.joblib", "async": True, "data_path": "large.csv",
                                                      "output_path": "w1.csv"}), {"Content-Type": "application/json"})
        first = json.loads(connection.getresponse().read())["id"]
        connection.close()
        serving.wait_until(lambda: state(server, first)["state"] == "running")
        second = start(server, data_path="seven.csv", output_path="w2.csv").json()["id"]
        refused = start(server, 503, data_path="seven.csv", output_path="w3.csv")
        assert int(refused.headers["retry-after"]) > 0 and "location" not in refused.headers
        # what somebody waits for has threads of its own
        assert server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": "seven.csv"}).status == 200
        assert state(server, second)["state"] == "queued"
        assert server.request("DELETE", f"{JOBS}/{first}").status == 202
        assert ended(server, first)["state"] == "cancelled" and ended(server, second)["state"] == "done"
        assert not (files / "out/w3.csv").exists()


def test_a_job_that_waits_is_cancelled_too(files):
    with serving.Server("--output-root", "out", "--max-jobs", "1", cwd=files) as server:
        first = start(server, data_path="large.csv", output_path="q1.csv").json()["id"]
        second = start(server, data_path="seven.csv", output_path="q2.csv").json()["id"]
        server.request("DELETE", f"{JOBS}/{second}")
        server.request("DELETE", f"{JOBS}/{first}")
        assert ended(server, second)["state"] == "cancelled" and not (files / "out/q2.csv").exists()


def test_jobs_are_forgotten_after_a_while(files):
    with serving.Server("--output-root", "out", "--job-keep", "0", cwd=files) as server:
        job = start(server, data_path="seven.csv", output_path="short.csv").json()["id"]
        serving.wait_until(lambda: server.get(f"{JOBS}/{job}").status == 404)
        assert (files / "out/short.csv").exists()


def test_the_server_ends_when_its_jobs_have(files):
    server = serving.Server("--output-root", "out", cwd=files)
    with server:
        job = start(server, data_path="large.csv", output_path="drained.csv", limit=2000000).json()["id"]
        serving.wait_until(lambda: state(server, job)["state"] == "running")
    assert len((files / "out/drained.csv").read_bytes().splitlines()) == 2000001 and not leftovers(files)


@pytest.mark.parametrize("how", ["time", "second signal"])
def test_jobs_that_are_not_done_in_time_leave_nothing(files, how):
    server = serving.Server("--output-root", "out", "--drain-seconds", "0" if how == "time" else "30", cwd=files)
    with server:
        for number in range(2):
            job = start(server, data_path="large.csv", output_path=f"cut{number}.csv", keep="*").json()["id"]
            serving.wait_until(lambda: state(server, job)["rows"])
        if how == "second signal":
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
    assert not leftovers(files) and not [name for name in os.listdir(files / "out") if name.startswith("cut")]


def test_who_waits_for_a_file_is_told_that_the_server_ends(files):
    with serving.Server("--output-root", "out", "--drain-seconds", "0", cwd=files) as server:
        connection = server.connection()
        connection.request("POST", BATCH, json.dumps({"model_path": "churn.joblib", "data_path": "large.csv", "keep": "*",
                                                      "output_path": "told.csv"}), {"Content-Type": "application/json"})
        serving.wait_until(lambda: leftovers(files))
        server.stop()
        answer = connection.getresponse()
        assert answer.status == 503 and b"cancelled" in answer.read()
    assert not leftovers(files) and not (files / "out/told.csv").exists()


def test_of_two_jobs_for_one_output_one_is_done(files):
    with serving.Server("--output-root", "out", cwd=files) as server:
        jobs = [start(server, data_path="large.csv", limit=500000, keep=keep, output_path="one.csv").json()["id"]
                for keep in ("id", "city")]
        over = {job["state"]: job for job in (ended(server, one) for one in jobs)}
        assert set(over) == {"done", "failed"}
        assert over["failed"]["error"]["status"] == 409 and "meanwhile" in over["failed"]["error"]["detail"]
        assert len((files / "out/one.csv").read_bytes().splitlines()) == 500001 and not leftovers(files)


def test_many_jobs_leave_no_descriptors_and_no_threads(files):
    with serving.Server("--output-root", "out", cwd=files) as server:
        def some(number):
            jobs = [start(server, data_path="seven.csv", output_path=f"many{number}-{i}.csv").json()["id"] for i in range(20)]
            for job in jobs:
                assert ended(server, job)["state"] == "done"
                server.request("DELETE", f"{JOBS}/{job}")
            for _ in range(20):
                assert server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": "seven.csv"}).status == 200
        some(0)
        descriptors, threads = server.descriptors(), len(os.listdir(f"/proc/{server.process.pid}/task"))
        for number in range(1, 4):
            some(number)
        serving.wait_until(lambda: server.descriptors() <= descriptors)
        # those of both crews may not all have been needed at first
        assert len(os.listdir(f"/proc/{server.process.pid}/task")) <= threads + 4
