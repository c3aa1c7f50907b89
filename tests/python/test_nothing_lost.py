"""Nothing that somebody has is lost: no file that a job reads is written over, no half of a result is left behind, and
an output that could not be written is said."""

import bz2
import gzip
import lzma
import os
import pathlib
import pickle
import resource
import select
import signal
import subprocess
import time

import ftl
import joblib
import lz4.frame
import numpy as np
import pytest
from joblib.numpy_pickle_compat import NDArrayWrapper
from sklearn.linear_model import LinearRegression

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
ROWS = "a,b\n1,2\n3,4\n"


@pytest.fixture(scope="session")
def model_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("lost") / "m.pkl"
    rows = np.arange(12.0).reshape(6, 2)
    joblib.dump(LinearRegression().fit(rows, rows @ [1.0, 2.0]), path)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, model_bytes):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("m.pkl").write_bytes(model_bytes)
    pathlib.Path("in.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def contents():
    return {name: pathlib.Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}


def keeps_everything(*arguments, says, code=USAGE, **options):
    """The command is refused with one line, and every file is what it was."""
    before = contents()
    process = ftl.run(*arguments, **options)
    assert process.returncode == code, (process.returncode, process.stderr)
    assert process.stderr.count("\n") == 1 and says in process.stderr
    assert contents() == before


# ---- Kind: the output is a file that the work reads or writes anyway --------------------------------------------------


@pytest.fixture
def other_names(folder):
    """Names that lead to the model and to the input without being theirs."""
    os.link("m.pkl", "model_twin.csv")
    os.symlink("m.pkl", "model_link.csv")
    os.link("in.csv", "rows_twin.csv")
    os.symlink(folder / "in.csv", "rows_link.csv")
    os.mkdir("sub")
    os.symlink("../in.csv", "sub/rows.csv")


@pytest.mark.parametrize("name", ["m.pkl", "./m.pkl", "sub/../in.csv", "in.csv", "model_twin.csv", "model_link.csv",
                                  "rows_twin.csv", "rows_link.csv", "sub/rows.csv"])
@pytest.mark.parametrize("option", ["-o", "--reject", "--metrics"])
def test_an_output_that_is_read_is_refused_by_identity(other_names, name, option):
    more = [] if option == "-o" else ["-o", "out.csv"]
    role = "the model" if "model" in name or "m.pkl" in name else "the input"
    keeps_everything("predict", "m.pkl", "in.csv", option, name, *more, says=role)


def test_an_absolute_name_is_the_same_file(folder):
    keeps_everything("predict", "m.pkl", "in.csv", "-o", folder / "in.csv", says="the input")


def test_a_side_file_is_a_file_of_the_model():
    """joblib up to 0.9 kept each array in a file beside the pickle."""
    rows = np.arange(12.0).reshape(6, 2)
    model = LinearRegression().fit(rows, rows @ [1.0, 2.0])
    np.save("old.pkl_01.npy", model.coef_)
    wrapper = NDArrayWrapper("old.pkl_01.npy", np.ndarray)
    model.coef_ = wrapper
    pathlib.Path("old.pkl").write_bytes(pickle.dumps(model, protocol=2))
    assert ftl.run("predict", "old.pkl", "in.csv", "-q").stdout == ftl.run("predict", "m.pkl", "in.csv", "-q").stdout
    os.symlink("old.pkl_01.npy", "o.npy")
    for name in ("old.pkl_01.npy", "o.npy"):
        keeps_everything("predict", "old.pkl", "in.csv", "-o", name, says="a file of the model")
    os.mkdir("other")
    process = ftl.run("predict", "../old.pkl", "../in.csv", "-o", "../old.pkl_01.npy", cwd="other")
    assert process.returncode == USAGE and "a file of the model" in process.stderr


def test_the_reject_file_is_not_the_output():
    pathlib.Path("in.csv").write_text("a,b\n1,2\nx,3\n", encoding="utf-8")
    os.symlink("new.csv", "link.csv")  # leads to a place where nothing is yet
    for output, reject in [("out.csv", "out.csv"), ("out.csv", "./out.csv"), ("new.csv", "link.csv"),
                           ("link.csv", "new.csv"), ("link.csv", "link.csv")]:
        keeps_everything("predict", "m.pkl", "in.csv", "-o", output, "--reject", reject, "--on-error", "skip",
                         says="--reject")


def test_the_figures_are_neither_the_output_nor_the_reject_file():
    pathlib.Path("out.csv").write_text("what was there\n", encoding="utf-8")
    for name in ("out.csv", "./out.csv"):
        keeps_everything("predict", "m.pkl", "in.csv", "-o", "out.csv", "--metrics", name, says="--metrics")
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "new.csv", "--reject", "bad.csv", "--metrics", "bad.csv",
                     says="--metrics bad.csv and the reject file are one file")


