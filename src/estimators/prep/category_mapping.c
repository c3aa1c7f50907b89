/*
 * Every encoder has an ordinal encoder, or is one: a Series of pandas a column that numbers the
 * categories from 1 on. -1 is an unknown category, -2 a missing value that training did not see.
 * Tables and means go by those numbers.
 */
#include "estimators/prep/category_mapping.h"

#include "build/pandas_table.h"
#include "build/transformer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most_encoded = 1 << 20 };

static const double unknown_number = -1, missing_number = -2;

/* ---- Numbers of categories ------------------------------------------------------------------- */

/* A dict's keys or values as a list. */
static ftl_status as_list(ftl_build *build, ftl_node **items, size_t n, const ftl_node **out,
                          ftl_error *error)
{
    ftl_node *list = FTL_ARENA_NEW(build->scratch, ftl_node);
    if (!list)
        return FTL_OOM(error);
    list->kind = FTL_NODE_LIST;
    list->u.seq = (ftl_node_sequence){.items = items, .size = n, .room = n};
    *out = list;
    return FTL_OK;
}

/* The Series of a column, or the dict that a user gave. */
static ftl_status open_numbers(ftl_build *build, const ftl_node *node, ftl_pandas_series *out,
                               ftl_error *error)
{
    if (!node || node->kind != FTL_NODE_DICT)
        return ftl_pandas_series_read(build, node, out, error);
    out->n = node->u.dict.size;
    FTL_TRY(as_list(build, node->u.dict.keys, out->n, &out->index, error));
    return as_list(build, node->u.dict.values, out->n, &out->values, error);
}

static ftl_status read_numbers(ftl_build *build, const ftl_node *node, ftl_category_coding *out,
                               ftl_error *error)
{
    ftl_pandas_series series = {0};
    ftl_array2 numbers = {0};
    FTL_TRY(open_numbers(build, node, &series, error));
    FTL_TRY(ftl_load_category_column(build, series.index, out->label, &out->categories, error));
    if (series.n)
        FTL_TRY(ftl_node_matrix(build, series.values, &numbers, error));
    if (numbers.rows * numbers.columns != series.n)
        return FTL_FAIL(error, FTL_CORRUPT, "%zu numbers for %zu categories",
                        numbers.rows * numbers.columns, series.n);
    for (size_t i = 0; i < series.n; i++) {
        if (!isnan(numbers.data[i]) && numbers.data[i] != trunc(numbers.data[i]))
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "a category's number is %.17g, which the library cuts to an integer or "
                            "not by the other rows",
                            numbers.data[i]);
    }
    out->codes = ftl_arena_zero_array(build->scratch, series.n, sizeof *out->codes);
    if (!out->codes)
        return FTL_OOM(error);
    if (series.n)
        memcpy(out->codes, numbers.data, series.n * sizeof *out->codes);
    return FTL_OK;
}

/* What an ordinal encoder does with unknown categories and with missing values. */
static ftl_status apply_policies(const ftl_estimator *e, const ftl_node *ordinal,
                                 ftl_category_coding *coding, ftl_error *error)
{
    const ftl_node *unknown = ftl_node_attr(ordinal, "handle_unknown"),
                   *missing = ftl_node_attr(ordinal, "handle_missing");
    double replaced = missing_number;
    ftl_node_string text;
    coding->unknown_code = (double)NAN;
    if (ftl_node_str_equal(unknown, "value"))
        coding->unknown_code = unknown_number;
    else if (unknown && !ftl_node_as_str(unknown, &text) && !ftl_node_is_none(unknown) &&
             !ftl_node_as_f64(unknown, &coding->unknown_code))
        return FTL_ATTR_FAIL(error, e, "handle_unknown", FTL_UNSUPPORTED,
                             "handle_unknown is a function, whose code is not in the file");
    if (ftl_node_str_equal(missing, "return_nan"))
        replaced = (double)NAN;
    else if (missing && !ftl_node_as_str(missing, &text) && !ftl_node_is_none(missing) &&
             !ftl_node_as_f64(missing, &replaced))
        return FTL_ATTR_FAIL(error, e, "handle_missing", FTL_UNSUPPORTED,
                             "handle_missing is a function, whose code is not in the file");
    for (uint32_t i = 0; i < coding->categories.count; i++) {
        if (isnan(coding->codes[i]))
            coding->codes[i] = coding->unknown_code;
        if (coding->codes[i] == missing_number)
            coding->codes[i] = replaced;
    }
    return FTL_OK;
}

