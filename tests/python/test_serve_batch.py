"""predict-batch: files through models, beneath the roots alone."""

import json
import os
import subprocess
import threading

import ftl
import pytest
import serve_models
import serving
from test_serve_paths import without_openat2

BATCH = serving.NATIVE + "/predict-batch"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with models/, data/ and out/, and a server on them."""
    folder = tmp_path_factory.mktemp("batch")
    for name in ("models", "data", "out", "outside"):
        (folder / name).mkdir()
    serve_models.write_models(folder / "models")
    frame = serve_models.table(3000)
    frame.to_csv(folder / "data/rows.csv", index=False)
    frame.head(7).to_csv(folder / "data/seven.csv", index=False)
    frame.to_json(folder / "data/rows.jsonl", orient="records", lines=True, force_ascii=False)
    frame.head(1).to_json(folder / "data/one.jsonl", orient="records", lines=True)
    frame.to_json(folder / "data/rows.json", orient="records")
    frame.to_parquet(folder / "data/rows.parquet", index=False)
    frame.to_feather(folder / "data/rows.arrow")
    frame.to_csv(folder / "data/rows.csv.gz", index=False)
    frame.to_csv(folder / "data/Zahlen ü.csv", index=False)
    (folder / "outside/secret.csv").write_text("age,income,city\n1,2,Ulm\n")
    with serving.Server("--model-root", "models", "--data-root", "data", "--output-root", "out", "--max-answer-rows",
                        "3000", cwd=folder) as server:
        yield folder, server


@pytest.fixture(scope="module", params=["openat2", "walk"])
def server_of_paths(place, request):
    """The same on a kernel that resolves paths beneath a folder, and on one that does not."""
    folder, server = place
    if request.param == "openat2":
        yield folder, server, False
        return
    with serving.Server("--model-root", "models", "--data-root", "data", "--output-root", "out", cwd=folder,
                        limits=without_openat2) as walking:
        yield folder, walking, True


def predicted(folder, data, *options):
    """What the program makes of the file: its bytes."""
    done = subprocess.run([ftl.program(), "predict", str(folder / "models/churn.joblib"), str(folder / "data" / data),
                           "-q", *options], capture_output=True, check=True)
    return done.stdout


def ask(server, status=200, **request):
    answer = server.post_json(BATCH, {"model_path": "churn.joblib", **request})
    assert answer.status == status, answer
    return answer.json()


@pytest.mark.parametrize("data", ["rows.csv", "rows.jsonl", "rows.json", "rows.parquet", "rows.arrow", "rows.csv.gz"])
def test_an_answer_holds_what_the_program_says(place, data):
    folder, server = place
    answer = ask(server, data_path=data, return_probabilities=True)
    want = [json.loads(line) for line in
            predicted(folder, data, "--proba", "--output-format", "jsonl").decode().splitlines()]
    assert answer["predictions"] == [row["prediction"] for row in want]
    assert answer["probabilities"] == [[row["probability_no"], row["probability_yes"]] for row in want]
    assert answer["classes"] == ["no", "yes"]
    assert answer["n_samples"] == 3000 and answer["n_batches"] == 1
    assert 0 < answer["inference_time_seconds"] <= answer["total_time_seconds"]
    assert answer["throughput_samples_per_sec"] == pytest.approx(3000 / answer["total_time_seconds"])
    assert "output_path" not in answer


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "jsonl", "json", "parquet", "arrow", "arrows", "npy"])
def test_a_file_has_the_bytes_that_the_program_writes(place, ending, tmp_path):
    folder, server = place
    method = {"method": "predict_proba"} if ending == "npy" else {"return_probabilities": True, "keep": ["id", "city"]}
    options = ["--method", "predict_proba"] if ending == "npy" else ["--proba", "--keep", "id,city"]
    answer = ask(server, data_path="rows.csv", output_path=f"same.{ending}", batch_size="auto", **method)
    predicted(folder, "rows.csv", *options, "-o", str(tmp_path / f"same.{ending}"))
    assert answer["output_path"] == f"same.{ending}" and "predictions" not in answer
    assert (folder / f"out/same.{ending}").read_bytes() == (tmp_path / f"same.{ending}").read_bytes()


def test_batches_are_as_large_as_was_asked_for(place):
    folder, server = place
    for number, size in enumerate([{"batch_size": 1000}, {"chunk_size": 1000}, {"batch_size": "1000"}]):
        answer = ask(server, data_path="rows.csv", output_path=f"size{number}.csv", **size)
        assert answer["n_batches"] == 3
        assert (folder / f"out/size{number}.csv").read_bytes() == predicted(folder, "rows.csv")
    for wrong in (0, -5, 1.5, "many", True, [5], 10**12):
        ask(server, 422, data_path="rows.csv", batch_size=wrong)
    both = ask(server, 422, data_path="rows.csv", batch_size=5, chunk_size=5)
    assert both["detail"][0]["loc"] == ["body", "chunk_size"]


def test_outputs_are_not_written_over(place):
    folder, server = place
    out = folder / "out/there.csv"
    out.write_text("mine")
    refused = ask(server, 409, data_path="seven.csv", output_path="there.csv")
    assert "overwrite" in refused["detail"] and out.read_text() == "mine"
    ask(server, data_path="seven.csv", output_path="there.csv", overwrite=True)
    assert out.read_bytes() == predicted(folder, "seven.csv")
    (folder / "out/folder.csv").mkdir(exist_ok=True)
    ask(server, 409, data_path="seven.csv", output_path="folder.csv", overwrite=True)


def test_a_link_at_the_outputs_name_is_replaced_and_not_followed(place):
    folder, server = place
    victim, link = folder / "outside/victim.csv", folder / "out/link.csv"
    victim.write_text("mine")
    link.symlink_to(victim)
    ask(server, 409, data_path="seven.csv", output_path="link.csv")
    ask(server, data_path="seven.csv", output_path="link.csv", overwrite=True)
    assert victim.read_text() == "mine" and not link.is_symlink()
    (folder / "out/nowhere.csv").symlink_to(folder / "outside/new.csv")
    ask(server, 409, data_path="seven.csv", output_path="nowhere.csv")
    assert not (folder / "outside/new.csv").exists()


@pytest.mark.parametrize("path, status", [
    ("../outside/secret.csv", 403), ("sub/../../outside/secret.csv", 403), ("/etc/passwd", 403), ("link.csv", 403),
    ("folderlink/secret.csv", 403), ("/proc/self/environ", 403), ("nothing.csv", 404), ("", 422), ("sub", 422),
    ("rows.csv/x", 404), ("pipe", 422), ("x" * 5000, 422), ("http://example.org/x.csv", 404), ("root/outside/secret.csv", 403)])
def test_data_lies_beneath_its_root(server_of_paths, path, status):
    folder, server, walks = server_of_paths
    data = folder / "data"
    for name, target in (("link.csv", folder / "outside/secret.csv"), ("folderlink", folder / "outside"),
                         ("root", "/proc/self/cwd")):
        if not (data / name).is_symlink():
            (data / name).symlink_to(target)
    if not (data / "pipe").exists():
        os.mkfifo(data / "pipe")
        (data / "sub").mkdir()
    answer = server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": path})
    assert answer.status == status or (walks and answer.status in (403, 404, 422)), answer
    assert str(folder) not in answer.body.decode() and "/proc/self/fd" not in answer.body.decode()


def test_absolute_paths_below_the_root_are_meant_beneath_it(server_of_paths):
    folder, server, walks = server_of_paths
    answer = ask(server, data_path=str(folder / "data/seven.csv"), output_path=str(folder / "out/absolute.csv"),
                 overwrite=walks)
    assert answer["n_samples"] == 7 and (folder / "out/absolute.csv").exists()
    ask(server, 403, data_path=str(folder / "data") + "X/seven.csv")
    assert ask(server, data_path="Zahlen ü.csv")["n_samples"] == 3000  # \u escapes in the body


@pytest.mark.parametrize("path, status", [
    ("../outside/x.csv", 403), ("/tmp/x.csv", 403), ("away/x.csv", 403), ("none/x.csv", 404), ("x/../../y.csv", 404),
    ("..", 403), (".", 422), ("a/", 422), ("", 422), ("x" * 300 + ".csv", 422), ("x.xlsx", 422), ("/proc/self/x.csv", 403)])
def test_outputs_lie_beneath_their_root(server_of_paths, path, status):
    folder, server, walks = server_of_paths
    if not (folder / "out/away").is_symlink():
        (folder / "out/away").symlink_to(folder / "outside")
    before = sorted(os.listdir(folder / "outside"))
    answer = server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": "seven.csv", "output_path": path})
    assert answer.status == status or (walks and answer.status in (403, 404, 422)), answer
    assert str(folder) not in answer.body.decode() and "/proc/self/fd" not in answer.body.decode()
    assert sorted(os.listdir(folder / "outside")) == before


def test_a_folder_that_becomes_a_link_leads_nowhere_else(place):
    """The folder of the output is swapped for a link while files are written: nothing lands outside."""
    folder, server = place
    inside, aside, outside = folder / "out/swap", folder / "out/swap.aside", folder / "outside"
    inside.mkdir()
    before = sorted(os.listdir(outside))
    over = threading.Event()

    def swap():
        while not over.is_set():
            inside.rename(aside)
            inside.symlink_to(outside)
            inside.unlink()
            aside.rename(inside)
    swapper = threading.Thread(target=swap)
    swapper.start()
    statuses = {}
    try:
        for number in range(60):
            answer = server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": "seven.csv",
                                              "output_path": f"swap/{number}.csv"})
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
    finally:
        over.set()
        swapper.join()
    assert set(statuses) <= {200, 403, 404} and sorted(os.listdir(outside)) == before
    assert len(os.listdir(inside)) == statuses.get(200, 0)
    assert not [name for name in os.listdir(inside) if name.startswith(".")]


def test_bad_rows(place):
    folder, server = place
    (folder / "data/bad.csv").write_text("age,income,city\n1,2,Ulm\nold,2,Ulm\n3,4,Bonn\n")
    refused = ask(server, 422, data_path="bad.csv", output_path="bad.csv")
    assert "line 3, column 'age'" in refused["detail"][0]["msg"] and not (folder / "out/bad.csv").exists()
    skipped = ask(server, data_path="bad.csv", on_error="skip")
    assert len(skipped["predictions"]) == 2 and skipped["n_rejected"] == 1 and skipped["n_samples"] == 3
    nulled = ask(server, data_path="bad.csv", on_error="null", return_probabilities=True)
    assert nulled["predictions"][1] is None and nulled["probabilities"][1] == [None, None] and nulled["n_nulled"] == 1
    assert not [name for name in os.listdir(folder / "out") if name.startswith(".")]


def test_what_is_wrong_with_a_request_is_said(place):
    folder, server = place
    ask(server, 404, data_path="seven.csv", model_path="none.joblib")
    ask(server, 403, data_path="seven.csv", model_path="../outside/secret.csv")
    missing = server.post_json(BATCH, {"model_path": "churn.joblib"})
    assert missing.status == 422 and missing.json()["detail"][0]["loc"] == ["body", "data_path"]
    for wrong in ({"on_error": "maybe"}, {"method": "guess"}, {"keep": [1]}, {"async": 1}, {"output_format": "xlsx"},
                  {"return_probabilities": "perhaps"}, {"delimiter": ";;"}, {"keep": ["id"]}):
        ask(server, 422, data_path="seven.csv", **wrong)
    ask(server, 422, data_path="seven.csv", keep=["no such column"], output_path="never.csv")
    price = server.post_json(BATCH, {"model_path": "price.joblib", "data_path": "seven.csv", "features": ["age", "income"],
                                     "return_probabilities": True})
    assert price.status == 422 and "predict_proba" in price.body.decode()
    assert not (folder / "out/never.csv").exists()


def test_regressions_answer_with_numbers(place):
    folder, server = place
    answer = ask(server, model_path="price.joblib", data_path="seven.csv", features=["age", "income"])
    want = subprocess.run([ftl.program(), "predict", str(folder / "models/price.joblib"), str(folder / "data/seven.csv"),
                           "-q", "--features", "age,income"], capture_output=True, check=True, text=True).stdout.split()[1:]
    assert [repr(value) for value in answer["predictions"]] == want and "classes" not in answer


def test_answers_have_a_limit(place, tmp_path):
    folder, server = place
    serve_models.table(3001).to_csv(folder / "data/more.csv", index=False)
    refused = ask(server, 413, data_path="more.csv")
    assert "output_path" in refused["detail"]
    assert ask(server, data_path="more.csv", output_path="more.csv")["n_samples"] == 3001
    assert len(ask(server, data_path="more.csv", limit=5)["predictions"]) == 5


def test_what_is_read_is_not_written_over(tmp_path):
    serve_models.write_models(tmp_path)
    serve_models.table(5).to_csv(tmp_path / "rows.csv", index=False)
    before = (tmp_path / "rows.csv").read_bytes(), (tmp_path / "churn.joblib").read_bytes()
    os.link(tmp_path / "rows.csv", tmp_path / "other.csv")
    with serving.Server("--output-root", ".", cwd=tmp_path) as server:
        for output in ("rows.csv", "other.csv", "churn.joblib"):
            answer = ask(server, 409, data_path="rows.csv", output_path=output, overwrite=True)
            assert "read by this very request" in answer["detail"]
    assert before == ((tmp_path / "rows.csv").read_bytes(), (tmp_path / "churn.joblib").read_bytes())


def test_without_an_output_root_nothing_is_written(tmp_path):
    serve_models.write_models(tmp_path)
    serve_models.table(5).to_csv(tmp_path / "rows.csv", index=False)
    before = sorted(os.listdir(tmp_path))
    with serving.Server(cwd=tmp_path) as server:
        answer = ask(server, 403, data_path="rows.csv", output_path="x.csv")
        assert "output-root" in answer["detail"]
        assert len(ask(server, data_path="rows.csv")["predictions"]) == 5
    assert sorted(os.listdir(tmp_path)) == before




def test_a_full_disk_leaves_nothing(tmp_path):
    serve_models.write_models(tmp_path)
    serve_models.table(60000).to_csv(tmp_path / "rows.csv", index=False)
    # a limit of the size of files is what a full disk is to a program, and needs no right to mount
    command = ["prlimit", "--fsize=20000", serving.server_program()]
    server = serving.Server("--output-root", ".", cwd=tmp_path)
    server.command[:1] = command
    with server:
        answer = ask(server, 507, data_path="rows.csv", output_path="x.csv", keep=["id", "city"])
        assert "x.csv" in str(answer) and "/proc" not in str(answer)
        job = server.post_json(BATCH, {"model_path": "churn.joblib", "data_path": "rows.csv", "output_path": "y.csv",
                                       "keep": "id", "async": True}).json()
        path = serving.NATIVE + "/jobs/" + job["id"]
        serving.wait_until(lambda: server.get(path).json()["state"] == "failed")
        assert server.get(path).json()["error"]["status"] == 507
    assert sorted(os.listdir(tmp_path)) == ["churn.joblib", "price.joblib", "rows.csv"]


def test_a_client_that_goes_cancels_what_it_waits_for(tmp_path):
    serve_models.write_models(tmp_path)
    one = serve_models.table(4000).to_csv(index=False).encode()
    head, rows = one.split(b"\n", 1)
    with open(tmp_path / "large.csv", "wb") as f:
        f.write(head + b"\n")
        for _ in range(700):
            f.write(rows)
    with serving.Server("--output-root", ".", cwd=tmp_path) as server:
        connection = server.connection()
        connection.request("POST", BATCH, json.dumps({"model_path": "churn.joblib", "data_path": "large.csv", "keep": "*",
                                                      "output_path": "large.out.csv"}), {"Content-Type": "application/json"})
        serving.wait_until(lambda: [name for name in os.listdir(tmp_path) if name.endswith(".tmp")])
        connection.close()
        serving.wait_until(lambda: not [name for name in os.listdir(tmp_path) if name.startswith(".foretell")])
        assert not (tmp_path / "large.out.csv").exists()
        assert ask(server, data_path="large.csv", limit=3)["n_samples"] == 3
