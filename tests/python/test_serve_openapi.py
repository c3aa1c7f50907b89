"""/openapi.json: it describes the routes that there are, and the server answers as it says."""

import json
import re
import shutil

import ftl
import pytest
import serve_examples
from serving import Server, wait_until

FRAGMENTS = sorted(path for path in (ftl.ROOT / "server/openapi").glob("*.json") if path.name not in ("main.json", "model.json", "custom-get.json", "custom-post.json"))
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return serve_examples.fill(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder, "--model-root", folder) as running:
        yield running


@pytest.fixture(scope="module")
def document(server):
    answer = server.get("/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    return answer.json()


def source_routes():
    """{(method, pattern)} of the route tables in server/api/*.h."""
    text = "".join(path.read_text() for path in sorted((ftl.ROOT / "server/api").glob("*.h")))
    names = {}
    for name, value in re.findall(r"#define (\w+) (.*\".*)", text):
        names[name] = value
    def resolve(expression):
        while any(name in expression.split('"')[::2][0] or re.search(rf"\b{name}\b", re.sub(r'"[^"]*"', "", expression))
                  for name in names):
            expression = re.sub(r'("[^"]*")|\b(\w+)\b', lambda m: m.group(1) or names.get(m.group(2), m.group(2)),
                                expression)
        return "".join(re.findall(r'"([^"]*)"', expression))
    return {(method.lower(), resolve(pattern))
            for method, pattern in re.findall(r"X\((GET|POST|PUT|DELETE|PATCH), ([^,]+), \w+, SRV_\w+,", text)}


def operations(document):
    return {(method, path): operation for path, item in document["paths"].items()
            for method, operation in item.items() if method in METHODS}


def test_every_route_is_described_and_nothing_else(server, document):
    described = operations(document)
    own = {("post", f"/v2/models/{name}/infer") for name in serve_examples.ROWS}  # of this server's models
    assert set(described) == source_routes() | own and len(described) > 40
    assert not [key for key, operation in described.items() if "x-undescribed" in operation]
    assert not [line for line in server.lines if '"openapi"' in line]


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_file_describes_routes_and_nothing_else(path):
    described = {(method, pattern) for pattern, item in json.loads(path.read_text())["paths"].items() for method in item}
    assert described <= source_routes()


def test_operations_have_names_words_tags_and_answers(document):
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    for (method, path), operation in operations(document).items():
        assert operation["summary"] and set(operation["tags"]) <= tags and operation["tags"], path
        assert "default" in operation["responses"] or path.startswith("/v"), path
        declared = {p["name"] for p in map(lambda p: find(document, p), operation.get("parameters", ()))
                    if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_the_native_api_has_the_tag_inference_and_its_schemas(document):
    for path in document["paths"]:
        if path.startswith("/api/v1/inference/"):
            for method, operation in document["paths"][path].items():
                assert "inference" in operation["tags"], path
    for name in ("PredictionRequest", "PredictionResponse", "ModelWarmupRequest", "ModelWarmupResponse", "CacheStatsResponse",
                 "HTTPValidationError", "ValidationError"):
        assert document["components"]["schemas"][name]["type"] == "object"


def find(document, thing):
    """What a $ref leads to."""
    while "$ref" in thing:
        target = document
        for part in thing["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        thing = target
    return thing


def references(thing):
    if isinstance(thing, dict):
        if isinstance(thing.get("$ref"), str):
            yield thing
        for value in thing.values():
            yield from references(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from references(value)


def test_every_reference_leads_somewhere_and_no_schema_is_left_over(document):
    used = set()
    for reference in references(document):
        assert find(document, reference), reference
        used.add(reference["$ref"])
    for name in document["components"]["schemas"]:
        assert name.startswith("Row.") or f"#/components/schemas/{name}" in used, name


def test_no_mark_is_left(server):
    assert b"{{" not in server.get("/openapi.json").body.replace(b"}}", b"")


def test_models_have_a_schema_of_their_columns(document):
    schemas = document["components"]["schemas"]
    churn = schemas["Row.churn"]
    assert list(churn["properties"]) == ["age", "balance", "plan", "city", "active"]
    assert churn["properties"]["plan"]["x-categories"] == ["basic", "plus", "pro"]
    assert "number" in churn["properties"]["age"]["type"] and "number" not in churn["properties"]["plan"]["type"]
    assert schemas["Row.plain"]["minItems"] == schemas["Row.plain"]["maxItems"] == 28
    assert list(schemas["Row.flowers"]["properties"]) == ["length (cm)", "width (cm)", "petals"]


def test_the_examples_are_answered(server, document):
    for path in ("predict", "warmup"):
        body = document["paths"][f"/api/v1/inference/{path}"]["post"]["requestBody"]
        examples = body["content"]["application/json"]["examples"]
        assert set(examples) == set(serve_examples.ROWS)
        for name, example in examples.items():
            answer = server.post_json(f"/api/v1/inference/{path}", example["value"])
            assert answer.status == 200, (path, name, answer)


@pytest.mark.parametrize("name", serve_examples.ROWS)
def test_the_tensors_of_a_models_own_path_are_answered(server, document, name):
    path = f"/v2/models/{name}/infer"
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    if name != "plain":
        assert [tensor["name"] for tensor in example["inputs"]] == [
            column for column in serve_examples.ROWS[name] if (name, column) != ("price", "active")]
    answer = server.post_json(path, example)
    assert answer.status == 200, answer
    native = server.post_json("/api/v1/inference/predict", {"model_path": name, "features": [
        server.get(f"/api/v1/models/{name}").json()["example"]]})
    assert answer.json()["outputs"][0]["data"] == native.json()["predictions"]


def test_who_has_no_key_learns_of_no_model(folder, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("inference one-key-of-some-length\nmetrics another-key-of-some-length\n")
    keys.chmod(0o600)

    def rows(**headers):
        answer = server.get("/openapi.json", headers=headers)
        assert answer.status == 200
        for page in ("/", "/docs", "/redoc", "/assets/app.js"):
            assert server.get(page, headers=headers).status == 200
        return [key for key in answer.json()["components"]["schemas"] if key.startswith("Row.")], answer.body
    with Server(folder, "--keys-file", keys) as server:
        names, body = rows()
        assert names == [] and b"churn" not in body and b"balance" not in body
        assert rows(Authorization="Bearer another-key-of-some-length")[0] == []
        assert rows(Authorization="Bearer wrong")[0] == []
        assert len(rows(Authorization="Bearer one-key-of-some-length")[0]) == 4
        assert len(rows(**{"X-API-Key": "one-key-of-some-length"})[0]) == 4
        assert server.get("/api/v1/models").status == server.get("/metrics").status == 401


def test_paths_of_the_configuration_are_described(folder):
    with Server(folder, "--route", "/score=churn", "--route", "/invocations=churn", "--health-route", "/alive",
                "--health-route", "/both", "--route", "/both=churn") as server:
        body = server.get("/openapi.json").body
        document = json.loads(body)
        assert body.count(b'"/both"') == 1 and set(document["paths"]["/both"]) == {"get", "post"}
        assert set(document["paths"]["/score"]) == {"post"} and set(document["paths"]["/alive"]) == {"get"}
        names = [operation["operationId"] for operation in operations(document).values()]
        assert len(set(names)) == len(names)
        assert document["paths"]["/invocations"]["post"]["tags"] == ["mlflow"]  # once, as the table has it
        assert server.post_json("/score", [serve_examples.ROWS["churn"]]).status == 200
        assert server.get("/alive").status == 200


def test_names_that_are_no_keys_are_numbered(folder, tmp_path):
    for name in ("our model", "größe", "a%b", "x" * 120):
        shutil.copy(folder / "plain.joblib", tmp_path / f"{name}.joblib")
    with Server(tmp_path) as server:
        document = server.get("/openapi.json").json()
    keys = [key for key in document["components"]["schemas"] if key.startswith("Row.")]
    assert len(keys) == 4 and all(re.fullmatch(r"[A-Za-z0-9._-]+", key) for key in keys)
    examples = document["paths"]["/api/v1/inference/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {"our model", "größe", "a%b", "x" * 120}
    for path in ("/v2/models/our%20model/infer", "/v2/models/gr%C3%B6%C3%9Fe/infer", "/v2/models/a%25b/infer"):
        assert "requestBody" in document["paths"][path]["post"]


def test_the_document_follows_the_models(folder, tmp_path):
    path = tmp_path / "model.joblib"
    shutil.copy(folder / "plain.joblib", path)
    with Server(tmp_path) as server:
        first = server.get("/openapi.json")
        assert first.json()["components"]["schemas"]["Row.model"]["minItems"] == 28
        assert server.get("/openapi.json").headers["etag"] == first.headers["etag"]
        path.write_bytes((folder / "churn.joblib").read_bytes())

        def changed():  # files are looked at once in a second
            assert server.post_json("/api/v1/inference/warmup", {"model_path": "model"}).status == 200
            answer = server.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
            return answer if answer.status == 200 else None
        second = wait_until(changed)
        assert list(second.json()["components"]["schemas"]["Row.model"]["properties"])[0] == "age"


def test_many_models_are_not_all_described(folder, tmp_path):
    for i in range(60):
        shutil.copy(folder / "plain.joblib", tmp_path / f"m{i:02}.joblib")
    with Server(tmp_path, "--cache-size", "100") as server:
        document = server.get("/openapi.json").json()
        assert len([key for key in document["components"]["schemas"] if key.startswith("Row.")]) == 50
        assert len(server.get("/api/v1/models").json()["models"]) == 60
