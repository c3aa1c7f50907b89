/* The categories_ of encoders. */
#include "estimators/prep/encoder_categories.h"

#include "base/number.h"
#include "build/transformer.h"

#include <math.h>
#include <string.h>

enum { max_categories = 1 << 24 };
static const int64_t exact_integers = (int64_t)1 << 53;

/* ---- Reading --------------------------------------------------------------------------------- */

static bool is_python_none(const ftl_node *node, uint32_t i)
{
    if (node->kind == FTL_NODE_ARRAY)
        return node->u.array->objects && ftl_node_is_none(node->u.array->objects[i]);
    return ftl_node_is_none(node->u.seq.items[i]);
}

/* An integer beyond int64 is kept as its decimal digits, as a table has it. */
static ftl_status high_integer(ftl_build *build, const ftl_node *node, uint32_t i, ftl_cell *out,
                               bool *high, ftl_error *error)
{
    uint64_t value;
    *high = ftl_node_high_u64_at(node, i, &value);
    if (!*high)
        return FTL_OK;
    char *text = ftl_arena_printf(build->arena, "%llu", (unsigned long long)value);
    if (!text)
        return FTL_OOM(error);
    *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)strlen(text), .u.text = text};
    return FTL_OK;
}

static ftl_status read_column(ftl_build *build, const ftl_node *node, ftl_category_column *out,
                              ftl_error *error)
{
    size_t count = ftl_node_length(node);
    char about[160];
    if (!node || (node->kind != FTL_NODE_ARRAY && node->kind != FTL_NODE_LIST &&
                  node->kind != FTL_NODE_TUPLE))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "%s was found where the categories of a column were expected",
                        ftl_node_describe(node, about, sizeof about));
    if (count > max_categories)
        return FTL_FAIL(error, FTL_LIMIT, "a column has more than %d categories",
                        (int)max_categories);
    *out = (ftl_category_column){.node = node, .count = (uint32_t)count};
    out->none_at = out->nan_at = out->empty_at = out->count;
    ftl_cell *cells = ftl_arena_zero_array(build->arena, count, sizeof *cells);
    if (!cells)
        return FTL_OOM(error);
    out->cells = cells;
    for (uint32_t i = 0; i < out->count; i++) {
        bool high = false;
        FTL_TRY(high_integer(build, node, i, &cells[i], &high, error));
        if (high) {
            out->number = out->large = true;
            continue;
        }
        FTL_TRY(ftl_node_cell(build, node, i, &cells[i], error));
        if (out->cells[i].tag == FTL_CELL_STRING) {
            out->text = true;
            if (out->cells[i].size == 0)
                out->empty_at = i;
        }
        if (out->cells[i].tag == FTL_CELL_MISSING)
            *(is_python_none(node, i) ? &out->none_at : &out->nan_at) = i;
        else if (out->cells[i].tag != FTL_CELL_STRING)
            out->number = true;
        if (out->cells[i].tag == FTL_CELL_INT)
            out->large = out->large || out->cells[i].u.integer > exact_integers ||
                         out->cells[i].u.integer < -exact_integers;
    }
    return FTL_OK;
}

ftl_status ftl_load_category_column(ftl_build *build, const ftl_node *node, const char *name,
                                    ftl_category_column *out, ftl_error *error)
{
    const ftl_category_column *known = ftl_made_of(build, node, FTL_MADE_CATEGORIES);
    if (!known) {
        ftl_category_column column;
        FTL_TRY(read_column(build, node, &column, error));
        known = ftl_arena_copy(build->scratch, &column, sizeof column);
        if (!known)
            return FTL_OOM(error);
        FTL_TRY(ftl_made_keep(build, node, FTL_MADE_CATEGORIES, known, error));
    }
    *out = *known;
    out->name = name;
    return FTL_OK;
}

ftl_status ftl_load_categories(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_category_column **out, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, "categories_", &items, &n, error));
    FTL_TRY(ftl_frame_expect(e, in, n, error));
    ftl_category_column *columns = ftl_arena_zero_array(build->scratch, n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t j = 0; j < n; j++) {
        ftl_status status = ftl_load_category_column(build, items[j], in->columns[j].name,
                                                     &columns[j], error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "categories_");
            return status;
        }
    }
    *out = columns;
    return FTL_OK;
}

