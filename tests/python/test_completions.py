"""foretell completion: what shells offer is what the program takes, in bash itself and, in long runs, in zsh and fish."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import ftl
import pytest

FOLDER = pathlib.Path(ftl.program()).resolve().parent
TABLE = json.loads(ftl.run("help", "--json").stdout)
COMMANDS = {command["name"]: command for command in TABLE["commands"]}


def offered(*words):
    """What the program says may stand in the place of the last word: ({word: about}, files too?)."""
    done = ftl.run("__complete", *words)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    lines = done.stdout.splitlines()
    return dict(line.split("\t") for line in lines if line != ":files"), ":files" in lines


def test_commands_and_files_begin_a_line():
    words, files = offered("")
    assert list(words) == list(COMMANDS) and files
    assert {name: about for name, about in words.items()} == {c["name"]: c["summary"] for c in COMMANDS.values()}
    assert offered("hea") == ({"health": COMMANDS["health"]["summary"]}, True)
    assert set(offered("--")[0]) == {"--help", "--version"}
    assert set(offered("help", "ch")[0]) == {"check"}
    assert set(offered("completion", "")[0]) == {"bash", "zsh", "fish"}
    assert offered("completion", "bash", "") == ({}, False)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("serve", "help")])
def test_every_option_is_offered_and_taken(command):
    names = {f"--{option['name']}" for option in COMMANDS[command]["options"]}
    assert set(offered(command, "--")[0]) == names and "--help" in names
    for option in COMMANDS[command]["options"]:
        done = ftl.run(command, f"--{option['name']}=")
        assert done.returncode in (0, 2) and "there is no option" not in done.stderr, option
        assert "does not take" not in done.stderr, option


@pytest.mark.parametrize("option", [o for o in COMMANDS["predict"]["options"] if o["value"] == "word"], ids=lambda o: o["name"])
def test_values_of_words_are_those_that_are_taken(option):
    name, words = f"--{option['name']}", option["words"].split()
    assert list(offered("predict", "m", name, "")[0]) == words
    assert list(offered("predict", "m", f"{name}=")[0]) == [f"{name}={word}" for word in words]
    for word in words:  # the model is missing, which is told after the command line was understood
        done = ftl.run("predict", "none.joblib", "none.csv", name, word)
        assert done.returncode == 3, done.stderr


def test_methods_come_one_after_another():
    every = list(offered("predict", "m", "--method", "")[0])
    assert every[:2] == ["predict", "predict_proba"] and len(every) == 10
    assert list(offered("predict", "m", "--method", "predict,pred")[0]) == ["predict,predict_proba", "predict,predict_log_proba"]
    assert list(offered("predict", "m", "--method=apply,app")[0]) == []
    for method in every:
        assert ftl.run("predict", "none.joblib", "r.csv", "--method", method).returncode == 3


def test_columns_are_those_of_the_table(tmp_path):
    (tmp_path / "rows.csv").write_text('id,age,"last, first",a b,fare,$(touch pwned)\n1,2,3,4,5,6\n')
    rows, plain = tmp_path / "rows.csv", ["id", "age", "fare"]
    for option in ("--keep", "--features"):
        assert list(offered("predict", "m", rows, option, "")[0]) == plain
        assert list(offered("predict", "m", "+", "n", "--proba", "-o", "x", rows, option, "age,")[0]) == ["age,id", "age,fare"]
        assert list(offered("m", rows, f"{option}=f")[0]) == [f"{option}=fare"]
    assert list(offered("check", "m", rows, "--target", "")[0]) == plain
    (tmp_path / "broken.parquet").write_bytes(b"PAR1" + bytes(range(200)))
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("none.csv", "broken.parquet", "pipe.csv", ".", "-"):
        assert offered("predict", "m", tmp_path / name, "--keep", "") == ({}, False)
    assert offered("predict", "m", "--keep", "") == ({}, False) == offered("predict", rows, "--keep", "")


def test_what_is_given_is_not_offered_again():
    assert "--proba" not in offered("predict", "m", "--proba", "--")[0]
    assert "--keep" in offered("predict", "m", "--keep", "a", "--")[0]
    assert "--output" not in offered("predict", "m", "-o", "a", "--")[0]
    assert offered("predict", "m", "--", "--") == ({}, True)
    assert offered("predict", "m", "--reject", "") == ({}, True) and offered("stats", "") == ({}, False)
    assert offered("predict", "m", "--threads", "") == ({}, False)
    assert offered("model.joblib", "rows.csv", "--pro")[0].keys() == {"--proba", "--progress"}


def test_settings_of_the_server():
    """They are the server's own list, which is that of its help."""
    listed = subprocess.run([FOLDER / "foretell-server", "--list-settings"], capture_output=True, text=True, check=True).stdout
    helped = subprocess.run([FOLDER / "foretell-server", "--help"], capture_output=True, text=True, check=True).stdout
    names = [line.split("\t")[0] for line in listed.splitlines()]
    assert names == re.findall(r"^  --([a-z-]+)", helped, re.MULTILINE) and all(len(l.split("\t")) == 4 for l in listed.splitlines())
    assert [word[2:] for word in offered("serve", "--")[0]] == names
    assert offered("serve", "--cache-size", "") == ({}, True) == offered("serve", "")
    assert list(offered("serve", "--quiet", "--cache-s")[0]) == ["--cache-size"]


