"""The pages that are written from the program are up to date, and links between pages lead somewhere."""

import re
import subprocess
import sys

import ftl
import joblib
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
