"""Jobs through the extension module: files, Arrow streams and functions in their places, progress, Ctrl-C."""

import csv
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import foretell
import numpy as np
import pyarrow as pa
import pytest
from foretell import _core, errors


@pytest.fixture(scope="module")
def context():
    return _core.Context(threads=2)


@pytest.fixture(scope="module")
def model(context, lr_path):
    return _core.Model.open(context, lr_path)


@pytest.fixture(scope="module")
def table(tmp_path_factory, lr_path, rows_of):
    path = tmp_path_factory.mktemp("jobs") / "rows.csv"
    rows_of(lr_path).to_csv(path, index=False)
    return path


def test_a_file(model, table, tmp_path, lr_path, rows_of, original):
    out = tmp_path / "out.csv"
    figures = model.score_file(table, out, proba=True, keep=["age"], threads=1)
    assert figures["rows_read"] == figures["rows_written"] == 400 and figures["threads"] == 1
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["prediction"] for row in rows] == original(lr_path).predict(rows_of(lr_path)).tolist()
    assert list(rows[0]) == ["age", "prediction", "probability_churn", "probability_stay"]


def test_several_methods_and_models(context, model, table, tmp_path, lr_path):
    other = _core.Model.open(context, lr_path)
    model.score_file(table, tmp_path / "out.csv", method="predict", more_methods=["decision_function"], name="a",
                     more_models=[other], more_names=["b"])
    header = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert header == "a__prediction,a__decision,b__prediction,b__decision"
    with pytest.raises(ValueError, match="a name for each"):
        model.score_file(table, tmp_path / "out.csv", more_models=[other])
    with pytest.raises(TypeError, match="Model objects"):
        model.score_file(table, tmp_path / "out.csv", more_models=[3], more_names=["b"])


@pytest.mark.parametrize("options, error", [
    ({"colour": 1}, TypeError), ({"colour": None}, TypeError), ({"on_error": "ignore"}, ValueError), ({"threads": -1}, ValueError),
    ({"delimiter": ";;"}, ValueError), ({"method": "predikt"}, errors.ArgumentError), ({"progress": 3}, TypeError),
    ({"keep": 3}, TypeError), ({"batch_rows": "many"}, TypeError), ({"keep": ["none"]}, errors.SchemaError),
    ({"cancel": object()}, TypeError), ({"empty_text": "?"}, ValueError), ({"output_format": "xlsx"}, errors.ArgumentError)])
def test_wrong_options(model, table, tmp_path, options, error):
    with pytest.raises(error):
        model.score_file(table, tmp_path / "out.csv", **options)
    assert not (tmp_path / "out.csv").exists()


def test_none_is_the_default(model, table, tmp_path):
    names = ("method", "proba", "threads", "batch_rows", "limit", "keep", "features", "on_error", "reject_path",
             "delimiter", "decimal", "no_header", "na_values", "max_record_bytes", "progress", "cancel", "encoding",
             "empty_text", "input_format", "output_format", "more_models", "more_names", "more_methods", "name",
             "memory", "resume", "more_inputs", "compression", "flush_early", "warn")
    assert model.score_file(table, tmp_path / "out.csv", **dict.fromkeys(names))["rows_read"] == 400


def test_progress_and_what_it_raises(model, tmp_path):
    big = tmp_path / "big.csv"
    with big.open("w") as file:
        file.write("age,tenure,balance,rate\n")
        file.write("40,3,1000.5,0.25\n" * 200000)
    seen = []
    model.score_file(big, tmp_path / "out.csv", progress=seen.append, threads=1)
    assert seen and seen[-1]["bytes_total"] == big.stat().st_size and set(seen[0]) == {"rows", "bytes_read", "bytes_total"}

    def stop(_):
        return False

    def fail(_):
        raise KeyError("mine")
    (tmp_path / "out.csv").unlink()
    with pytest.raises(errors.Cancelled):
        model.score_file(big, tmp_path / "out.csv", progress=stop, threads=1)
    with pytest.raises(KeyError, match="mine"):
        model.score_file(big, tmp_path / "out.csv", progress=fail, threads=1)
    assert [p.name for p in tmp_path.iterdir()] == ["big.csv"]


def test_warnings(model, tmp_path, pipeline_path, context):
    rows = tmp_path / "rows.csv"
    rows.write_text("age,balance,plan,city\n" + "40,3,none,Wien\n" * 50)
    lines = []
    _core.Model.open(context, pipeline_path).score_file(rows, tmp_path / "out.csv", warn=lines.append)
    assert any("plan" in line for line in lines)


