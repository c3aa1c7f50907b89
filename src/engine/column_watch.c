#include "engine/column_watch.h"

#include "base/column.h"
#include "base/number.h"
#include "base/utf8.h"
#include "plan/lookup.h"

#include <math.h>
#include <string.h>

ftl_status ftl_watch_make(const ftl_session *session, ftl_arena *arena, ftl_watch *out,
                          ftl_error *error)
{
    const ftl_model *model = session->model;
    size_t n = model->graph.n_inputs;
    ftl_category_place *places = ftl_arena_zero_array(arena, n + 1, sizeof *places);
    ftl_watched_column *columns = ftl_arena_zero_array(arena, n + 1, sizeof *columns);
    if (!places || !columns)
        return FTL_OOM(error);
    if (model->graph.n_ops)
        ftl_graph_categories(&model->graph, places);
    for (size_t i = 0; i < n; i++) {
        const ftl_step *step = &session->plan->steps[places[i].op];
        if (!places[i].encoded || !step->methods)
            continue;
        columns[i].place = places[i];
        columns[i].lookup = (const ftl_lookup *)step->state + places[i].column;
    }
    *out = (ftl_watch){.n = n, .columns = columns};
    return FTL_OK;
}

/* ---- Cells ----------------------------------------------------------------------------------- */

bool ftl_watch_cell(const ftl_column *column, size_t row, char text[FTL_F64_TEXT_SIZE],
                    ftl_cell *out)
{
    const ftl_column *inner = column;
    size_t index = column->offset + row, size = 0;
    bool valid = ftl_column_find(&inner, row, &index);
    *out = (ftl_cell){.tag = FTL_CELL_MISSING};
    if (ftl_type_is_text(inner->type)) {
        if (!valid && !(column->flags & FTL_COLUMN_NULL_TEXT))
            return false;
        out->u.text = ftl_column_text(inner, index, &size);
        out->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
        out->tag = valid ? FTL_CELL_STRING : FTL_CELL_MISSING;
        return valid;
    }
    if (!valid)
        return false;
    if (inner->type == FTL_F64 || inner->type == FTL_F32 || inner->type == FTL_F16 ||
        ftl_type_is_decimal(inner->type)) {
        double value = ftl_column_number(inner, index);
        if (!isnan(value))
            *out = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = value};
        return !isnan(value);
    }
    size = ftl_column_number_text(inner, index, text);
    *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)size, .u.text = text};
    return true;
}

typedef enum what { MISSING, KNOWN, UNKNOWN } what;

static what judge(const ftl_watched_column *watched, const ftl_column *column, size_t row,
                  char text[FTL_F64_TEXT_SIZE], ftl_cell *cell)
{
    bool valid = ftl_watch_cell(column, row, text, cell);
    if (!watched->lookup)
        return valid ? KNOWN : MISSING;
    int32_t found = ftl_lookup_cell(watched->lookup, cell);
    if (!valid) /* the text of a missing cell may be a category's */
        return found >= 0 && found != watched->lookup->missing ? KNOWN : MISSING;
    return found >= 0 && ftl_is_value(watched->place.encoded, (uint32_t)found) ? KNOWN : UNKNOWN;
}

/* How much of a text is shown in one line beside others: whole characters. */
static size_t shown_size(const char *text, size_t size)
{
    size_t shown = size < FTL_EXAMPLE_SIZE - 1 ? size : FTL_EXAMPLE_SIZE - 1;
    while (shown < size && shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--;
    return shown;
}

void ftl_watch_example(const ftl_cell *cell, char out[FTL_EXAMPLE_SIZE])
{
    size_t size = 0;
    if (cell->tag == FTL_CELL_FLOAT) {
        size = ftl_print_f64(cell->u.number, out);
    } else {
        size = shown_size(cell->u.text, cell->size);
        if (size)
            memcpy(out, cell->u.text, size);
    }
    out[size] = '\0';
    ftl_utf8_make_printable(out, size, false);
}

/* ---- Watching a job -------------------------------------------------------------------------- */

static void watch_column(ftl_watched_column *watched, const ftl_column *column, size_t rows)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_cell cell;
    for (size_t row = 0; row < rows; row++) {
        what is = judge(watched, column, row, text, &cell);
        if (is == KNOWN) {
            watched->known = true;
            return;
        }
        if (is == UNKNOWN && !watched->other && !atomic_exchange(&watched->other, true))
            ftl_watch_example(&cell, watched->example);
    }
}

void ftl_watch_block(ftl_watch *watch, const ftl_column *inputs, size_t rows)
{
    for (size_t i = 0; i < watch->n; i++) {
        ftl_watched_column *watched = &watch->columns[i];
        if (watched->lookup && !watched->known)
            watch_column(watched, &inputs[i], rows);
    }
}

void ftl_watch_list(const ftl_encode_column *encoded, ftl_strbuf *out)
{
    enum { most_shown = 8 };
    char text[FTL_F64_TEXT_SIZE];
    uint32_t n = 0;
    for (uint32_t i = 0; i < encoded->categories.count; i++) {
        const ftl_cell cell = ftl_category_cell(&encoded->categories, i);
        if (!ftl_is_value(encoded, i) || cell.tag == FTL_CELL_MISSING || n++ >= most_shown)
            continue;
        ftl_strbuf_puts(out, n > 1 ? ", " : "");
        if (cell.tag == FTL_CELL_STRING)
            ftl_strbuf_printable(out, cell.u.text, shown_size(cell.u.text, cell.size), 0);
        else if (cell.tag == FTL_CELL_FLOAT)
            ftl_strbuf_append(out, text, ftl_print_f64(cell.u.number, text));
        else if (cell.tag == FTL_CELL_BOOL)
            ftl_strbuf_puts(out, cell.u.integer ? "True" : "False");
        else
            ftl_strbuf_append(out, text, ftl_print_i64(cell.u.integer, text));
    }
    if (n > most_shown)
        ftl_strbuf_printf(out, " and %u more", n - most_shown);
}

bool ftl_watch_warning(const ftl_model *model, const ftl_watch *watch, size_t input,
                       ftl_strbuf *out)
{
    const ftl_watched_column *watched = &watch->columns[input];
    if (!watched->lookup || watched->known || !watched->other ||
        watched->place.encoded->unknown == FTL_CODE_REFUSED)
        return false;
    const char *name = model->inputs[input].name;
    ftl_strbuf_puts(out, "no value of column ");
    if (name) {
        ftl_strbuf_putc(out, '\'');
        ftl_strbuf_printable(out, name, strlen(name), 0);
        ftl_strbuf_putc(out, '\'');
    } else {
        ftl_strbuf_printf(out, "%zu", input);
    }
    ftl_strbuf_printf(out, " is one that the model knows, such as '%s' here; it knows ",
                      watched->example);
    ftl_watch_list(watched->place.encoded, out);
    return true;
}

/* ---- Counting -------------------------------------------------------------------------------- */

void ftl_watch_count(const ftl_watched_column *watched, const ftl_column *column, size_t rows,
                     const uint8_t *bad, ftl_column_counts *counts)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_cell cell;
    for (size_t row = 0; row < rows; row++) {
        if (bad[row])
            continue;
        what is = judge(watched, column, row, text, &cell);
        counts->missing += is == MISSING;
        if (is != UNKNOWN)
            continue;
        if (counts->unknown++ == 0)
            ftl_watch_example(&cell, counts->example);
    }
}
