/* Replies of an inference: columns become tensors, as JSON or as bytes behind it. */
#include "api/v2.h"
#include "base/column.h"
#include "serving/values.h"

#include <math.h>
#include <string.h>

/* ---- What is a tensor ------------------------------------------------------------------------ */

/*
 * How a method's columns are tensors: all in one that bears the method's name, or where they are of
 * several types each in one of its own.
 */
static bool is_whole(const ftl_column *columns, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (columns[i].type != columns[0].type)
            return false;
    }
    return true;
}

/* Columns side by side that are one tensor. */
typedef struct tensor {
    const char *name;
    const ftl_column *columns;
    size_t n, rows;
    bool flat, binary;
} tensor;

/* ---- Bytes ----------------------------------------------------------------------------------- */

static bool is_there(const ftl_column *column, size_t row)
{
    return !column->validity || ftl_bit_at(column->validity, column->offset + row);
}

static size_t text_size(const ftl_column *column, size_t row)
{
    size_t size = 0;
    if (is_there(column, row))
        ftl_column_text(column, column->offset + row, &size);
    return size;
}

/* Bytes of a tensor in a binary reply. */
static size_t bytes_of(const tensor *t)
{
    if (t->n == 0)
        return 0;
    if (!ftl_type_is_text(t->columns[0].type))
        return t->rows * t->n * ftl_type_size(t->columns[0].type);
    size_t bytes = t->rows * t->n * sizeof(uint32_t);
    for (size_t c = 0; c < t->n; c++) {
        for (size_t row = 0; row < t->rows; row++)
            bytes += text_size(&t->columns[c], row);
    }
    return bytes;
}

static void put_texts(ftl_strbuf *out, const tensor *t)
{
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t c = 0; c < t->n; c++) {
            const ftl_column *column = &t->columns[c];
            size_t size = 0;
            const char *text = is_there(column, row)
                                   ? ftl_column_text(column, column->offset + row, &size)
                                   : "";
            uint32_t length = (uint32_t)size;
            ftl_strbuf_append(out, (const char *)&length, sizeof length);
            ftl_strbuf_append(out, text, size);
        }
    }
}

/* What is missing is NaN among floats and 0 among others. */
static void put_missing(char *at, ftl_type type, size_t size)
{
    const double wide = (double)NAN;
    const float narrow = NAN;
    memset(at, 0, size);
    if (type == FTL_F64)
        memcpy(at, &wide, size);
    else if (type == FTL_F32)
        memcpy(at, &narrow, size);
}

static void put_column(char *at, size_t stride, const ftl_column *column, size_t rows)
{
    size_t size = ftl_type_size(column->type);
    for (size_t row = 0; row < rows; row++, at += stride) {
        if (is_there(column, row))
            memcpy(at, ftl_column_at_index(column, column->type, column->offset + row), size);
        else
            put_missing(at, column->type, size);
    }
}

static void put_bytes(ftl_strbuf *out, const tensor *t, size_t bytes)
{
    if (t->n && ftl_type_is_text(t->columns[0].type)) {
        put_texts(out, t);
        return;
    }
    char *at = bytes ? ftl_strbuf_extend(out, bytes) : NULL;
    if (!at)
        return;
    size_t size = ftl_type_size(t->columns[0].type);
    for (size_t c = 0; c < t->n; c++)
        put_column(at + c * size, t->n * size, &t->columns[c], t->rows);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_data(ftl_strbuf *out, const tensor *t)
{
    ftl_strbuf_puts(out, ",\"data\":[");
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t c = 0; c < t->n; c++) {
            if (row || c)
                ftl_strbuf_putc(out, ',');
            srv_put_value(out, &t->columns[c], row);
        }
    }
    ftl_strbuf_putc(out, ']');
}

static void put_size(ftl_strbuf *out, size_t number)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_append(out, text, ftl_print_i64((int64_t)number, text));
}

