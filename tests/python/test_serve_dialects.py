"""One answer by every door: golden models with columns of all kinds, asked through each protocol of the server, say what
`foretell predict` says of the same rows, bit for bit."""

import csv
import io
import json

import dialects
import ftl
import golden
import pytest
from serving import NATIVE, Server

CASES = [("sklearn-1.9.1", "rf_named-named"), ("sklearn-1.9.1", "logreg_str-unit"), ("sklearn-1.9.1", "linreg_multi-num"),
         ("sklearn-1.9.1", "rf_multi_str-num"), ("sklearn-1.9.1", "real_logreg-mixed"),
         ("sklearn-1.9.1", "real_hgb-mixed"), ("sklearn-1.9.1", "ctn_pass_bool-known"),
         ("sklearn-1.9.1", "hgbcat_text-text"), ("sklearn-1.9.1", "hgbcat_dtype_bin-typed"),
         ("sklearn-1.9.1", "onehot_named-cat_named"), ("text-1.9.1", "tfidf_logreg-docs"),
         ("text-1.9.1", "columns_logreg-texts", "text"), ("encoders-2.11.2", "ordinal_value-seen"),
         ("mappers-2.2.0", "mapper_forest-table_rows"), ("catboost-1.2.10", "categories-categories", "text"),
         ("lightgbm-4.7.0", "categories-categories"), ("xgboost-3.4.1", "several-nan"), ("meta-1.9.1", "stacking_3-unit")]


def name_of(case):
    return "_".join([case[0].partition("-")[0], case[1].replace("-", "_")])


def find(case):
    version, name = case[:2]
    return golden.unpacked(version), next(c for c in golden.cases(version) if c["name"] == name)


@pytest.fixture(scope="module")
def server():
    models, routes = [], []
    for case in CASES:
        folder, facts = find(case)
        models.append(f"{name_of(case)}={folder / facts['model']}")
        routes += ["--route", f"/old/{name_of(case)}={name_of(case)}"]
    with Server(*models, *routes, "--cache-size", len(models)) as running:
        yield running


class Table:
    """The rows of a case: {column: cells}, numbers where the model takes numbers, None where nothing stands."""

    def __init__(self, server, case):
        folder, facts = find(case)
        self.empty = case[2:]  # ("text",): an empty cell is a text where texts are taken
        self.model, self.path = folder / facts["model"], folder / facts["input"]
        with open(self.path, encoding="utf-8", newline="") as f:
            rows = list(csv.reader(f))
        metadata = server.get(f"/v2/models/{name_of(case)}").json()
        inputs = metadata["inputs"]
        self.named = inputs[0]["name"] != "input"
        if self.named:
            self.types = {i["name"]: i["datatype"] for i in inputs}
            assert all(i["shape"] == [-1, 1] for i in inputs)
        else:
            assert [i["shape"] for i in inputs] == [[-1, len(rows[0])]]
            self.types = dict.fromkeys(rows[0], inputs[0]["datatype"])
        self.n = len(rows) - 1
        self.columns = {}
        for name in self.types:
            cells = [row[rows[0].index(name)] for row in rows[1:]]
            self.columns[name] = [self.cell(name, cell) for cell in cells]

    def cell(self, name, text):
        if self.types[name] == "BYTES":
            return text if text or self.empty else None
        if text == "":
            return None
        if self.types[name] == "BOOL":
            return text == "True"
        return {"True": 1.0, "False": 0.0}[text] if text in ("True", "False") else float(text)

    def records(self):
        return [{name: values[i] for name, values in self.columns.items()} for i in range(self.n)]

    def arrays(self):
        return [[values[i] for values in self.columns.values()] for i in range(self.n)]


def expected(table, method, tmp_path):
    """The rows of the program's own answer."""
    out = tmp_path / "out.jsonl"
    process = ftl.run("predict", table.model, table.path, "-o", out, "--method", method,
                      *(["--empty", "text"] if table.empty else []))
    assert process.returncode == 0, process.stderr
    return [[dialects.missing(v) for v in json.loads(line).values()] for line in out.read_text().splitlines()]


def by_v2(server, name, table, method, binary):
    """A tensor for each column, in another order than the model's; bytes have no word for a missing text."""
    texts_missing = any(t == "BYTES" and None in table.columns[c] for c, t in table.types.items())
    inputs = [(column, table.types[column], [table.n, 1] if i % 2 else [table.n], table.columns[column])
              for i, column in enumerate(table.columns)]
    if binary and texts_missing:
        return None
    if table.named:
        inputs.reverse()
    answer = dialects.infer(server, name, inputs, [method], binary, binary)
    return dialects.rows_of(answer, method)


def by_table(server, name, table, method):
    """All columns in one tensor, nested as its shape is."""
    types = set(table.types.values())
    if len(types) > 1:
        return None
    shape = [table.n, len(table.columns)]
    return dialects.rows_of(dialects.infer(server, name, [("all", types.pop(), shape, table.arrays())], [method]), method)


def plain(answer, member=None):
    assert answer.status == 200, answer
    return dialects.plain_rows(answer.json()[member] if member else answer.json())


def by_csv(server, name, table):
    """The columns of the model alone, as MLflow's clients send them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([["" if v is None else v for v in row] for row in table.arrays()])
    return plain(server.request("POST", f"/invocations?model={name}", out.getvalue().encode(), {"Content-Type": "text/csv"}),
                 "predictions")


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_door_gives_the_same_answer(server, case, tmp_path):
    name, table = name_of(case), Table(server, case)
    outputs = [output["name"] for output in server.get(f"/v2/models/{name}").json()["outputs"]]
    has = [m for m in ("predict", "transform") if any(o == m for o in outputs)] or ["transform"]
    default = has[0]
    for method in {default, *({"predict_proba"} & set(outputs))}:
        want = expected(table, method, tmp_path)
        assert by_v2(server, name, table, method, False) == want
        assert by_v2(server, name, table, method, True) in (want, None)
        assert by_table(server, name, table, method) in (want, None)
        body = {"instances": table.records() if table.named else table.arrays(), "signature_name": method}
        assert plain(server.post_json(f"/v1/models/{name}:predict", body), "predictions") == want
        split = {"dataframe_split": {"index": list(range(table.n)), "data": table.arrays(), "columns": list(table.columns)},
                 "params": {"method": method}}
        assert plain(server.post_json(f"/invocations?model={name}", split), "predictions") == want
    want = expected(table, default, tmp_path)
    rows = table.records() if table.named else table.arrays()
    named = {**dialects.JSON, "X-Foretell-Model": name}
    assert plain(server.request("POST", "/invocations", json.dumps({"dataframe_records": table.records()}), named),
                 "predictions") == want
    assert plain(server.request("POST", "/invocations", json.dumps({"inputs": table.columns}), named), "predictions") == want
    assert plain(server.post_json(f"/v1/models/{name}:predict", {"inputs": table.columns}), "outputs") == want
    assert plain(server.post_json(f"/old/{name}", rows)) == want
    assert plain(server.post_json(f"/old/{name}", {"features": rows})) == want
    assert plain(server.post_json(f"/old/{name}", rows[0])) == want[:1]
    assert plain(server.post_json(f"{NATIVE}/predict", {"model_path": name, "features": rows}), "predictions") == want
    if not table.empty:
        assert by_csv(server, name, table) == want
