"""The pages that are written from the program are up to date, and links between pages lead somewhere."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import ftl
import joblib
import pytest
from browser import Browser
from sklearn.linear_model import LinearRegression


def test_models_page_is_what_runs():
    done = subprocess.run([sys.executable, ftl.ROOT / "tools/models_doc", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere():
    broken = []
    for page in [*ftl.ROOT.glob("*.md"), *ftl.ROOT.glob("docs/*.md"), *ftl.ROOT.glob("tests/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ftl.ROOT)}: {target}")
    assert broken == []


@pytest.mark.parametrize("tool", ["cli_doc", "api_doc", "mission_doc"])
def test_pages_that_are_written_from_the_program_are_up_to_date(tool, tmp_path):
    done = subprocess.run([sys.executable, ftl.ROOT / "tools" / tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_told(tmp_path):
    """The checks can fail: in a copy whose page, or whose header, says something else."""
    for part in ("tools", "include/foretell"):
        shutil.copytree(ftl.ROOT / part, tmp_path / part)
    (tmp_path / "docs").mkdir()
    for tool, page in (("cli_doc", "CLI.md"), ("api_doc", "C-API.md")):
        command = [sys.executable, tmp_path / "tools" / tool, "--check"]
        environment = {**os.environ, "FORETELL": ftl.program()}
        assert "run tools/" in subprocess.run(command, capture_output=True, text=True, env=environment).stderr
        shutil.copy(ftl.ROOT / "docs" / page, tmp_path / "docs" / page)
        assert subprocess.run(command, capture_output=True, text=True, env=environment).returncode == 0
        (tmp_path / "docs" / page).write_text((ftl.ROOT / "docs" / page).read_text() + "more\n")
        assert subprocess.run(command, capture_output=True, text=True, env=environment).returncode == 1
    (tmp_path / "include/foretell/new.h").touch()
    assert "new.h" in subprocess.run([sys.executable, tmp_path / "tools/api_doc"], capture_output=True, text=True).stderr


def test_every_function_and_option_is_on_its_page():
    """What is counted here is not what the tools count: the words FTL_API, and the names in the table of options."""
    headers = "".join(path.read_text() for path in (ftl.ROOT / "include/foretell").glob("*.h"))
    functions = set(re.findall(r"^FTL_API[^;]*?\b(ftl_\w+)\(", headers, re.MULTILINE))
    page = (ftl.ROOT / "docs/C-API.md").read_text()
    assert len(functions) > 60 and not [name for name in functions if f"### `{name}`" not in page]
    options = set(re.findall(r'\.name = "([a-z-]+)"', (ftl.ROOT / "cli/options.c").read_text())) - {"help"}
    page = (ftl.ROOT / "docs/CLI.md").read_text()
    assert len(options) > 40 and not [name for name in options if not re.search(rf"`--{name}[ `]", page)]


def slugs(page):
    """The anchors of a page's headings, as sites make them."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = {}
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).strip().replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return set(found)


def test_anchors_lead_somewhere():
    broken, seen = [], 0
    for page in [*ftl.ROOT.glob("*.md"), *ftl.ROOT.glob("docs/*.md")]:
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
            other = page.parent / target if target else page
            seen += 1
            if other.suffix == ".md" and other.exists() and anchor not in slugs(other):
                broken.append(f"{page.relative_to(ftl.ROOT)}: {target}#{anchor}")
    assert broken == [] and seen > 60


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def search(site):
    """In a browser, from a plain server of files: words of an option and of a function lead to their pages, nothing fails."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for words, page in (("longest record", "CLI.html"), ("ftl_cache_get", "C-API.html"), ("migration", "OPTIMIZED_INFERENCE.html")):
            browser.open(f"http://127.0.0.1:{server.server_port}/index.html")
            browser.click(".md-search__input")
            browser.type(words)
            browser.wait(f"[...document.querySelectorAll('.md-search-result__link')].some(a => a.href.includes('/{page}'))")
        assert browser.messages == []
        server.shutdown()


@pytest.mark.long
def test_the_site_is_built_and_holds_itself(tmp_path):
    """mkdocs build --strict: links, anchors, navigation. Nothing is loaded from elsewhere, and the search has its index."""
    subprocess.run([ftl.ROOT / "scripts/docs"], check=True, capture_output=True)
    site = ftl.ROOT / "build/site"
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        text = page.read_text(encoding="utf-8")
        outside = re.findall(r"<(?:script|img|iframe)[^>]* src=\"?(https?:)?//|<link[^>]*rel=\"?stylesheet\"?[^>]*href=\"?(?:https?:)?//", text)
        assert not outside, page
        assert "fonts.g" not in text
    index = json.loads((site / "search/search_index.json").read_text())
    assert any("CLI.html#predict" in entry["location"] for entry in index["docs"])
    assert any("ftl_cache_get" in entry["location"] for entry in index["docs"])
    search(site)


def test_lists_of_formats_are_the_programs_own(tmp_path):
    """Help, pages and header name each format that a message lists, which lists what there is."""
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "m.joblib")
    (tmp_path / "rows.csv").write_text("x\n1\n")

    def listed(*options):
        done = ftl.run("predict", "m.joblib", "rows.csv", *options, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        return re.findall(r"[.\w]+", re.split(r"\bn?one of ", done.stderr)[1])

    inputs, outputs = listed("--input-format", "?"), listed("-o", "o", "--output-format", "?")
    endings, compressed = listed("-o", "o.xlsx"), [".gz", ".zst", ".bz2", ".xz", ".lz4"]
    assert len(inputs) >= 6 and len(outputs) >= 6 and len(endings) >= 12, (inputs, outputs, endings)
    texts = {"help": ftl.run("help", "predict").stdout, "header": (ftl.ROOT / "include/foretell/jobs.h").read_text(),
             "page": (ftl.ROOT / "docs/FILES.md").read_text()}
    for name in ("help", "header"):
        for keyword in {*inputs, *outputs}:
            assert re.search(rf"[ \"]{keyword}\b", texts[name]), (name, keyword)
    for ending in (*endings, *compressed):
        assert f"`{ending}`" in texts["page"], ending
        assert ending in texts["header"] or ending in (".csv", ".txt"), ending