def test_standard_output_is_a_file_too():
    """`>> in.csv` would read what it writes, for ever."""
    for name, says in [("in.csv", "the input"), ("m.pkl", "the model")]:
        before = contents()
        with open(name, "ab") as out:
            process = subprocess.run([ftl.program(), "predict", "m.pkl", "in.csv"], stdout=out, stderr=subprocess.PIPE,
                                     timeout=20, check=False)
        assert process.returncode == USAGE and says in process.stderr.decode() and contents() == before
    with open("both.csv", "wb") as out:
        process = subprocess.run([ftl.program(), "predict", "m.pkl", "in.csv", "--reject", "both.csv"], stdout=out,
                                 stderr=subprocess.PIPE, timeout=20, check=False)
    assert process.returncode == USAGE and b"--reject" in process.stderr


def test_devices_may_be_named_twice():
    assert ftl.run("predict", "m.pkl", "in.csv", "-o", "/dev/null", "--reject", "/dev/null").returncode == DONE


# ---- Kind: the output's name says what it holds -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["o.orc", "o.xlsx", "o.npz",
                                  "o.csv.lzma", "o.zip", "o.npy.gz", "o.npy.zst", "o.pkl.gz", "o.csv.gz.zst", "o.pkl"])
@pytest.mark.parametrize("option", ["-o", "--reject"])
def test_names_of_other_formats_are_refused(name, option):
    more = [] if option == "-o" else ["-o", "out.csv"]
    keeps_everything("predict", "m.pkl", "in.csv", option, name, *more, says="its name says")


@pytest.mark.parametrize("name", ["o.csv", "o.txt", "o", "O.CSV"])
def test_names_that_say_csv_or_nothing_are_csv(name):
    wanted = ftl.run("predict", "m.pkl", "in.csv", "-q").stdout
    assert ftl.run("predict", "m.pkl", "in.csv", "-o", name).returncode == DONE
    assert pathlib.Path(name).read_text(encoding="utf-8") == wanted


UNPACK = {"gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress, "lz4": lz4.frame.decompress,
          "zst": lambda data: subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout}


@pytest.mark.parametrize("ending", UNPACK)
@pytest.mark.parametrize("rows", [0, 1, 60_000, 400_000])
def test_compressed_output_is_read_by_others_and_again(ending, rows):
    lines = "".join(f"{i},{i * 0.37 + 1e-7}\n" for i in range(rows))
    pathlib.Path("in.csv").write_text("a,b\n" + lines, encoding="utf-8")
    wanted = ftl.run("predict", "m.pkl", "in.csv", "-q", "--keep", "a,b").stdout
    assert rows < 400_000 or len(wanted) > 10 << 20
    for name, threads in [(f"o.csv.{ending}", 2), (f"O.CSV.{ending.upper()}", 1), (f"o.{ending}", 2)][:3 if rows < 400_000 else 1]:
        done = ftl.run("predict", "m.pkl", "in.csv", "-o", name, "--keep", "a,b", "--threads", threads)
        assert done.returncode == DONE, done.stderr
        packed = pathlib.Path(name).read_bytes()
        assert ending != "gz" or (packed[:3] == b"\x1f\x8b\x08" and packed[4:8] == bytes(4)), "no time: the same bytes every day"
        assert UNPACK[ending](packed).decode() == wanted
    assert rows == 0 or ftl.run("predict", "m.pkl", f"o.csv.{ending}", "-q", "--features", "a,b").returncode == DONE


