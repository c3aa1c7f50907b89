"""The pages that are written from the program are up to date, and links between pages lead somewhere."""

import re
import subprocess
import sys

import ftl


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
