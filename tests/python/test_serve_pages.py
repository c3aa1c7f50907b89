"""What people see of the server: the pages' files, GET /api/v1/models, and what a browser may do with them."""

import hashlib
import html.parser
import re

import ftl
import joblib
import pytest
import serve_examples
from serving import Server, wait_until

# Ours; the others belong to Swagger UI and ReDoc.
OWN_ASSETS = {path.name for path in (ftl.ROOT / "server/web").iterdir() if path.suffix != ".html"}
PAGES = {"/": "index.html", "/docs": "docs.html", "/redoc": "redoc.html", "/api/v1/docs": "docs.html"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return serve_examples.fill(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder, "--model-root", folder) as running:
        yield running


class Links(html.parser.HTMLParser):
    """What a page loads or leads to, and the ids that it has."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.leads, self.ids, self.fors, self.inline = [], [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in ("script", "img"):
            self.loads.append(attributes.get("src"))
        if tag == "link":
            self.loads.append(attributes["href"])
        if tag == "a":
            self.leads.append(attributes["href"])
        self.ids.add(attributes.get("id"))
        self.fors.add(attributes.get("for"))
        self.inline += [name for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_and_everything_that_it_loads_and_leads_to_is_there(server, path):
    page = server.get(path)
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    text = page.body.decode()
    assert "{{" not in text
    links = Links(text)
    assert len(links.loads) >= 3 and not links.inline  # the policy forbids styles and handlers in the page
    base = path.rsplit("/", 1)[0]
    for link in links.loads + [lead for lead in links.leads if not lead.startswith("#")]:
        assert not re.match(r"\w+:|/", link), f"{link}: pages may lie below a proxy's prefix, and load nothing from elsewhere"
        parts = (base + "/" + link).split("/")
        while ".." in parts:
            at = parts.index("..")
            del parts[at - 1:at + 1]
        answer = server.get("/".join(parts))
        assert answer.status == 200 and answer.body, link
    assert links.fors - {None} <= links.ids


@pytest.mark.parametrize("path", PAGES)
def test_pages_may_run_nothing_but_the_servers_own_files(server, path):
    headers = server.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
    relaxed = path != "/"
    assert policy["style-src"] == ("'self' 'unsafe-inline'" if relaxed else "'self'")
    assert policy["worker-src"] == ("'self' blob:" if relaxed else "'none'")
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/docs", "/assets/style.css", "/assets/swagger-ui.css", "/openapi.json"])
def test_what_a_browser_has_already_is_not_sent_again(server, path):
    first = server.get(path)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f-]+"', tag)
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = server.get(path, headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b""), known
        assert again.headers["etag"] == tag
    changed = server.get(path, headers={"If-None-Match": '"other"'})
    assert changed.status == 200 and changed.body == first.body
    head = server.request("HEAD", path)
    assert head.status == 200 and head.body == b"" and head.headers["content-length"] == str(len(first.body))


def test_files_of_pages_are_served_as_they_are(server):
    for name in OWN_ASSETS:
        assert server.get("/assets/" + name).body == (ftl.ROOT / "server/web" / name).read_bytes(), name


@pytest.mark.parametrize("name", ["index.html", "main.json", "..", "../api.h", "..%2f..%2fetc%2fpasswd", "%2e%2e", "",
                                  "swagger-ui%2fswagger-ui.css", "style.css%00", "STYLE.CSS", "style.css/"])
def test_only_the_files_of_pages_are_served(server, name):
    answer = server.get("/assets/" + name)
    assert answer.status == 404 and str(ftl.ROOT).encode() not in answer.body


# ---- Models ----

def test_the_list_of_models(server):
    models = server.get("/api/v1/models").json()["models"]
    assert [(m["name"], m["version"]) for m in models] == \
        [("churn", None), ("flowers", "1"), ("flowers", "2"), ("plain", None), ("price", None)]
    by_name = {m["name"]: m for m in models}
    assert {m["state"] for m in models} == {"open"}  # a server of a few models opens them all
    churn = by_name["churn"]
    assert (churn["kind"], churn["class"], churn["n_inputs"]) == ("classifier", "sklearn.pipeline.Pipeline", 5)
    assert churn["library"] == "scikit-learn" and churn["bytes"] > 0


def test_a_model_of_a_path_is_listed_below_the_root(server, folder):
    (folder / "more").mkdir()
    joblib.dump(joblib.load(folder / "plain.joblib"), folder / "more" / "other.joblib")
    body = {"model_path": "more/other.joblib", "features": [serve_examples.ROWS["plain"]]}
    assert server.post_json("/api/v1/inference/predict", body).status == 200
    models = server.get("/api/v1/models").json()["models"]
    assert [m["model_path"] for m in models if m["name"] is None] == ["more/other.joblib"]
    assert str(folder) not in server.get("/api/v1/models").body.decode()


@pytest.mark.parametrize("name", serve_examples.ROWS)
def test_what_a_model_takes_and_gives(server, folder, name):
    model = server.get("/api/v1/models/" + name).json()
    path = folder / ("flowers/2/model.joblib" if name == "flowers" else f"{name}.joblib")
    real = joblib.load(path)
    assert model["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert model["file_bytes"] == path.stat().st_size
    assert model["versions"] == (["1", "2"] if name == "flowers" else [])
    assert model["version"] == ("2" if name == "flowers" else None)
    names = [column["name"] for column in model["model"]["inputs"]]
    assert names == (list(real.feature_names_in_) if hasattr(real, "feature_names_in_") else [None] * 28)
    assert set(model["methods"]) <= set(dir(real)) and "predict" in model["methods"]
    assert set(model["methods"]) >= {m for m in ("predict_proba", "decision_function") if hasattr(real, m)}
    classes = model["model"]["classes"]
    assert classes == ([list(real.classes_)] if hasattr(real, "classes_") else [])
    assert model["plan"]["input_dtype"] == "float64" and "predict" in model["plan"]["methods"]
    assert str(folder) not in server.get("/api/v1/models/" + name).body.decode()


@pytest.mark.parametrize("name", serve_examples.ROWS)
def test_the_example_of_a_model_can_be_predicted(server, name):
    example = server.get("/api/v1/models/" + name).json()["example"]
    assert type(example) is type(serve_examples.ROWS[name])
    answer = server.post_json("/api/v1/inference/predict", {"model_path": name, "features": [example]})
    assert answer.status == 200 and answer.json()["n_samples"] == 1


def test_a_version_of_a_model(server, folder):
    first = server.get("/api/v1/models/flowers?version=1").json()
    assert first["version"] == "1"
    assert first["sha256"] == hashlib.sha256((folder / "flowers/1/model.joblib").read_bytes()).hexdigest()
    assert server.get("/api/v1/models/flowers?version=latest").json()["version"] == "2"
    for missing in ("/api/v1/models/flowers?version=3", "/api/v1/models/none", "/api/v1/models/churn/x"):
        assert server.get(missing).status == 404, missing
    assert server.get("/api/v1/models/%2e%2e").status == 403


def test_the_digest_is_that_of_the_file_as_it_is_now(folder, tmp_path):
    for name in ("churn.joblib", "plain.joblib"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    path = tmp_path / "churn.joblib"
    with Server(tmp_path, "--model-root", tmp_path) as server:
        for source in ("churn.joblib", "price.joblib", "churn.joblib"):
            fresh = (folder / source).read_bytes()
            path.write_bytes(fresh)
            assert server.get("/api/v1/models/churn").json()["sha256"] == hashlib.sha256(fresh).hexdigest()


def test_models_that_are_not_open_are_listed_without_being_opened(folder):
    with Server(folder, "--cache-size", "2", "--model-root", folder) as server:
        models = server.get("/api/v1/models").json()["models"]
        assert len(models) == 5 and {m["state"] for m in models} == {"closed"}
        assert server.get("/api/v1/inference/cache/stats").json()["loads"] == 0
        assert server.get("/api/v1/models/price").json()["model"]["kind"] == "regressor"
        states = {m["name"]: m["state"] for m in server.get("/api/v1/models").json()["models"]}
        assert states["price"] == "open" and states["churn"] == "closed"


def test_a_file_that_is_no_model_says_so(tmp_path):
    (tmp_path / "broken.joblib").write_bytes(b"\x80\x04no")
    with Server(tmp_path, "--model-root", tmp_path) as server:
        answer = server.get("/api/v1/models/broken")
        assert answer.status == 422 and str(tmp_path).encode() not in answer.body
        entry = server.get("/api/v1/models").json()["models"][0]
        assert entry["state"] == "failed" and entry["error"] and str(tmp_path) not in entry["error"]
        assert server.get("/").status == 200


def test_a_model_whose_new_file_is_damaged_goes_on_and_says_so(folder, tmp_path):
    path = tmp_path / "model.joblib"
    path.write_bytes((folder / "plain.joblib").read_bytes())
    with Server(tmp_path, "--watch-seconds", "1") as server:
        assert server.get("/api/v1/models").json()["models"][0]["state"] == "open"
        path.write_bytes(b"\x80\x04no")

        def stale():
            assert server.post_json("/api/v1/inference/predict", {"model_path": "model", "features": [
                serve_examples.ROWS["plain"]]}).status == 200
            entry = server.get("/api/v1/models").json()["models"][0]
            return entry if entry["state"] == "stale" else None
        assert wait_until(stale)["n_inputs"] == 28
