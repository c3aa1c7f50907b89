/*
 * DataFrameMapper of sklearn_pandas: built_features holds (columns, transformers, options); the
 * results stand side by side in that order, and at the end what `default` makes of the columns that
 * are not among them. A list of transformers is a chain, which fit() turns into a
 * TransformerPipeline. Before 1.5 features is what was fitted.
 *
 * The mapper takes its columns by name from a table that may have others. The file does not list
 * those, so that a mapper with a default is asked for its inputs only where it knows the names that
 * it gave them (transformed_names_).
 */
#include "build/pandas_table.h"
#include "build/transformer.h"

#include <string.h>

typedef struct feature {
    const ftl_node *columns;      /* a name, or a list of names */
    const ftl_node *transformers; /* None, an estimator, a list of estimators */
    const ftl_node *options;      /* NULL, or a dict */
} feature;

typedef struct mapper {
    ftl_node **items; /* features as they were fitted */
    size_t n;
    bool rest;                /* other columns are used as well */
    const ftl_node *fallback; /* what transforms them; None: nothing */
} mapper;

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status load(const ftl_estimator *e, mapper *m, ftl_error *error)
{
    bool flag, fitted = !ftl_node_is_none(ftl_attr(e, "built_features"));
    *m = (mapper){0};
    FTL_TRY(ftl_attr_items(e, fitted ? "built_features" : "features", &m->items, &m->n, error));
    m->fallback = ftl_attr(e, fitted && ftl_attr(e, "built_default") ? "built_default" : "default");
    m->rest = m->fallback && !(ftl_node_as_bool(m->fallback, &flag) && !flag);
    return FTL_OK;
}

static ftl_status load_feature(const ftl_estimator *e, ftl_node *const *items, size_t i,
                               feature *out, ftl_error *error)
{
    const ftl_node *tuple = items[i];
    if ((tuple->kind != FTL_NODE_TUPLE && tuple->kind != FTL_NODE_LIST) || tuple->u.seq.size < 2 ||
        tuple->u.seq.size > 3)
        return FTL_ATTR_FAIL(error, e, "features", FTL_CORRUPT,
                             "element %zu is no (columns, transformers, options)", i);
    *out = (feature){tuple->u.seq.items[0], tuple->u.seq.items[1],
                     tuple->u.seq.size == 3 ? tuple->u.seq.items[2] : NULL};
    if (out->options && out->options->kind != FTL_NODE_DICT)
        return FTL_ATTR_FAIL(error, e, "features", FTL_CORRUPT,
                             "the options of element %zu are no dict", i);
    return FTL_OK;
}

static bool is_one_name(const ftl_node *columns)
{
    return columns->kind == FTL_NODE_STR || columns->kind == FTL_NODE_INT ||
           (columns->kind == FTL_NODE_ARRAY && columns->u.array->ndim == 0);
}

/* The names of the columns of one feature: [*n]. */
static ftl_status column_names(ftl_build *build, const ftl_estimator *e, const ftl_node *columns,
                               const char *const **out, size_t *n, ftl_error *error)
{
    ftl_inputs names = {.count = -1};
    char about[160];
    const ftl_node *list = ftl_inner_list(columns);
    *n = 0;
    if (is_one_name(columns)) {
        const char **one = ftl_arena_zero_array(build->arena, 1, sizeof *one);
        if (!one || !(one[0] = ftl_name_text(build, columns)))
            return FTL_OOM(error);
        *out = one;
        *n = 1;
        return FTL_OK;
    }
    if (list->kind != FTL_NODE_LIST && list->kind != FTL_NODE_ARRAY)
        return FTL_ATTR_FAIL(error, e, "features", FTL_UNSUPPORTED,
                             "columns are chosen by %s, not by a name or a list of names",
                             ftl_node_describe(columns, about, sizeof about));
    FTL_TRY(ftl_build_spend(build, ftl_node_length(list), error));
    FTL_TRY(ftl_names_of(build, list, &names, error));
    *out = names.names;
    *n = names.count > 0 ? (size_t)names.count : 0;
    return FTL_OK;
}