def test_ctrl_c_leaves_no_file(lr_path, tmp_path):
    """The signal comes while the library works; the file job ends with KeyboardInterrupt."""
    program = textwrap.dedent(f"""
        import os, signal, threading, time
        from foretell import _core
        model = _core.Model.open(_core.Context(), {str(lr_path)!r})
        state = {{"left": 400}}
        def read(size):
            if state["left"] == 0:
                return b""
            state["left"] -= 1
            if state["left"] == 300:
                os.kill(os.getpid(), signal.SIGINT)
            return b"40,3,1000.5,0.25\\n" * 1000 if state["left"] < 399 else b"age,tenure,balance,rate\\n"
        try:
            model.score_stream(read, lambda data: None, input_format="csv")
        except KeyboardInterrupt:
            print("stream stopped", state["left"] > 0)
        with open("big.csv", "w") as file:
            file.write("age,tenure,balance,rate\\n" + "40,3,1000.5,0.25\\n" * 3000000)
        def interrupt():
            while os.listdir() == ["big.csv"]:
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            model.score_file("big.csv", "out.csv", threads=1)
            print("too fast")
        except KeyboardInterrupt:
            print("file stopped")
        os.remove("big.csv")
        print(os.listdir())
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(pathlib.Path(foretell.__file__).parents[1])},
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["stream stopped True", "file stopped", "[]", ""]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_ctrl_c_while_a_pipe_is_slow(lr_path, tmp_path):
    """Nothing comes and nothing is called back: the job ends all the same, and the handler is as before."""
    program = textwrap.dedent(f"""
        import os, signal, threading, time
        from foretell import _core
        model = _core.Model.open(_core.Context(), {str(lr_path)!r})
        os.mkfifo("rows.csv")
        writer = []
        def feed():
            writer.append(os.open("rows.csv", os.O_WRONLY))
            os.write(writer[0], b"age,tenure,balance,rate\\n1,2,3,4\\n")
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=feed).start()
        try:
            model.score_file("rows.csv", "out.csv")
            print("ended")
        except KeyboardInterrupt:
            print("stopped")
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, sorted(os.listdir()))
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            print("again")
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(pathlib.Path(foretell.__file__).parents[1])},
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["stopped", "True ['rows.csv']", "again", ""]


def test_functions_in_the_places_of_files(model, table):
    out = []
    with table.open("rb") as file:
        figures = model.score_stream(file.read, out.append, input_format="csv")
    assert figures["rows_read"] == 400 and b"".join(out).count(b"\n") == 401
    with pytest.raises(ZeroDivisionError):
        model.score_stream(lambda size: 1 // 0, out.append, input_format="csv")
    with pytest.raises(ZeroDivisionError), table.open("rb") as file:
        model.score_stream(file.read, lambda data: 1 // 0, input_format="csv")
    with pytest.raises(ValueError, match="more bytes"):
        model.score_stream(lambda size: b"a" * (size + 1), out.append, input_format="csv")
    with pytest.raises(TypeError):
        model.score_stream(lambda size: "text", out.append, input_format="csv")
    with pytest.raises(TypeError):
        model.score_stream(1, 2)


def test_a_check_is_a_report(model, table, tmp_path):
    assert "400" in model.check(table)
    (tmp_path / "short.csv").write_text("age,tenure\n1,2\n")
    assert "balance" in model.check(tmp_path / "short.csv")
    with pytest.raises(errors.DataNotFoundError):
        model.check(tmp_path / "none.csv")


def test_arrow_streams(model, lr_path, rows_of, original):
    given = pa.Table.from_pandas(rows_of(lr_path))
    capsule = model.score_arrow(given, keep=["age"], batch_rows=100)
    reader = pa.RecordBatchReader._import_from_c_capsule(capsule)
    result = reader.read_all()
    assert result.column_names == ["age", "prediction"]
    assert result["prediction"].to_pylist() == original(lr_path).predict(rows_of(lr_path)).tolist()
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        model.score_arrow([1, 2])
    with pytest.raises(TypeError, match="calls nobody back"):
        model.score_arrow(given, progress=print)
    with pytest.raises(errors.SchemaError, match="rate"):
        model.score_arrow(given.drop_columns(["rate"]))


def test_an_arrow_stream_outlives_model_context_and_token(lr_path, rows_of):
    context = _core.Context()
    model, token = _core.Model.open(context, lr_path), _core.Cancel(context)
    capsule = model.score_arrow(pa.Table.from_pandas(rows_of(lr_path)), cancel=token, keep=["age", "rate"])
    del model, context, token
    assert len(pa.RecordBatchReader._import_from_c_capsule(capsule).read_all()) == 400


def test_streams_that_nobody_takes(model, lr_path, rows_of):
    for _ in range(20):
        model.score_arrow(pa.Table.from_pandas(rows_of(lr_path)))


def test_tables_alone(context, table, tmp_path):
    read = pa.RecordBatchReader._import_from_c_capsule(context.read_table(table)).read_all()
    assert len(read) == 400 and read.column_names == ["age", "tenure", "balance", "rate"]
    figures = context.write_table(read, tmp_path / "out.parquet")
    assert figures["rows_written"] == 400
    import pyarrow.parquet as pq
    assert pq.read_table(tmp_path / "out.parquet")["age"].to_pylist() == read["age"].to_pylist()


def test_resuming_and_rejects(model, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("age,tenure,balance,rate\n1,2,3,4\n1,x,3,4\n")
    figures = model.score_file(rows, tmp_path / "out.csv", on_error="skip", reject_path=tmp_path / "bad.csv")
    assert figures["rows_rejected"] == 1 and (tmp_path / "bad.csv").exists()
    with pytest.raises(errors.DataError) as caught:
        model.score_file(rows, tmp_path / "out2.csv")
    assert caught.value.row == 1 and caught.value.line == 3


def test_paths_of_any_kind(context, lr_path, tmp_path):
    name = tmp_path / "größe ☃.joblib"
    name.write_bytes(lr_path.read_bytes())
    for path in (name, str(name), os.fsencode(name)):
        assert _core.Model.open(context, path).info()["n_inputs"] == 4
    with pytest.raises(ValueError):
        _core.Model.open(context, "a\0b")
    with pytest.raises(TypeError):
        _core.Model.open(context, 3)


def test_numbers_of_a_large_matrix_come_in_one_call(model):
    X = np.zeros((100_000, 4))
    assert model.run(X, ("predict_proba",), threads=0)[0].shape == (100_000, 2)
