/*
 * OneHotEncoder and OrdinalEncoder of sklearn.preprocessing.
 *
 * Both look every cell up among categories_[j]. What a category becomes is settled here: which
 * column it sets after infrequent categories were grouped and one was dropped, or which number it
 * is. Missing values: before 0.24 (OneHotEncoder) and 1.0 (OrdinalEncoder) the library raised on
 * NaN; from then on NaN is a category when it was one in training, else unknown.
 */
#include "build/transformer.h"
#include "estimators/prep/decode.h"
#include "estimators/prep/encoder_categories.h"

#include <math.h>
#include <string.h>

enum { max_columns_out = 1 << 24, max_legacy_values = 1 << 20 };

/* ---- Groups and drops of OneHotEncoder ------------------------------------------------------- */

/*
 * Element j of a per-column list attribute that may be absent: NULL when it or its element is None.
 */
static ftl_status list_item(const ftl_estimator *e, const char *name, size_t n, size_t j,
                            const ftl_node **out, ftl_error *error)
{
    const ftl_node *list = ftl_attr(e, name);
    ftl_node **items = NULL;
    size_t count = 0;
    *out = NULL;
    if (ftl_node_is_none(list))
        return FTL_OK;
    FTL_TRY(ftl_attr_items(e, name, &items, &count, error));
    if (count != n)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s has %zu elements for %zu columns",
                             name, count, n);
    *out = ftl_node_is_none(items[j]) ? NULL : items[j];
    return FTL_OK;
}

/*
 * default_to_infrequent of column j: category → group, the last group holding the infrequent ones.
 * NULL: every category alone.
 */
static ftl_status infrequent_groups(ftl_build *build, const ftl_estimator *e, size_t n, size_t j,
                                    size_t n_categories, uint32_t **groups, uint32_t *n_groups,
                                    ftl_error *error)
{
    static const char name[] = "_default_to_infrequent_mappings";
    const ftl_node *node = NULL;
    ftl_array2 array = {0};
    bool enabled;
    *groups = NULL;
    *n_groups = (uint32_t)n_categories;
    FTL_TRY(ftl_attr_bool(e, "_infrequent_enabled", false, &enabled, error));
    if (enabled)
        FTL_TRY(list_item(e, name, n, j, &node, error));
    if (!node)
        return FTL_OK;
    FTL_TRY(ftl_node_matrix(build, node, &array, error));
    if (array.rows != 1 || array.columns != n_categories)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "element %zu maps %zu categories of %zu",
                             j, array.columns, n_categories);
    *groups = ftl_arena_array(build->scratch, n_categories, sizeof **groups);
    if (!*groups)
        return FTL_OOM(error);
    *n_groups = 0;
    for (size_t i = 0; i < n_categories; i++) {
        if (!(array.data[i] >= 0 && array.data[i] < (double)n_categories))
            return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT,
                                 "element %zu maps category %zu out of range", j, i);
        (*groups)[i] = (uint32_t)array.data[i];
        if ((*groups)[i] >= *n_groups)
            *n_groups = (*groups)[i] + 1;
    }
    return FTL_OK;
}

/*
 * The group whose column is dropped, or -1. Until 1.1 drop_idx_ held what _drop_idx_after_grouping
 * holds from 1.2 on.
 */
static ftl_status dropped_group(const ftl_estimator *e, size_t n, size_t j, uint32_t n_groups,
                                int64_t *out, ftl_error *error)
{
    const char *name = ftl_attr(e, "_drop_idx_after_grouping") ? "_drop_idx_after_grouping"
                                                               : "drop_idx_";
    const ftl_node *node = ftl_attr(e, name);
    *out = -1;
    if (ftl_node_is_none(node))
        return FTL_OK;
    bool ok = node->kind == FTL_NODE_ARRAY && node->u.array->size == n;
    if (ok && node->u.array->objects) {
        const ftl_node *item = node->u.array->objects[j];
        if (ftl_node_is_none(item))
            return FTL_OK;
        ok = ftl_node_as_int(item, out);
    } else if (ok)
        ok = ftl_array_i64_at(node->u.array, j, out);
    if (!ok || *out < 0 || *out >= n_groups)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s has no usable element %zu", name, j);
    return FTL_OK;
}