def test_without_a_server_nothing_breaks(tmp_path):
    shutil.copy(ftl.program(), tmp_path / "foretell")
    done = subprocess.run([tmp_path / "foretell", "__complete", "serve", "--"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


# ---- The shells themselves ------------------------------------------------------------------------------------------


class Shell:
    """A shell on a terminal, with the completions loaded."""

    def __init__(self, command, folder, *setup):
        environment = {"PATH": f"{FOLDER}:/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "LC_ALL": "C.UTF-8"}
        leader, follower = pty.openpty()
        self.leader = leader
        self.process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment, cwd=folder,
                                        start_new_session=True)
        os.close(follower)
        for line in setup:
            self.type(line + "\n", "READY" if line == setup[-1] else None)

    def type(self, text, until=None, seconds=20):
        """What the terminal shows once it shows what it is to."""
        os.write(self.leader, text.encode())
        shown, end = "", time.monotonic() + seconds
        while until and not re.search(until, shown):
            ready, _, _ = select.select([self.leader], [], [], max(0, end - time.monotonic()))
            assert ready, f"the terminal shows {shown!r}, not {until!r}"
            shown += os.read(self.leader, 65536).decode("utf-8", "replace").replace("\a", "")
        return shown

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.leader)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "churn rows.csv").touch()
    (tmp_path / "model.joblib").touch()
    return tmp_path


LINES = [("foretell insp\t", "foretell inspect "), ("foretell mod\t", "model.joblib "),
         ("foretell predict model.joblib --on-er\t", "--on-error "), ("foretell predict m --on-error=sk\t", "--on-error=skip"),
         ("foretell predict m --reject chu\t", r"churn\\ rows.csv"), ("foretell serve --cache-s\t", "--cache-size "),
         ("foretell-server --cache-s\t", "--cache-size "), ("foretell predict m --method predict,app\t", "predict,apply ")]


@pytest.mark.parametrize("typed, wanted", LINES)
def test_in_bash(folder, typed, wanted):
    with Shell(["bash", "--norc", "--noprofile", "-i"], folder, "bind 'set enable-bracketed-paste off' 2>/dev/null",
               "source <(foretell completion bash); echo REA''DY") as shell:
        shell.type(typed, re.escape(wanted) if "\\\\" not in wanted else wanted)


@pytest.mark.long
@pytest.mark.parametrize("typed, wanted", LINES)
def test_in_zsh(folder, typed, wanted):
    with Shell(["zsh", "-f", "-i"], folder, "autoload -Uz compinit && compinit -u", "unsetopt zle_bracketed_paste",
               "source <(foretell completion zsh); echo REA''DY") as shell:
        shell.type(typed, re.escape(wanted.rstrip()) if "\\\\" not in wanted else wanted)


@pytest.mark.long
def test_zsh_finds_the_file_by_its_name(folder):
    """As make install puts it: _foretell in a folder of fpath, read when it is first needed."""
    (folder / "functions").mkdir()
    (folder / "functions/_foretell").write_text(ftl.run("completion", "zsh").stdout)
    with Shell(["zsh", "-f", "-i"], folder, "fpath=($PWD/functions $fpath)", "autoload -Uz compinit && compinit -u",
               "unsetopt zle_bracketed_paste; echo REA''DY") as shell:
        shell.type("foretell insp\t", "foretell inspect")
        shell.type("x.joblib --js\t", "--json")


@pytest.mark.long
def test_in_fish(folder):
    def offers(line):
        done = subprocess.run(["fish", "--no-config", "-c", f"foretell completion fish | source; complete -C '{line}'"], cwd=folder,
                              capture_output=True, text=True, check=True,
                              env={"PATH": f"{FOLDER}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"})
        assert done.stderr == ""
        return [offer.split("\t")[0] for offer in done.stdout.splitlines()]

    assert offers("foretell insp") == ["inspect"]
    assert offers("foretell predict m --on-error=sk") == ["--on-error=skip"]
    assert offers("foretell predict m --method predict,app") == ["predict,apply"]
    assert offers("foretell mod") == ["model.joblib"]
    assert offers("foretell predict m --reject chu") == ["churn rows.csv"]
    assert offers("foretell predict m --reject=chu") == ["--reject=churn rows.csv"]
    assert offers("foretell-server --cache-s") == ["--cache-size"]
    assert set(offers("foretell completion ")) == {"bash", "zsh", "fish"}
