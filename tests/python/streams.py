"""ftl_score_arrow through ctypes: Arrow C streams in and out, with pyarrow at both ends."""

import ctypes
import os

import library
import pyarrow as pa

STREAM_SIZE = 40  # of struct ArrowArrayStream
PROGRESS = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)
TEXT = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)


class Options(ctypes.Structure):
    """The beginning of ftl_score_options: struct_size says how much of it."""

    _fields_ = [("struct_size", ctypes.c_size_t), ("method", ctypes.c_int), ("method_set", ctypes.c_bool),
                ("proba", ctypes.c_bool), ("threads", ctypes.c_uint32), ("batch_rows", ctypes.c_uint32),
                ("limit", ctypes.c_uint64), ("keep", ctypes.POINTER(ctypes.c_char_p)), ("n_keep", ctypes.c_size_t),
                ("features", ctypes.POINTER(ctypes.c_char_p)), ("n_features", ctypes.c_size_t),
                ("on_error", ctypes.c_int), ("reject_path", ctypes.c_char_p), ("delimiter", ctypes.c_char),
                ("decimal", ctypes.c_char), ("no_header", ctypes.c_bool),
                ("na_values", ctypes.POINTER(ctypes.c_char_p)), ("n_na_values", ctypes.c_size_t),
                ("max_record_bytes", ctypes.c_size_t), ("progress", PROGRESS), ("progress_user", ctypes.c_void_p),
                ("cancel", ctypes.c_void_p)]


class Result(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("rows_read", ctypes.c_uint64), ("rows_written", ctypes.c_uint64),
                ("rows_rejected", ctypes.c_uint64), ("rows_nulled", ctypes.c_uint64)]


class Model:
    """An opened model file; closed by `with`."""

    def __init__(self, path):
        self.library = library.load()
        self.context, self.model = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("ftl_context_create", None, ctypes.byref(self.context))
        self.call("ftl_model_open", self.context, os.fsencode(path), None, ctypes.byref(self.model))

    def call(self, name, *arguments):
        error = library.Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)) != 0:
            raise library.ForetellError(error)

    def score(self, reader, keep=(), result=None, **options):
        """A pyarrow.RecordBatchReader of the results; the reader that goes in is moved where this succeeds."""
        names = (ctypes.c_char_p * len(keep))(*(name.encode() for name in keep))
        chosen = Options(struct_size=ctypes.sizeof(Options), keep=names, n_keep=len(keep), **options)
        stream, out = (ctypes.create_string_buffer(STREAM_SIZE) for _ in range(2))
        reader._export_to_c(ctypes.addressof(stream))
        try:
            self.call("ftl_score_arrow", self.model, stream, ctypes.byref(chosen), out,
                      ctypes.byref(result) if result is not None else None)
        except library.ForetellError:
            pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))  # still the caller's
            raise
        assert stream.raw[24:32] == bytes(8)  # its release: it was moved
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(out))

    def close(self):
        self.library.ftl_model_release(self.model)
        self.library.ftl_context_destroy(self.context)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
