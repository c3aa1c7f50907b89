#include "build/pandas_table.h"

#include <math.h>
#include <string.h>

enum { longest_range = 1 << 20, most_values = 1 << 28 };

static bool is_list(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE);
}

static const ftl_node *item(const ftl_node *node, size_t i)
{
    return is_list(node) && i < node->u.seq.size ? node->u.seq.items[i] : NULL;
}

static ftl_status not_read(const ftl_node *node, const char *what, ftl_error *error)
{
    char about[160];
    return FTL_FAIL(error, FTL_UNSUPPORTED, "%s is %s, which is not read", what,
                    ftl_node_describe(node, about, sizeof about));
}

/* ---- Indices --------------------------------------------------------------------------------- */

/* start, stop, step → a list of integers. */
static ftl_status range_list(ftl_build *build, const ftl_node *node, const ftl_node **out,
                             ftl_error *error)
{
    int64_t start = 0, stop = 0, step = 1;
    if (!ftl_node_as_int(ftl_node_attr(node, "start"), &start) ||
        !ftl_node_as_int(ftl_node_attr(node, "stop"), &stop) ||
        !ftl_node_as_int(ftl_node_attr(node, "step"), &step) || start < 0 || stop < start ||
        step < 1 || (stop - start) / step >= longest_range)
        return not_read(node, "an index", error);
    size_t n = (size_t)((stop - start) / step) + ((stop - start) % step != 0);
    ftl_node *list = FTL_ARENA_NEW(build->scratch, ftl_node);
    ftl_node *numbers = ftl_arena_zero_array(build->scratch, n, sizeof *numbers);
    ftl_node **items = ftl_arena_array(build->scratch, n, sizeof *items);
    if (!list || !numbers || !items)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        numbers[i].kind = FTL_NODE_INT;
        numbers[i].u.integer = start + (int64_t)i * step;
        items[i] = &numbers[i];
    }
    list->kind = FTL_NODE_LIST;
    list->u.seq = (ftl_node_sequence){.items = items, .size = n, .room = n};
    *out = list;
    return FTL_OK;
}

