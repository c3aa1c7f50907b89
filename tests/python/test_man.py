"""The manual pages, which the program prints from its table of options: all there, complete, and roff that its readers take."""

import json
import pathlib
import re
import subprocess

import ftl
import pytest

FOLDER = pathlib.Path(ftl.program()).resolve().parent
TABLE = json.loads(ftl.run("help", "--json").stdout)
COMMANDS = {command["name"]: command for command in TABLE["commands"]}


def page(name=""):
    done = ftl.run("help", "--man", *([name] if name else []))
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout


def plain(text):
    """The words of a page, without its roff."""
    text = re.sub(r"\\f[BIR]", "", text)
    for escape, shown in ((r"\-", "-"), (r"\(aq", "'"), (r"\(ga", "`"), (r"\(ha", "^"), (r"\(ti", "~"), (r"\&", ""), (r"\e", "\\")):
        text = text.replace(escape, shown)
    return text


def test_the_build_made_a_page_of_every_command():
    made = {path.name for path in (FOLDER / "manuals").glob("*.1")}
    assert made == {"foretell.1", *(f"foretell-{name}.1" for name in COMMANDS)}
    assert (FOLDER / "manuals/foretell.1").read_text() == page()
    for name in COMMANDS:
        assert (FOLDER / f"manuals/foretell-{name}.1").read_text() == page(name), name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_says_what_the_help_says(name):
    text, command = plain(page(name)), COMMANDS[name]
    titles = re.findall(r"^\.SH (.*)$", text, re.MULTILINE)
    assert titles[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"] and titles[-1] == "SEE ALSO" and "EXIT STATUS" in titles
    assert f"foretell-{name} - {command['summary']}" in text and all(line in text for line in command["synopsis"].split("\n"))
    for option in command["options"]:
        if option["listed"]:
            assert f"--{option['name']}" in text and option["help"] in text, option
    for other in COMMANDS:
        assert other == name or f"foretell-{other} (1)" in text
    for code in TABLE["exit_codes"]:
        assert f".TP\n{code['code']}\n{code['meaning']}\n" in text


def test_the_page_of_serve_has_all_settings():
    text = plain(page("serve"))
    listed = subprocess.run([FOLDER / "foretell-server", "--list-settings"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        name, argument, default, words = line.split("\t")
        assert f"--{name} {argument}\n{words}" in text, name
        assert not default or f"{words} (default: {default})" in text


def test_the_page_of_the_program_lists_commands():
    text = plain(page())
    for command in COMMANDS.values():
        assert command["summary"] in text
    assert ftl.run("help", "--man", "nothing").returncode == 2 and ftl.run("help", "--man", "predict", "x").returncode == 2


@pytest.mark.long
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_readers_of_roff_find_nothing_wrong(name, tmp_path):
    path = tmp_path / "page.1"
    path.write_text(page(name), encoding="utf-8")
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "warning", path], capture_output=True, text=True, check=False)
    assert (lint.stdout, lint.stderr) == ("", "")
    shown = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True, check=True,
                           env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "TERM": "dumb"})
    assert shown.stderr == "" and "SYNOPSIS" in shown.stdout
