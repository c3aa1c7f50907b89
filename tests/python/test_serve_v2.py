"""The Open Inference Protocol over REST, as its specification and Triton's extensions have it; payloads are made by hand."""

import json
import threading

import dialects
import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from dialects import infer, tensors
from serving import Server
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

N, WIDTH = 40, 5


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"age": rng.integers(18, 90, n), "income": rng.normal(30000, 9000, n).round(2),
                         "city": rng.choice(["Paris", "Oslo", "東京", 'O\'Hare "ORD"'], n), "member": rng.random(n) < 0.5})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models: a matrix of numbers, a table with names and texts, and what is unlike both."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, WIDTH))
    y = (x @ rng.normal(size=WIDTH) > 0).astype(int)
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y), folder / "numbers.joblib")
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(x.astype(np.float32), y), folder / "single.joblib")
    joblib.dump(RandomForestRegressor(20, random_state=0).fit(x, x[:, :2]), folder / "targets.joblib")
    joblib.dump(NearestNeighbors(n_neighbors=2).fit(x), folder / "near.joblib")
    joblib.dump(RandomForestRegressor(5, random_state=0).fit(x[:, :1], x[:, 1]), folder / "one.joblib")
    joblib.dump(FunctionTransformer(np.sqrt), folder / "open.joblib")
    data = table(300, 2)
    columns = make_column_transformer((StandardScaler(), ["age", "income"]),
                                      (OneHotEncoder(handle_unknown="ignore"), ["city", "member"]))
    label = np.where(data["income"] + 9000 * data["member"] > 33000, "rich", "poor")
    joblib.dump(make_pipeline(columns, RandomForestClassifier(15, random_state=0)).fit(data, label), folder / "people.joblib")
    for version in ("1", "2", "10"):
        (folder / "tree" / "several" / version).mkdir(parents=True)
        model = RandomForestRegressor(3, random_state=int(version)).fit(x, x[:, 0])
        joblib.dump(model, folder / "tree" / "several" / version / "model.joblib")
    (folder / "broken.joblib").write_bytes(b"\x80\x04no model")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    names = ("numbers", "single", "targets", "near", "one", "open", "people", "broken")
    with Server(*[f"{name}={folder}/{name}.joblib" for name in names], folder / "tree", "--model-root", folder) as running:
        yield running


def numbers(n=N, seed=3):
    return np.random.default_rng(seed).normal(size=(n, WIDTH))


def program(folder, model, data, method, tmp_path):
    """What `foretell predict` says of a file, as rows."""
    out = tmp_path / "answer.jsonl"
    process = ftl.run("predict", folder / f"{model}.joblib", data, "-o", out, "--method", method)
    assert process.returncode == 0, process.stderr
    return [[dialects.missing(v) for v in json.loads(line).values()] for line in out.read_text().splitlines()]


def refused(answer, status, *words):
    assert answer.status == status, answer
    message = answer.json()["error"]
    for word in words:
        assert word in message, message
    return message


# ---- What there is -----------------------------------------------------------------------------------------

def test_the_server_and_its_health(server):
    about = server.get("/v2").json()
    assert about["name"] == "foretell"
    assert "binary_tensor_data" in about["extensions"] and "model_repository" in about["extensions"]
    assert server.get("/v2/health/live").status == 200
    assert server.get("/v2/models").json() == {"models": ["broken", "near", "numbers", "one", "open", "people", "several",
                                                          "single", "targets"]}
    ready = server.get("/v2/health/ready")
    assert ready.status == 200 and ready.json() == {"ready": True}


