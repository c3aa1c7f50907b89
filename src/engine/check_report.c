/* The report of a check, for people or as one JSON object. */
#include "base/number.h"
#include "base/utf8.h"
#include "engine/check.h"
#include "foretell/experimental.h"

#include <math.h>
#include <string.h>

enum { most_columns = 200, most_near = 20 };

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static bool is_bound(const ftl_check_facts *facts, size_t input)
{
    return facts->binding && facts->binding->request_of_input[input] != SIZE_MAX;
}

/* The name that was looked for in vain: the model's own, or the one given for it; NULL: none was.
 */
static const char *missing_name(const ftl_check_facts *facts, size_t input)
{
    return facts->missing ? facts->missing[input] : NULL;
}

/* ---- For people ------------------------------------------------------------------------------ */

/* Names of the model, the table and the user may hold line breaks and terminal codes. */
static void put_plain(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_printable(out, text, strlen(text), 0);
}

static void put_quoted(ftl_strbuf *out, const char *before, const char *name)
{
    ftl_strbuf_printf(out, "%s'", before);
    put_plain(out, name);
    ftl_strbuf_putc(out, '\'');
}

static void put_name(ftl_strbuf *out, const ftl_model *model, size_t input)
{
    const char *name = model->inputs[input].name;
    if (name)
        put_plain(out, name);
    else
        ftl_strbuf_printf(out, "%zu", input);
}

static void pad_to(ftl_strbuf *out, size_t begin, size_t width)
{
    size_t length = 0;
    for (size_t i = begin; i < out->size; i++)
        length += ((unsigned char)out->data[i] & 0xc0) != 0x80;
    for (; length < width; length++)
        ftl_strbuf_putc(out, ' ');
}

static void text_column(const ftl_check_facts *facts, size_t input, ftl_strbuf *out)
{
    const ftl_column_counts *counts = &facts->counts[input];
    const ftl_watched_column *watched = &facts->watch->columns[input];
    size_t begin = out->size;
    ftl_strbuf_puts(out, "  ");
    put_name(out, facts->model, input);
    if (!out->failed)
        pad_to(out, begin, 34);
    ftl_strbuf_printf(out, " %7.2f %%", 100 * share(counts->missing, facts->rows));
    if (watched->lookup)
        ftl_strbuf_printf(out, " %7.2f %%", 100 * share(counts->unknown, facts->rows));
    if (counts->unknown) {
        ftl_strbuf_printf(out, "  such as '%s'; the model knows ", counts->example);
        ftl_watch_list(watched->place.encoded, out);
    }
    ftl_strbuf_putc(out, '\n');
}

static void text_columns(const ftl_check_facts *facts, ftl_strbuf *out)
{
    size_t n = facts->model->graph.n_inputs, shown = 0;
    ftl_strbuf_puts(out, "\ncolumn                               missing   unknown\n");
    for (size_t i = 0; i < n; i++) {
        if (is_bound(facts, i) && shown++ < most_columns)
            text_column(facts, i, out);
    }
    if (shown > most_columns)
        ftl_strbuf_printf(out, "  and %zu more\n", shown - most_columns);
    ftl_strbuf_putc(out, '\n');
}

static void text_warnings(const ftl_check_facts *facts, ftl_strbuf *out)
{
    ftl_strbuf line;
    ftl_strbuf_init(&line, out->account, 1 << 16);
    for (size_t i = 0; i < facts->watch->n; i++) {
        ftl_strbuf_clear(&line);
        if (ftl_watch_warning(facts->model, facts->watch, i, &line))
            ftl_strbuf_printf(out, "warning %s\n", ftl_strbuf_text(&line));
    }
    ftl_strbuf_free(&line);
}

/* Columns that are missing, with what stands in their place. */
static void text_near(const ftl_check_facts *facts, ftl_strbuf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->model->graph.n_inputs && n < most_near; i++) {
        const char *name = missing_name(facts, i);
        if (!name)
            continue;
        const char *near = facts->near[i];
        put_quoted(out, "missing ", name);
        if (near)
            put_quoted(out, ", but there is ", near);
        ftl_strbuf_putc(out, '\n');
        n++;
    }
}

