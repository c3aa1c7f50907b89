/*
 * ColumnTransformer of sklearn.compose: transformers_ holds (name, fitted transformer, columns);
 * the results stand side by side in that order. From 1.0 on _transformer_to_input_indices says
 * which columns each one gets; before, the columns are as the user gave them (callables already
 * called): numbers, names, slices of either, or a mask.
 */
#include "build/pandas_table.h"
#include "build/transformer.h"

#include <string.h>

typedef struct selection {
    uint32_t *indices; /* [n], below the frame's width */
    uint32_t n;
} selection;

typedef struct part {
    const char *name;        /* of the transformer */
    const ftl_node *node;    /* 'drop', 'passthrough' or an estimator */
    const ftl_node *columns; /* as given */
} part;

/* ---- Which columns --------------------------------------------------------------------------- */

static ftl_status fail(const ftl_estimator *e, size_t i, const char *why, ftl_error *error)
{
    ftl_error_set(error, FTL_CORRUPT, "the columns of transformer %zu %s", i, why);
    ftl_error_in_attr(error, e, "transformers_");
    return FTL_CORRUPT;
}

/*
 * Element i of a list, tuple or one-dimensional array as an integer, a bool (0 or 1) or a column
 * name's position.
 */
typedef enum element_kind { element_int, element_bool, element_name, element_bad } element_kind;

static element_kind node_element(const ftl_node *node, const ftl_frame *in, int64_t *value)
{
    ftl_node_string text;
    bool flag;
    if (ftl_node_as_str(node, &text)) {
        for (uint32_t j = 0; j < in->n_columns; j++) {
            if (in->columns[j].name && strcmp(in->columns[j].name, text.data) == 0) {
                *value = j;
                return element_name;
            }
        }
        return element_bad;
    }
    if (ftl_node_as_bool(node, &flag)) {
        *value = flag;
        return element_bool;
    }
    return ftl_node_as_int(node, value) ? element_int : element_bad;
}

static ftl_status element(ftl_build *build, const ftl_node *list, size_t i, const ftl_frame *in,
                          int64_t *value, element_kind *kind, ftl_error *error)
{
    if (list->kind != FTL_NODE_ARRAY) {
        *kind = node_element(list->u.seq.items[i], in, value);
        return FTL_OK;
    }
    const ftl_node_array *array = list->u.array;
    switch (array->dtype->kind) {
    case 'O':
        *kind = node_element(array->objects[i], in, value);
        return FTL_OK;
    case 'U':
    case 'S': {
        ftl_node text = {.kind = FTL_NODE_STR};
        FTL_TRY(ftl_array_string_at(array, i, build->scratch, &text.u.str, error));
        *kind = node_element(&text, in, value);
        return FTL_OK;
    }
    default:
        *kind = array->dtype->kind == 'b' ? element_bool : element_int;
        if (!ftl_array_i64_at(array, i, value))
            *kind = element_bad;
        return FTL_OK;
    }
}

static bool add_index(selection *s, int64_t index, uint32_t width)
{
    if (index < 0)
        index += width;
    if (index < 0 || index >= width)
        return false;
    s->indices[s->n++] = (uint32_t)index;
    return true;
}

static ftl_status select_list(ftl_build *build, const ftl_estimator *e, size_t i,
                              const ftl_node *list, const ftl_frame *in, selection *s,
                              ftl_error *error)
{
    size_t n = ftl_node_length(list);
    s->indices = ftl_arena_array(build->scratch, n, sizeof *s->indices);
    if (!s->indices)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        int64_t value;
        element_kind kind;
        FTL_TRY(element(build, list, k, in, &value, &kind, error));
        if (kind == element_bad)
            return fail(e, i, "are not among the table's columns", error);
        if (kind == element_bool) {
            if (n != in->n_columns)
                return fail(e, i, "are a mask of another length than the table", error);
            if (value)
                s->indices[s->n++] = (uint32_t)k;
        } else if (!add_index(s, value, in->n_columns))
            return fail(e, i, "are out of range", error);
    }
    return FTL_OK;
}

/*
 * Python's slice over positions, or over names with both ends included. step is positive or None,
 * as scikit-learn wants it.
 */