def test_metadata_of_a_matrix_and_of_a_table(server):
    numbers = server.get("/v2/models/numbers").json()
    assert numbers["name"] == "numbers" and numbers["versions"] == ["1"] and numbers["platform"] == "scikit-learn"
    assert numbers["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, WIDTH]}]
    outputs = {output["name"]: output for output in numbers["outputs"]}
    assert outputs["predict"] == {"name": "predict", "datatype": "INT64", "shape": [-1]}
    assert outputs["predict_proba"] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}
    people = server.get("/v2/models/people").json()
    assert {i["name"]: i["datatype"] for i in people["inputs"]} == {"age": "FP64", "income": "FP64", "city": "BYTES",
                                                                   "member": "FP64"}
    assert all(i["shape"] == [-1, 1] for i in people["inputs"])
    assert {"name": "predict", "datatype": "BYTES", "shape": [-1]} in people["outputs"]
    assert server.get("/v2/models/open").json()["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, -1]}]


def test_configuration_as_triton_has_it(server):
    config = server.get("/v2/models/numbers/config").json()
    assert config["name"] == "numbers" and config["max_batch_size"] == 0
    assert config["input"] == [{"name": "input", "data_type": "TYPE_FP64", "dims": [-1, WIDTH]}]
    assert {"name": "predict", "data_type": "TYPE_INT64", "dims": [-1]} in config["output"]


def test_versions(server):
    assert server.get("/v2/models/several").json()["versions"] == ["1", "2", "10"]
    x = numbers().tolist()
    body = {"inputs": [{"name": "x", "shape": [N, WIDTH], "datatype": "FP64", "data": x}]}
    answers = {}
    for version in ("1", "2", "10", "latest"):
        answer = server.post_json(f"/v2/models/several/versions/{version}/infer", body).json()
        assert answer["model_version"] == ("10" if version == "latest" else version)
        answers[version] = answer["outputs"][0]["data"]
    assert answers["1"] != answers["2"] != answers["10"] == answers["latest"]
    assert server.post_json("/v2/models/several/infer", body).json()["outputs"][0]["data"] == answers["10"]
    assert server.get("/v2/models/several/versions/2/ready").status == 200
    refused(server.get("/v2/models/several/versions/3"), 404, "version 3")


def test_models_that_are_not_there_or_broken(server):
    refused(server.get("/v2/models/nobody"), 404, "nobody")
    refused(server.get("/v2/models/nobody/ready"), 404)
    refused(infer(server, "nobody", [("x", "FP64", [1, 1], [1.0])]), 404)
    assert server.get("/v2/models/broken/ready").status == 503
    message = refused(server.get("/v2/models/broken"), 400)
    assert "/" not in message.replace("://", "")
    refused(server.get("/v2/models/..%2Fbroken"), 404)
    assert server.request("POST", "/v2/models/numbers").status == 405


def test_a_model_beneath_the_root_by_its_path(server):
    """Models without a name of the command line are found by their file."""
    answer = infer(server, "numbers.joblib", [("x", "FP64", [2, WIDTH], numbers(2).tolist())])
    assert answer.status == 200 and answer.json()["model_name"] == "numbers.joblib"


# ---- Tensors -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "FP16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32",
                                      "UINT16", "UINT8", "BOOL"])
def test_every_datatype_of_numbers(server, folder, datatype, binary, tmp_path):
    """Columns of a type are what a file with such columns is; of FP32 in one tensor, what a float32 .npy is."""
    values = (numbers() * 3).astype(dialects.NUMPY[datatype])
    if datatype != "FP64" and "FP" not in datatype:
        values = np.random.default_rng(5).integers(0, 2 if datatype == "BOOL" else 100, (N, WIDTH)).astype(
            dialects.NUMPY[datatype])
    np.save(tmp_path / "x.npy", values if datatype in ("FP64", "FP32") else values.astype(float))
    want = program(folder, "numbers", tmp_path / "x.npy", "predict_proba", tmp_path)
    flat = [("input", datatype, [N, WIDTH], values.ravel().tolist())]
    nested = [("anything", datatype, [N, WIDTH], values.tobytes() if binary else values.tolist())]
    columns = [(f"c{i}", datatype, [N] if i % 2 else [N, 1], values[:, i].tolist()) for i in range(WIDTH)]
    for inputs in (flat, nested, columns):
        answer = infer(server, "numbers", inputs, ["predict_proba"], binary, binary)
        assert dialects.rows_of(answer, "predict_proba") == want
    for pad in range(8):  # wherever the bytes begin
        answer = infer(server, "numbers", flat, ["predict_proba"], binary, binary, pad=pad)
        assert dialects.rows_of(answer, "predict_proba") == want


