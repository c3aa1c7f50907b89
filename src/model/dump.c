/*
 * The text form of graphs, complete: what two dumps agree in, graphs agree in, but for numbers far
 * down in arrays, of which a checksum stands there. The same on every machine.
 */
#include "base/crc64.h"
#include "base/number.h"
#include "model/describe.h"

#include <inttypes.h>
#include <string.h>

enum { shown_values = 6, shown_records = 3, indent_step = 2 };

typedef struct dump {
    ftl_strbuf *out;
    ftl_account *account;
} dump;

static void dump_record(dump *d, const ftl_record *record, const void *self, int indent);

static void put_f64(ftl_strbuf *out, double value)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_append(out, text, ftl_print_f64(value, text));
}

static void put_f32(ftl_strbuf *out, float value)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_append(out, text, ftl_print_f32(value, text));
}

static void put_text(ftl_strbuf *out, const char *text, size_t size)
{
    if (text)
        ftl_strbuf_json_string(out, text, size);
    else
        ftl_strbuf_puts(out, "null");
}

static void put_cell(ftl_strbuf *out, const ftl_cell *cell)
{
    switch (cell->tag) {
    case FTL_CELL_STRING:
        put_text(out, cell->u.text, cell->size);
        return;
    case FTL_CELL_INT:
        ftl_strbuf_printf(out, "int %" PRId64, cell->u.integer);
        return;
    case FTL_CELL_FLOAT:
        ftl_strbuf_puts(out, "float ");
        put_f64(out, cell->u.number);
        return;
    case FTL_CELL_BOOL:
        ftl_strbuf_puts(out, cell->u.integer ? "true" : "false");
        return;
    default:
        ftl_strbuf_puts(out, "missing");
        if (cell->size) {
            ftl_strbuf_putc(out, ' ');
            put_text(out, cell->u.text, cell->size);
        }
    }
}

static void put_value(ftl_strbuf *out, ftl_element element, const void *value)
{
    switch (element) {
    case FTL_ELEMENT_BOOL:
        ftl_strbuf_puts(out, *(const bool *)value ? "true" : "false");
        return;
    case FTL_ELEMENT_U8:
    case FTL_ELEMENT_CHAR:
        ftl_strbuf_printf(out, "%u", *(const uint8_t *)value);
        return;
    case FTL_ELEMENT_I32:
        ftl_strbuf_printf(out, "%" PRId32, *(const int32_t *)value);
        return;
    case FTL_ELEMENT_U32:
    case FTL_ELEMENT_ENUM:
        ftl_strbuf_printf(out, "%" PRIu32, *(const uint32_t *)value);
        return;
    case FTL_ELEMENT_U64:
        ftl_strbuf_printf(out, "%" PRIu64, *(const uint64_t *)value);
        return;
    case FTL_ELEMENT_F32:
        put_f32(out, *(const float *)value);
        return;
    case FTL_ELEMENT_F64:
        put_f64(out, *(const double *)value);
        return;
    case FTL_ELEMENT_TEXT: {
        const char *text = *(const char *const *)value;
        put_text(out, text, text ? strlen(text) : 0);
        return;
    }
    default:
        put_cell(out, value);
    }
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

static void put_values(ftl_strbuf *out, ftl_element element, const unsigned char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ftl_strbuf_putc(out, ' ');
        put_value(out, element, data + i * ftl_element_size(element));
    }
}

/* A checksum of values that hold pointers is one of their text. */
static uint64_t checksum(dump *d, ftl_element element, const void *data, size_t n)
{
    if (ftl_element_is_plain(element))
        return ftl_crc64(0, data, n * ftl_element_size(element));
    ftl_strbuf text;
    ftl_strbuf_init(&text, d->account, 0);
    put_values(&text, element, data, n);
    uint64_t crc = ftl_crc64(0, text.data, text.size);
    d->out->failed |= text.failed;
    ftl_strbuf_free(&text);
    return crc;
}

static void dump_values(dump *d, const ftl_field *field, const void *data, size_t n)
{
    ftl_strbuf_printf(d->out, "[%zu]:", n);
    put_values(d->out, field->element, data, n < shown_values ? n : shown_values);
    if (n > shown_values)
        ftl_strbuf_printf(d->out, " ... #%016" PRIx64, checksum(d, field->element, data, n));
    ftl_strbuf_putc(d->out, '\n');
}

