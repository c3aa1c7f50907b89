"""The shared library through ctypes: models, sessions, and record batches by the Arrow C data interface."""

import ctypes
import os
import pathlib

import ftl
import numpy as np
import pyarrow as pa

STATUS = ["OK", "END", "ARG", "NOMEM", "IO", "CORRUPT", "UNSUPPORTED", "FORBIDDEN", "LIMIT", "SHAPE", "SCHEMA",
          "CANCELLED", "VALUE", "INTERNAL"]
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "apply",
           "margin", "kneighbors", "inverse_transform"]
F64, F32 = 0, 1
FAIL, NULL = 0, 2
ARROW_SCHEMA_SIZE, ARROW_ARRAY_SIZE = 72, 80


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("offset", ctypes.c_int64), ("line", ctypes.c_int64), ("row", ctypes.c_int64),
                ("column", ctypes.c_int64), ("path", ctypes.c_char * 256), ("message", ctypes.c_char * 768),
                ("reason", ctypes.c_int), ("option", ctypes.c_char * 32)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("input_dtype", ctypes.c_int), ("methods", ctypes.c_uint32),
                ("block_rows", ctypes.c_uint32), ("on_error", ctypes.c_int)]


class ModelOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("max_bytes", ctypes.c_uint64), ("max_objects", ctypes.c_uint64),
                ("max_depth", ctypes.c_uint32), ("iterations", ctypes.c_uint32), ("select", ctypes.c_char_p),
                ("only_plan", ctypes.c_void_p), ("then", ctypes.c_void_p), ("n_then", ctypes.c_size_t),
                ("labels", ctypes.c_char_p), ("threshold", ctypes.c_double), ("threshold_set", ctypes.c_bool),
                ("inverse", ctypes.c_bool)]


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rows", ctypes.c_size_t),
                ("columns", ctypes.c_size_t), ("row_stride", ctypes.c_ssize_t), ("column_stride", ctypes.c_ssize_t)]


class MatrixOut(ctypes.Structure):
    _fields_ = Matrix._fields_


class Batch(ctypes.Structure):
    _fields_ = [("rows", ctypes.c_size_t), ("n_columns", ctypes.c_size_t), ("columns", ctypes.c_void_p),
                ("matrix", ctypes.c_void_p)]


class ReadOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("format", ctypes.c_char_p), ("max_rows", ctypes.c_uint64),
                ("max_cells", ctypes.c_uint64), ("delimiter", ctypes.c_char), ("decimal", ctypes.c_char),
                ("no_header", ctypes.c_bool), ("empty_text", ctypes.c_int),
                ("na_values", ctypes.POINTER(ctypes.c_char_p)), ("n_na_values", ctypes.c_size_t),
                ("encoding", ctypes.c_char_p)]


class ForetellError(Exception):
    def __init__(self, error):
        super().__init__(error.message.decode())
        self.status, self.row, self.column = STATUS[error.code], error.row, error.column


def load():
    """The library of the build that the program is of."""
    folder = pathlib.Path(os.path.realpath(ftl.program())).parent
    for path in (folder / "src/libforetell.so", folder / "../lib/libforetell.so"):
        if path.exists():
            return ctypes.CDLL(str(path))
    raise FileNotFoundError(f"no libforetell.so beside {folder}")


class Session:
    """A model file opened for the named methods; closed by `with`."""

    def __init__(self, path, *methods, dtype=F64, on_error=FAIL, block_rows=0):
        self.library = load()
        self.context, self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._call("ftl_context_create", None, ctypes.byref(self.context))
        opened = ModelOptions(struct_size=ctypes.sizeof(ModelOptions), inverse="inverse_transform" in methods)
        self._call("ftl_model_open", self.context, os.fsencode(path), ctypes.byref(opened), ctypes.byref(self.model))
        options = SessionOptions(ctypes.sizeof(SessionOptions), dtype, self.bits(*methods), block_rows, on_error)
        self._call("ftl_session_create", self.model, ctypes.byref(options), ctypes.byref(self.session))

    @staticmethod
    def bits(*methods):
        return sum(1 << METHODS.index(m) for m in methods)

    def _call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)) != 0:
            raise ForetellError(error)

    def predict(self, batch, *methods):
        """The outputs for a pyarrow.RecordBatch, or for a StructArray with what its C structures say."""
        schema, array = (ctypes.create_string_buffer(n) for n in (ARROW_SCHEMA_SIZE, ARROW_ARRAY_SIZE))
        out_schema, out = (ctypes.create_string_buffer(n) for n in (ARROW_SCHEMA_SIZE, ARROW_ARRAY_SIZE))
        batch._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
        try:
            self._call("ftl_predict_arrow", self.session, self.bits(*methods), schema, array, out_schema, out)
        finally:  # the library borrows: importing gives both structures back to pyarrow, which releases them
            type(batch)._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
        result = pa.RecordBatch._import_from_c(ctypes.addressof(out), ctypes.addressof(out_schema))
        result.validate(full=True)
        return result

    def predict_matrix(self, x, method, columns):
        """The numbers of one method, as a matrix of so many columns, for a C-contiguous matrix of float64."""
        given = Matrix(x.ctypes.data, F64, *x.shape, x.shape[1], 1)
        result = np.empty((len(x), columns))
        self._call("ftl_predict_matrix", self.session, METHODS.index(method), ctypes.byref(given),
                   ctypes.c_void_p(result.ctypes.data))
        return result

    def read(self, data, **options):
        """The rows of a table in bytes, which are kept until the next one."""
        self.data, batch = data, Batch()
        chosen = ReadOptions(struct_size=ctypes.sizeof(ReadOptions), **options)
        self._call("ftl_session_read", self.session, data, ctypes.c_size_t(len(data)), ctypes.byref(chosen), None,
                   ctypes.byref(batch))
        return batch

    def predict_batch(self, batch, method, columns):
        """The numbers of one method for what was read."""
        result = np.empty((batch.rows, columns))
        room = MatrixOut(result.ctypes.data, F64, *result.shape, columns, 1)
        self._call("ftl_predict_into", self.session, METHODS.index(method), ctypes.byref(batch), ctypes.byref(room))
        return result

    def bad_rows(self):
        self.library.ftl_session_bad_rows.restype = ctypes.c_size_t
        return self.library.ftl_session_bad_rows(self.session)

    def close(self):
        self.library.ftl_session_destroy(self.session)
        self.library.ftl_model_release(self.model)
        self.library.ftl_context_destroy(self.context)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
