#include "serving/values.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

static void put_null(ftl_strbuf *out) { ftl_strbuf_append(out, "null", 4); }

void srv_put_f64(ftl_strbuf *out, double value)
{
    char text[FTL_F64_TEXT_SIZE];
    if (isfinite(value))
        ftl_strbuf_append(out, text, ftl_print_f64(value, text));
    else
        put_null(out);
}

static void put_f32(ftl_strbuf *out, float value)
{
    char text[FTL_F64_TEXT_SIZE];
    if (isfinite(value))
        ftl_strbuf_append(out, text, ftl_print_f32(value, text));
    else
        put_null(out);
}

static void put_i64(ftl_strbuf *out, int64_t value)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_append(out, text, ftl_print_i64(value, text));
}

static void put_bool(ftl_strbuf *out, bool value)
{
    ftl_strbuf_append(out, value ? "true" : "false", value ? 4 : 5);
}

void srv_put_value(ftl_strbuf *out, const ftl_column *column, size_t row)
{
    size_t i = column->offset + row;
    const char *values = column->values;
    if (column->validity && !(column->validity[i / 8] >> (i % 8) & 1)) {
        put_null(out);
        return;
    }
    ptrdiff_t stride = column->stride;
    double f64;
    float f32;
    int64_t i64;
    switch (column->type) {
    case FTL_F64:
        memcpy(&f64, values + (ptrdiff_t)i * (stride ? stride : 8), sizeof f64);
        srv_put_f64(out, f64);
        break;
    case FTL_F32:
        memcpy(&f32, values + (ptrdiff_t)i * (stride ? stride : 4), sizeof f32);
        put_f32(out, f32);
        break;
    case FTL_I64:
        memcpy(&i64, values + (ptrdiff_t)i * (stride ? stride : 8), sizeof i64);
        put_i64(out, i64);
        break;
    case FTL_BOOL:
        put_bool(out, values[(ptrdiff_t)i * (stride ? stride : 1)]);
        break;
    case FTL_STRING:
        ftl_strbuf_json_string(out, values + column->offsets[i],
                               column->offsets[i + 1] - column->offsets[i]);
        break;
    default: /* outputs have no other type */
        put_null(out);
    }
}

bool srv_is_flat(ftl_method method, size_t n_columns)
{
    switch (method) {
    case FTL_PREDICT_PROBA:
    case FTL_PREDICT_LOG_PROBA:
    case FTL_TRANSFORM:
    case FTL_INVERSE_TRANSFORM:
    case FTL_KNEIGHBORS:
        return false;
    default:
        return n_columns == 1;
    }
}

void srv_put_rows(ftl_strbuf *out, ftl_method method, const ftl_batch *batch)
{
    bool several = !srv_is_flat(method, batch->n_columns);
    ftl_strbuf_putc(out, '[');
    for (size_t row = 0; row < batch->rows; row++) {
        if (row)
            ftl_strbuf_putc(out, ',');
        if (several)
            ftl_strbuf_putc(out, '[');
        for (size_t i = 0; i < batch->n_columns; i++) {
            if (i)
                ftl_strbuf_putc(out, ',');
            srv_put_value(out, &batch->columns[i], row);
        }
        if (several)
            ftl_strbuf_putc(out, ']');
    }
    ftl_strbuf_putc(out, ']');
}

static void put_label(ftl_strbuf *out, const ftl_label *label)
{
    switch (label->type) {
    case FTL_F64:
        srv_put_f64(out, label->number);
        break;
    case FTL_BOOL:
        put_bool(out, label->integer);
        break;
    case FTL_STRING:
        ftl_strbuf_json_string(out, label->text, label->size);
        break;
    default:
        put_i64(out, label->integer);
    }
}

static void put_classes_of(ftl_strbuf *out, const ftl_model *model, size_t target)
{
    size_t n = ftl_model_class_count(model, target);
    ftl_strbuf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        ftl_label label = {.struct_size = sizeof label};
        if (i)
            ftl_strbuf_putc(out, ',');
        if (ftl_model_class(model, target, i, &label) == FTL_OK)
            put_label(out, &label);
        else
            put_null(out);
    }
    ftl_strbuf_putc(out, ']');
}

void srv_put_classes(ftl_strbuf *out, const ftl_model *model)
{
    size_t n = ftl_model_target_count(model);
    if (n == 1) {
        put_classes_of(out, model, 0);
        return;
    }
    ftl_strbuf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            ftl_strbuf_putc(out, ',');
        put_classes_of(out, model, i);
    }
    ftl_strbuf_putc(out, ']');
}
