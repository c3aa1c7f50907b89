/* What `foretell inspect` prints, for people or as one JSON object. */
#include "base/number.h"
#include "base/strbuf.h"
#include "engine/context.h"
#include "model/model.h"

#include <string.h>

static const char *kind_name(ftl_model_kind kind)
{
    static const char *const names[] = {"classifier", "regressor", "transformer", "model"};
    return names[kind];
}

static const char *column_kind(ftl_column_kind kind)
{
    static const char *const names[] = {"numeric", "string", "bool", "mixed", "unused"};
    return names[kind];
}

static const char *missing_rule(const ftl_input_schema *column)
{
    static const char *const names[] = {"NaN", "None", "refused"};
    return column->kind == FTL_KIND_UNUSED ? "ignored" : names[column->missing];
}

static const char *type_name(ftl_type type)
{
    static const char *const names[] = {"float64", "float32", "int64", "bool", "string"};
    return names[type];
}

static void put_label(ftl_strbuf *out, const ftl_cell *cell, bool json)
{
    char text[FTL_F64_TEXT_SIZE];
    switch (cell->tag) {
    case FTL_CELL_STRING:
        if (json)
            ftl_strbuf_json_string(out, cell->u.text, cell->size);
        else
            ftl_strbuf_append(out, cell->u.text, cell->size);
        break;
    case FTL_CELL_INT:
        ftl_strbuf_append(out, text, ftl_print_i64(cell->u.integer, text));
        break;
    case FTL_CELL_BOOL:
        ftl_strbuf_puts(out, json ? (cell->u.integer ? "true" : "false")
                                  : (cell->u.integer ? "True" : "False"));
        break;
    case FTL_CELL_FLOAT:
        ftl_strbuf_append(out, text, ftl_print_f64(cell->u.number, text));
        break;
    default:
        ftl_strbuf_puts(out, json ? "null" : "nan");
        break;
    }
}

static void put_size(ftl_strbuf *out, uint64_t bytes)
{
    if (bytes < 10000)
        ftl_strbuf_printf(out, "%llu bytes", (unsigned long long)bytes);
    else if (bytes < 10000000)
        ftl_strbuf_printf(out, "%.1f kB", (double)bytes / 1e3);
    else
        ftl_strbuf_printf(out, "%.1f MB", (double)bytes / 1e6);
}

/* ---- For people ------------------------------------------------------------------------------ */

/* Control characters of hostile names must not reach a terminal. */
static void scrub(ftl_strbuf *out)
{
    for (size_t i = 0; i < out->size; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if ((c < 0x20 && c != '\n') || c == 0x7f)
            out->data[i] = '?';
    }
}

static void text_head(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_printf(out, "%s (%s), written by %s %s\n", model->class_name, kind_name(model->kind),
                      model->library,
                      model->library_version[0] ? model->library_version : "of an unknown version");
    if (model->newer)
        ftl_strbuf_printf(out, "warning  written by %s: its answers may differ\n", model->newer);
    if (model->selected)
        ftl_strbuf_printf(out, "entry    %s of the file\n", model->selected);
    ftl_strbuf_puts(out, "size     file ");
    put_size(out, model->file_bytes);
    if (model->codec[0])
        ftl_strbuf_printf(out, " (%s)", model->codec);
    ftl_strbuf_puts(out, ", loaded ");
    put_size(out, ftl_model_own_bytes(model));
    ftl_strbuf_puts(out, "\nmethods  ");
    bool any = false;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (model->graph.methods[m].count) {
            ftl_strbuf_printf(out, "%s%s", any ? ", " : "", ftl_method_name((ftl_method)m));
            any = true;
        }
    }
    ftl_strbuf_puts(out, any ? "\n" : "none can run\n");
}

