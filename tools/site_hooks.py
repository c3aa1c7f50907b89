"""Hooks of mkdocs.yml: the site holds what its pages link to outside docs/, so that no link leads out of it.

README.md is the first page. Other Markdown files become pages under repository/, sources and configurations pages that show
them, folders pages that list what is in them; everything else is copied.
"""

import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"(\]\()([^)#\s:]+)(#[^)\s]*)?(\))")
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)
LANGUAGES = {".c": "c", ".h": "c", ".py": "python", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".sh": "bash", ".txt": "text",
             ".service": "ini", ".toml": "toml", ".cmake": "cmake", ".md": None}
MOST = 200_000  # bytes of a source that is shown as a page
# Of pages that only show a file or a folder: the search finds what people read.
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n"
SKIPPED = {"build", ".git", "__pycache__"}


def is_source(path):
    """Whether a file is text that a page can show."""
    if path.stat().st_size > MOST:
        return False
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


def place(path):
    """Where in the site a path of the repository is."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    full = ROOT / path
    if full.is_dir():
        return f"repository/{path}/index.md".replace("//", "/")
    if path.endswith(".md"):
        return f"repository/{path}"
    return f"repository/{path}.md" if is_source(full) else f"repository/{path}"


def outside(path):
    """Whether a path of the repository must be brought into the site."""
    return path != "README.md" and not path.startswith("docs/")


def targets(text, source):
    """Paths of the repository that a page links to."""
    for part in CODE.split(text)[::2]:
        for match in LINK.finditer(part):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
            if not path.startswith("..") and (ROOT / path).exists():
                yield path


def moved(text, source):
    """The page with its links as they are in the site."""
    here = posixpath.dirname(place(source))

    def change(match):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        if path.startswith("..") or not (ROOT / path).exists():
            return match[0]  # mkdocs says that it leads nowhere
        return match[1] + posixpath.relpath(place(path), here or ".") + (match[3] or "") + match[4]
    parts = CODE.split(text)
    parts[::2] = [LINK.sub(change, part) for part in parts[::2]]
    return "".join(parts)


def listing(path):
    """The Markdown of a folder's page, and the paths that it lists."""
    names = sorted(p.name + "/" * p.is_dir() for p in (ROOT / path).iterdir() if p.name not in SKIPPED and not p.name.startswith("."))
    found = [f"{path}/{name.rstrip('/')}" for name in names]
    return f"{UNSEARCHED}# {path}/\n\n" + "\n".join(f"- [{name}]({name})" for name in names) + "\n", found


def shown(path):
    """A page that shows a source."""
    full = ROOT / path
    text = full.read_text(encoding="utf-8")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
    return f"{UNSEARCHED}# {path}\n\n{fence}{LANGUAGES.get(full.suffix) or 'text'}\n{text.rstrip()}\n{fence}\n"


def on_files(files, config):
    waiting = ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "README.md"]
    for page in sorted(pathlib.Path(config.docs_dir).glob("*.md")):
        waiting += [path for path in targets(page.read_text(encoding="utf-8"), f"docs/{page.name}") if outside(path)]
    seen = set()
    while waiting:
        path = waiting.pop().rstrip("/")
        if path in seen or not (outside(path) or path == "README.md"):
            continue
        seen.add(path)
        full = ROOT / path
        if full.is_dir():
            text, inside = listing(path)
            content = moved(text, f"{path}/.")
            waiting += inside
        elif path.endswith(".md"):
            text = full.read_text(encoding="utf-8")
            content = moved(text, path)
            waiting += list(targets(text, path))
        elif is_source(full):
            content = shown(path)
        else:
            content = full.read_bytes()
        files.append(File.generated(config, place(path), content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Pages of docs/ itself; the others were made with the links that they have here."""
    if page.file.generated_by:
        return markdown
    return moved(markdown, f"docs/{page.file.src_uri}")
