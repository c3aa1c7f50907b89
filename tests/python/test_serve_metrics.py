"""/metrics: the text format of Prometheus, figures that are true, and a number of series that has a bound."""

import json
import re
import shutil

import ftl
import pytest
import serve_examples
from serving import Server

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
NATIVE = "/api/v1/inference"


class Scrape:
    """The samples of an answer, each checked against the format: {(name, labels): value}, and each family's type."""

    def __init__(self, answer):
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.samples, self.types, self.helps = {}, {}, {}
        family = None
        assert answer.body.endswith(b"\n")
        for line in answer.body.decode().splitlines():
            if line.startswith("# HELP "):
                family, text = line[7:].split(" ", 1)
                assert family not in self.helps and text
                self.helps[family] = text
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert name == family and name not in self.types  # the samples of a family stand together
                self.types[name] = kind
            else:
                name, labels, value = LINE.match(line).groups()
                kind = self.types[family]
                endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
                assert name in [family + ending for ending in endings], line
                assert (kind == "counter") == name.endswith("_total"), line
                key = name, tuple(sorted(LABEL.findall(labels or "")))
                assert key not in self.samples, line
                self.samples[key] = float(value)
                assert self.samples[key] >= 0, line

    def __call__(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]

    def labels(self, name, label):
        return {dict(labels).get(label) for sample, labels in self.samples if sample == name}

    def names(self):
        return {name for name, _ in self.samples}


def check_histograms(scrape):
    """Buckets grow, the last one is the count, and there is a sum."""
    found = {}
    for (name, labels), value in scrape.samples.items():
        if name.endswith("_bucket"):
            rest = tuple(label for label in labels if label[0] != "le")
            found.setdefault((name.removesuffix("_bucket"), rest), []).append((float(dict(labels)["le"]), value))
    assert len(found) > 10
    for (name, rest), buckets in found.items():
        assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), name
        assert buckets[-1][0] == float("inf") and buckets[-1][1] == scrape.samples[name + "_count", rest]
        waited = ("phase", "queue") in rest  # which may be for no time at all
        assert waited or (scrape.samples[name + "_sum", rest] > 0) == (buckets[-1][1] > 0), (name, rest)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return serve_examples.fill(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder, "--model-root", folder) as running:
        yield running


def predict(server, name, rows=1):
    body = {"model_path": name, "features": [serve_examples.ROWS.get(name, serve_examples.ROWS["plain"])] * rows}
    answer = server.post_json(NATIVE + "/predict", body)
    assert answer.status == 200, answer


def test_figures_are_those_of_the_requests(server):
    before = Scrape(server.get("/metrics"))
    for _ in range(3):
        predict(server, "churn", rows=4)
    predict(server, "flowers")
    bad = server.post_json(NATIVE + "/predict", {"model_path": "churn", "features": [[1, 2]]})
    assert bad.status == 422
    after = Scrape(server.get("/metrics"))
    check_histograms(after)
    assert after("foretell_predictions_total", model="churn") == 4
    assert after("foretell_prediction_failures_total", model="churn") == 1
    assert after("foretell_rows_total", model="churn") == 12
    assert after("foretell_predictions_total", model="flowers", version="2") == 1
    assert after("foretell_predictions_total", model="other") == 0
    assert after("foretell_prediction_duration_seconds_count", model="churn") == 3
    for phase in ("queue", "load", "parse", "predict", "format"):
        assert after("foretell_prediction_phase_seconds_count", model="churn", phase=phase) == 3
    parts = sum(after("foretell_prediction_phase_seconds_sum", model="churn", phase=phase)
                for phase in ("queue", "load", "parse", "predict", "format"))
    assert abs(parts - after("foretell_prediction_duration_seconds_sum", model="churn")) < 0.05 * parts + 1e-6
    grown = lambda name, **labels: after(name, **labels) - before(name, **labels)  # noqa: E731
    assert grown("foretell_cache_hits_total") >= 5
    assert grown("foretell_http_requests_total", code="4xx") == 1
    assert grown("foretell_http_requests_total", code="2xx") >= 4
    assert after("foretell_model_bytes", model="churn") > 1000
    assert after("foretell_model_stale", model="churn") == 0
    assert after("process_resident_memory_bytes") > 1 << 20 and after("process_cpu_seconds_total") > 0
    assert after("process_open_fds") < after("process_max_fds")
    assert after("foretell_connections") >= 1 and after("foretell_ready") == 1
    stats = server.get(NATIVE + "/cache/stats").json()
    assert stats["cache_size"] == after("foretell_cache_models") and stats["hits"] == after("foretell_cache_hits_total")