/* The column that a group sets once another one is dropped. */
static int32_t code_of(uint32_t group, int64_t dropped)
{
    if ((int64_t)group == dropped)
        return FTL_CODE_NONE;
    return (int32_t)(dropped >= 0 && group > dropped ? group - 1 : group);
}

/*
 * True when the encoder puts unknown categories among the infrequent ones. handle_unknown='warn'
 * did nothing of the kind before 1.8, although it said so.
 */
static bool unknown_is_infrequent(const ftl_estimator *e)
{
    return ftl_attr_is(e, "handle_unknown", "infrequent_if_exist") ||
           (ftl_attr_is(e, "handle_unknown", "warn") && e->version >= FTL_SKLEARN(1, 8));
}

enum { name_cost = 64 }; /* of the budget's units: a name is printed */

/*
 * get_feature_names_out: the frequent categories in order, then infrequent_sklearn, less the
 * dropped one.
 */
static ftl_status column_names(ftl_build *build, const ftl_category_column *column,
                               const char *prefix, const uint32_t *groups, uint32_t n_groups,
                               int64_t dropped, const char **names, ftl_error *error)
{
    FTL_TRY(ftl_build_spend(build, name_cost * (uint64_t)column->count, error));
    for (uint32_t i = 0; i < column->count; i++) {
        uint32_t group = groups ? groups[i] : i;
        int32_t code = code_of(group, dropped);
        if (code < 0)
            continue;
        bool infrequent = groups && group == n_groups - 1;
        const char *text = infrequent ? "infrequent_sklearn"
                                      : ftl_category_text(build, column, i, groups != NULL);
        names[code] = text ? ftl_arena_printf(build->arena, "%s_%s", prefix, text) : NULL;
        if (!names[code])
            return FTL_OOM(error);
    }
    for (uint32_t group = 0; group < n_groups; group++) {
        int32_t code = code_of(group, dropped);
        if (code >= 0 && !names[code])
            return FTL_FAIL(error, FTL_CORRUPT, "no category of %s belongs to group %u", prefix,
                            group);
    }
    return FTL_OK;
}

/* [column->count], one array for all columns that have these categories and leave none out. */
static ftl_status one_hot_codes(ftl_build *build, const ftl_category_column *column,
                                const uint32_t *groups, int64_t dropped, const int32_t **out,
                                ftl_error *error)
{
    bool every = !groups && dropped < 0;
    *out = every ? ftl_made_of(build, column->cells, FTL_MADE_CODES) : NULL;
    if (*out)
        return FTL_OK;
    int32_t *codes = ftl_arena_array(build->arena, column->count, sizeof *codes);
    if (!codes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < column->count; i++)
        codes[i] = code_of(groups ? groups[i] : i, dropped);
    if (column->none_at < column->count && column->nan_at < column->count)
        /* a missing cell is NaN when both are categories */
        codes[column->none_at] = codes[column->nan_at];
    *out = codes;
    return every ? ftl_made_keep(build, column->cells, FTL_MADE_CODES, codes, error) : FTL_OK;
}