const char *ftl_category_text(ftl_build *build, const ftl_category_column *column, uint32_t i,
                              bool as_object)
{
    const ftl_cell *cell = &column->cells[i];
    const ftl_node *node = column->node;
    if (cell->tag == FTL_CELL_MISSING)
        return i == column->none_at ? "None" : "nan";
    if (cell->tag == FTL_CELL_FLOAT && !as_object && node->kind == FTL_NODE_ARRAY &&
        node->u.array->dtype->item_size == 4) {
        char text[FTL_F64_TEXT_SIZE];
        return ftl_arena_string(build->arena, text, ftl_print_f32((float)cell->u.number, text));
    }
    return ftl_cell_text(build->arena, cell);
}

/* ---- Looking up ------------------------------------------------------------------------------ */

/*
 * Numbers are looked up as numbers unless an earlier step already made cells of them, or float64
 * would confuse them.
 */
static bool looks_up_numbers(const ftl_build *build, const ftl_category_column *column,
                             const ftl_frame_column *source)
{
    const ftl_op *op = &build->ops[source->op];
    bool none_alone = column->count == 1 && column->none_at == 0;
    if (op->kind == FTL_OP_INPUT || source->exact)
        return !column->text && !none_alone && !column->large;
    return !column->text && !none_alone && op->edge != FTL_EDGE_OBJECT;
}

static ftl_status number_categories(ftl_build *build, const ftl_category_column *column,
                                    ftl_categories *out, ftl_error *error)
{
    const double *known = ftl_made_of(build, column->cells, FTL_MADE_NUMBERS);
    double *numbers = known ? NULL : ftl_arena_array(build->arena, column->count, sizeof *numbers);
    if (!known && !numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < column->count && !known; i++) {
        const ftl_cell *cell = &column->cells[i];
        if (cell->tag == FTL_CELL_STRING) /* an integer beyond int64 */
            (void)ftl_parse_f64(cell->u.text, cell->size, '.', &numbers[i]);
        else
            numbers[i] = ftl_cell_number(cell);
    }
    if (!known) {
        FTL_TRY(ftl_made_keep(build, column->cells, FTL_MADE_NUMBERS, numbers, error));
        known = numbers;
    }
    *out = (ftl_categories){
        .count = column->count, .numeric = true, FTL_SIZED(numbers, known, column->count)};
    return FTL_OK;
}

/*
 * A file with one column cannot tell the empty text from a missing cell: it is the former where the
 * model knows that alone.
 */
static bool missing_is_empty(const ftl_build *build, const ftl_category_column *column)
{
    return build->n_inputs == 1 && column->empty_at < column->count;
}

/*
 * Cells; and at the end, where missing is no category, one for missing cells when they are not
 * simply unknown: they are the empty text, or refused.
 */
static ftl_status cell_categories(ftl_build *build, const ftl_category_column *column,
                                  bool refuse_missing, ftl_encode_column *out, ftl_error *error)
{
    bool known = column->none_at < column->count || column->nan_at < column->count;
    bool empty = missing_is_empty(build, column);
    bool extra = !known && (empty || (refuse_missing && out->unknown != FTL_CODE_REFUSED));
    uint32_t count = column->count + (extra ? 1 : 0);
    out->categories = (ftl_categories){.count = column->count,
                                       FTL_SIZED(cells, column->cells, column->count)};
    if (!extra)
        return FTL_OK;
    ftl_cell *cells = ftl_arena_zero_array(build->arena, count, sizeof *cells);
    int32_t *codes = ftl_arena_zero_array(build->arena, count, sizeof *codes);
    double *values = ftl_arena_zero_array(build->arena, count, sizeof *values);
    if (!cells || !codes || !values)
        return FTL_OOM(error);
    memcpy(cells, column->cells, column->count * sizeof *cells);
    if (out->codes)
        memcpy(codes, out->codes, column->count * sizeof *codes);
    if (out->values)
        memcpy(values, out->values, column->count * sizeof *values);
    cells[column->count] = (ftl_cell){.tag = FTL_CELL_MISSING};
    codes[column->count] = empty ? codes[column->empty_at] : FTL_CODE_REFUSED;
    values[column->count] = empty ? values[column->empty_at] : 0;
    out->categories = (ftl_categories){.count = count, FTL_SIZED(cells, cells, count)};
    out->codes = codes;
    out->codes_count = count;
    out->values_count = out->values ? count : 0;
    out->values = out->values ? values : NULL;
    return FTL_OK;
}