def test_compressed_tsv_has_tabs():
    pathlib.Path("in.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert ftl.run("predict", "m.pkl", "in.csv", "-o", "o.tsv.xz", "--keep", "a,b").returncode == DONE
    assert lzma.decompress(pathlib.Path("o.tsv.xz").read_bytes()).startswith(b"a\tb\tprediction\n1\t2\t")


@pytest.mark.parametrize("ending", UNPACK)
def test_a_full_device_is_said_of_compressed_output(ending):
    pathlib.Path("in.csv").write_text("a,b\n" + "1,2\n" * 200_000, encoding="utf-8")
    os.symlink("/dev/full", f"o.csv.{ending}")
    done = ftl.run("predict", "m.pkl", "in.csv", "-o", f"o.csv.{ending}")
    assert done.returncode not in (DONE, USAGE) and "No space left on device" in done.stderr


@pytest.mark.parametrize("ending", UNPACK)
def test_nobody_reads_compressed_output(ending):
    """A FIFO whose reader leaves, and one that nobody ever opens, end as they do without compression."""
    pathlib.Path("in.csv").write_text("a,b\n" + "".join(f"{i * 0.1},{i}\n" for i in range(200_000)), encoding="utf-8")
    os.mkfifo(f"o.csv.{ending}")
    process = subprocess.Popen([ftl.program(), "predict", "m.pkl", "in.csv", "-o", f"o.csv.{ending}", "--keep", "a,b"],
                               stderr=subprocess.PIPE)
    try:
        reader = os.open(f"o.csv.{ending}", os.O_RDONLY | os.O_NONBLOCK)
        select.select([reader], [], [], 10)
        os.close(reader)
        assert process.wait(20) != DONE
        waiting = subprocess.Popen([ftl.program(), "predict", "m.pkl", "in.csv", "-o", f"o.csv.{ending}"], stderr=subprocess.PIPE)
        time.sleep(0.3)
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(20) != DONE
        waiting.stderr.close()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_tsv_has_tabs_and_quotes():
    pathlib.Path("in.csv").write_text('a,b,"c\td"\n1,2,"x\ty"\n', encoding="utf-8")
    assert ftl.run("predict", "m.pkl", "in.csv", "-o", "o.tsv", "--keep", "c\td,a", "--features", "a,b").returncode == DONE
    lines = pathlib.Path("o.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == '"c\td"\ta\tprediction' and lines[1].startswith('"x\ty"\t1\t')


def test_rejected_rows_are_not_cut_by_a_name():
    """The rows come as they were, so that a name that says tabs does not go with rows of commas."""
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "out.csv", "--reject", "bad.tsv", says="tabs")
    pathlib.Path("in.csv").write_text("a\tb\nx\t1\n", encoding="utf-8")
    done = ftl.run("predict", "m.pkl", "in.csv", "-o", "o.csv", "--reject", "bad.tsv", "--on-error", "skip")
    assert done.returncode == REJECTED
    assert pathlib.Path("bad.tsv").read_text(encoding="utf-8").splitlines()[1].startswith("x\t1\t")


# ---- Kind: links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["new.csv", "sub/new.csv", "link2.csv"])
def test_a_link_that_leads_nowhere_yet_stays_a_link(target):
    os.mkdir("sub")
    os.symlink("sub/far.csv", "link2.csv")
    os.symlink(target, "link.csv")
    assert ftl.run("predict", "m.pkl", "in.csv", "-o", "link.csv").returncode == DONE
    assert os.readlink("link.csv") == target and os.path.realpath("link.csv") != os.path.abspath("link.csv")
    assert pathlib.Path("link.csv").read_text(encoding="utf-8").startswith("prediction\n")
    assert not [name for name in os.listdir() + os.listdir("sub") if "foretell" in name]


def test_links_in_a_circle_and_into_no_folder_are_refused():
    os.symlink("b.csv", "a.csv")
    os.symlink("a.csv", "b.csv")
    os.symlink("no/where.csv", "c.csv")
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "a.csv", says="a.csv", code=DATA)
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "c.csv", says="c.csv", code=DATA)
    assert os.readlink("c.csv") == "no/where.csv"


