"""docs/SERVER-FILES.md: its requests are answered, and its lists are the program's own words."""

import re
import subprocess

import ftl
import pytest
import serve_models
import serving

TEXT = (ftl.ROOT / "docs/SERVER-FILES.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CURLS = [part for block in BLOCKS for part in re.findall(r"^curl .*?(?=^\S|\Z)", block, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    serve_models.write_models(folder)
    frame = serve_models.table(50)
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_json(folder / "rows.jsonl", orient="records", lines=True, force_ascii=False)
    for name in ("data", "results"):
        (folder / name / "2024").mkdir(parents=True)
    frame.to_parquet(folder / "data/2024/rows.parquet", index=False)
    with serving.Server("churn.joblib", "--data-root", "data", "--output-root", "results", cwd=folder) as server:
        yield folder, server


def test_the_page_was_read():
    assert len(CURLS) == 4 and all("localhost:8000" in line for line in CURLS)


@pytest.mark.parametrize("line", CURLS)
def test_requests(place, line):
    folder, server = place
    line = line.replace("localhost:8000", f"127.0.0.1:{server.port}").replace("curl ", "curl -sS --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    said = "prediction" in done.stdout or "output_path" in done.stdout
    assert done.returncode == 0 and said, (done.stdout, done.stderr)


def test_settings_and_options_are_the_programs():
    settings = subprocess.run([serving.server_program(), "--help"], capture_output=True, text=True, check=True).stdout
    verify = ftl.run("help", "verify").stdout + ftl.run("help", "predict").stdout + ftl.run("help", "stats").stdout
    for option in set(re.findall(r"`(--[a-z-]+)", TEXT)):
        assert option in settings or option in verify, option
    for setting, value in (("--max-jobs", 2), ("--max-waiting-jobs", 100), ("--job-keep", 3600), ("--max-streams", 64),
                           ("--stream-timeout", 300)):
        assert re.search(rf"{setting} \w+ .*\({value}\)", settings) and str(value) in TEXT, setting
    members = {name for row in re.findall(r"^\| (`[^|]*) \|", TEXT, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    source = (ftl.ROOT / "server/serving/score.c").read_text()
    named = set(re.findall(r'\{"(\w+)", (?:true|false)\}', source)) - {"proba"}
    assert named <= members and {"model_path", "data_path", "output_path", "overwrite", "async"} <= members