/* [{"col": …, "mapping": …}]: an entry's two. */
static ftl_status open_entry(ftl_build *build, const ftl_estimator *e, const ftl_node *entry,
                             const char **label, bool *named, const ftl_node **mapping,
                             ftl_error *error)
{
    ftl_node_string text;
    const ftl_node *col = entry && entry->kind == FTL_NODE_DICT
                              ? ftl_node_dict_get(&entry->u.dict, "col")
                              : NULL;
    *mapping = col ? ftl_node_dict_get(&entry->u.dict, "mapping") : NULL;
    if (!*mapping)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT,
                             "an entry of mapping has no column and no categories");
    *named = ftl_node_as_str(col, &text);
    *label = ftl_name_text(build, col);
    return *label ? FTL_OK : FTL_OOM(error);
}

static ftl_status read_ordinal(ftl_build *build, const ftl_estimator *e, const ftl_node *ordinal,
                               ftl_category_mapping *out, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    const ftl_node *list = ftl_node_attr(ordinal, "mapping");
    if (ftl_node_items(list, &items, &n, NULL) != FTL_OK || n > most_encoded)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT,
                             "the encoder has no mapping; it was never fitted");
    out->columns = ftl_arena_zero_array(build->scratch, n, sizeof *out->columns);
    if (!out->columns)
        return FTL_OOM(error);
    out->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const ftl_node *mapping = NULL;
        ftl_category_coding *coding = &out->columns[i];
        FTL_TRY(open_entry(build, e, items[i], &coding->label, &coding->named, &mapping, error));
        ftl_status status = read_numbers(build, mapping, coding, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "mapping");
            return status;
        }
        FTL_TRY(apply_policies(e, ordinal, coding, error));
    }
    return FTL_OK;
}

/* ---- Rows by numbers ------------------------------------------------------------------------- */

typedef struct numbered_row {
    double code;
    uint32_t row;
} numbered_row;

static int by_code(const void *a, const void *b)
{
    const numbered_row *x = a, *y = b;
    return (x->code > y->code) - (x->code < y->code);
}

/* The rows of an index in the order of their codes. */
static ftl_status sort_index(ftl_build *build, const ftl_node *index, size_t n, numbered_row **out,
                             ftl_error *error)
{
    ftl_array2 codes = {0};
    numbered_row *rows = ftl_arena_array(build->scratch, n, sizeof *rows);
    if (!rows)
        return FTL_OOM(error);
    if (n)
        FTL_TRY(ftl_node_matrix(build, index, &codes, error));
    for (size_t i = 0; i < n; i++) {
        if (isnan(codes.data[i]))
            return FTL_FAIL(error, FTL_CORRUPT, "the index of a mapping is not a number");
        rows[i] = (numbered_row){codes.data[i], (uint32_t)i};
    }
    if (n > 1)
        qsort(rows, n, sizeof *rows, by_code);
    for (size_t i = 1; i < n; i++) {
        if (rows[i].code == rows[i - 1].code)
            return FTL_FAIL(error, FTL_CORRUPT, "the index of a mapping names %.17g twice",
                            rows[i].code);
    }
    *out = rows;
    return FTL_OK;
}

static const double *row_of(const numbered_row *rows, size_t n, const double *values,
                            uint32_t width, double code)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && rows[low].code == code ? values + (size_t)rows[low].row * width : NULL;
}

/*
 * The row of each category. nan_code: what a number that is NaN is looked up as: OneHotEncoder,
 * whose ordinal encoder may give NaN, fills it with the number of missing values.
 */
static ftl_status give_rows(ftl_build *build, ftl_category_coding *coding, const ftl_node *index,
                            size_t n, const double *values, double nan_code, ftl_error *error)
{
    numbered_row *sorted = NULL;
    uint32_t count = coding->categories.count;
    FTL_TRY(sort_index(build, index, n, &sorted, error));
    coding->rows = ftl_arena_zero_array(build->scratch, count, sizeof *coding->rows);
    if (!coding->rows)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < count; i++) {
        double code = isnan(coding->codes[i]) ? nan_code : coding->codes[i];
        coding->rows[i] = row_of(sorted, n, values, coding->width, code);
    }
    double code = isnan(coding->unknown_code) ? nan_code : coding->unknown_code;
    coding->unknown = row_of(sorted, n, values, coding->width, code);
    return FTL_OK;
}

static ftl_status one_name(ftl_build *build, ftl_category_coding *coding, ftl_error *error)
{
    const char **name = ftl_arena_copy(build->arena, &coding->label, sizeof coding->label);
    if (!name)
        return FTL_OOM(error);
    coding->width = 1;
    coding->names = name;
    return FTL_OK;
}