/* Fills column j of the op and *names (one per output column). */
static ftl_status one_hot_column(ftl_build *build, const ftl_estimator *e,
                                 const ftl_category_column *column, size_t n, size_t j,
                                 ftl_encode_column *out, const char ***names, ftl_error *error)
{
    uint32_t *groups = NULL, n_groups;
    int64_t dropped;
    FTL_TRY(infrequent_groups(build, e, n, j, column->count, &groups, &n_groups, error));
    FTL_TRY(dropped_group(e, n, j, n_groups, &dropped, error));
    out->cardinality = dropped >= 0 ? n_groups - 1 : n_groups;
    *names = ftl_arena_zero_array(build->arena, out->cardinality, sizeof **names);
    if (!*names)
        return FTL_OOM(error);
    FTL_TRY(one_hot_codes(build, column, groups, dropped, &out->codes, error));
    out->codes_count = column->count;
    if (ftl_attr_is(e, "handle_unknown", "error"))
        out->unknown = FTL_CODE_REFUSED;
    else
        out->unknown = groups && unknown_is_infrequent(e) ? code_of(n_groups - 1, dropped)
                                                          : FTL_CODE_NONE;
    return column_names(build, column, column->name, groups, n_groups, dropped, *names, error);
}

/* ---- OneHotEncoder --------------------------------------------------------------------------- */

typedef struct one_hot {
    ftl_encode_column *columns;
    const char ***names; /* [columns][cardinality] */
    uint32_t n, width;
} one_hot;

static ftl_status one_hot_op(ftl_build *build, const ftl_estimator *e, const ftl_frame *sources,
                             const one_hot *h, ftl_frame *out, ftl_error *error)
{
    uint32_t id, at = 0;
    ftl_op *op = NULL;
    ftl_number_type type;
    FTL_TRY(ftl_attr_number_type(e, "dtype", &type, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ONEHOT, sources, &id, &op, error));
    op->edge = FTL_EDGE_CODED;
    op->dtype = type.dtype;
    op->width = h->width;
    op->u.encode = (ftl_encode_op){
        .n_columns = h->n, FTL_SIZED(columns, h->columns, h->n), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t j = 0; j < h->n; j++) {
        for (uint32_t k = 0; k < h->columns[j].cardinality; k++, at++) {
            out->columns[at].name = h->names[j][k];
            out->columns[at].as = type.as;
        }
    }
    return ftl_attr_bool(e, ftl_attr(e, "sparse_output") ? "sparse_output" : "sparse", true,
                         &out->sparse, error);
}

static ftl_status one_hot_new(ftl_build *build, uint32_t n, one_hot *h, ftl_error *error)
{
    *h = (one_hot){.n = n};
    h->columns = ftl_arena_zero_array(build->arena, n, sizeof *h->columns);
    h->names = ftl_arena_zero_array(build->scratch, n, sizeof *h->names);
    return h->columns && h->names ? FTL_OK : FTL_OOM(error);
}

static ftl_status one_hot_widen(one_hot *h, uint32_t cardinality, ftl_error *error)
{
    if (__builtin_add_overflow(h->width, cardinality, &h->width) || h->width > max_columns_out)
        return FTL_FAIL(error, FTL_LIMIT, "the encoder yields more than %d columns",
                        (int)max_columns_out);
    return FTL_OK;
}

/*
 * OneHotEncoder of 0.20 on integers: a value v sets column _feature_indices_[j] + v, if it is among
 * _active_features_.
 */