# ---- Kind: standard output cannot be written --------------------------------------------------------------------------

WRITERS = [["inspect", "m.pkl"], ["inspect", "m.pkl", "--json"], ["inspect", "m.pkl", "--graph"], ["classes"],
           ["classes", "--json"], ["--version"], ["--help"], ["help"], ["help", "predict"], ["predict", "--help"],
           ["check", "m.pkl", "in.csv"], ["predict", "m.pkl", "in.csv"], ["m.pkl"], ["m.pkl", "in.csv"]]


@pytest.mark.parametrize("arguments", WRITERS)
def test_a_full_disk_is_said(arguments):
    with open("/dev/full", "wb") as full:
        process = subprocess.run([ftl.program(), *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert process.returncode == DATA
    assert process.stderr.decode() == ("foretell: error: IO: cannot write standard output: "
                                       "No space left on device\n")


@pytest.mark.parametrize("arguments", WRITERS)
def test_a_closed_standard_output_is_said(arguments):
    """And nothing goes into the file that would otherwise get the descriptor."""
    process = subprocess.run(["sh", "-c", '"$@" >&-', "sh", ftl.program(), *arguments], stderr=subprocess.PIPE,
                             check=False)
    assert process.returncode == DATA and b"cannot write standard output" in process.stderr


def test_what_is_said_does_not_go_into_a_file_when_stderr_is_closed():
    pathlib.Path("in.csv").write_text("a,b\n1,2\nx,3\n", encoding="utf-8")
    process = subprocess.run(["sh", "-c", '"$@" 2>&- <&-', "sh", ftl.program(), "predict", "m.pkl", "in.csv", "-o",
                              "out.csv", "--on-error", "skip"], check=False)
    assert process.returncode == REJECTED
    assert ftl.read_csv("out.csv")[0] == ["prediction"] and "foretell" not in pathlib.Path("out.csv").read_text()


@pytest.mark.parametrize("arguments", WRITERS + [["predict", "m.pkl", "big.csv"], ["m.pkl", "big.csv"],
                                                 ["predict", "m.pkl", "big.csv", "--reject", "bad.csv"]])
def test_when_nobody_reads_it_ends_quietly(arguments):
    """`| head`: as other programs do, by SIGPIPE, and also where that was ignored, as Python leaves it to children."""
    if "big.csv" in arguments:
        pathlib.Path("big.csv").write_text("a,b\n" + "1,2\n" * 200000, encoding="utf-8")
    for restore in (True, False):
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([ftl.program(), *arguments], stdout=writer, stderr=subprocess.PIPE, check=False,
                                 restore_signals=restore)
        os.close(writer)
        assert process.returncode == -signal.SIGPIPE and process.stderr == b""
        assert not [name for name in os.listdir() if "foretell" in name or name == "bad.csv"]


def test_a_fifo_that_nobody_reads_any_more_is_said():
    """Only standard output ends quietly: what -o names, somebody waits for."""
    os.mkfifo("out")
    pathlib.Path("big.csv").write_text("a,b\n" + "1,2\n" * 200000, encoding="utf-8")
    process = start("predict", "m.pkl", "big.csv", "-o", "out")
    with open("out", encoding="utf-8") as out:
        out.readline()
    status, error = ended(process, 20)
    assert status == DATA and error.count("\n") == 1 and "nobody reads it" in error


# ---- Kind: signals ----------------------------------------------------------------------------------------------------


def start(*arguments, **options):
    return subprocess.Popen([ftl.program(), *arguments], stderr=subprocess.PIPE, **options)


def ended(process, seconds=5):
    """(status, stderr) of a process that is to end at once."""
    begun = time.monotonic()
    try:
        process.wait(20)
    finally:
        process.kill()
    assert time.monotonic() - begun < seconds
    error = process.stderr.read().decode()
    process.stderr.close()
    return process.returncode, error


def wait_for_temporary():
    deadline = time.monotonic() + 20
    while not [name for name in os.listdir() if name.endswith(".tmp")]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGXCPU])