static void dump_records(dump *d, const ftl_record *record, const unsigned char *data, size_t n,
                         int indent)
{
    ftl_strbuf rest;
    ftl_strbuf_init(&rest, d->account, 0);
    dump hidden = {&rest, d->account};
    ftl_strbuf_printf(d->out, "[%zu]:\n", n);
    for (size_t i = 0; i < n; i++, data += record->size) {
        dump *to = i < shown_records ? d : &hidden;
        ftl_strbuf_printf(to->out, "%*s-\n", indent, "");
        dump_record(to, record, data, indent + indent_step);
    }
    if (n > shown_records)
        ftl_strbuf_printf(d->out, "%*s... #%016" PRIx64 "\n", indent, "",
                          ftl_crc64(0, rest.data, rest.size));
    d->out->failed |= rest.failed;
    ftl_strbuf_free(&rest);
}

static void dump_array(dump *d, const ftl_field *field, const void *self, int indent)
{
    const void *data = ftl_field_pointer(field, self);
    size_t n = ftl_field_count(field, self);
    if (!data && field->optional)
        ftl_strbuf_puts(d->out, ": null\n");
    else if (field->element == FTL_ELEMENT_RECORD)
        dump_records(d, field->record(), data, n, indent);
    else
        dump_values(d, field, data, n);
}

/* ---- Records --------------------------------------------------------------------------------- */

static void dump_field(dump *d, const ftl_field *field, const void *self, int indent)
{
    ftl_strbuf_printf(d->out, "%*s%s", indent, "", field->name);
    if (field->form == FTL_FORM_ARRAY) {
        dump_array(d, field, self, indent + indent_step);
        return;
    }
    if (field->element == FTL_ELEMENT_RECORD) {
        const void *inner = field->form == FTL_FORM_POINTER ? ftl_field_pointer(field, self)
                                                            : ftl_field_at(field, self);
        ftl_strbuf_puts(d->out, inner ? ":\n" : ": null\n");
        if (inner)
            dump_record(d, field->record(), inner, indent + indent_step);
        return;
    }
    ftl_strbuf_puts(d->out, ": ");
    put_value(d->out, field->element, ftl_field_at(field, self));
    ftl_strbuf_putc(d->out, '\n');
}

static void dump_record(dump *d, const ftl_record *record, const void *self, int indent)
{
    for (size_t i = 0; i < record->n_fields; i++)
        dump_field(d, &record->fields[i], self, indent);
}

static void dump_op(dump *d, const ftl_op *op, size_t id)
{
    static const char *const edges[] = {"num", "coded", "object", "sparse"};
    static const char *const dtypes[] = {"", ":f32", ":f64"};
    ftl_strbuf_printf(d->out, "%%%zu = %s %s%s[%u]", id, ftl_op_name(op->kind), edges[op->edge],
                      op->edge == FTL_EDGE_OBJECT ? "" : dtypes[op->dtype], op->width);
    for (uint32_t i = 0; i < op->n_segments; i++) {
        const ftl_segment *segment = &op->segments[i];
        ftl_strbuf_printf(d->out, "%s%%%u[%u:%u]", i ? ", " : " <- ", segment->op, segment->first,
                          segment->first + segment->count);
    }
    if (op->path[0])
        ftl_strbuf_printf(d->out, "  # %s", op->path);
    ftl_strbuf_putc(d->out, '\n');
    const ftl_record *record = ftl_op_record(op->kind);
    if (record)
        dump_record(d, record, &op->u, 2 * indent_step);
}

static void dump_output(dump *d, const ftl_output *output)
{
    static const char *const shown[] = {"float", "int", "bool", "label", "cell"};
    static const char *const types[] = {"f64", "f32", "i64", "bool", "string"};
    ftl_strbuf_puts(d->out, "  ");
    put_text(d->out, output->name, strlen(output->name));
    ftl_strbuf_printf(d->out, " = %%%u[%u] %s", output->op, output->column, shown[output->as]);
    if (output->labels) {
        static const ftl_field cells = {.element = FTL_ELEMENT_CELL};
        ftl_strbuf_printf(d->out, " %s", types[output->labels->type]);
        dump_values(d, &cells, output->labels->cells, output->labels->count);
    } else {
        ftl_strbuf_putc(d->out, '\n');
    }
}

void ftl_graph_dump(const ftl_graph *graph, ftl_strbuf *out)
{
    dump d = {out, out->account};
    for (size_t i = 0; i < graph->n_ops; i++)
        dump_op(&d, &graph->ops[i], i);
    for (int method = 0; method < FTL_METHOD_COUNT; method++) {
        const ftl_method_outputs *outputs = &graph->methods[method];
        if (outputs->count == 0)
            continue;
        ftl_strbuf_printf(out, "%s:\n", ftl_method_name((ftl_method)method));
        for (size_t i = 0; i < outputs->count; i++)
            dump_output(&d, &outputs->outputs[i]);
    }
}