static ftl_status legacy_column(ftl_build *build, const ftl_estimator *e, const ftl_array2 *starts,
                                const ftl_array2 *active, uint32_t j, const char *prefix,
                                one_hot *h, ftl_error *error)
{
    double start = starts->data[j], count = starts->data[j + 1] - start;
    if (!(start >= 0 && count >= 0 && count <= (double)max_legacy_values))
        return FTL_ATTR_FAIL(error, e, "_feature_indices_", FTL_CORRUPT,
                             "_feature_indices_ is not ascending");
    uint32_t n = (uint32_t)count;
    ftl_encode_column *column = &h->columns[j];
    double *numbers = ftl_arena_array(build->arena, n, sizeof *numbers);
    int32_t *codes = ftl_arena_array(build->arena, n, sizeof *codes);
    const char **names = ftl_arena_zero_array(build->arena, n, sizeof *names);
    if (!numbers || !codes || !names)
        return FTL_OOM(error);
    for (uint32_t v = 0; v < n; v++) {
        numbers[v] = v;
        codes[v] = active->data ? FTL_CODE_NONE : 0;
    }
    FTL_TRY(ftl_build_spend(build, active->columns / 4, error));
    for (size_t i = 0; i < active->columns; i++) {
        double v = active->data[i] - start;
        if (v >= 0 && v < n && v == (double)(uint32_t)v)
            codes[(uint32_t)v] = 0;
    }
    for (uint32_t v = 0; v < n; v++) {
        if (codes[v] == FTL_CODE_NONE)
            continue;
        names[column->cardinality] = ftl_arena_printf(build->arena, "%s_%u", prefix, v);
        if (!names[column->cardinality])
            return FTL_OOM(error);
        codes[v] = (int32_t)column->cardinality++;
    }
    column->categories = (ftl_categories){
        .count = n, .numeric = true, FTL_SIZED(numbers, numbers, n)};
    column->codes = codes;
    column->codes_count = n;
    column->name = prefix;
    column->unknown = ftl_attr_is(e, "handle_unknown", "ignore") ? FTL_CODE_NONE : FTL_CODE_REFUSED;
    h->names[j] = names;
    return one_hot_widen(h, column->cardinality, error);
}

static ftl_status emit_legacy(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    const ftl_node *selected = ftl_attr(e, "_categorical_features");
    ftl_array2 starts = {0}, active = {0};
    ftl_frame sources;
    one_hot h;
    uint32_t id;
    ftl_op *op = NULL;
    if (!ftl_node_is_none(selected) && !ftl_node_str_equal(selected, "all"))
        return FTL_ATTR_FAIL(
            error, e, "categorical_features", FTL_UNSUPPORTED,
            "categorical_features is not supported; select the columns with a ColumnTransformer");
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_feature_indices_", "feature_indices_"), &starts,
                            error));
    FTL_TRY(ftl_frame_expect(e, in, starts.columns ? starts.columns - 1 : 0, error));
    if (!ftl_node_is_none(ftl_attr(e, "_active_features_")))
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_active_features_"), &active, error));
    FTL_TRY(one_hot_new(build, in->n_columns, &h, error));
    for (uint32_t j = 0; j < in->n_columns; j++)
        FTL_TRY(legacy_column(build, e, &starts, &active, j, in->columns[j].name, &h, error));
    /* check_array(X, dtype=int) cuts fractions off. */
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_TRUNC;
    FTL_TRY(ftl_frame_like(build, id, in, &sources, error));
    return one_hot_op(build, e, &sources, &h, out, error);
}

static ftl_status emit_one_hot(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_category_column *columns = NULL;
    ftl_frame sources;
    one_hot h;
    bool legacy;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_bool(e, "_legacy_mode", false, &legacy, error));
    if (legacy)
        return emit_legacy(build, e, in, out, error);
    FTL_TRY(ftl_load_categories(build, e, in, &columns, error));
    FTL_TRY(one_hot_new(build, in->n_columns, &h, error));
    for (uint32_t j = 0; j < h.n; j++) {
        FTL_TRY(one_hot_column(build, e, &columns[j], h.n, j, &h.columns[j], &h.names[j], error));
        FTL_TRY(one_hot_widen(&h, h.columns[j].cardinality, error));
    }
    FTL_TRY(
        ftl_category_sources(build, e, in, columns,
                             FTL_CHECK_INF | (e->version < FTL_SKLEARN(0, 24) ? FTL_CHECK_NAN : 0),
                             h.columns, &sources, error));
    return one_hot_op(build, e, &sources, &h, out, error);
}

/* ---- OrdinalEncoder -------------------------------------------------------------------------- */