static bool is_called(const ftl_frame_column *column, const char *name)
{
    return column->name && strcmp(column->name, name) == 0;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* A growing list of names. */
typedef struct name_list {
    const char **names;
    size_t n, room;
} name_list;

static ftl_status add_name(ftl_build *build, name_list *list, const char *name, ftl_error *error)
{
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        const char **names = ftl_arena_zero_array(build->arena, room, sizeof *names);
        if (!names)
            return FTL_OOM(error);
        if (list->n)
            memcpy(names, list->names, list->n * sizeof *names);
        list->names = names;
        list->room = room;
    }
    list->names[list->n++] = name;
    return FTL_OK;
}

static ftl_status add_new_names(ftl_build *build, const char *const *names, size_t n,
                                name_list *list, ftl_error *error)
{
    for (size_t k = 0; k < n; k++) {
        FTL_TRY(ftl_build_spend(build, 1 + list->n / 8, error));
        if (!is_among(names[k], list->names, list->n))
            FTL_TRY(add_name(build, list, names[k], error));
    }
    return FTL_OK;
}

static bool is_callable(const ftl_node *columns)
{
    return ftl_inner_list(columns)->kind == FTL_NODE_OBJECT || columns->kind == FTL_NODE_GLOBAL;
}

/*
 * The names of all columns that features choose, each once. named: without those that a function
 * chose, which the mapper counts among the rest as well.
 */
static ftl_status chosen_names(ftl_build *build, const ftl_estimator *e, ftl_node *const *items,
                               size_t n, bool named, name_list *list, ftl_error *error)
{
    for (size_t i = 0; i < n; i++) {
        feature f;
        const char *const *names = NULL;
        size_t count;
        FTL_TRY(load_feature(e, items, i, &f, error));
        if (named && is_callable(f.columns))
            continue;
        FTL_TRY(column_names(build, e, f.columns, &names, &count, error));
        FTL_TRY(add_new_names(build, names, count, list, error));
    }
    return FTL_OK;
}

/* ---- Transforming ---------------------------------------------------------------------------- */

static ftl_status select_names(ftl_build *build, const ftl_estimator *e, const char *const *names,
                               size_t n, const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t *picked = ftl_arena_array(build->scratch, n, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        uint32_t j = 0;
        FTL_TRY(ftl_build_spend(build, 1 + in->n_columns / 8, error));
        while (j < in->n_columns && !is_called(&in->columns[j], names[k]))
            j++;
        if (j == in->n_columns)
            return FTL_ATTR_FAIL(error, e, "features", FTL_CORRUPT,
                                 "the column '%.100s' is not among the table's", names[k]);
        picked[k] = j;
    }
    return ftl_frame_select(build, in, picked, (uint32_t)n, out, error);
}

/* One after another, as a TransformerPipeline would have them. */
static ftl_status apply_all(ftl_build *build, const ftl_estimator *e, const ftl_node *transformers,
                            const char *path, ftl_frame *frame, ftl_error *error)
{
    ftl_node *one = (ftl_node *)transformers, **items = &one;
    size_t n = 1;
    if (ftl_node_is_none(transformers))
        return FTL_OK;
    bool chain = transformers->kind == FTL_NODE_LIST;
    if (chain) {
        items = transformers->u.seq.items;
        n = transformers->u.seq.size;
    }
    for (size_t i = 0; i < n; i++) {
        ftl_estimator child;
        ftl_frame made = {0};
        const char *at = chain ? ftl_arena_printf(build->arena, "%s[%zu]", path, i) : path;
        FTL_TRY(ftl_estimator_of(build, items[i], e, at, &child, error));
        FTL_TRY(ftl_emit(build, &child, FTL_TRANSFORM, frame, &made, error));
        *frame = made;
    }
    return FTL_OK;
}