@pytest.mark.parametrize("model", ["numbers", "single"])
def test_float32_is_computed_as_the_library_does(server, folder, model, tmp_path):
    """FP32 alone runs the arithmetic of float32 input: its answers are those of a float32 matrix, not of the numbers widened."""
    values = numbers().astype(np.float32)
    np.save(tmp_path / "narrow.npy", values)
    np.save(tmp_path / "wide.npy", values.astype(float))
    narrow = program(folder, model, tmp_path / "narrow.npy", "predict_proba", tmp_path)
    wide = program(folder, model, tmp_path / "wide.npy", "predict_proba", tmp_path)
    assert narrow != wide
    flat = values.ravel().tolist()
    for binary in (False, True):
        for datatype, want in (("FP32", narrow), ("FP64", wide)):
            answer = infer(server, model, [("x", datatype, [N, WIDTH], flat)], ["predict_proba"], binary, binary)
            assert dialects.rows_of(answer, "predict_proba") == want
        mixed = [(f"c{i}", "FP64" if i == 0 else "FP32", [N], values[:, i].tolist()) for i in range(WIDTH)]
        assert dialects.rows_of(infer(server, model, mixed, ["predict_proba"], binary), "predict_proba") == wide
    answer = infer(server, model, [("x", "FP32", [N, WIDTH], flat)], ["predict_proba"])
    assert tensors(answer)["predict_proba"][0] == ("FP32" if model == "single" else "FP64")


def people(binary):
    data = table()
    return data, [("city", "BYTES", [N, 1], data["city"].tolist()), ("member", "BOOL", [N], data["member"].tolist()),
                  ("income", "FP64", [N, 1], data["income"].tolist()), ("age", "INT64", [N], data["age"].tolist()),
                  ("nobody_asks", "INT8", [N], [1] * N)]


@pytest.mark.parametrize("binary", [False, True])
def test_a_table_by_names_in_any_order(server, folder, binary, tmp_path):
    data, inputs = people(binary)
    data.to_csv(tmp_path / "x.csv", index=False)
    for method in ("predict", "predict_proba"):
        want = program(folder, "people", tmp_path / "x.csv", method, tmp_path)
        for order in (inputs, inputs[::-1]):
            assert dialects.rows_of(infer(server, "people", order, [method], binary, binary), method) == want


def test_the_parameters_of_an_input_may_stand_anywhere(server):
    """Members of JSON have no order: data may come before what it is."""
    x = numbers(3)
    wanted = infer(server, "numbers", [("x", "FP64", [3, WIDTH], x.tolist())]).json()["outputs"]
    for body in ({"inputs": [{"data": x.tolist(), "shape": [3, WIDTH], "parameters": {"content_type": "np"},
                              "datatype": "FP64", "name": "x"}]},
                 {"outputs": [{"parameters": {"more": [1, {"a": None}]}, "name": "predict"}],
                  "parameters": {"sequence_id": 7, "binary_data_output": False},
                  "inputs": [{"name": "\u0078\n", "shape": [3, WIDTH], "data": x.ravel().tolist(), "datatype": "FP64",
                              "unknown": {"deep": [[[1]]]}}]}):
        assert server.post_json("/v2/models/numbers/infer", body).json()["outputs"] == wanted


def test_what_is_missing(server, folder, tmp_path):
    """null, and NaN as Python writes it, are missing: NaN among numbers, a missing text among texts; the answer's are null."""
    x = numbers(4)
    x[1, 2] = np.nan
    np.save(tmp_path / "x.npy", x)
    want = program(folder, "targets", tmp_path / "x.npy", "predict", tmp_path)
    for text in (json.dumps(x.tolist()), json.dumps(x.tolist()).replace("NaN", "null")):
        body = f'{{"inputs":[{{"name":"x","shape":[4,{WIDTH}],"datatype":"FP64","data":{text}}}]}}'
        answer = server.request("POST", "/v2/models/targets/infer", body, dialects.JSON)
        assert dialects.rows_of(answer, "predict") == want
    whole = {"inputs": [{"name": f"c{i}", "shape": [2], "datatype": "INT32", "data": [3, None] if i == 1 else [1, 2]}
                        for i in range(WIDTH)]}
    np.save(tmp_path / "x.npy", np.array([[1.0, 3.0, 1.0, 1.0, 1.0], [2.0, np.nan, 2.0, 2.0, 2.0]]))
    want = program(folder, "targets", tmp_path / "x.npy", "predict", tmp_path)
    assert dialects.rows_of(server.post_json("/v2/models/targets/infer", whole), "predict") == want
    data, inputs = people(False)
    cities = [None if i % 3 == 0 else city for i, city in enumerate(data["city"])]
    data.assign(city=cities).to_csv(tmp_path / "x.csv", index=False)
    inputs[0] = ("city", "BYTES", [N], cities)
    want = program(folder, "people", tmp_path / "x.csv", "predict_proba", tmp_path)
    assert dialects.rows_of(infer(server, "people", inputs, ["predict_proba"]), "predict_proba") == want


