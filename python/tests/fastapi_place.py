"""An application with the router for the tests: its folders, and who asks it."""

import json
import os

import pytest
from conftest import mixed_frame
from fastapi import FastAPI
from fastapi.testclient import TestClient
from foretell.fastapi import make_router
from foretell.inference import OptimizedPredictor

API = "/api/v1/inference"


@pytest.fixture(scope="module")
def place(tmp_path_factory, lr_path, forest_path, pipeline_path, regressor_path, transformer_path):
    """A folder with data/ and out/, and the folder of the models."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("data", "out", "outside"):
        (folder / name).mkdir()
    rows = mixed_frame(3000, seed=5)
    rows.to_csv(folder / "data/rows.csv", index=False)
    rows.head(7).to_csv(folder / "data/seven.csv", index=False)
    rows.to_json(folder / "data/rows.jsonl", orient="records", lines=True)
    rows.to_parquet(folder / "data/rows.parquet", index=False)
    (folder / "outside/secret.csv").write_text("age,balance,plan,city\n1,2,pro,Wien\n")
    (folder / "data/bad.csv").write_text(
        "age,balance,plan,city\n1,2,pro,Wien\nold,2,pro,Wien\n3,4,pro,Wien\n"
    )
    (folder / "data/link.csv").symlink_to(folder / "outside/secret.csv")
    (folder / "data/inner.csv").symlink_to("seven.csv")
    os.mkfifo(folder / "data/pipe")
    return folder


def make_client(place, models_folder, **options):
    settings = {
        "model_root": models_folder,
        "data_root": place / "data",
        "output_root": place / "out",
        **options,
    }
    app = FastAPI()
    app.include_router(make_router(settings.pop("predictor", OptimizedPredictor()), **settings), prefix=API)
    return TestClient(app)


@pytest.fixture(scope="module")
def client(place, models_folder):
    with make_client(place, models_folder, max_answer_rows=3000) as client:
        yield client


def ask(client, path="predict", status=200, **body):
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def rows_of(frame):
    return json.loads(frame.to_json(orient="records"))


@pytest.fixture(scope="module")
def large(place):
    """large.csv: some seconds of work."""
    head, rows = (place / "data/rows.csv").read_bytes().split(b"\n", 1)
    with open(place / "data/large.csv", "wb") as file:
        file.write(head + b"\n")
        for _ in range(1500):
            file.write(rows)
    yield "large.csv"
    (place / "data/large.csv").unlink()