static void put_tensor(ftl_strbuf *out, const tensor *t)
{
    const char *type = t->n ? srv_datatype_name(t->columns[0].type, false) : "FP64";
    ftl_strbuf_puts(out, "{\"name\":");
    ftl_strbuf_json_string(out, t->name, strlen(t->name));
    ftl_strbuf_puts(out, ",\"datatype\":\"");
    ftl_strbuf_puts(out, type);
    ftl_strbuf_puts(out, "\",\"shape\":[");
    put_size(out, t->rows);
    if (!t->flat) {
        ftl_strbuf_putc(out, ',');
        put_size(out, t->n);
    }
    ftl_strbuf_putc(out, ']');
    if (t->binary) {
        ftl_strbuf_puts(out, ",\"parameters\":{\"binary_data_size\":");
        put_size(out, bytes_of(t));
        ftl_strbuf_putc(out, '}');
    } else {
        put_data(out, t);
    }
    ftl_strbuf_putc(out, '}');
}

/* ---- The reply ------------------------------------------------------------------------------- */

/* Calls fn for each tensor of the methods that are wanted. */
static bool each_tensor(srv_call *call, const srv_v2_wanted *wanted, size_t n_wanted,
                        void (*fn)(ftl_strbuf *out, const tensor *t, bool first),
                        srv_result *result)
{
    ftl_strbuf *out = &call->request->out;
    bool first = true;
    for (size_t i = 0; i < n_wanted; i++) {
        ftl_batch batch;
        if (!srv_call_output(call, wanted[i].method, &batch, result))
            return false;
        tensor t = {.name = ftl_method_name(wanted[i].method),
                    .columns = batch.columns,
                    .n = batch.n_columns,
                    .rows = batch.rows,
                    .flat = srv_is_flat(wanted[i].method, batch.n_columns),
                    .binary = wanted[i].binary};
        bool whole = is_whole(batch.columns, batch.n_columns);
        for (size_t c = 0; c < (whole ? 1 : batch.n_columns); c++) {
            ftl_output_column column = {.struct_size = sizeof column};
            if (!whole && ftl_session_output(call->session, wanted[i].method, c, &column) == FTL_OK)
                t = (tensor){column.name, &batch.columns[c], 1, batch.rows, true, wanted[i].binary};
            fn(out, &t, first);
            first = false;
        }
    }
    return true;
}

static void put_head(ftl_strbuf *out, const tensor *t, bool first)
{
    if (!first)
        ftl_strbuf_putc(out, ',');
    put_tensor(out, t);
}

static void put_tail(ftl_strbuf *out, const tensor *t, bool first)
{
    (void)first;
    if (t->binary)
        put_bytes(out, t, bytes_of(t));
}

bool srv_v2_write(srv_call *call, const srv_v2_request *request, const srv_v2_wanted *wanted,
                  size_t n_wanted, srv_result *result)
{
    srv_request *http = call->request;
    ftl_strbuf *out = &http->out;
    bool binary = false;
    for (size_t i = 0; i < n_wanted; i++)
        binary = binary || wanted[i].binary;
    ftl_strbuf_puts(out, "{\"model_name\":");
    ftl_strbuf_json_string(out, call->model->shown, strlen(call->model->shown));
    ftl_strbuf_puts(out, ",\"model_version\":");
    const char *version = call->model->version ? call->model->version : "1";
    ftl_strbuf_json_string(out, version, strlen(version));
    if (request->id.data) {
        ftl_strbuf_puts(out, ",\"id\":\"");
        ftl_strbuf_append(out, request->id.data, request->id.size);
        ftl_strbuf_putc(out, '"');
    }
    ftl_strbuf_puts(out, ",\"outputs\":[");
    if (!each_tensor(call, wanted, n_wanted, put_head, result))
        return false;
    ftl_strbuf_puts(out, "]}");
    if (!binary) {
        srv_reply_json(http, 200);
        return true;
    }
    char size[FTL_F64_TEXT_SIZE];
    ftl_strbuf_puts(&http->out_head, "Inference-Header-Content-Length: ");
    ftl_strbuf_append(&http->out_head, size, ftl_print_i64((int64_t)out->size, size));
    ftl_strbuf_puts(&http->out_head, "\r\n");
    srv_reply(http, 200, "application/octet-stream");
    return each_tensor(call, wanted, n_wanted, put_tail, result);
}