/* [n] _missing_indices, a dict of column → category from 1.0 on; -1: the column has none. */
static ftl_status missing_indices(ftl_build *build, const ftl_estimator *e, size_t n, int64_t **out,
                                  ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "_missing_indices");
    int64_t key, index, *indices = ftl_arena_array(build->scratch, n, sizeof *indices);
    if (!indices)
        return FTL_OOM(error);
    for (size_t j = 0; j < n; j++)
        indices[j] = -1;
    for (size_t i = 0; node && node->kind == FTL_NODE_DICT && i < node->u.dict.size; i++) {
        if (ftl_node_as_int(node->u.dict.keys[i], &key) && key >= 0 && (uint64_t)key < n &&
            ftl_node_as_int(node->u.dict.values[i], &index))
            indices[key] = index;
    }
    *out = indices;
    return FTL_OK;
}

/* [column->count], one array for all columns that have these categories and number them all. */
static ftl_status ordinal_values(ftl_build *build, const ftl_category_column *column,
                                 const uint32_t *groups, int64_t missing, double missing_value,
                                 const double **out, ftl_error *error)
{
    bool every = !groups && missing < 0;
    *out = every ? ftl_made_of(build, column->cells, FTL_MADE_VALUES) : NULL;
    if (*out)
        return FTL_OK;
    double *values = ftl_arena_array(build->arena, column->count, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < column->count; i++)
        values[i] = (int64_t)i == missing ? missing_value : groups ? (double)groups[i] : (double)i;
    if (column->none_at < column->count && column->nan_at < column->count)
        values[column->none_at] = values[column->nan_at];
    *out = values;
    return every ? ftl_made_keep(build, column->cells, FTL_MADE_VALUES, values, error) : FTL_OK;
}

static ftl_status ordinal_column(ftl_build *build, const ftl_estimator *e,
                                 const ftl_category_column *column, size_t n, size_t j,
                                 int64_t missing, ftl_encode_column *out, ftl_error *error)
{
    uint32_t *groups = NULL, n_groups;
    double missing_value;
    bool has_missing = missing >= 0 && missing < (int64_t)column->count;
    /* The missing category, the last one, takes no part in grouping. */
    FTL_TRY(infrequent_groups(build, e, n, j, column->count - (has_missing ? 1 : 0), &groups,
                              &n_groups, error));
    if (groups && has_missing && missing != (int64_t)column->count - 1)
        return FTL_ATTR_FAIL(error, e, "_missing_indices", FTL_CORRUPT,
                             "the missing category of column %zu is not the last", j);
    FTL_TRY(ftl_attr_f64(e, "encoded_missing_value", NAN, &missing_value, error));
    FTL_TRY(ordinal_values(build, column, groups, has_missing ? missing : -1, missing_value,
                           &out->values, error));
    out->values_count = column->count;
    out->unknown = FTL_CODE_REFUSED;
    if (ftl_attr_is(e, "handle_unknown", "use_encoded_value")) {
        out->unknown = FTL_CODE_NONE;
        FTL_TRY(ftl_attr_f64(e, "unknown_value", NAN, &out->unknown_value, error));
    }
    return FTL_OK;
}

static ftl_status emit_ordinal(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_category_column *columns = NULL;
    ftl_number_type type;
    ftl_frame sources;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_number_type(e, "dtype", &type, error));
    FTL_TRY(ftl_load_categories(build, e, in, &columns, error));
    ftl_encode_column *encoded = ftl_arena_zero_array(build->arena, in->n_columns, sizeof *encoded);
    int64_t *missing = NULL;
    if (!encoded)
        return FTL_OOM(error);
    FTL_TRY(missing_indices(build, e, in->n_columns, &missing, error));
    for (uint32_t j = 0; j < in->n_columns; j++)
        FTL_TRY(ordinal_column(build, e, &columns[j], in->n_columns, j, missing[j], &encoded[j],
                               error));
    FTL_TRY(ftl_category_sources(
        build, e, in, columns, FTL_CHECK_INF | (e->version < FTL_SKLEARN(1, 0) ? FTL_CHECK_NAN : 0),
        encoded, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &sources, &id, &op, error));
    op->dtype = type.dtype;
    op->u.encode = (ftl_encode_op){.n_columns = in->n_columns,
                                   FTL_SIZED(columns, encoded, in->n_columns),
                                   .estimator = e->cls->name};
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    for (uint32_t j = 0; j < out->n_columns; j++)
        out->columns[j].as = type.as;
    return FTL_OK;
}