static void text_steps(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_puts(out, "\nsteps\n");
    for (size_t i = 0; i < model->n_steps; i++) {
        const ftl_step_info *step = &model->steps[i];
        ftl_strbuf_printf(out, "  %-32s %s%s%s\n", step->path[0] ? step->path : "(the model)",
                          step->class_name, step->detail[0] ? ": " : "", step->detail);
    }
    for (size_t t = 0; t < model->n_classes; t++) {
        const ftl_labels *labels = model->classes[t];
        if (model->n_classes > 1)
            ftl_strbuf_printf(out, "\nclasses of target %zu\n  ", t);
        else
            ftl_strbuf_puts(out, "\nclasses\n  ");
        for (uint32_t i = 0; i < labels->count && i < 50; i++) {
            ftl_strbuf_puts(out, i ? ", " : "");
            put_label(out, &labels->cells[i], false);
        }
        if (labels->count > 50)
            ftl_strbuf_printf(out, " and %u more", labels->count - 50);
        ftl_strbuf_putc(out, '\n');
    }
}

static void text_columns(const ftl_model *model, ftl_strbuf *out)
{
    if (model->open_width) {
        ftl_strbuf_puts(out, "\ninput: any number of columns\n");
        return;
    }
    ftl_strbuf_printf(out, "\ninput: %zu columns%s\n", model->graph.n_inputs,
                      model->has_input_names ? ", matched by name" : ", matched by position");
    for (size_t i = 0; i < model->graph.n_inputs && i < 200; i++) {
        const ftl_input_schema *column = &model->inputs[i];
        if (column->name)
            ftl_strbuf_printf(out, "  %-32s %-8s missing: %s\n", column->name,
                              column_kind(column->kind), missing_rule(column));
        else
            ftl_strbuf_printf(out, "  %-32zu %-8s missing: %s\n", i, column_kind(column->kind),
                              missing_rule(column));
    }
    if (model->graph.n_inputs > 200)
        ftl_strbuf_printf(out, "  and %zu more\n", model->graph.n_inputs - 200);
    const ftl_method_outputs *outputs = &model->graph.methods[model->default_method];
    ftl_strbuf_printf(out, "\noutput of %s: %zu column%s\n", ftl_method_name(model->default_method),
                      outputs->count, outputs->count == 1 ? "" : "s");
    for (size_t i = 0; i < outputs->count && i < 50; i++) {
        ftl_output_column column = {.struct_size = sizeof column};
        if (ftl_model_output(model, model->default_method, i, &column) == FTL_OK)
            ftl_strbuf_printf(out, "  %-32s %s\n", column.name, type_name(column.type));
    }
    if (outputs->count > 50)
        ftl_strbuf_printf(out, "  and %zu more\n", outputs->count - 50);
}