static ftl_missing_rule missing_rule(const ftl_build *build, const ftl_category_column *column,
                                     bool refuse_nan, int32_t unknown)
{
    if (column->nan_at < column->count)
        return FTL_MISSING_NAN;
    if (column->none_at < column->count)
        return FTL_MISSING_NONE;
    if (missing_is_empty(build, column))
        return FTL_MISSING_NAN;
    return refuse_nan || unknown == FTL_CODE_REFUSED ? FTL_MISSING_REFUSED : FTL_MISSING_NAN;
}

/* Replaces the numeric columns of *sources by the columns of one checked matrix. */
static ftl_status check_numbers(ftl_build *build, const ftl_estimator *e,
                                const ftl_encode_column *encoded, uint32_t refuse,
                                ftl_frame *sources, ftl_error *error)
{
    uint32_t *picked = ftl_arena_array(build->scratch, sources->n_columns, sizeof *picked);
    uint32_t n = 0, id;
    ftl_frame numbers;
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < sources->n_columns; j++) {
        if (encoded[j].categories.numeric)
            picked[n++] = j;
    }
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, sources, picked, n, &numbers, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, &numbers, refuse, &id, error));
    for (uint32_t k = 0; k < n; k++) {
        sources->columns[picked[k]].op = id;
        sources->columns[picked[k]].column = k;
    }
    return FTL_OK;
}

/* The cells behind a column of float64: the input's own, missing ones filled. */
static ftl_status exact_cells(ftl_build *build, const ftl_estimator *e,
                              const ftl_exact_column *exact, ftl_frame_column *column,
                              ftl_error *error)
{
    ftl_frame_column input = {.op = exact->op, .column = exact->column, .name = column->name};
    const ftl_frame one = {.n_columns = 1, .columns = &input};
    uint32_t id;
    ftl_op *op = NULL;
    uint32_t *columns = ftl_arena_zero_array(build->arena, 1, sizeof *columns);
    ftl_cell *fill = ftl_arena_zero_array(build->arena, 1, sizeof *fill);
    if (!columns || !fill)
        return FTL_OOM(error);
    *fill = exact->fill;
    FTL_TRY(ftl_build_objects(build, e, &one, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_IMPUTE_OBJECT, id, 1, &id, &op, error));
    op->edge = FTL_EDGE_OBJECT;
    op->u.impute_object = (ftl_impute_object_op){
        .missing = exact->missing, FTL_SIZED(columns, columns, 1), FTL_SIZED(fill, fill, 1)};
    column->op = id;
    column->column = 0;
    column->exact = NULL;
    return FTL_OK;
}

ftl_status ftl_category_sources(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                const ftl_category_column *columns, uint32_t refuse,
                                ftl_encode_column *encoded, ftl_frame *sources, ftl_error *error)
{
    const bool refuse_nan = (refuse & FTL_CHECK_NAN) != 0;
    ftl_frame made;
    FTL_TRY(ftl_frame_new(build, in->n_columns, &made, error));
    for (uint32_t j = 0; j < in->n_columns; j++) {
        const ftl_category_column *column = &columns[j];
        const ftl_frame_column *source = &in->columns[j];
        made.columns[j] = *source;
        encoded[j].name = column->name;
        if (looks_up_numbers(build, column, source)) {
            FTL_TRY(number_categories(build, column, &encoded[j].categories, error));
            continue;
        }
        FTL_TRY(cell_categories(build, column, refuse_nan, &encoded[j], error));
        if (source->exact && !column->text)
            FTL_TRY(exact_cells(build, e, source->exact, &made.columns[j], error));
        ftl_build_want(build, made.columns[j].op,
                       column->number ? FTL_KIND_MIXED : FTL_KIND_STRING);
    }
    FTL_TRY(check_numbers(build, e, encoded, refuse, &made, error));
    for (uint32_t j = 0; j < in->n_columns; j++)
        ftl_build_missing(build, &in->columns[j],
                          missing_rule(build, &columns[j], refuse_nan, encoded[j].unknown));
    *sources = made;
    return FTL_OK;
}