static void text_target(const ftl_check_facts *facts, ftl_strbuf *out)
{
    ftl_check_target *target = facts->target;
    if (!target->name)
        return;
    put_quoted(out, "target  ", target->name);
    ftl_strbuf_printf(out, ", %llu row%s\n", (unsigned long long)target->rows,
                      plural(target->rows));
    if (target->missing)
        ftl_strbuf_printf(out, "        %llu row%s without it left out\n",
                          (unsigned long long)target->missing, plural(target->missing));
    if (target->strange)
        ftl_strbuf_printf(out, "        %llu of its values are no %s, such as '%s'\n",
                          (unsigned long long)target->strange,
                          target->classes ? "class of the model" : "number", target->example);
    if (target->rows && (target->classes || target->marks))
        ftl_strbuf_printf(out, "        accuracy %.6g\n", share(target->right, target->rows));
    else if (target->rows)
        ftl_strbuf_printf(out, "        RMSE %.6g\n", sqrt(target->squares / (double)target->rows));
    double auc = target->ranks ? ftl_check_target_auc(target) : (double)NAN;
    if (!isnan(auc))
        ftl_strbuf_printf(out, "        AUC %.6g\n", auc);
    if (target->too_many)
        ftl_strbuf_printf(out, "        AUC not measured: more than %zu rows\n",
                          target->most_scored);
}

static void text_table(const ftl_check_facts *facts, ftl_strbuf *out)
{
    const ftl_table_info *info = ftl_table_get_info(facts->table);
    size_t used = 0, n = facts->model->graph.n_inputs;
    for (size_t i = 0; i < n; i++)
        used += is_bound(facts, i);
    ftl_strbuf_puts(out, "model   ");
    put_plain(out, facts->model->class_name);
    ftl_strbuf_printf(out, ", %zu input column%s\n", n, plural(n));
    ftl_strbuf_puts(out, "table   ");
    if (info->n_parts > 1)
        ftl_strbuf_printf(out, "%zu files, the first ", info->n_parts);
    ftl_strbuf_puts(out, info->format);
    if (info->delimiter)
        ftl_strbuf_printf(out, info->delimiter == '\t' ? ", delimiter tab" : ", delimiter '%c'",
                          info->delimiter);
    if (info->encoding[0])
        ftl_strbuf_printf(out, ", %s", info->encoding);
    ftl_strbuf_printf(out, ", %zu column%s", info->n_columns, plural(info->n_columns));
    if (facts->binding)
        ftl_strbuf_printf(out, ", %zu of them used (matched by %s)", used,
                          facts->binding->by_name ? "name" : "position");
    ftl_strbuf_putc(out, '\n');
}

static void report_text(const ftl_check_facts *facts, ftl_strbuf *out)
{
    text_table(facts, out);
    text_near(facts, out);
    if (facts->binding && facts->watch)
        ftl_strbuf_printf(out, "rows    %llu row%s read%s, %llu refused\n",
                          (unsigned long long)facts->rows, plural(facts->rows),
                          facts->all_rows ? "" : ", not all of them",
                          (unsigned long long)facts->bad);
    if (facts->first)
        ftl_strbuf_printf(out, "first   %s\n", facts->first->message);
    if (facts->rows && facts->watch) {
        text_columns(facts, out);
        text_warnings(facts, out);
        text_target(facts, out);
    }
    ftl_strbuf_puts(out, facts->failed ? "result  it would not run\n"
                         : facts->bad ? "result  some rows would be refused; see options.on_error\n"
                                      : "result  it would run\n");
    if (!out->failed) /* what came in otherwise, such as a delimiter */
        ftl_utf8_make_printable(out->data, out->size, true);
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static void json_text(ftl_strbuf *out, const char *key, const char *text)
{
    ftl_strbuf_printf(out, "\"%s\": ", key);
    if (text)
        ftl_strbuf_json_string(out, text, strlen(text));
    else
        ftl_strbuf_puts(out, "null");
}

static void json_number(ftl_strbuf *out, const char *key, double number)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_printf(out, ", \"%s\": ", key);
    if (number - number == 0)
        ftl_strbuf_append(out, text, ftl_print_f64(number, text));
    else
        ftl_strbuf_puts(out, "null");
}

static void json_columns(const ftl_check_facts *facts, ftl_strbuf *out)
{
    bool any = false;
    ftl_strbuf_puts(out, ", \"columns\": [");
    for (size_t i = 0; facts->watch && i < facts->watch->n; i++) {
        const ftl_column_counts *counts = &facts->counts[i];
        if (!is_bound(facts, i))
            continue;
        ftl_strbuf_puts(out, any ? ", {" : "{");
        json_text(out, "name", facts->model->inputs[i].name);
        ftl_strbuf_printf(out, ", \"index\": %zu, \"missing\": %llu", i,
                          (unsigned long long)counts->missing);
        if (facts->watch->columns[i].lookup)
            ftl_strbuf_printf(out, ", \"unknown\": %llu", (unsigned long long)counts->unknown);
        if (counts->unknown) {
            ftl_strbuf_puts(out, ", ");
            json_text(out, "example", counts->example);
        }
        ftl_strbuf_putc(out, '}');
        any = true;
    }
    ftl_strbuf_putc(out, ']');
}