def test_texts_of_every_length_with_and_without_escapes(server, tmp_path):
    model = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    texts = ["", "a", "x" * 12, "y" * 13, "zoë" * 400, 'quo"te', "line\nbreak", "東京タワー" * 9, "\U0001f600" * 5, "\\", "tab\t"]
    joblib.dump(model.fit(np.array([[t, t] for t in texts], dtype=object)), tmp_path / "texts.joblib")
    with Server(f"texts={tmp_path}/texts.joblib") as own:
        wanted = np.hstack([np.eye(len(texts)), np.eye(len(texts))]) @ np.diag([1.0] * 2 * len(texts))
        order = np.argsort(np.array(texts, dtype=object))
        wanted = wanted[:, np.concatenate([order, order + len(texts)])].tolist()
        n = len(texts)
        flat = [t for text in texts for t in (text, text)]
        for inputs in ([("input", "BYTES", [n, 2], flat)], [("a", "BYTES", [n], texts), ("b", "BYTES", [n, 1], texts)]):
            for binary in (False, True):
                assert dialects.rows_of(infer(own, "texts", inputs, binary=binary), "transform") == wanted
        escaped = json.dumps({"inputs": [{"name": "x", "shape": [n, 2], "datatype": "BYTES", "data": flat}]})
        plain = json.dumps(json.loads(escaped), ensure_ascii=False)
        for body in (escaped, plain):
            answer = own.request("POST", "/v2/models/texts/infer", body.encode(), dialects.JSON)
            assert dialects.rows_of(answer, "transform") == wanted


def test_outputs(server):
    """Several methods at once; shapes are those of scikit-learn's arrays; the id comes back as it was."""
    x = [("x", "FP64", [N, WIDTH], numbers().ravel().tolist())]
    answer = infer(server, "numbers", x, ["decision_function", "predict", "predict_proba"], id='he said "é" \u2028 \\')
    assert [o["name"] for o in answer.json()["outputs"]] == ["decision_function", "predict", "predict_proba"]
    assert answer.json()["id"] == 'he said "é" \u2028 \\'
    found = tensors(answer)
    assert found["decision_function"][:2] == ("FP64", [N])
    assert found["predict"][:2] == ("INT64", [N]) and found["predict_proba"][:2] == ("FP64", [N, 2])
    assert "id" not in infer(server, "numbers", x).json()
    assert tensors(infer(server, "targets", x))["predict"][:2] == ("FP64", [N, 2])
    near = tensors(infer(server, "near", x, ["kneighbors"]))
    assert {kind for kind, _, _ in near.values()} == {"FP64", "INT64"} and len(near) == 4
    texts = tensors(infer(server, "people", people(False)[1], ["predict"], True, True))["predict"]
    assert texts[:2] == ("BYTES", [N]) and set(texts[2]) == {"rich", "poor"}


def test_one_output_as_bytes_another_as_json(server):
    body = {"inputs": [{"name": "x", "shape": [N, WIDTH], "datatype": "FP64", "data": numbers().ravel().tolist()}],
            "parameters": {"binary_data_output": True},
            "outputs": [{"name": "predict", "parameters": {"binary_data": False}}, {"name": "predict_proba"}]}
    answer = server.post_json("/v2/models/numbers/infer", body)
    assert answer.headers["content-type"] == "application/octet-stream"
    head = json.loads(answer.body[:int(answer.headers["inference-header-content-length"])])
    assert "data" in head["outputs"][0] and head["outputs"][1]["parameters"]["binary_data_size"] == 16 * N
    del body["parameters"]
    assert tensors(answer) == tensors(server.post_json("/v2/models/numbers/infer", body))


def test_no_rows_one_column_and_open_width(server):
    empty = infer(server, "numbers", [("x", "FP64", [0, WIDTH], [])], ["predict", "predict_proba"])
    assert [o["shape"] for o in empty.json()["outputs"]] == [[0], [0, 2]]
    for shape in ([3], [3, 1]):
        assert tensors(infer(server, "one", [("whatever", "FP64", shape, [0.0, 1.0, 2.0])]))["predict"][1] == [3]
    wide = infer(server, "open", [("x", "FP64", [2, 3], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0])])
    assert tensors(wide)["transform"] == ("FP64", [2, 3], np.sqrt(np.arange(6.0)).tolist())