static ftl_status select_slice(ftl_build *build, const ftl_estimator *e, size_t i,
                               const ftl_node *node, const ftl_frame *in, selection *s,
                               ftl_error *error)
{
    const ftl_node *args = node->u.object->args;
    int64_t width = in->n_columns, bound[2] = {0, width}, step = 1;
    if (!args || args->kind != FTL_NODE_TUPLE || args->u.seq.size != 3)
        return fail(e, i, "are a damaged slice", error);
    for (int k = 0; k < 2; k++) {
        const ftl_node *end = args->u.seq.items[k];
        if (ftl_node_is_none(end))
            continue;
        element_kind kind = node_element(end, in, &bound[k]);
        if (kind != element_int && kind != element_name)
            return fail(e, i, "are a slice between columns that the table lacks", error);
        if (kind == element_name)
            bound[k] += k;
        else if (bound[k] < 0)
            bound[k] = bound[k] + width < 0 ? 0 : bound[k] + width;
        if (bound[k] > width)
            bound[k] = width;
    }
    if (!ftl_node_is_none(args->u.seq.items[2]) &&
        (!ftl_node_as_int(args->u.seq.items[2], &step) || step < 1 || step > width))
        return fail(e, i, "are a slice with an unusable step", error);
    s->indices = ftl_arena_array(build->scratch, in->n_columns, sizeof *s->indices);
    if (!s->indices)
        return FTL_OOM(error);
    for (int64_t k = bound[0]; k < bound[1]; k += step)
        s->indices[s->n++] = (uint32_t)k;
    return FTL_OK;
}

static ftl_status select_columns(ftl_build *build, const ftl_estimator *e, size_t i, const part *p,
                                 const ftl_frame *in, selection *s, ftl_error *error)
{
    const ftl_node *table = ftl_attr(e, "_transformer_to_input_indices");
    const ftl_node *columns = p->columns;
    *s = (selection){0};
    if (table && table->kind == FTL_NODE_DICT) {
        columns = ftl_node_dict_get(&table->u.dict, p->name);
        if (!columns)
            return fail(e, i, "are missing in _transformer_to_input_indices", error);
    }
    if (ftl_node_is_none(columns))
        return FTL_OK;
    if (columns->kind == FTL_NODE_OBJECT && strcmp(columns->u.object->name, "slice") == 0)
        return select_slice(build, e, i, columns, in, s, error);
    columns = ftl_inner_list(columns);
    ftl_node *one = (ftl_node *)columns;
    const ftl_node list = {.kind = FTL_NODE_LIST, .u.seq = {.items = &one, .size = 1}};
    bool scalar = columns->kind == FTL_NODE_INT || columns->kind == FTL_NODE_STR ||
                  (columns->kind == FTL_NODE_ARRAY && columns->u.array->ndim == 0);
    if (!scalar && columns->kind != FTL_NODE_LIST && columns->kind != FTL_NODE_TUPLE &&
        columns->kind != FTL_NODE_ARRAY)
        return fail(e, i, "are neither numbers nor names", error);
    return select_list(build, e, i, scalar ? &list : columns, in, s, error);
}

/* ---- Transforming ---------------------------------------------------------------------------- */

static ftl_status load_part(ftl_build *build, const ftl_estimator *e, ftl_node *const *items,
                            size_t i, part *out, ftl_error *error)
{
    const ftl_node *tuple = items[i];
    if ((tuple->kind != FTL_NODE_TUPLE && tuple->kind != FTL_NODE_LIST) || tuple->u.seq.size != 3)
        return FTL_ATTR_FAIL(error, e, "transformers_", FTL_CORRUPT,
                             "element %zu is no (name, transformer, columns)", i);
    *out = (part){ftl_name_text(build, tuple->u.seq.items[0]), tuple->u.seq.items[1],
                  tuple->u.seq.items[2]};
    return out->name ? FTL_OK : FTL_OOM(error);
}

static ftl_status emit_part(ftl_build *build, const ftl_estimator *e, size_t i, const part *p,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    selection s;
    ftl_frame frame;
    double weight;
    bool weighted;
    *out = (ftl_frame){0};
    if (ftl_node_str_equal(p->node, "drop"))
        return FTL_OK;
    FTL_TRY(select_columns(build, e, i, p, in, &s, error));
    if (s.n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, in, s.indices, s.n, &frame, error));
    if (!ftl_node_str_equal(p->node, "passthrough")) {
        ftl_estimator child;
        ftl_frame made = {0};
        FTL_TRY(ftl_estimator_of(build, p->node, e,
                                 ftl_child_path(build, e, "transformers_[%zu]", i), &child, error));
        FTL_TRY(ftl_emit(build, &child, FTL_TRANSFORM, &frame, &made, error));
        frame = made;
    }
    if (s.n > 1)
        ftl_frame_join_inputs(build, &frame);
    FTL_TRY(ftl_transformer_weight(e, p->name, &weighted, &weight, error));
    if (weighted)
        FTL_TRY(ftl_frame_scale(build, e, weight, &frame, error));
    return ftl_frame_prefix(build, e, p->name, &frame, out, error);
}

static ftl_status emit_columns(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    int64_t expected = -1;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_items(e, "transformers_", &items, &n, error));
    FTL_TRY(ftl_attr_int(e, "_n_features", -1, &expected, error));
    FTL_TRY(ftl_attr_int(e, "n_features_in_", expected, &expected, error));
    if (expected >= 0)
        FTL_TRY(ftl_frame_expect(e, in, (size_t)expected, error));
    ftl_frame *frames = ftl_arena_zero_array(build->scratch, n, sizeof *frames);
    if (!frames)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        part p;
        FTL_TRY(load_part(build, e, items, i, &p, error));
        FTL_TRY(emit_part(build, e, i, &p, in, &frames[i], error));
    }
    FTL_TRY(ftl_frame_concat(build, frames, n, out, error));
    FTL_TRY(ftl_attr_bool(e, "sparse_output_", false, &out->sparse, error));
    out->csc = false;
    return ftl_gives_tables(e) ? FTL_OK : ftl_frame_promote(build, e, out, error);
}