static ftl_status give_codes(ftl_build *build, ftl_category_mapping *m, ftl_error *error)
{
    for (uint32_t j = 0; j < m->n; j++) {
        ftl_category_coding *coding = &m->columns[j];
        uint32_t count = coding->categories.count;
        FTL_TRY(one_name(build, coding, error));
        coding->rows = ftl_arena_zero_array(build->scratch, count, sizeof *coding->rows);
        if (!coding->rows)
            return FTL_OOM(error);
        for (uint32_t i = 0; i < count; i++)
            coding->rows[i] = &coding->codes[i];
        coding->unknown = &coding->unknown_code;
    }
    return FTL_OK;
}

/* mapping: {column: Series of means}. */
static ftl_status give_means(ftl_build *build, const ftl_estimator *e, ftl_category_mapping *m,
                             ftl_error *error)
{
    const ftl_node *means = ftl_attr(e, "mapping");
    if (!means || means->kind != FTL_NODE_DICT || means->u.dict.size != m->n)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT,
                             "mapping does not hold the means of "
                             "the encoded columns");
    for (uint32_t j = 0; j < m->n; j++) {
        ftl_category_coding *coding = &m->columns[j];
        ftl_pandas_series series = {0};
        ftl_array2 values = {0};
        const char *label = ftl_name_text(build, means->u.dict.keys[j]);
        if (!label || strcmp(label, coding->label) != 0)
            return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT,
                                 "mapping does not hold the means of column '%s'", coding->label);
        FTL_TRY(one_name(build, coding, error));
        ftl_status status = ftl_pandas_series_read(build, means->u.dict.values[j], &series, error);
        if (status == FTL_OK && series.n)
            status = ftl_node_matrix(build, series.values, &values, error);
        if (status == FTL_OK)
            status = give_rows(build, coding, series.index, series.n, values.data, (double)NAN,
                               error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "mapping");
            return status;
        }
    }
    return FTL_OK;
}

static ftl_status read_table(ftl_build *build, const ftl_node *node, ftl_category_coding *coding,
                             ftl_error *error)
{
    ftl_pandas_table table = {0};
    ftl_inputs names = {.count = -1};
    FTL_TRY(ftl_pandas_table_read(build, node, &table, error));
    if (table.columns > most_encoded || table.columns == 0)
        return FTL_FAIL(error, FTL_LIMIT, "a mapping has %zu columns", table.columns);
    FTL_TRY(ftl_names_of(build, table.names, &names, error));
    coding->width = (uint32_t)table.columns;
    coding->names = names.names;
    return give_rows(build, coding, table.index, table.rows, table.values, missing_number, error);
}

/* mapping: [{"col": …, "mapping": DataFrame}], a row a code. */
static ftl_status give_tables(ftl_build *build, const ftl_estimator *e, ftl_category_mapping *m,
                              ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, "mapping", &items, &n, error));
    if (n != m->n)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_UNSUPPORTED,
                             "mapping has %zu entries for %u columns", n, m->n);
    for (uint32_t j = 0; j < m->n; j++) {
        const char *label = NULL;
        bool named;
        const ftl_node *mapping = NULL;
        FTL_TRY(open_entry(build, e, items[j], &label, &named, &mapping, error));
        if (strcmp(label, m->columns[j].label) != 0)
            return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT,
                                 "mapping has column '%s' where '%s' is numbered", label,
                                 m->columns[j].label);
        ftl_status status = read_table(build, mapping, &m->columns[j], error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "mapping");
            return status;
        }
    }
    return FTL_OK;
}

/* A missing value is no category where it is refused, although the inner encoder numbers it. */
static ftl_status forget_missing(ftl_build *build, ftl_category_coding *coding, ftl_error *error)
{
    ftl_category_column *c = &coding->categories;
    uint32_t n = 0, empty = UINT32_MAX;
    if (c->none_at == c->count && c->nan_at == c->count)
        return FTL_OK;
    ftl_cell *cells = ftl_arena_zero_array(build->arena, c->count, sizeof *cells);
    if (!cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->cells[i].tag == FTL_CELL_MISSING)
            continue;
        empty = i == c->empty_at ? n : empty;
        cells[n] = c->cells[i];
        coding->rows[n++] = coding->rows[i];
    }
    c->cells = cells;
    c->count = c->none_at = c->nan_at = n;
    c->empty_at = empty < n ? empty : n;
    return FTL_OK;
}

/* ---- Columns in and out ---------------------------------------------------------------------- */