static const char *option_text(ftl_build *build, const ftl_node *options, const char *key)
{
    const ftl_node *node = options ? ftl_node_dict_get(&options->u.dict, key) : NULL;
    return ftl_node_is_none(node) ? NULL : ftl_name_text(build, node);
}

/* alias, or the names of the columns with underscores between them. */
static ftl_status base_name(ftl_build *build, const feature *f, const char *const *columns,
                            size_t n, const char **out, ftl_error *error)
{
    enum { LONGEST = 1 << 16 };
    ftl_strbuf text;
    *out = option_text(build, f->options, "alias");
    if (*out)
        return FTL_OK;
    ftl_strbuf_init(&text, build->account, LONGEST);
    for (size_t i = 0; i < n; i++) {
        if (i)
            ftl_strbuf_putc(&text, '_');
        ftl_strbuf_puts(&text, columns[i]);
    }
    /* Names that are too long for anyone are left out. */
    *out = text.failed || !text.data ? ftl_arena_string(build->arena, "", 0)
                                     : ftl_arena_string(build->arena, text.data, text.size);
    ftl_strbuf_free(&text);
    return *out ? FTL_OK : FTL_OOM(error);
}

/* The classes of the last transformer of a chain that has some; NULL: none has as many. */
static const ftl_node *classes_of(const ftl_node *transformers, size_t n)
{
    const ftl_node *steps = ftl_node_attr(transformers, "steps"), *classes = NULL;
    steps = steps ? steps : transformers;
    size_t i = steps->kind == FTL_NODE_LIST ? steps->u.seq.size : 0;
    if (i == 0)
        classes = ftl_node_attr(transformers, "classes_");
    while (!classes && i-- > 0) {
        const ftl_node *step = steps->u.seq.items[i];
        if (step->kind == FTL_NODE_TUPLE && step->u.seq.size == 2)
            step = step->u.seq.items[1];
        classes = ftl_node_attr(step, "classes_");
    }
    return classes && ftl_node_length(classes) == n ? classes : NULL;
}

/*
 * "name", or "name_class" or "name_0", "name_1" …, with prefix and suffix: where the mapper did not
 * keep its own.
 */
