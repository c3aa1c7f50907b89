/* What `foretell inspect` prints, for people or as one JSON object. */
#include "base/number.h"
#include "base/strbuf.h"
#include "engine/context.h"
#include "model/facts.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *ftl_model_kind_name(ftl_model_kind kind)
{
    static const char *const names[] = {"classifier", "regressor", "transformer",
                                        "model",      "clusterer", "outlier detector"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
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
            ftl_strbuf_printable(out, cell->u.text, cell->size, 0);
        break;
    case FTL_CELL_INT:
        ftl_strbuf_append(out, text, ftl_print_i64(cell->u.integer, text));
        break;
    case FTL_CELL_BOOL:
        ftl_strbuf_puts(out, json ? (cell->u.integer ? "true" : "false")
                                  : (cell->u.integer ? "True" : "False"));
        break;
    case FTL_CELL_FLOAT:
        if (json && !isfinite(cell->u.number)) { /* JSON has no such numbers */
            ftl_strbuf_puts(out, isnan(cell->u.number) ? "null"
                                 : cell->u.number > 0  ? "\"inf\""
                                                       : "\"-inf\"");
            break;
        }
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

/* What the description tells beside the model's own fields. */
typedef struct facts {
    ftl_category_place *categories; /* [n_inputs] */
    bool *is_f32;                   /* [n_ops] for float64 input */
} facts;

static ftl_status find_facts(const ftl_model *model, ftl_arena *arena, facts *out, ftl_error *error)
{
    out->categories = ftl_arena_zero_array(arena, model->graph.n_inputs + 1,
                                           sizeof *out->categories);
    out->is_f32 = ftl_arena_zero_array(arena, model->graph.n_ops + 1, sizeof *out->is_f32);
    if (!out->categories || !out->is_f32)
        return FTL_OOM(error);
    ftl_graph_categories(&model->graph, out->categories);
    ftl_graph_f32(&model->graph, FTL_F64, out->is_f32);
    return FTL_OK;
}

/* A model of one plan has no operations any more: its numbers are called float64. */
static const char *output_type(const ftl_model *model, const facts *f, const ftl_output *output)
{
    ftl_type type = ftl_output_type(output);
    bool f32 = type == FTL_F64 && output->as == FTL_AS_FLOAT && output->op < model->graph.n_ops &&
               f->is_f32[output->op];
    return type_name(f32 ? FTL_F32 : type);
}

static void put_category(ftl_strbuf *out, const ftl_categories *categories, uint32_t i, bool json)
{
    const ftl_cell cell = ftl_category_cell(categories, i);
    put_label(out, &cell, json);
}

static bool refuses_others(const ftl_encode_column *column)
{
    return column->unknown == FTL_CODE_REFUSED;
}

/* ---- For people ------------------------------------------------------------------------------ */

/* A name from the file and spaces up to width characters: in a line for people it holds no control
 * characters or line breaks. */
static void put_padded(ftl_strbuf *out, const char *text, size_t width)
{
    ftl_strbuf_printable(out, text, strlen(text), width);
}

enum { name_width = 32 };

static void begin_row(ftl_strbuf *out, const char *name)
{
    ftl_strbuf_puts(out, "  ");
    put_padded(out, name, name_width);
    ftl_strbuf_putc(out, ' ');
}

/* A line with a text from the file. */
static void put_line(ftl_strbuf *out, const char *before, const char *text, const char *after)
{
    ftl_strbuf_puts(out, before);
    put_padded(out, text, 0);
    ftl_strbuf_puts(out, after);
    ftl_strbuf_putc(out, '\n');
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

static void text_head(const ftl_model *model, ftl_strbuf *out)
{
    if (strcmp(model->library, "Python") == 0) /* a container of models, none of them chosen */
        ftl_strbuf_printf(out, "a %s with %zu models; none is chosen\n", model->class_name,
                          model->n_steps + model->more_listed);
    else {
        ftl_strbuf_printf(out, "%s (%s), written by %s ", model->class_name,
                          ftl_model_kind_name(model->kind), model->library);
        put_line(out, "",
                 model->library_version[0] ? model->library_version : "of an unknown version", "");
    }
    if (model->newer)
        put_line(out, "warning  written by ", model->newer, ": its answers may differ");
    if (model->selected)
        put_line(out, strchr(model->selected, ',') ? "parts    " : "entry    ", model->selected,
                 strchr(model->selected, ',') ? "" : " of the file");
    if (model->note)
        put_line(out, "note     ", model->note, "");
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
    if (model->has_inverse && any)
        ftl_strbuf_puts(out, ", inverse_transform");
    ftl_strbuf_puts(out, any ? "\n" : "none can run\n");
}

static void text_steps(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_puts(out, model->graph.n_ops || model->n_problems ? "\nsteps\n" : "\nmodels\n");
    for (size_t i = 0; i < model->n_steps; i++) {
        const ftl_step_info *step = &model->steps[i];
        begin_row(out, step->path[0] ? step->path : "(the model)");
        ftl_strbuf_printf(out, "%s%s", step->class_name, step->detail[0] ? ": " : "");
        put_line(out, "", step->detail, "");
    }
    if (model->more_listed)
        ftl_strbuf_printf(out, "  and %zu more\n", model->more_listed);
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

static void text_categories(const ftl_encode_column *column, ftl_strbuf *out)
{
    enum { most_shown = 20 };
    uint32_t n = 0;
    ftl_strbuf_puts(out, ", values: ");
    for (uint32_t i = 0; i < column->categories.count; i++) {
        if (!ftl_is_value(column, i) || n++ >= most_shown)
            continue;
        ftl_strbuf_puts(out, n > 1 ? ", " : "");
        put_category(out, &column->categories, i, false);
    }
    if (n > most_shown)
        ftl_strbuf_printf(out, " and %u more", n - most_shown);
    ftl_strbuf_puts(out, refuses_others(column) ? "; others refused" : "; others count as unknown");
}

static void text_inputs(const ftl_model *model, const facts *f, ftl_strbuf *out)
{
    enum { most_shown = 200 };
    size_t n = model->graph.n_inputs;
    ftl_strbuf_printf(out, "\ninput: %zu column%s%s\n", n, plural(n),
                      model->has_input_names ? ", matched by name" : ", matched by position");
    for (size_t i = 0; i < n && i < most_shown; i++) {
        const ftl_input_schema *column = &model->inputs[i];
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", i);
        begin_row(out, column->name ? column->name : number);
        ftl_strbuf_printf(out, "%-8s missing: %s", column_kind(column->kind), missing_rule(column));
        if (f->categories[i].encoded)
            text_categories(f->categories[i].encoded, out);
        ftl_strbuf_putc(out, '\n');
    }
    if (n > most_shown)
        ftl_strbuf_printf(out, "  and %zu more\n", n - most_shown);
}

static void text_outputs(const ftl_model *model, const facts *f, ftl_method method, ftl_strbuf *out)
{
    enum { most_shown = 50 };
    const ftl_method_outputs *outputs = &model->graph.methods[method];
    ftl_strbuf_printf(out, "\noutput of %s: %zu column%s\n", ftl_method_name(method),
                      outputs->count, plural(outputs->count));
    for (size_t i = 0; i < outputs->count && i < most_shown; i++) {
        begin_row(out, outputs->outputs[i].name);
        ftl_strbuf_printf(out, "%s\n", output_type(model, f, &outputs->outputs[i]));
    }
    if (outputs->count > most_shown)
        ftl_strbuf_printf(out, "  and %zu more\n", outputs->count - most_shown);
}

/* The default method first, then the others. */
static void text_columns(const ftl_model *model, const facts *f, ftl_strbuf *out)
{
    if (model->open_width) {
        ftl_strbuf_puts(out, "\ninput: any number of columns\n");
        return;
    }
    text_inputs(model, f, out);
    text_outputs(model, f, model->default_method, out);
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (model->graph.methods[m].count && m != (int)model->default_method)
            text_outputs(model, f, (ftl_method)m, out);
    }
}

/* Nothing of it runs here; whoever also loads the file with Python should know. */
static void text_foreign(const ftl_model *model, ftl_strbuf *out)
{
    if (model->n_foreign)
        ftl_strbuf_puts(out, "\nother code\n");
    for (size_t i = 0; i < model->n_foreign; i++) {
        ftl_strbuf_puts(out, "  asks Python to call ");
        put_padded(out, model->foreign[i], 0);
        ftl_strbuf_puts(out, ": do not load it with Python unless you trust it\n");
    }
    if (model->more_foreign)
        ftl_strbuf_puts(out, "  and more\n");
}

static void describe_text(const ftl_model *model, const facts *f, ftl_strbuf *out)
{
    text_head(model, out);
    text_steps(model, out);
    if (model->graph.n_ops)
        text_columns(model, f, out);
    if (model->n_found)
        ftl_strbuf_puts(out, "\nalso in the file\n");
    for (size_t i = 0; i < model->n_found; i++) {
        begin_row(out, model->found[i].path);
        ftl_strbuf_printf(out, "%-9s ", model->found[i].what);
        put_padded(out, model->found[i].text, 0);
        ftl_strbuf_putc(out, '\n');
    }
    if (model->n_problems)
        ftl_strbuf_puts(out, "\nunsupported\n");
    for (size_t i = 0; i < model->n_problems; i++) {
        begin_row(out, model->problems[i].path[0] ? model->problems[i].path : "(the model)");
        put_padded(out, model->problems[i].message, 0);
        ftl_strbuf_putc(out, '\n');
    }
    text_foreign(model, out);
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
    json_text(out, "kind", ftl_model_kind_name(model->kind), ", ");
    json_text(out, "library", model->library, ", ");
    json_text(out, "library_version", model->library_version, ", ");
    if (model->newer)
        json_text(out, "newer", model->newer, ", ");
    json_text(out, "codec", model->codec, ", ");
    if (model->selected)
        json_text(out, "selected", model->selected, ", ");
    if (model->note)
        json_text(out, "note", model->note, ", ");
    if (model->has_inverse)
        ftl_strbuf_puts(out, "\"has_inverse\": true, ");
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

static void json_categories(const ftl_encode_column *column, ftl_strbuf *out)
{
    bool any = false;
    ftl_strbuf_puts(out, ", \"categories\": [");
    for (uint32_t i = 0; i < column->categories.count; i++) {
        if (!ftl_is_value(column, i))
            continue;
        ftl_strbuf_puts(out, any ? ", " : "");
        put_category(out, &column->categories, i, true);
        any = true;
    }
    ftl_strbuf_printf(out, "], \"others\": \"%s\"", refuses_others(column) ? "refused" : "unknown");
}

static void json_columns(const ftl_model *model, const facts *f, ftl_strbuf *out)
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
        json_text(out, "missing", missing_rule(column), "");
        if (f->categories[i].encoded)
            json_categories(f->categories[i].encoded, out);
        ftl_strbuf_putc(out, '}');
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
            ftl_strbuf_puts(out, i ? ", {" : "{");
            json_text(out, "name", outputs->outputs[i].name, ", ");
            json_text(out, "type", output_type(model, f, &outputs->outputs[i]), "}");
        }
        ftl_strbuf_putc(out, ']');
    }
    ftl_strbuf_puts(out, "}, ");
}

static void json_found(const ftl_model *model, ftl_strbuf *out)
{
    ftl_strbuf_puts(out, "\"found\": [");
    for (size_t i = 0; i < model->n_found; i++) {
        ftl_strbuf_puts(out, i ? ", {" : "{");
        json_text(out, "path", model->found[i].path, ", ");
        json_text(out, "what", model->found[i].what, ", ");
        json_text(out, "value", model->found[i].text, "}");
    }
    ftl_strbuf_puts(out, "], ");
}

static void describe_json(const ftl_model *model, const facts *f, ftl_strbuf *out)
{
    json_head(model, out);
    json_columns(model, f, out);
    json_found(model, out);
    ftl_strbuf_puts(out, "\"unsupported\": [");
    for (size_t i = 0; i < model->n_problems; i++) {
        ftl_strbuf_puts(out, i ? ", {" : "{");
        json_text(out, "path", model->problems[i].path, ", ");
        json_text(out, "code", ftl_status_name(model->problems[i].code), ", ");
        json_text(out, "message", model->problems[i].message, "}");
    }
    ftl_strbuf_puts(out, "], \"other_code\": [");
    for (size_t i = 0; i < model->n_foreign; i++) {
        ftl_strbuf_puts(out, i ? ", " : "");
        ftl_strbuf_json_string(out, model->foreign[i], strlen(model->foreign[i]));
    }
    ftl_strbuf_printf(out, "], \"more_other_code\": %s}\n", model->more_foreign ? "true" : "false");
}

ftl_status ftl_model_describe(const ftl_model *model, bool json, ftl_text_fn write, void *user,
                              ftl_error *error)
{
    if (!model || !write)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_model_describe needs a model and a function for its text");
    ftl_strbuf out;
    ftl_arena arena;
    facts f;
    ftl_strbuf_init(&out, &model->context->account, 0);
    ftl_arena_init(&arena, &model->context->account);
    ftl_status status = find_facts(model, &arena, &f, error);
    if (status == FTL_OK && json)
        describe_json(model, &f, &out);
    else if (status == FTL_OK)
        describe_text(model, &f, &out);
    ftl_arena_free(&arena);
    if (status == FTL_OK && out.failed)
        status = FTL_OOM(error);
    else if (status == FTL_OK && !write(user, ftl_strbuf_text(&out), out.size))
        status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    ftl_strbuf_free(&out);
    return status;
}