bool ftl_category_is_dropped(const ftl_category_mapping *mapping, const char *name)
{
    for (size_t i = 0; i < mapping->n_dropped; i++) {
        if (strcmp(mapping->dropped[i], name) == 0)
            return true;
    }
    return false;
}

/* drop_cols until 2.4. */
static ftl_status read_dropped(ftl_build *build, const ftl_estimator *e, ftl_category_mapping *m,
                               ftl_error *error)
{
    const char *attribute = ftl_attr(e, "invariant_cols") ? "invariant_cols" : "drop_cols";
    ftl_inputs names = {.count = -1};
    size_t outputs = 0;
    bool drops;
    FTL_TRY(ftl_attr_bool(e, "drop_invariant", false, &drops, error));
    if (!drops || !ftl_attr(e, attribute))
        return FTL_OK;
    FTL_TRY(ftl_names_of(build, ftl_attr(e, attribute), &names, error));
    m->dropped = names.names;
    m->n_dropped = names.names ? (size_t)names.count : 0;
    for (uint32_t j = 0; j < m->n; j++)
        outputs += m->columns[j].width;
    return ftl_build_spend(build, m->n_dropped * outputs / 4, error);
}

/* The first output column of an encoded one that was not dropped; NULL: all were. */
static const char *first_kept(const ftl_category_mapping *m, const ftl_category_coding *coding,
                              uint32_t *n_kept)
{
    const char *first = NULL;
    *n_kept = 0;
    for (uint32_t k = 0; k < coding->width; k++) {
        if (ftl_category_is_dropped(m, coding->names[k]))
            continue;
        first = first ? first : coding->names[k];
        ++*n_kept;
    }
    return first;
}

/* Columns of an array are numbered. */
static ftl_status is_text(ftl_build *build, const ftl_node *names, size_t i, bool *out,
                          ftl_error *error)
{
    ftl_cell cell;
    FTL_TRY(ftl_node_cell(build, names, i, &cell, error));
    *out = *out && cell.tag == FTL_CELL_STRING;
    return FTL_OK;
}

/*
 * Until 2.5 the encoder knows its output columns alone: those of each encoded column, which stand
 * together, are taken back to one.
 */
static ftl_status take_back(ftl_build *build, const ftl_estimator *e, const ftl_inputs *outputs,
                            uint32_t dim, ftl_category_mapping *m, ftl_error *error)
{
    const char **labels = ftl_arena_zero_array(build->arena, dim, sizeof *labels);
    const char **starts = ftl_arena_zero_array(build->scratch, m->n, sizeof *starts);
    uint32_t *kept = ftl_arena_zero_array(build->scratch, m->n, sizeof *kept);
    if (!labels || !starts || !kept)
        return FTL_OOM(error);
    m->labels = labels;
    for (uint32_t j = 0; j < m->n; j++)
        starts[j] = first_kept(m, &m->columns[j], &kept[j]);
    for (int64_t i = 0; i < outputs->count; m->n_inputs++) {
        uint32_t j = 0;
        bool named = true;
        FTL_TRY(ftl_build_spend(build, 1 + m->n / 4, error));
        while (j < m->n && !(starts[j] && strcmp(starts[j], outputs->names[i]) == 0))
            j++;
        if (j < m->n)
            named = m->columns[j].named;
        else
            FTL_TRY(is_text(build, ftl_attr(e, "feature_names"), (size_t)i, &named, error));
        if (m->n_inputs < dim)
            labels[m->n_inputs] = j < m->n ? m->columns[j].label : outputs->names[i];
        m->named = m->named && named;
        i += j < m->n ? kept[j] : 1;
    }
    return FTL_OK;
}

static ftl_status labels_of_outputs(ftl_build *build, const ftl_estimator *e,
                                    ftl_category_mapping *m, ftl_error *error)
{
    ftl_inputs outputs = {.count = -1};
    int64_t dim = -1;
    FTL_TRY(ftl_attr_int(e, "_dim", -1, &dim, error));
    if (dim < 0 || dim > most_encoded || ftl_node_is_none(ftl_attr(e, "feature_names")))
        return FTL_ATTR_FAIL(error, e, "feature_names", FTL_CORRUPT,
                             "the encoder does not say which columns it was fitted on");
    FTL_TRY(ftl_names_of(build, ftl_attr(e, "feature_names"), &outputs, error));
    FTL_TRY(take_back(build, e, &outputs, (uint32_t)dim, m, error));
    if (m->n_inputs != (uint32_t)dim)
        return FTL_ATTR_FAIL(error, e, "feature_names", FTL_UNSUPPORTED,
                             "feature_names tells %u of the %lld columns that it was fitted on "
                             "(drop_invariant); fit it again with a newer version",
                             m->n_inputs, (long long)dim);
    return FTL_OK;
}