static void json_missing(const ftl_check_facts *facts, ftl_strbuf *out)
{
    size_t n = 0;
    ftl_strbuf_puts(out, ", \"missing_columns\": [");
    for (size_t i = 0; i < facts->model->graph.n_inputs; i++) {
        const char *name = missing_name(facts, i);
        if (!name)
            continue;
        ftl_strbuf_puts(out, n ? ", {" : "{");
        json_text(out, "name", name);
        ftl_strbuf_puts(out, ", ");
        json_text(out, "near", facts->near[i]);
        ftl_strbuf_putc(out, '}');
        n++;
    }
    ftl_strbuf_putc(out, ']');
}

static void json_warnings(const ftl_check_facts *facts, ftl_strbuf *out)
{
    bool any = false;
    ftl_strbuf line;
    ftl_strbuf_init(&line, out->account, 1 << 16);
    ftl_strbuf_puts(out, ", \"warnings\": [");
    for (size_t i = 0; facts->watch && i < facts->watch->n; i++) {
        ftl_strbuf_clear(&line);
        if (!ftl_watch_warning(facts->model, facts->watch, i, &line))
            continue;
        ftl_strbuf_puts(out, any ? ", " : "");
        ftl_strbuf_json_string(out, line.data, line.size);
        any = true;
    }
    ftl_strbuf_putc(out, ']');
    ftl_strbuf_free(&line);
}

static void json_target(const ftl_check_facts *facts, ftl_strbuf *out)
{
    ftl_check_target *target = facts->target;
    if (!target->name)
        return;
    ftl_strbuf_puts(out, ", \"target\": {");
    json_text(out, "name", target->name);
    ftl_strbuf_printf(out, ", \"rows\": %llu, \"missing\": %llu, \"strange\": %llu",
                      (unsigned long long)target->rows, (unsigned long long)target->missing,
                      (unsigned long long)target->strange);
    if (target->classes || target->marks)
        json_number(out, "accuracy",
                    target->rows ? share(target->right, target->rows) : (double)NAN);
    else
        json_number(out, "rmse", sqrt(target->squares / (double)target->rows));
    if (target->ranks)
        json_number(out, "auc", ftl_check_target_auc(target));
    ftl_strbuf_putc(out, '}');
}

static void report_json(const ftl_check_facts *facts, ftl_strbuf *out)
{
    const ftl_table_info *info = ftl_table_get_info(facts->table);
    const ftl_error *why = facts->failed ? facts->failed : facts->first;
    ftl_strbuf_putc(out, '{');
    json_text(out, "model", facts->model->class_name);
    ftl_strbuf_puts(out, ", ");
    json_text(out, "format", info->format);
    if (info->n_parts)
        ftl_strbuf_printf(out, ", \"files\": %zu", info->n_parts);
    if (info->delimiter) {
        const char delimiter[2] = {info->delimiter, '\0'};
        ftl_strbuf_puts(out, ", ");
        json_text(out, "delimiter", delimiter);
    }
    if (info->encoding[0]) {
        ftl_strbuf_puts(out, ", ");
        json_text(out, "encoding", info->encoding);
    }
    ftl_strbuf_printf(out,
                      ", \"table_columns\": %zu, \"rows\": %llu, \"all_rows\": %s, "
                      "\"refused\": %llu",
                      info->n_columns, (unsigned long long)facts->rows,
                      facts->all_rows ? "true" : "false", (unsigned long long)facts->bad);
    json_missing(facts, out);
    json_columns(facts, out);
    json_warnings(facts, out);
    json_target(facts, out);
    ftl_strbuf_printf(out, ", \"would_run\": %s, ", facts->failed || facts->bad ? "false" : "true");
    json_text(out, "error", why ? why->message : NULL);
    ftl_strbuf_puts(out, "}\n");
}

void ftl_check_report(const ftl_check_facts *facts, bool json, ftl_strbuf *out)
{
    if (json)
        report_json(facts, out);
    else
        report_text(facts, out);
}