static ftl_status read_index(ftl_build *build, const ftl_node *node, const ftl_node **out,
                             ftl_error *error)
{
    const ftl_node *data = ftl_node_attr(node, "data");
    if (!data && ftl_node_attr(node, "start"))
        return range_list(build, node, out, error);
    if (!data || data->kind != FTL_NODE_ARRAY || data->u.array->ndim != 1)
        return not_read(data ? data : node, "an index", error);
    *out = data;
    return FTL_OK;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

typedef struct blocks {
    const ftl_node *axes, *list; /* of indices; of blocks */
} blocks;

/* The state under "0.14.1", or the constructor's arguments (pandas 1.3 and later). */
static bool find_blocks(const ftl_node *frame, blocks *out)
{
    const ftl_node *manager = ftl_node_attr(frame, "_mgr");
    manager = manager ? manager : ftl_node_attr(frame, "_data");
    if (!manager || manager->kind != FTL_NODE_OBJECT)
        return false;
    const ftl_node *state = item(manager->u.object->state, 3), *args = manager->u.object->args;
    *out = (blocks){.axes = item(args, 1), .list = item(args, 0)};
    if (state && state->kind == FTL_NODE_DICT) {
        state = ftl_node_dict_get(&state->u.dict, "0.14.1");
        if (!state || state->kind != FTL_NODE_DICT)
            return false;
        *out = (blocks){.axes = ftl_node_dict_get(&state->u.dict, "axes"),
                        .list = ftl_node_dict_get(&state->u.dict, "blocks")};
    }
    return is_list(out->axes) && is_list(out->list);
}

/* A dict of both; _unpickle_block(values, places, ndim); a partial of (values, places). */
static bool open_block(const ftl_node *block, const ftl_node **values, const ftl_node **places)
{
    if (block->kind == FTL_NODE_DICT) {
        *values = ftl_node_dict_get(&block->u.dict, "values");
        *places = ftl_node_dict_get(&block->u.dict, "mgr_locs");
    } else if (block->kind == FTL_NODE_OBJECT) {
        const ftl_node *args = block->u.object->args;
        if (strcmp(block->u.object->name, "partial") == 0)
            args = item(args, 1);
        *values = item(args, 0);
        *places = item(args, 1);
    } else {
        return false;
    }
    return *values && *places;
}

/* Which column the block's row i is: a slice or an array says it. */
static bool place_of(const ftl_node *places, size_t i, size_t n, size_t *out)
{
    int64_t place = -1, start = 0, step = 1;
    if (places->kind == FTL_NODE_ARRAY && i < places->u.array->size) {
        if (!ftl_array_i64_at(places->u.array, i, &place))
            return false;
    } else if (places->kind == FTL_NODE_OBJECT && strcmp(places->u.object->name, "slice") == 0) {
        const ftl_node *args = places->u.object->args;
        if (!ftl_node_as_int(item(args, 0), &start) ||
            (!ftl_node_is_none(item(args, 2)) && !ftl_node_as_int(item(args, 2), &step)) ||
            start < 0 || start > most_values || step < 1 || step > most_values)
            return false;
        place = start + (int64_t)i * step;
    }
    *out = (size_t)place;
    return place >= 0 && (uint64_t)place < n;
}

static bool number_at(const ftl_node_array *array, size_t i, double *out)
{
    if (!array->objects)
        return ftl_array_f64_at(array, i, out);
    *out = (double)NAN;
    return ftl_node_is_none(array->objects[i]) || ftl_node_as_f64(array->objects[i], out);
}

static ftl_status fill_columns(const ftl_node *block, ftl_pandas_table *out, bool *filled,
                               ftl_error *error)
{
    const ftl_node *values = NULL, *places = NULL;
    if (!open_block(block, &values, &places))
        return not_read(block, "a part of a DataFrame", error);
    if (values->kind != FTL_NODE_ARRAY || values->u.array->ndim != 2)
        return not_read(values, "a column of a DataFrame", error);
    const ftl_node_array *array = values->u.array;
    for (size_t i = 0; i < array->shape[0]; i++) {
        size_t column;
        if (!place_of(places, i, out->columns, &column) || filled[column] ||
            array->shape[1] != out->rows)
            return FTL_FAIL(error, FTL_CORRUPT, "the parts of a DataFrame do not fit together");
        filled[column] = true;
        for (size_t r = 0; r < out->rows; r++) {
            if (!number_at(array, i * out->rows + r, &out->values[r * out->columns + column]))
                return not_read(values, "a column of a DataFrame", error);
        }
    }
    return FTL_OK;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

const ftl_node *ftl_inner_list(const ftl_node *node)
{
    blocks b;
    const ftl_node *inner = ftl_node_attr(node, "data"), *places = NULL;
    if (node->kind == FTL_NODE_OBJECT && strcmp(node->u.object->name, "Series") == 0 &&
        find_blocks(node, &b) && b.list->u.seq.size == 1 &&
        !open_block(b.list->u.seq.items[0], &inner, &places))
        return node;
    return inner ? inner : node;
}

/* ---- Both kinds ------------------------------------------------------------------------------ */

static ftl_status expect(const ftl_node *node, const char *name, size_t axes, blocks *out,
                         ftl_error *error)
{
    char about[160];
    if (!node || node->kind != FTL_NODE_OBJECT || strcmp(node->u.object->name, name) != 0 ||
        strncmp(node->u.object->module, "pandas", 6) != 0 || !find_blocks(node, out) ||
        out->axes->u.seq.size != axes)
        return FTL_FAIL(error, FTL_CORRUPT, "%s was found where a %s of pandas was expected",
                        ftl_node_describe(node, about, sizeof about), name);
    return FTL_OK;
}

ftl_status ftl_pandas_series_read(ftl_build *build, const ftl_node *node, ftl_pandas_series *out,
                                  ftl_error *error)
{
    blocks b;
    const ftl_node *values = NULL, *places = NULL;
    ftl_pandas_series series = {0};
    FTL_TRY(expect(node, "Series", 1, &b, error));
    FTL_TRY(read_index(build, b.axes->u.seq.items[0], &series.index, error));
    series.n = ftl_node_length(series.index);
    if (b.list->u.seq.size != 1 || !open_block(b.list->u.seq.items[0], &values, &places))
        return not_read(node, "a Series", error);
    if (values->kind != FTL_NODE_ARRAY)
        return not_read(values, "the data of a Series", error);
    if (values->u.array->ndim != 1 || values->u.array->size != series.n)
        return FTL_FAIL(error, FTL_CORRUPT, "a Series has %zu values and %zu labels",
                        values->u.array->size, series.n);
    series.values = values;
    *out = series;
    return FTL_OK;
}

ftl_status ftl_pandas_table_read(ftl_build *build, const ftl_node *node, ftl_pandas_table *out,
                                 ftl_error *error)
{
    blocks b;
    ftl_pandas_table table = {0};
    FTL_TRY(expect(node, "DataFrame", 2, &b, error));
    FTL_TRY(read_index(build, b.axes->u.seq.items[0], &table.names, error));
    FTL_TRY(read_index(build, b.axes->u.seq.items[1], &table.index, error));
    table.columns = ftl_node_length(table.names);
    table.rows = ftl_node_length(table.index);
    if (table.rows && table.columns > most_values / table.rows)
        return FTL_FAIL(error, FTL_LIMIT, "a DataFrame of %zu rows and %zu columns", table.rows,
                        table.columns);
    table.values = ftl_arena_array(build->scratch, table.rows * table.columns,
                                   sizeof *table.values);
    bool *filled = ftl_arena_zero_array(build->scratch, table.columns, sizeof *filled);
    if (!table.values || !filled)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_spend(build, table.rows * table.columns / 4, error));
    for (size_t i = 0; i < b.list->u.seq.size; i++)
        FTL_TRY(fill_columns(b.list->u.seq.items[i], &table, filled, error));
    for (size_t j = 0; j < table.columns; j++) {
        if (!filled[j])
            return FTL_FAIL(error, FTL_CORRUPT, "column %zu of a DataFrame has no data", j);
    }
    *out = table;
    return FTL_OK;
}