static ftl_status name_columns(ftl_build *build, const feature *f, const char *const *columns,
                               size_t n, ftl_frame *frame, ftl_error *error)
{
    const char *base = NULL, *prefix = option_text(build, f->options, "prefix");
    const char *suffix = option_text(build, f->options, "suffix");
    const ftl_node *classes = classes_of(f->transformers, frame->n_columns);
    ftl_inputs names = {.count = -1};
    if (frame->n_columns > FTL_WIDEST_TEXT_OUTPUT)
        return FTL_OK;
    FTL_TRY(base_name(build, f, columns, n, &base, error));
    prefix = prefix ? prefix : "";
    suffix = suffix ? suffix : "";
    if (classes)
        FTL_TRY(ftl_names_of(build, classes, &names, error));
    for (uint32_t k = 0; k < frame->n_columns; k++) {
        const char *made = ftl_arena_printf(build->arena, "_%u", k);
        if (frame->n_columns == 1)
            made = "";
        else if (names.names)
            made = ftl_arena_printf(build->arena, "_%s", names.names[k]);
        if (made)
            made = ftl_arena_printf(build->arena, "%s%s%s%s", prefix, base, made, suffix);
        frame->columns[k].name = made;
        if (!frame->columns[k].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status emit_feature(ftl_build *build, const ftl_estimator *e, const mapper *m, size_t i,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    feature f;
    const char *const *names = NULL;
    size_t n;
    ftl_frame frame;
    const char *path = ftl_child_path(build, e, "built_features[%zu]", i);
    FTL_TRY(load_feature(e, m->items, i, &f, error));
    FTL_TRY(column_names(build, e, f.columns, &names, &n, error));
    FTL_TRY(select_names(build, e, names, n, in, &frame, error));
    FTL_TRY(apply_all(build, e, f.transformers, path, &frame, error));
    FTL_TRY(ftl_frame_concat(build, &frame, 1, out, error));
    return name_columns(build, &f, names, n, out, error);
}

/* The columns that no feature chooses and drop_cols does not name, in the table's order. */
static ftl_status emit_rest(ftl_build *build, const ftl_estimator *e, const mapper *m,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    name_list taken = {0};
    ftl_node **items = NULL;
    size_t n_items = 0;
    ftl_inputs dropped = {.count = -1};
    ftl_frame frame;
    const ftl_node *drop = ftl_attr(e, "drop_cols");
    uint32_t n = 0, *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_items(e, "features", &items, &n_items, error));
    FTL_TRY(chosen_names(build, e, items, n_items, true, &taken, error));
    if (!ftl_node_is_none(drop))
        FTL_TRY(ftl_names_of(build, ftl_inner_list(drop), &dropped, error));
    for (int64_t i = 0; i < dropped.count; i++)
        FTL_TRY(add_name(build, &taken, dropped.names[i], error));
    for (uint32_t j = 0; j < in->n_columns; j++) {
        FTL_TRY(ftl_build_spend(build, 1 + taken.n / 8, error));
        const char *name = in->columns[j].name;
        if (!name || !is_among(name, taken.names, taken.n))
            picked[n++] = j;
    }
    FTL_TRY(ftl_frame_select(build, in, picked, n, &frame, error));
    if (n > 0)
        FTL_TRY(apply_all(build, e, m->fallback, ftl_child_path(build, e, "built_default"), &frame,
                          error));
    return ftl_frame_concat(build, &frame, 1, out, error);
}

/* The names that the library gave its results, when it kept them. */
static ftl_status given_names(ftl_build *build, const ftl_estimator *e, const mapper *m,
                              ftl_frame *frame, ftl_error *error)
{
    ftl_inputs names = {.count = -1};
    const ftl_node *list = ftl_attr(e, "transformed_names_");
    size_t n = ftl_node_length(list);
    if (n != frame->n_columns && m->rest && n > 0 && ftl_node_is_none(m->fallback))
        return FTL_ATTR_FAIL(error, e, "transformed_names_", FTL_UNSUPPORTED,
                             "the mapper made %zu columns of its table, of which %u are found", n,
                             frame->n_columns);
    if (n != frame->n_columns || n > FTL_WIDEST_TEXT_OUTPUT || list->kind != FTL_NODE_LIST)
        return FTL_OK;
    for (size_t i = 0; i < n; i++) {
        if (list->u.seq.items[i]->kind != FTL_NODE_STR)
            return FTL_OK;
    }
    FTL_TRY(ftl_names_of(build, list, &names, error));
    for (uint32_t k = 0; names.names && k < frame->n_columns; k++)
        frame->columns[k].name = names.names[k];
    return FTL_OK;
}

static ftl_status emit_mapper(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    mapper m;
    bool sparse, tables;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load(e, &m, error));
    FTL_TRY(ftl_attr_bool(e, "sparse", false, &sparse, error));
    FTL_TRY(ftl_attr_bool(e, "df_out", false, &tables, error));
    ftl_frame *frames = ftl_arena_zero_array(build->scratch, m.n + 1, sizeof *frames);
    if (!frames)
        return FTL_OOM(error);
    for (size_t i = 0; i < m.n; i++)
        FTL_TRY(emit_feature(build, e, &m, i, in, &frames[i], error));
    if (m.rest)
        FTL_TRY(emit_rest(build, e, &m, in, &frames[m.n], error));
    FTL_TRY(ftl_frame_concat(build, frames, m.n + 1, out, error));
    FTL_TRY(given_names(build, e, &m, out, error));
    out->csc = false;
    if (!sparse) /* a dense array has all its zeros */
        out->sparse = out->zeros_unknown = false;
    if (tables)
        return FTL_OK;
    if (out->n_columns > 1)
        ftl_frame_join_inputs(build, out);
    return ftl_frame_promote(build, e, out, error);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

/* Whether a result's name is that of a feature's only column, or of one of several. */
static bool is_result_of(const char *name, const char *prefix, const char *base, bool one)
{
    size_t p = strlen(prefix), n = strlen(base);
    if (strncmp(name, prefix, p) != 0 || strncmp(name + p, base, n) != 0)
        return false;
    return one ? name[p + n] == '\0' : name[p + n] == '_';
}

/*
 * default=None keeps the names of the columns that no feature chooses: they stand behind those of
 * the features' results. Should one of them look like a result, the count of columns tells later.
 */
static ftl_status rest_names(ftl_build *build, const ftl_estimator *e, const mapper *m,
                             name_list *list, ftl_error *error)
{
    ftl_inputs given = {.count = -1};
    int64_t at = 0;
    FTL_TRY(ftl_names_of(build, ftl_attr(e, "transformed_names_"), &given, error));
    for (size_t i = 0; i < m->n && given.count > 0; i++) {
        feature f;
        const char *const *names = NULL, *base = NULL;
        size_t n;
        FTL_TRY(load_feature(e, m->items, i, &f, error));
        FTL_TRY(column_names(build, e, f.columns, &names, &n, error));
        FTL_TRY(base_name(build, &f, names, n, &base, error));
        const char *prefix = option_text(build, f.options, "prefix");
        prefix = prefix ? prefix : "";
        if (at < given.count && (is_result_of(given.names[at], prefix, base, true) ||
                                 option_text(build, f.options, "suffix"))) {
            at++;
            continue;
        }
        while (at < given.count && is_result_of(given.names[at], prefix, base, false))
            at++;
    }
    if (given.count <= 0)
        return FTL_ATTR_FAIL(error, e, "default", FTL_UNSUPPORTED,
                             "the mapper uses all columns of its table, but does not name them");
    return add_new_names(build, given.names + at, (size_t)(given.count - at), list, error);
}

static ftl_status fallback_names(ftl_build *build, const ftl_estimator *e, const mapper *m,
                                 name_list *list, ftl_error *error)
{
    ftl_estimator child;
    ftl_inputs inputs = {.count = -1};
    FTL_TRY(ftl_estimator_of(build, m->fallback, e, ftl_child_path(build, e, "built_default"),
                             &child, error));
    FTL_TRY(ftl_estimator_inputs(build, &child, &inputs, error));
    if (!inputs.names)
        return FTL_ATTR_FAIL(error, e, "default", FTL_UNSUPPORTED,
                             "the mapper uses all columns of its table, but does not name them");
    return add_new_names(build, inputs.names, (size_t)inputs.count, list, error);
}

static ftl_status mapper_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    mapper m;
    name_list list = {0};
    FTL_TRY(load(e, &m, error));
    FTL_TRY(chosen_names(build, e, m.items, m.n, false, &list, error));
    if (m.rest && ftl_node_is_none(m.fallback))
        FTL_TRY(rest_names(build, e, &m, &list, error));
    else if (m.rest)
        FTL_TRY(fallback_names(build, e, &m, &list, error));
    *out = (ftl_inputs){.count = (int64_t)list.n, .names = list.names};
    return FTL_OK;
}

static const char *mapper_detail(ftl_build *build, const ftl_estimator *e)
{
    mapper m;
    return load(e, &m, NULL) == FTL_OK
               ? ftl_arena_printf(build->arena, "%zu feature%s", m.n, m.n == 1 ? "" : "s")
               : NULL;
}

const ftl_estimator_class ftl_mapper_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn_pandas", "DataFrameMapper", emit_mapper, .inputs = mapper_inputs,
                          .detail = mapper_detail, .library = "sklearn-pandas"),
    {0},
};