def test_a_signal_ends_the_work_and_leaves_nothing(number):
    os.mkfifo("rows")
    before = set(os.listdir())
    process = start("predict", "m.pkl", "rows", "-o", "out.csv", "--reject", "bad.csv")
    with open("rows", "w", encoding="utf-8") as rows:
        rows.write("a,b\n" + "1,2\n" * 50000)  # enough to be begun with
        rows.flush()
        wait_for_temporary()
        process.send_signal(number)
        status, error = ended(process)
    assert (status, error) == (INTERNAL, "foretell: error: CANCELLED: cancelled\n")
    assert set(os.listdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_impatient_signals_leave_nothing_either(number):
    """The same key again within two seconds."""
    os.mkfifo("rows")
    before = set(os.listdir())
    process = start("predict", "m.pkl", "rows", "-o", "out.csv")
    with open("rows", "w", encoding="utf-8") as rows:
        rows.write("a,b\n" + "1,2\n" * 50000)
        rows.flush()
        wait_for_temporary()
        for _ in range(20):
            process.send_signal(number)
        status, error = ended(process)
    assert (status, error) == (INTERNAL, "foretell: error: CANCELLED: cancelled\n")
    assert set(os.listdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_for_the_reader_of_a_fifo(number):
    os.mkfifo("out")
    process = start("predict", "m.pkl", "in.csv", "-o", "out")
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(number)
    assert ended(process)[0] == INTERNAL


def test_a_fifo_gets_the_rows_of_a_patient_writer():
    os.mkfifo("out")
    process = start("predict", "m.pkl", "in.csv", "-o", "out")
    time.sleep(0.2)
    with open("out", encoding="utf-8") as out:
        assert out.read().startswith("prediction\n")
    assert ended(process)[0] == DONE


def test_signals_that_were_ignored_stay_ignored():
    """nohup, and scripts' background jobs."""
    os.mkfifo("rows")
    process = start("predict", "m.pkl", "rows", "-o", "out.csv",
                    preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    with open("rows", "w", encoding="utf-8") as rows:
        rows.write("a,b\n" + "1,2\n" * 50000)  # enough to be begun with
        rows.flush()
        wait_for_temporary()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        rows.write("5,6\n")
    assert ended(process)[0] == DONE
    assert len(ftl.read_csv("out.csv")[1]) == 50001


def test_a_limit_of_file_size_is_said_and_leaves_nothing():
    """SIGXFSZ, which nobody ignores here."""
    pathlib.Path("in.csv").write_text("a,b\n" + "1,2\n" * 300000, encoding="utf-8")
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "out.csv", "-q", says="cannot write out.csv", code=DATA,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (51200, 51200)))


# ---- Kind: what the help says is so -----------------------------------------------------------------------------------


def test_standard_output_holds_whole_rows_when_a_later_one_is_bad():
    """The help: no file is written, and on standard output the rows of earlier batches stand already."""
    pathlib.Path("in.csv").write_text("a,b\n" + "1,2\n" * 30 + "x,3\n", encoding="utf-8")
    process = ftl.run("predict", "m.pkl", "in.csv", "--batch-size", "10", "--threads", "1")
    assert process.returncode == DATA and "line 32" in process.stderr
    assert process.stdout.splitlines()[0] == "prediction" and len(process.stdout.splitlines()) == 31
    assert process.stdout.endswith("\n")
    keeps_everything("predict", "m.pkl", "in.csv", "-o", "out.csv", "--batch-size", "10", says="line 32", code=DATA)
    assert "standard output the rows of earlier batches" in ftl.run("help", "predict").stdout.replace("\n" + " " * 22,
                                                                                                   " ")