static ftl_status read_labels(ftl_build *build, const ftl_estimator *e, ftl_category_mapping *m,
                              ftl_error *error)
{
    const ftl_node *names = ftl_attr(e, "feature_names_in_");
    ftl_inputs inputs = {.count = -1};
    m->named = true;
    if (ftl_node_is_none(names))
        return labels_of_outputs(build, e, m, error);
    FTL_TRY(ftl_names_of(build, names, &inputs, error));
    if (!inputs.names || inputs.count > most_encoded)
        return FTL_ATTR_FAIL(error, e, "feature_names_in_", FTL_CORRUPT,
                             "feature_names_in_ is no list of names");
    m->n_inputs = (uint32_t)inputs.count;
    m->labels = inputs.names;
    for (uint32_t i = 0; i < m->n_inputs && m->named; i++)
        FTL_TRY(is_text(build, names, i, &m->named, error));
    return FTL_OK;
}

static ftl_status find_sources(ftl_build *build, const ftl_estimator *e, ftl_category_mapping *m,
                               ftl_error *error)
{
    bool *taken = ftl_arena_zero_array(build->scratch, m->n_inputs, sizeof *taken);
    if (!taken)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < m->n; j++) {
        uint32_t i = 0;
        FTL_TRY(ftl_build_spend(build, 1 + m->n_inputs / 4, error));
        while (i < m->n_inputs && strcmp(m->labels[i], m->columns[j].label) != 0)
            i++;
        if (i == m->n_inputs || taken[i])
            return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT, "column '%s' is encoded %s",
                                 m->columns[j].label,
                                 i == m->n_inputs ? "and is none of the input's" : "twice");
        taken[i] = true;
        m->columns[j].source = i;
    }
    return FTL_OK;
}

/* ---- What does not run ----------------------------------------------------------------------- */

static bool holds_something(const ftl_estimator *e, const char *name)
{
    const ftl_node *node = ftl_attr(e, name);
    return node && node->kind == FTL_NODE_DICT && node->u.dict.size > 0;
}

static ftl_status refuse_others(const ftl_estimator *e, ftl_error *error)
{
    if (ftl_attr(e, "impute_missing"))
        return FTL_ATTR_FAIL(error, e, "impute_missing", FTL_UNSUPPORTED,
                             "%s of category_encoders before 2.0; fit it again with a newer one",
                             e->cls->name);
    if (holds_something(e, "min_group_lumping_"))
        return FTL_ATTR_FAIL(error, e, "min_group_lumping_", FTL_UNSUPPORTED,
                             "%s that puts small groups together (min_group_size)", e->cls->name);
    if (holds_something(e, "composite_members_"))
        return FTL_ATTR_FAIL(error, e, "composite_members_", FTL_UNSUPPORTED,
                             "%s of columns that are joined (composite_cols)", e->cls->name);
    return FTL_OK;
}

ftl_status ftl_category_mapping_read(ftl_build *build, const ftl_estimator *e,
                                     const ftl_category_mapping **out, ftl_error *error)
{
    *out = ftl_parsed_of(build, e->node);
    if (*out)
        return FTL_OK;
    ftl_category_mapping *m = FTL_ARENA_NEW(build->scratch, ftl_category_mapping);
    if (!m)
        return FTL_OOM(error);
    FTL_TRY(refuse_others(e, error));
    const bool is_ordinal = strcmp(e->cls->name, "OrdinalEncoder") == 0;
    FTL_TRY(
        read_ordinal(build, e, is_ordinal ? e->node : ftl_attr(e, "ordinal_encoder"), m, error));
    if (is_ordinal)
        FTL_TRY(give_codes(build, m, error));
    else if (strcmp(e->cls->name, "TargetEncoder") == 0)
        FTL_TRY(give_means(build, e, m, error));
    else
        FTL_TRY(give_tables(build, e, m, error));
    m->refuse_unknown = ftl_attr_is(e, "handle_unknown", "error");
    m->refuse_missing = ftl_attr_is(e, "handle_missing", "error");
    for (uint32_t j = 0; m->refuse_missing && j < m->n; j++)
        FTL_TRY(forget_missing(build, &m->columns[j], error));
    FTL_TRY(read_dropped(build, e, m, error));
    FTL_TRY(read_labels(build, e, m, error));
    FTL_TRY(find_sources(build, e, m, error));
    *out = m;
    return ftl_parsed_keep(build, e->node, m, error);
}