def test_a_body_of_bytes_alone(server):
    """Triton's raw requests: one tensor and no JSON."""
    x = numbers()
    answer = server.request("POST", "/v2/models/numbers/infer", x.tobytes(), {"Inference-Header-Content-Length": "0"})
    assert tensors(answer)["predict"][2] == tensors(infer(server, "numbers", [("x", "FP64", [N, WIDTH],
                                                                               x.ravel().tolist())]))["predict"][2]
    refused(server.request("POST", "/v2/models/numbers/infer", b"1234567", {"Inference-Header-Content-Length": "0"}), 400)


# ---- What is refused ---------------------------------------------------------------------------------------

X = {"name": "x", "shape": [1, WIDTH], "datatype": "FP64", "data": [1, 2, 3, 4, 5]}


@pytest.mark.parametrize("change, words", [
    ({"datatype": "BF16"}, ["BF16", "FP32"]), ({"datatype": "FP128"}, ["FP128"]), ({"datatype": 1}, ["datatype"]),
    ({"shape": [1, WIDTH + 1]}, ["6", "5"]), ({"shape": [2, WIDTH]}, ["shape"]), ({"shape": [1]}, ["more values"]),
    ({"shape": []}, ["shape"]), ({"shape": [1, WIDTH, 1]}, ["shape"]), ({"shape": [-1, WIDTH]}, ["shape"]),
    ({"shape": [1.5, WIDTH]}, ["shape"]), ({"shape": "x"}, ["shape"]), ({"shape": [2**63, 2**63]}, ["shape"]),
    ({"shape": [2**40, 2**20]}, ["shape"]), ({"shape": [0, 2**50]}, ["columns"]),
    ({"shape": [2**62, 4]}, ["shape"]), ({"shape": [0, 3], "data": []}, ["3", "5"]),
    ({"data": [1, 2, 3, 4]}, ["4", "5"]), ({"data": [1, 2, 3, 4, 5, 6]}, ["more values"]), ({"data": "x"}, ["data"]),
    ({"data": [[1, 2], [3, 4, 5]]}, ["row 0"]), ({"data": [1, [2, 3, 4, 5]]}, ["nested"]),
    ({"data": [[[1, 2, 3, 4, 5]]]}, ["nested"]), ({"data": [1, 2, 3, 4, "5"]}, ["a text", "FP64"]),
    ({"data": [1, 2, 3, 4, {}]}, ["an object"]), ({"datatype": "INT8", "data": [1, 2, 3, 4, 128]}, ["128", "INT8"]),
    ({"datatype": "UINT8", "data": [1, 2, 3, 4, -1]}, ["-1", "UINT8"]), ({"datatype": "INT64", "data": [1, 2, 3, 4, 5.5]}, ["5.5"]),
    ({"datatype": "UINT64", "data": [1, 2, 3, 4, 2**64]}, ["UINT64"]), ({"datatype": "BOOL", "data": [1, 0, 0, 0, 2]}, ["BOOL"]),
    ({"datatype": "BYTES", "data": [1, 2, 3, 4, 5]}, ["BYTES"]), ({"data": None}, ["data"]), ({"name": None}, ["name"]),
    ({"parameters": {"binary_data_size": 40}}, ["data"]), ({"parameters": {"shared_memory_region": "r"}}, ["shared memory"]),
    ({"parameters": []}, ["parameters"])])
def test_inputs_that_are_refused(server, change, words):
    tensor = {**X, **change}
    tensor = {key: value for key, value in tensor.items() if not (value is None and key in ("name",))}
    refused(server.post_json("/v2/models/numbers/infer", {"inputs": [tensor]}), 413 if words == ["columns"] else 400, *words)


@pytest.mark.parametrize("body, words", [
    ("", ["JSON"]), ("[]", ["object"]), ("{}", ["no inputs"]), ('{"inputs":[]}', ["no inputs"]), ('{"inputs":{}}', ["inputs"]),
    ('{"inputs":[1]}', ["inputs"]), (json.dumps({"inputs": [X]})[:-1], ["JSON"]), (json.dumps({"inputs": [X]}) + "x", []),
    (json.dumps({"inputs": [X], "outputs": [{"name": "nothing"}]}), ["nothing"]),
    (json.dumps({"inputs": [X], "outputs": [{"name": "transform"}]}), ["transform"]),
    (json.dumps({"inputs": [X], "outputs": [{"name": "predict"}, {"name": "predict"}]}), ["twice"]),
    (json.dumps({"inputs": [X], "outputs": [{"name": "predict"}] * 11}), ["twice"]),
    (json.dumps({"inputs": [X], "outputs": [{"name": "predict", "parameters": {"classification": 2}}]}), ["predict_proba"]),
    (json.dumps({"inputs": [X], "outputs": [{}]}), ["name"]), (json.dumps({"inputs": [X], "id": 7}), ["id"]),
    (json.dumps({"inputs": [X], "parameters": {"binary_data_output": 1}}), ["binary_data_output"]),
    (json.dumps({"inputs": [X, X]}), ["10", "5"])])