def test_models_beyond_the_limit_are_counted_together(folder, tmp_path):
    for i in range(8):
        shutil.copy(folder / "plain.joblib", tmp_path / f"m{i}.joblib")
    with Server(tmp_path, "--metrics-models", "3") as server:
        for i in range(8):
            for _ in range(i + 1):
                predict(server, f"m{i}")
        first = Scrape(server.get("/metrics"))
        assert first.labels("foretell_predictions_total", "model") == {"m7", "m6", "m5", "other"}  # the most used ones
        assert first("foretell_predictions_total", model="other") == 1 + 2 + 3 + 4 + 5
        assert first("foretell_prediction_duration_seconds_count", model="other") == 15
        for _ in range(20):
            predict(server, "m0")
        second = Scrape(server.get("/metrics"))
        check_histograms(second)
        assert second.labels("foretell_predictions_total", "model") == {"m7", "m6", "m5", "other"}  # and they stay
        assert second("foretell_predictions_total", model="other") == 35
        assert set(first.samples) == set(second.samples)


def test_nothing_that_clients_name_breaks_a_line(folder, tmp_path):
    names = ['a"b', "a\\b", "a\nb", "other", "größe"]
    for name in names:
        shutil.copy(folder / "plain.joblib", tmp_path / name)
    shutil.copy(folder / "plain.joblib", tmp_path / "twin.joblib")
    with Server("twin=" + str(tmp_path / "twin.joblib"), "--model-root", tmp_path) as server:
        for name in [*names, "twin"]:
            predict(server, name)
        shutil.copy(folder / "plain.joblib", tmp_path / "twin")  # a path that looks like a name
        predict(server, "./twin")
        scrape = Scrape(server.get("/metrics"))
        shown = scrape.labels("foretell_predictions_total", "model")
        assert shown == {'a\\"b', "a\\\\b", "a\\nb", "größe", "twin", "other"}
        assert sum(value for (name, _), value in scrape.samples.items() if name == "foretell_predictions_total") == 7


def test_models_that_cannot_be_opened_are_counted(folder, tmp_path):
    (tmp_path / "broken.joblib").write_bytes(b"\x80\x04no")
    shutil.copy(folder / "plain.joblib", tmp_path)
    with Server(tmp_path) as server:
        scrape = Scrape(server.get("/metrics"))
        assert scrape("foretell_models_failing") == 1 and scrape("foretell_jobs") == 0


def test_scrapes_do_not_open_models(folder):
    with Server(folder, "--cache-size", "1") as server:
        assert Scrape(server.get("/metrics"))("foretell_cache_loads_total") == 0
        server.get("/metrics")
        assert server.get(NATIVE + "/cache/stats").json()["loads"] == 0


# ---- The dashboard and the alerts ----

# Names within an expression that are no metrics.
WORDS = {"sum", "rate", "increase", "by", "le", "model", "version", "phase", "code", "job", "instance", "histogram_quantile",
         "max", "min", "avg", "topk", "without", "and", "or", "unless", "on", "ignoring", "time", "absent", "clamp_min",
         "label_values", "vector", "up", "for"}


def metrics_of(expression):
    plain = re.sub(r'"[^"]*"', "", expression)
    plain = re.sub(r"\$\w+|\[[^\]]*\]", "", plain)
    return {word for word in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", plain)} - WORDS


def expressions(thing):
    """Every value of a key expr or query, at any depth."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            if key in ("expr", "query") and isinstance(value, str) and value != "prometheus":
                yield value
            else:
                yield from expressions(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from expressions(value)


def test_the_dashboard_uses_metrics_that_there_are(server):
    predict(server, "churn")
    names = Scrape(server.get("/metrics")).names()
    dashboard = json.loads((ftl.ROOT / "deploy/grafana.json").read_text())
    found = list(expressions(dashboard))
    assert len(found) > 12
    for expression in found:
        assert metrics_of(expression) and metrics_of(expression) <= names, expression
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24  # side by side, none over another


def test_the_alerts_use_metrics_that_there_are(server):
    predict(server, "churn")
    names = Scrape(server.get("/metrics")).names()
    text = (ftl.ROOT / "deploy/alerts.yaml").read_text()
    found = re.findall(r"expr: (.+)", text)
    assert len(found) > 5
    for expression in found:
        assert metrics_of(expression) <= names, expression