static void describe_text(const ftl_model *model, ftl_strbuf *out)
{
    text_head(model, out);
    text_steps(model, out);
    if (model->graph.n_ops)
        text_columns(model, out);
    if (model->n_problems)
        ftl_strbuf_puts(out, "\nunsupported\n");
    for (size_t i = 0; i < model->n_problems; i++)
        ftl_strbuf_printf(out, "  %-32s %s\n",
                          model->problems[i].path[0] ? model->problems[i].path : "(the model)",
                          model->problems[i].message);
    if (!out->failed)
        scrub(out);
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static void json_text(ftl_strbuf *out, const char *key, const char *value, const char *after)
{
    ftl_strbuf_printf(out, "\"%s\": ", key);
    ftl_strbuf_json_string(out, value, strlen(value));
    ftl_strbuf_puts(out, after);
}

static void json_head(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_puts(out, "{");
    json_text(out, "class", model->class_name, ", ");
    json_text(out, "kind", kind_name(model->kind), ", ");
    json_text(out, "library", model->library, ", ");
    json_text(out, "library_version", model->library_version, ", ");
    if (model->newer)
        json_text(out, "newer", model->newer, ", ");
    json_text(out, "codec", model->codec, ", ");
    if (model->selected)
        json_text(out, "selected", model->selected, ", ");
    ftl_strbuf_printf(out, "\"file_bytes\": %llu, \"bytes\": %llu, ",
                      (unsigned long long)model->file_bytes,
                      (unsigned long long)ftl_model_own_bytes(model));
    json_text(out, "default_method", ftl_method_name(model->default_method), ", ");
    ftl_strbuf_puts(out, "\"steps\": [");
    for (size_t i = 0; i < model->n_steps; i++) {
        ftl_strbuf_puts(out, i ? ", {" : "{");
        json_text(out, "path", model->steps[i].path, ", ");
        json_text(out, "class", model->steps[i].class_name, ", ");
        json_text(out, "detail", model->steps[i].detail, "}");
    }
    ftl_strbuf_puts(out, "], \"classes\": [");
    for (size_t t = 0; t < model->n_classes; t++) {
        ftl_strbuf_puts(out, t ? ", [" : "[");
        for (uint32_t i = 0; i < model->classes[t]->count; i++) {
            ftl_strbuf_puts(out, i ? ", " : "");
            put_label(out, &model->classes[t]->cells[i], true);
        }
        ftl_strbuf_putc(out, ']');
    }
    ftl_strbuf_puts(out, "], ");
}

static void json_columns(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_printf(out, "\"open_width\": %s, \"inputs\": [",
                      model->open_width ? "true" : "false");
    for (size_t i = 0; i < model->graph.n_inputs && !model->open_width; i++) {
        const ftl_input_schema *column = &model->inputs[i];
        ftl_strbuf_puts(out, i ? ", {\"name\": " : "{\"name\": ");
        if (column->name)
            ftl_strbuf_json_string(out, column->name, strlen(column->name));
        else
            ftl_strbuf_puts(out, "null");
        ftl_strbuf_puts(out, ", ");
        json_text(out, "kind", column_kind(column->kind), ", ");
        json_text(out, "missing", missing_rule(column), "}");
    }
    ftl_strbuf_puts(out, "], \"outputs\": {");
    bool any = false;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        const ftl_method_outputs *outputs = &model->graph.methods[m];
        if (outputs->count == 0)
            continue;
        ftl_strbuf_printf(out, "%s\"%s\": [", any ? ", " : "", ftl_method_name((ftl_method)m));
        any = true;
        for (size_t i = 0; i < outputs->count; i++) {
            ftl_output_column column = {.struct_size = sizeof column};
            if (ftl_model_output(model, (ftl_method)m, i, &column) != FTL_OK)
                continue;
            ftl_strbuf_puts(out, i ? ", {" : "{");
            json_text(out, "name", column.name, ", ");
            json_text(out, "type", type_name(column.type), "}");
        }
        ftl_strbuf_putc(out, ']');
    }
    ftl_strbuf_puts(out, "}, ");
}

static void describe_json(const ftl_model *model, ftl_strbuf *out)
{
    json_head(model, out);
    json_columns(model, out);
    ftl_strbuf_puts(out, "\"unsupported\": [");
    for (size_t i = 0; i < model->n_problems; i++) {
        ftl_strbuf_puts(out, i ? ", {" : "{");
        json_text(out, "path", model->problems[i].path, ", ");
        json_text(out, "code", ftl_status_name(model->problems[i].code), ", ");
        json_text(out, "message", model->problems[i].message, "}");
    }
    ftl_strbuf_puts(out, "]}\n");
}

ftl_status ftl_model_describe(const ftl_model *model, bool json, ftl_text_fn write, void *user,
                              ftl_error *error)
{
    if (!model || !write)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_model_describe needs a model and a function for its text");
    ftl_strbuf out;
    ftl_strbuf_init(&out, &model->context->account, 0);
    if (json)
        describe_json(model, &out);
    else
        describe_text(model, &out);
    ftl_status status = FTL_OK;
    if (out.failed)
        status = FTL_OOM(error);
    else if (!write(user, out.data, out.size))
        status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    ftl_strbuf_free(&out);
    return status;
}