def test_requests_that_are_refused(server, body, words):
    refused(server.request("POST", "/v2/models/numbers/infer", body, dialects.JSON), 400, *words)


def test_tables_that_are_refused(server):
    _, inputs = people(False)
    refused(infer(server, "people", inputs[1:]), 400, "city")
    refused(infer(server, "people", [*inputs[:3], ("age", "INT64", [2], [1, 2])]), 400, "rows")
    refused(infer(server, "people", [*inputs, inputs[0]]), 400, "two inputs")
    refused(infer(server, "people", [inputs[0], inputs[1], ("income", "FP64", [N // 2, 2], inputs[2][3]), inputs[3]]), 400)
    message = refused(infer(server, "people", [*inputs[:3], ("age", "BYTES", [N], ["old"] * N)]), 400)
    assert "old" in message and "age" in message
    x = numbers(1)
    refused(infer(server, "numbers", [("x", "FP64", [WIDTH], x.ravel().tolist())]), 400, "[1, columns]")
    refused(infer(server, "numbers", [("x", "FP64", [1, WIDTH], [np.inf] * WIDTH)]), 400)


def test_bytes_that_are_refused(server):
    def ask(head, rest, size=None):
        text = json.dumps(head).encode()
        return server.request("POST", "/v2/models/numbers/infer", text + rest,
                              {"Inference-Header-Content-Length": str(len(text) if size is None else size)})
    def tensor(size, **change):
        return {"inputs": [{"name": "x", "shape": [1, WIDTH], "datatype": "FP64",
                            "parameters": {"binary_data_size": size}, **change}]}
    data = numbers(1).tobytes()
    assert ask(tensor(40), data).status == 200
    for head, rest, words in ((tensor(40), data[:-1], ["39"]), (tensor(39), data, ["39"]), (tensor(40), data + b"x", ["goes on"]),
                              (tensor(-1), data, ["binary_data_size"]), (tensor(2**63), data, ["binary_data_size"]),
                              (tensor(40, datatype="BYTES"), b"\xff" * 40, ["text 0"]),
                              (tensor(40, datatype="BYTES"), b"\0" * 40, ["goes on"]),
                              (tensor(20, datatype="BYTES", shape=[2**31, 2**16]), b"\0" * 20, ["shape"]),
                              (tensor(40, shape=[2**40, 2**19]), data, ["bytes"])):
        refused(ask(head, rest), 400, *words)
    refused(ask(tensor(40), data, 10**9), 400)
    refused(ask(tensor(40), data, -5), 400)
    refused(ask(tensor(40), data, "x"), 400)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused(server.request("POST", "/v2/models/numbers/infer", json.dumps({"inputs": [X]}), {"Content-Type": kind}), 415)


# ---- The repository and statistics --------------------------------------------------------------------------

def test_load_unload_index(folder):
    with Server(f"numbers={folder}/numbers.joblib", f"broken={folder}/broken.joblib", folder / "tree") as own:
        index = {(m["name"], m["version"]): m["state"] for m in own.request("POST", "/v2/repository/index").json()}
        assert index == {("numbers", "1"): "READY", ("broken", "1"): "UNAVAILABLE", ("several", "1"): "READY",
                         ("several", "2"): "READY", ("several", "10"): "READY"}
        ready = own.post_json("/v2/repository/index", {"ready": True}).json()
        assert "broken" not in [m["name"] for m in ready]
        body = {"inputs": [X]}
        assert own.post_json("/v2/models/numbers/infer", body).status == 200
        before = own.get("/api/v1/inference/cache/stats").json()["bytes"]
        assert own.request("POST", "/v2/repository/models/numbers/unload").status == 200
        assert own.get("/api/v1/inference/cache/stats").json()["bytes"] < before
        for _ in range(2):
            refused(own.post_json("/v2/models/numbers/infer", body), 503, "unloaded")
            refused(own.get("/v2/models/numbers"), 503, "unloaded")
            assert own.get("/v2/models/numbers/ready").status == 503
        assert own.post_json("/api/v1/inference/predict", {"model_path": "numbers", "features": [[1] * WIDTH]}).status == 503
        assert own.request("POST", "/v2/repository/models/numbers/load").status == 200
        assert own.get("/v2/models/numbers/ready").status == 200
        assert own.post_json("/v2/models/numbers/infer", body).status == 200
        refused(own.request("POST", "/v2/repository/models/broken/load"), 400)
        refused(own.request("POST", "/v2/repository/models/nobody/load"), 404)


def test_statistics(folder):
    with Server(f"numbers={folder}/numbers.joblib") as own:
        assert own.get("/v2/models/numbers/stats").json()["model_stats"][0]["last_inference"] == 0
        for _ in range(3):
            infer(own, "numbers", [("x", "FP64", [N, WIDTH], numbers().ravel().tolist())])
        infer(own, "numbers", [("x", "FP64", [N, 2], [])])
        for path in ("/v2/models/numbers/stats", "/v2/models/stats", "/v2/models/numbers/versions/1/stats"):
            stats = own.get(path).json()["model_stats"][0]
            assert stats["name"] == "numbers" and stats["version"] == "1"
            assert stats["inference_count"] == 3 * N and stats["execution_count"] == 3
            assert stats["inference_stats"]["success"]["count"] == 3 and stats["inference_stats"]["success"]["ns"] > 0
            assert stats["inference_stats"]["fail"]["count"] == 1
            assert stats["last_inference"] > 1.7e12


def test_many_at_once(folder):
    """Threads, models that push each other out of the cache, both types of plans: each answer is what it is alone."""
    _, inputs = people(False)
    x = numbers().astype(np.float32)
    questions = [("people", inputs, False), ("people", inputs, True)]
    questions += [(model, [("x", kind, [N, WIDTH], x.ravel().tolist())], binary) for model in ("numbers", "single")
                  for kind in ("FP32", "FP64") for binary in (False, True)]
    names = [f"{name}={folder}/{name}.joblib" for name in ("numbers", "single", "people")]
    with Server(*names, f"flips={folder}/targets.joblib", "--cache-size", "2", "--threads", "2") as own:
        want = [tensors(infer(own, model, tensor, ["predict", "predict_proba"], b, b)) for model, tensor, b in questions]
        wrong = []

        def ask(seed):
            order = np.random.default_rng(seed).integers(0, len(questions), 40)
            for i in order:
                model, tensor, binary = questions[i]
                answer = infer(own, model, tensor, ["predict", "predict_proba"], binary, binary)
                if answer.status != 200 or tensors(answer) != want[i]:
                    wrong.append((i, answer))

        def flip():
            for verb in ("unload", "load") * 15:
                answer = own.request("POST", f"/v2/repository/models/flips/{verb}")
                flipped = infer(own, "flips", [("x", "FP64", [1, WIDTH], [0.0] * WIDTH)])
                if answer.status != 200 or flipped.status != (503 if verb == "unload" else 200):
                    wrong.append((verb, answer, flipped))
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)] + [threading.Thread(target=flip)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[:3]


def test_limits(folder):
    """Rows and cells are counted before anything is computed."""
    with Server(folder / "numbers.joblib", "--max-rows", "10", "--max-cells", "40") as own:
        assert infer(own, "numbers", [("x", "FP64", [8, WIDTH], [0.0] * 8 * WIDTH)]).status == 200
        refused(infer(own, "numbers", [("x", "FP64", [9, WIDTH], [0.0] * 9 * WIDTH)]), 413, "max-cells")
        refused(infer(own, "numbers", [("x", "FP64", [11, WIDTH], [0.0] * 11 * WIDTH)], binary=True), 413, "max-rows")


def test_a_model_that_is_not_open_yet(folder):
    """The first request opens it on another thread, and texts with escapes are read as ever."""
    names = [f"m{i}={folder}/people.joblib" for i in range(4)]
    with Server(*names, "--cache-size", "1") as own:  # none is opened at the start
        _, inputs = people(False)
        answers = [infer(own, f"m{i}", inputs, ["predict_proba"]) for i in (0, 1, 2, 3, 0)]
        assert {a.status for a in answers} == {200}
        assert len({json.dumps(a.json()["outputs"]) for a in answers}) == 1