/* Element i as the name of a column; NULL when it is none. */
static ftl_status column_name(ftl_build *build, const ftl_node *list, size_t i, const char **out,
                              ftl_error *error)
{
    const ftl_node *node = NULL;
    ftl_node text = {.kind = FTL_NODE_STR};
    *out = NULL;
    if (list->kind != FTL_NODE_ARRAY)
        node = list->u.seq.items[i];
    else if (list->u.array->dtype->kind == 'O')
        node = list->u.array->objects[i];
    else if (list->u.array->dtype->kind == 'U') {
        FTL_TRY(ftl_array_string_at(list->u.array, i, build->scratch, &text.u.str, error));
        node = &text;
    }
    if (!node || node->kind != FTL_NODE_STR)
        return FTL_OK;
    *out = ftl_name_text(build, node);
    return *out ? FTL_OK : FTL_OOM(error);
}

static bool is_list(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE ||
                    (node->kind == FTL_NODE_ARRAY && node->u.array->ndim == 1));
}

/* Gives the columns that one transformer takes by name their names; known: it takes no other. */
static ftl_status part_names(ftl_build *build, const ftl_node *columns, const ftl_node *positions,
                             size_t n_columns, const char **names, bool *known, ftl_error *error)
{
    *known = is_list(columns) && is_list(positions) &&
             ftl_node_length(columns) == ftl_node_length(positions);
    for (size_t k = 0; *known && k < ftl_node_length(columns); k++) {
        const ftl_frame none = {0};
        const char *name;
        int64_t at;
        element_kind kind;
        FTL_TRY(column_name(build, columns, k, &name, error));
        FTL_TRY(element(build, positions, k, &none, &at, &kind, error));
        *known = name && kind == element_int && at >= 0 && (uint64_t)at < n_columns;
        if (*known)
            names[at] = name;
    }
    return FTL_OK;
}

/*
 * Names that are text but of a class of their own, as database drivers give them, are not kept in
 * feature_names_in_; what the transformers choose by name is still looked up by name.
 */
static ftl_status names_of_parts(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    const ftl_node *table = ftl_attr(e, "_transformer_to_input_indices");
    ftl_node **items = NULL;
    size_t n = 0;
    if (!table || table->kind != FTL_NODE_DICT || out->count <= 0 || out->count > UINT32_MAX)
        return FTL_OK;
    FTL_TRY(ftl_attr_items(e, "transformers_", &items, &n, error));
    const char **names = ftl_arena_zero_array(build->arena, (size_t)out->count, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        part p;
        bool known;
        FTL_TRY(load_part(build, e, items, i, &p, error));
        if (ftl_node_str_equal(p.node, "drop"))
            continue;
        const ftl_node *positions = ftl_node_dict_get(&table->u.dict, p.name);
        FTL_TRY(part_names(build, p.columns ? ftl_inner_list(p.columns) : NULL,
                           positions ? ftl_inner_list(positions) : NULL, (size_t)out->count, names,
                           &known, error));
        if (!known)
            return FTL_OK;
    }
    for (int64_t i = 0; i < out->count; i++) {
        if (!names[i])
            names[i] = ftl_arena_printf(build->arena, "(column %lld)", (long long)i);
        if (!names[i])
            return FTL_OOM(error);
    }
    out->names = names;
    return FTL_OK;
}

/*
 * The names of the table that fit() saw: feature_names_in_ from 1.0 on, _feature_names_in from 0.22
 * on, _df_columns from 0.20 on.
 */
static ftl_status columns_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    static const char *const old[] = {"_feature_names_in", "_df_columns"};
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    for (size_t i = 0; !out->names && i < FTL_ARRAY_LEN(old); i++) {
        const ftl_node *node = ftl_attr(e, old[i]);
        if (!ftl_node_is_none(node))
            FTL_TRY(ftl_names_of(build, ftl_inner_list(node), out, error));
    }
    return out->names ? FTL_OK : names_of_parts(build, e, out, error);
}

static const char *columns_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **items = NULL;
    size_t n = 0;
    if (ftl_attr_items(e, "transformers_", &items, &n, NULL) != FTL_OK)
        return NULL;
    return ftl_arena_printf(build->arena, "%zu transformer%s", n, n == 1 ? "" : "s");
}

const ftl_estimator_class ftl_column_transformer_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.compose", "ColumnTransformer", emit_columns,
                          .inputs = columns_inputs, .detail = columns_detail),
    {0},
};