/* ---- Back from codes to categories ----------------------------------------------------------- */

/* categories_ without the frame of the columns, which inverting does not have. */
static ftl_status all_categories(ftl_build *build, const ftl_estimator *e, size_t *n,
                                 ftl_category_column **out, ftl_error *error)
{
    ftl_node **items = NULL;
    FTL_TRY(ftl_attr_items(e, "categories_", &items, n, error));
    ftl_category_column *columns = ftl_arena_zero_array(build->scratch, *n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t j = 0; j < *n; j++)
        FTL_TRY(ftl_load_category_column(build, items[j], "", &columns[j], error));
    *out = columns;
    return FTL_OK;
}

/*
 * Numbers are cut to integers, which count from the end when they are negative, as numpy's indices
 * do; what the encoder wrote for missing and for unknown values comes first.
 */
static ftl_status ordinal_decoding(ftl_build *build, const ftl_estimator *e,
                                   const ftl_category_column *column, int64_t missing,
                                   ftl_decoding *out, ftl_error *error)
{
    double number;
    uint32_t n = column->count;
    FTL_TRY(ftl_decoding_new(build, (size_t)n * 2 + 3, out, error));
    for (uint32_t i = 0; i < n; i++)
        (void)ftl_decoding_cell(out, column->cells[i]);
    if (missing >= 0 && missing < (int64_t)n) {
        FTL_TRY(ftl_attr_f64(e, "encoded_missing_value", NAN, &number, error));
        ftl_decoding_number(out, number, (uint32_t)missing);
    }
    if (ftl_attr_is(e, "handle_unknown", "use_encoded_value")) {
        FTL_TRY(ftl_attr_f64(e, "unknown_value", NAN, &number, error));
        ftl_decoding_number(out, number,
                            ftl_decoding_cell(out, (ftl_cell){.tag = FTL_CELL_MISSING}));
    }
    for (uint32_t i = 0; i < n; i++)
        ftl_decoding_number(out, i, i);
    for (uint32_t i = 0; i < n; i++)
        ftl_decoding_number(out, (double)i - (double)n, i);
    return FTL_OK;
}

