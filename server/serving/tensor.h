/*
 * Requests of the Open Inference Protocol, version 2: JSON, or JSON with the bytes of tensors
 * behind it (the binary tensor extension). Pure: bytes in, views out; every byte is hostile.
 *
 * What is read lies in the body where the layout allows and else in the arena; both must stay as
 * they are while it is used. Nothing is written into the body.
 */
#ifndef FTL_SERVER_SERVING_TENSOR_H
#define FTL_SERVER_SERVING_TENSOR_H

#include "base/arena.h"

/* X(name of the protocol, name of a type in Triton's configurations, type of columns) */
#define SRV_DATATYPES(X)                \
    X("FP64", "TYPE_FP64", FTL_F64)     \
    X("FP32", "TYPE_FP32", FTL_F32)     \
    X("FP16", "TYPE_FP16", FTL_F16)     \
    X("INT64", "TYPE_INT64", FTL_I64)   \
    X("INT32", "TYPE_INT32", FTL_I32)   \
    X("INT16", "TYPE_INT16", FTL_I16)   \
    X("INT8", "TYPE_INT8", FTL_I8)      \
    X("UINT64", "TYPE_UINT64", FTL_U64) \
    X("UINT32", "TYPE_UINT32", FTL_U32) \
    X("UINT16", "TYPE_UINT16", FTL_U16) \
    X("UINT8", "TYPE_UINT8", FTL_U8)    \
    X("BOOL", "TYPE_BOOL", FTL_BOOL)    \
    X("BYTES", "TYPE_STRING", FTL_STRING_VIEW)

/* "FP64" of FTL_F64; texts of any form are "BYTES". triton: "TYPE_FP64". */
const char *srv_datatype_name(ftl_type type, bool triton);

/* A text of the request: escapes resolved, not terminated. data NULL: it is not there. */
typedef struct srv_v2_text {
    const char *data;
    size_t size;
} srv_v2_text;

typedef struct srv_tensor {
    srv_v2_text name;
    ftl_type type;
    size_t rank;        /* 1: [rows], 2: [rows, width] */
    size_t rows, width; /* width 1 of rank 1 */
    /* numbers: row by row; texts: views of 16 bytes, column by column */
    const void *values;
    /* a bit a row, column by column, each from a whole byte on; NULL: nothing is missing */
    const uint8_t *validity;
} srv_tensor;

typedef struct srv_v2_output {
    srv_v2_text name;
    bool says, binary; /* wanted as bytes; says false: as the request has it */
} srv_v2_output;

typedef struct srv_v2_request {
    srv_v2_text id; /* as it is written between the quotes */
    bool binary;    /* outputs are wanted as bytes, where they do not say themselves */
    srv_tensor *inputs;
    size_t n_inputs;
    srv_v2_output *outputs; /* none: the model's usual one */
    size_t n_outputs;
    /* where texts of more than 12 bytes lie */
    const void *buffers[2];
    int64_t buffer_sizes[2];
} srv_v2_request;

/*
 * head_size: the bytes of JSON at the front, all of the body or what the request's header
 * Inference-Header-Content-Length says. Errors: CORRUPT for what is no request, UNSUPPORTED for a
 * datatype or an extension that is not taken, SHAPE where shapes and data differ, VALUE for a
 * value that is none of its datatype. *out stays untouched on failure.
 */
FTL_MUST_USE ftl_status srv_v2_read(ftl_arena *arena, const char *body, size_t size,
                                    size_t head_size, srv_v2_request *out, ftl_error *error);
/* A body that is one tensor of float64 and nothing else: rows of so many numbers. */
FTL_MUST_USE ftl_status srv_v2_read_raw(ftl_arena *arena, const char *body, size_t size,
                                        size_t width, srv_v2_request *out, ftl_error *error);

/* A column of a tensor of the request. */
ftl_column srv_tensor_column(const srv_v2_request *request, const srv_tensor *tensor,
                             size_t column);
/* The numbers of a tensor of FP64 or FP32 as a matrix; what is not aligned is copied. */
FTL_MUST_USE ftl_status srv_tensor_matrix(ftl_arena *arena, const srv_tensor *tensor,
                                          ftl_matrix *out, ftl_error *error);

#endif