static ftl_status invert_ordinal(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_category_column *columns = NULL;
    const char **names = NULL;
    size_t n = 0;
    uint32_t id;
    bool infrequent;
    ftl_op *op = NULL;
    ftl_frame sources;
    FTL_TRY(ftl_attr_bool(e, "_infrequent_enabled", false, &infrequent, error));
    if (infrequent)
        return FTL_ATTR_FAIL(error, e, "_infrequent_enabled", FTL_UNSUPPORTED,
                             "inverse_transform with infrequent categories is not supported");
    FTL_TRY(all_categories(build, e, &n, &columns, error));
    FTL_TRY(ftl_frame_expect(e, in, n, error));
    FTL_TRY(ftl_fitted_names(build, e, n, &names, error));
    ftl_decoding *decodings = ftl_arena_zero_array(build->scratch, n, sizeof *decodings);
    int64_t *missing = NULL;
    if (!decodings)
        return FTL_OOM(error);
    FTL_TRY(missing_indices(build, e, n, &missing, error));
    for (size_t j = 0; j < n; j++)
        FTL_TRY(ordinal_decoding(build, e, &columns[j], missing[j], &decodings[j], error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_TRUNC;
    FTL_TRY(ftl_frame_like(build, id, in, &sources, error));
    return ftl_emit_decoding(build, e, &sources, decodings, names,
                             ftl_decodings_are_float(decodings, (uint32_t)n), out, error);
}

/* A one-hot column back: which cell each of its output columns stands for, and what zeros mean. */
typedef struct one_hot_block {
    uint32_t width; /* output columns */
    ftl_decoding decoding;
} one_hot_block;

static ftl_status one_hot_decoding(ftl_build *build, const ftl_estimator *e,
                                   const ftl_category_column *column, size_t n, size_t j,
                                   one_hot_block *out, ftl_error *error)
{
    static const char infrequent[] = "infrequent_sklearn";
    uint32_t *groups = NULL, n_groups, zero = UINT32_MAX;
    int64_t dropped;
    FTL_TRY(infrequent_groups(build, e, n, j, column->count, &groups, &n_groups, error));
    FTL_TRY(dropped_group(e, n, j, n_groups, &dropped, error));
    out->width = dropped >= 0 ? n_groups - 1 : n_groups;
    FTL_TRY(ftl_decoding_new(build, (size_t)n_groups * 2 + 2, &out->decoding, error));
    ftl_decoding *decoding = &out->decoding;
    uint32_t *first = ftl_arena_array(build->scratch, n_groups,
                                      sizeof *first); /* category of each */
    if (!first)
        return FTL_OOM(error);
    for (uint32_t group = 0; group < n_groups; group++)
        first[group] = groups ? column->count : group;
    for (uint32_t i = column->count; groups && i > 0; i--)
        first[groups[i - 1]] = i - 1;
    for (uint32_t group = 0; group < n_groups; group++) {
        uint32_t i = first[group];
        ftl_cell cell = {
            .tag = FTL_CELL_STRING, .size = sizeof infrequent - 1, .u.text = infrequent};
        if (!(groups && group == n_groups - 1) && i < column->count)
            cell = column->cells[i];
        uint32_t index = ftl_decoding_cell(decoding, cell);
        int32_t code = code_of(group, dropped);
        if (code < 0)
            zero = index;
        else
            ftl_decoding_number(decoding, code, index);
    }
    bool ignores = ftl_attr_is(e, "handle_unknown", "ignore") ||
                   (!groups && unknown_is_infrequent(e)) ||
                   (!groups && ftl_attr_is(e, "handle_unknown", "warn"));
    if (zero == UINT32_MAX && ignores)
        zero = ftl_decoding_cell(decoding, (ftl_cell){.tag = FTL_CELL_MISSING});
    if (zero != UINT32_MAX)
        ftl_decoding_number(decoding, (double)NAN, zero);
    return FTL_OK;
}

/* NaN where the sum of the columns is 0, else 0. */
static ftl_status emit_is_zero(ftl_build *build, const ftl_estimator *e, uint32_t block,
                               uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[block].width;
    ftl_op *op = NULL;
    double *ones = ftl_arena_array(build->arena, width, sizeof *ones);
    ftl_encode_column *column = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    double *numbers = ftl_arena_zero_array(build->arena, 2, sizeof *numbers);
    if (!ones || !column || !numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < width; i++)
        ones[i] = 1;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINEAR, block, 1, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, ones, width)};
    numbers[1] = (double)NAN; /* of 0 */
    column->categories = (ftl_categories){
        .count = 1, .numeric = true, FTL_SIZED(numbers, &numbers[0], 1)};
    column->values = &numbers[1];
    column->values_count = 1;
    column->unknown = FTL_CODE_NONE;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_ORDINAL, *id, 1, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, column, 1), .estimator = e->cls->name};
    return FTL_OK;
}

/* Index of the largest of the columns [first, first + width); NaN when all are zeros. */
static ftl_status emit_block(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             uint32_t first, uint32_t width, ftl_frame_column *out,
                             ftl_error *error)
{
    const ftl_frame part = {.n_columns = width, .columns = &in->columns[first]};
    uint32_t block, largest, zero, id;
    ftl_op *op = NULL;
    double *coef = ftl_arena_zero_array(build->arena, 2, sizeof *coef);
    double *nothing = ftl_arena_zero_array(build->arena, 1, sizeof *nothing);
    if (!coef || !nothing)
        return FTL_OOM(error);
    *out = (ftl_frame_column){0};
    if (width == 0) { /* the only category was dropped: it is in every row */
        FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, &out->op, &op, error));
        op->width = 1;
        op->dtype = FTL_DTYPE_F64;
        nothing[0] = (double)NAN;
        op->u.constant = (ftl_constant_op){FTL_SIZED(values, nothing, 1)};
        return FTL_OK;
    }
    FTL_TRY(ftl_build_matrix(build, e, &part, &block, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_DECIDE, block, 1, &largest, &op, error));
    op->u.decide.rule = FTL_DECIDE_ARGMAX;
    op->dtype = FTL_DTYPE_F64;
    FTL_TRY(emit_is_zero(build, e, block, &zero, error));
    ftl_frame_column both[] = {{.op = largest}, {.op = zero}};
    const ftl_frame pair = {.n_columns = 2, .columns = both};
    coef[0] = coef[1] = 1;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_LINEAR, &pair, &id, &op, error));
    op->width = 1;
    op->dtype = FTL_DTYPE_F64;
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, 2)};
    out->op = id;
    return FTL_OK;
}

static ftl_status invert_one_hot(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_category_column *columns = NULL;
    const char **names = NULL;
    size_t n = 0, at = 0;
    uint32_t id;
    bool legacy;
    ftl_frame checked, made;
    FTL_TRY(ftl_attr_bool(e, "_legacy_mode", false, &legacy, error));
    if (legacy)
        return FTL_ATTR_FAIL(
            error, e, "_legacy_mode", FTL_UNSUPPORTED,
            "inverse_transform of an encoder of integers of 0.20 is not supported");
    FTL_TRY(all_categories(build, e, &n, &columns, error));
    FTL_TRY(ftl_fitted_names(build, e, n, &names, error));
    one_hot_block *blocks = ftl_arena_zero_array(build->scratch, n, sizeof *blocks);
    ftl_decoding *decodings = ftl_arena_zero_array(build->scratch, n, sizeof *decodings);
    if (!blocks || !decodings)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_frame_like(build, id, in, &checked, error));
    FTL_TRY(ftl_frame_new(build, (uint32_t)n, &made, error));
    for (size_t j = 0; j < n; j++) {
        FTL_TRY(one_hot_decoding(build, e, &columns[j], n, j, &blocks[j], error));
        if (at + blocks[j].width > in->n_columns)
            return ftl_frame_expect(e, in, at + blocks[j].width, error);
        FTL_TRY(
            emit_block(build, e, &checked, (uint32_t)at, blocks[j].width, &made.columns[j], error));
        made.columns[j].name = names[j];
        decodings[j] = blocks[j].decoding;
        at += blocks[j].width;
    }
    FTL_TRY(ftl_frame_expect(e, in, at, error));
    return ftl_emit_decoding(build, e, &made, decodings, names,
                             ftl_decodings_are_float(decodings, (uint32_t)n), out, error);
}

static ftl_status encoder_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("categories_"), out, error);
}

static const char *encoder_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **items = NULL;
    size_t n = 0, categories = 0;
    if (ftl_attr_items(e, "categories_", &items, &n, NULL) != FTL_OK)
        return NULL;
    for (size_t j = 0; j < n; j++)
        categories += ftl_node_length(items[j]);
    return ftl_arena_printf(build->arena, "%zu column%s, %zu categories", n, n == 1 ? "" : "s",
                            categories);
}

const ftl_estimator_class ftl_encoder_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "OneHotEncoder", emit_one_hot,
                          .inverse = invert_one_hot, .inputs = encoder_inputs,
                          .detail = encoder_detail),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "OrdinalEncoder", emit_ordinal,
                          .inverse = invert_ordinal, .inputs = encoder_inputs,
                          .detail = encoder_detail),
    {0},
};
