/* What the transformer front ends share. */
#include "build/transformer.h"

#include <string.h>

const char **ftl_frame_names(ftl_build *build, const ftl_frame *frame)
{
    const char **names = ftl_arena_zero_array(build->arena, frame->n_columns, sizeof *names);
    if (!names)
        return NULL;
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        names[i] = frame->columns[i].name ? frame->columns[i].name
                                          : ftl_arena_printf(build->arena, "x%u", i);
        if (!names[i])
            return NULL;
    }
    return names;
}

ftl_status ftl_frame_like(ftl_build *build, uint32_t op, const ftl_frame *in, ftl_frame *out,
                          ftl_error *error)
{
    const char **names = ftl_frame_names(build, in);
    if (!names)
        return FTL_OOM(error);
    FTL_TRY(ftl_frame_of_op(build, op, names, out, error));
    ftl_frame_form(in, out);
    return FTL_OK;
}

ftl_status ftl_frame_numbered(ftl_build *build, const ftl_estimator *e, uint32_t op, ftl_frame *out,
                              ftl_error *error)
{
    uint32_t n = build->ops[op].width;
    const char **names = ftl_arena_zero_array(build->arena, n, sizeof *names);
    char *prefix = ftl_arena_string(build->arena, e->cls->name, strlen(e->cls->name));
    if (!names || !prefix)
        return FTL_OOM(error);
    for (char *c = prefix; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    for (uint32_t i = 0; i < n; i++) {
        names[i] = ftl_arena_printf(build->arena, "%s%u", prefix, i);
        if (!names[i])
            return FTL_OOM(error);
    }
    return ftl_frame_of_op(build, op, names, out, error);
}

/* ---- What stands side by side in one numpy array --------------------------------------------- */

static ftl_as wider(ftl_as a, ftl_as b)
{
    static const int rank[] = {[FTL_AS_BOOL] = 1,
                               [FTL_AS_INT] = 2,
                               [FTL_AS_FLOAT] = 3,
                               [FTL_AS_LABEL] = 4,
                               [FTL_AS_CELL] = 5};
    return rank[a] >= rank[b] ? a : b;
}

static void promote_shown(const ftl_build *build, ftl_frame *frame)
{
    ftl_as widest = FTL_AS_BOOL;
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_frame_column *column = &frame->columns[i];
        const ftl_op *op = &build->ops[column->op];
        if ((op->edge == FTL_EDGE_OBJECT && op->kind != FTL_OP_INPUT) || column->as == FTL_AS_LABEL)
            return; /* an object array: every cell keeps its own type */
        widest = wider(widest, op->kind == FTL_OP_INPUT ? FTL_AS_FLOAT : column->as);
    }
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        if (build->ops[frame->columns[i].op].kind != FTL_OP_INPUT)
            frame->columns[i].as = widest;
    }
}

void ftl_frame_join_inputs(const ftl_build *build, ftl_frame *frame)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        if (build->ops[frame->columns[i].op].kind == FTL_OP_INPUT)
            frame->columns[i].as = FTL_AS_CELL;
    }
}

/*
 * True when the op is float64 whatever the dtype of the model's input. Sources come earlier, so one
 * pass over the ops tells.
 */
static ftl_status always_f64(ftl_build *build, bool **out, ftl_error *error)
{
    bool *wide = ftl_arena_zero_array(build->scratch, build->n_ops, sizeof *wide);
    if (!wide)
        return FTL_OOM(error);
    for (size_t i = 0; i < build->n_ops; i++) {
        const ftl_op *op = &build->ops[i];
        wide[i] = op->dtype == FTL_DTYPE_F64;
        for (uint32_t s = 0; op->dtype == FTL_DTYPE_SAME && s < op->n_segments; s++)
            wide[i] = wide[i] || wide[op->segments[s].op];
    }
    *out = wide;
    return FTL_OK;
}

static ftl_status cast_column(ftl_build *build, const ftl_estimator *e, ftl_frame_column *column,
                              uint32_t *cast_of, ftl_error *error)
{
    uint32_t source = column->op;
    if (cast_of[source] == UINT32_MAX) {
        uint32_t id;
        ftl_op *op = NULL;
        FTL_TRY(
            ftl_build_on(build, e, FTL_OP_CAST, source, build->ops[source].width, &id, &op, error));
        op->dtype = FTL_DTYPE_F64;
        cast_of[source] = id;
    }
    column->op = cast_of[source];
    return FTL_OK;
}

static bool any_wide(const ftl_build *build, const ftl_frame *frame, const bool *wide)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        uint32_t op = frame->columns[i].op;
        if (wide[op] && build->ops[op].edge != FTL_EDGE_OBJECT)
            return true;
    }
    return false;
}

ftl_status ftl_frame_promote(ftl_build *build, const ftl_estimator *e, ftl_frame *frame,
                             ftl_error *error)
{
    bool *wide = NULL;
    size_t n_ops = build->n_ops;
    promote_shown(build, frame);
    FTL_TRY(always_f64(build, &wide, error));
    if (!any_wide(build, frame, wide))
        return FTL_OK;
    uint32_t *cast_of = ftl_arena_array(build->scratch, n_ops, sizeof *cast_of);
    if (!cast_of)
        return FTL_OOM(error);
    memset(cast_of, 0xff, n_ops * sizeof *cast_of);
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_op *op = &build->ops[frame->columns[i].op];
        if (op->edge == FTL_EDGE_NUM && op->kind != FTL_OP_INPUT && !wide[frame->columns[i].op])
            FTL_TRY(cast_column(build, e, &frame->columns[i], cast_of, error));
    }
    return FTL_OK;
}

/* ---- Columns of the input that a transformer hands on untouched ------------------------------ */

static bool any_text(const ftl_build *build, const ftl_frame *frame)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        if (build->ops[frame->columns[i].op].edge == FTL_EDGE_OBJECT)
            return true;
    }
    for (size_t i = 0; i < build->n_inputs; i++) {
        if (build->inputs[i].batch_type == FTL_STRING)
            return true;
    }
    return false;
}

/* True and False of a column that stands beside numbers in one array: 1.0 and 0.0. */
static ftl_status numeric_bools(ftl_build *build, const ftl_estimator *e, ftl_frame_column *column,
                                ftl_error *error)
{
    ftl_frame one = {.n_columns = 1, .columns = column};
    uint32_t id;
    FTL_TRY(ftl_build_objects(build, e, &one, &id, error));
    for (int value = 0; value < 2; value++) {
        uint32_t *columns = ftl_arena_zero_array(build->arena, 1, sizeof *columns);
        ftl_cell *fill = ftl_arena_zero_array(build->arena, 1, sizeof *fill);
        ftl_op *op = NULL;
        if (!columns || !fill)
            return FTL_OOM(error);
        FTL_TRY(ftl_build_on(build, e, FTL_OP_IMPUTE_OBJECT, id, 1, &id, &op, error));
        op->edge = FTL_EDGE_OBJECT;
        *fill = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = value};
        op->u.impute_object = (ftl_impute_object_op){
            .missing = {.tag = FTL_CELL_BOOL, .u.integer = value},
            FTL_SIZED(columns, columns, 1),
            FTL_SIZED(fill, fill, 1)};
    }
    column->op = id;
    column->column = 0;
    column->as = FTL_AS_CELL;
    return FTL_OK;
}

/* Numeric input columns beside float64 ones become float64 as well. */
static ftl_status widen_inputs(ftl_build *build, const ftl_estimator *root, ftl_frame *frame,
                               ftl_error *error)
{
    bool *wide = NULL;
    uint32_t n = 0, id;
    ftl_op *op = NULL;
    ftl_frame inputs;
    uint32_t *picked = ftl_arena_array(build->scratch, frame->n_columns, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_op *source = &build->ops[frame->columns[i].op];
        if (source->kind == FTL_OP_INPUT && source->edge == FTL_EDGE_NUM)
            picked[n++] = i;
    }
    FTL_TRY(always_f64(build, &wide, error));
    if (n == 0 || !any_wide(build, frame, wide))
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, frame, picked, n, &inputs, error));
    FTL_TRY(ftl_build_matrix(build, root, &inputs, &id, error));
    FTL_TRY(ftl_build_on(build, root, FTL_OP_CAST, id, n, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    for (uint32_t k = 0; k < n; k++) {
        frame->columns[picked[k]].op = id;
        frame->columns[picked[k]].column = k;
    }
    return FTL_OK;
}

ftl_status ftl_frame_finish(ftl_build *build, const ftl_estimator *root, bool named,
                            ftl_frame *frame, ftl_error *error)
{
    bool text = any_text(build, frame), numbers = false;
    if (frame->n_columns > FTL_WIDEST_TEXT_OUTPUT && ftl_frame_has_sparse(build, frame))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "transform gives %u columns made from text; more than %d are not written "
                        "out. Save the vectorizer in a pipeline with the model that takes them",
                        frame->n_columns, (int)FTL_WIDEST_TEXT_OUTPUT);
    /* Others may refer to the same columns (a transformer can hand on those it was given): a copy
     * is changed. */
    FTL_TRY(ftl_frame_concat(build, frame, 1, frame, error));
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_op *op = &build->ops[frame->columns[i].op];
        numbers = numbers || (op->kind != FTL_OP_INPUT && op->edge != FTL_EDGE_OBJECT);
    }
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        ftl_frame_column *column = &frame->columns[i];
        const ftl_op *op = &build->ops[column->op];
        if (op->kind != FTL_OP_INPUT)
            continue;
        bool used = build->input_used[op->u.input.column];
        if (!used)
            ftl_build_want(build, column->op, named || text ? FTL_KIND_MIXED : FTL_KIND_NUMERIC);
        if (build->ops[column->op].edge == FTL_EDGE_OBJECT && numbers && !used &&
            column->as != FTL_AS_CELL)
            FTL_TRY(numeric_bools(build, root, column, error));
    }
    return widen_inputs(build, root, frame, error);
}

/* ---- Parameters ------------------------------------------------------------------------------ */

static bool number_type_of(char kind, uint32_t size, ftl_number_type *out)
{
    *out = (ftl_number_type){FTL_AS_FLOAT, FTL_DTYPE_F64};
    switch (kind) {
    case 'f':
        if (size == 4)
            out->dtype = FTL_DTYPE_F32;
        return size == 4 || size == 8;
    case 'b':
        out->as = FTL_AS_BOOL;
        return true;
    case 'i':
    case 'u':
        out->as = FTL_AS_INT;
        return true;
    default:
        return false;
    }
}

static bool number_type_named(const char *name, ftl_number_type *out)
{
    static const struct {
        const char *name;
        char kind;
        uint32_t size;
    } known[] = {{"float64", 'f', 8}, {"double", 'f', 8},  {"float", 'f', 8}, {"f8", 'f', 8},
                 {"<f8", 'f', 8},     {"float32", 'f', 4}, {"f4", 'f', 4},    {"<f4", 'f', 4},
                 {"single", 'f', 4},  {"bool", 'b', 1},    {"bool_", 'b', 1}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(known); i++) {
        if (strcmp(name, known[i].name) == 0)
            return number_type_of(known[i].kind, known[i].size, out);
    }
    if (strncmp(name, "int", 3) == 0 || strncmp(name, "uint", 4) == 0)
        return number_type_of('i', 8, out);
    return false;
}

ftl_status ftl_attr_number_type(const ftl_estimator *e, const char *name, ftl_number_type *out,
                                ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, name);
    ftl_node_string text;
    char about[160];
    *out = (ftl_number_type){FTL_AS_FLOAT, FTL_DTYPE_F64};
    if (ftl_node_is_none(node))
        return FTL_OK;
    if (node->kind == FTL_NODE_GLOBAL && number_type_named(node->u.global.name, out))
        return FTL_OK;
    if (node->kind == FTL_NODE_DTYPE &&
        number_type_of(node->u.dtype->kind, node->u.dtype->item_size, out))
        return FTL_OK;
    if (node->kind != FTL_NODE_DTYPE && ftl_node_as_str(node, &text) &&
        number_type_named(text.data, out))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, name, FTL_UNSUPPORTED,
                         "%s=%s is not supported; use float64, float32, bool or an integer type",
                         name, ftl_node_describe(node, about, sizeof about));
}

ftl_status ftl_transformer_weight(const ftl_estimator *e, const char *name, bool *found,
                                  double *weight, ftl_error *error)
{
    const ftl_node *weights = ftl_attr(e, "transformer_weights");
    *found = false;
    if (ftl_node_is_none(weights))
        return FTL_OK;
    if (weights->kind != FTL_NODE_DICT)
        return FTL_ATTR_FAIL(error, e, "transformer_weights", FTL_CORRUPT,
                             "transformer_weights is not a dict");
    const ftl_node *node = ftl_node_dict_get(&weights->u.dict, name);
    if (ftl_node_is_none(node))
        return FTL_OK;
    if (!ftl_node_as_f64(node, weight))
        return FTL_ATTR_FAIL(error, e, "transformer_weights", FTL_CORRUPT,
                             "the weight of '%s' is not a number", name);
    *found = true;
    return FTL_OK;
}

ftl_status ftl_frame_scale(ftl_build *build, const ftl_estimator *e, double weight,
                           ftl_frame *frame, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    ftl_frame out = {0};
    double *vector = ftl_arena_array(build->arena, frame->n_columns, sizeof *vector);
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!vector || !step)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < frame->n_columns; i++)
        vector[i] = weight;
    /* numpy converts a Python number to the array's dtype, so float32 stays float32. */
    *step = (ftl_affine_step){
        .kind = FTL_AFFINE_MUL, .wide = false, FTL_SIZED(vector, vector, frame->n_columns)};
    bool sparse = ftl_frame_has_sparse(build, frame);
    if (sparse)
        FTL_TRY(ftl_build_sparse(build, e, frame, 0, &id, error));
    else
        FTL_TRY(ftl_build_matrix(build, e, frame, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, id, frame->n_columns, &id, &op, error));
    op->edge = sparse ? FTL_EDGE_SPARSE : FTL_EDGE_NUM;
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    FTL_TRY(ftl_frame_like(build, id, frame, &out, error));
    *frame = out;
    return FTL_OK;
}

const char *ftl_name_text(ftl_build *build, const ftl_node *node)
{
    ftl_node_string text;
    int64_t integer;
    if (node && ftl_node_as_str(node, &text))
        return ftl_arena_string(build->arena, text.data, text.size);
    if (node && ftl_node_as_int(node, &integer))
        return ftl_arena_printf(build->arena, "%lld", (long long)integer);
    return "";
}

/* ---- Names ----------------------------------------------------------------------------------- */

bool ftl_gives_tables(const ftl_estimator *e)
{
    const ftl_node *config = ftl_attr(e, "_sklearn_output_config");
    if (!config || config->kind != FTL_NODE_DICT)
        return false;
    const ftl_node *output = ftl_node_dict_get(&config->u.dict, "transform");
    return output && (ftl_node_str_equal(output, "pandas") || ftl_node_str_equal(output, "polars"));
}

/* "{transformer_name}__{feature_name}" and the like. Other braces stay as they are. */
static ftl_status formatted_name(ftl_build *build, const char *format, const char *part,
                                 const char *name, const char **out, ftl_error *error)
{
    enum { LONGEST = 1 << 16 };
    static const char part_field[] = "{transformer_name}", name_field[] = "{feature_name}";
    ftl_strbuf text;
    ftl_strbuf_init(&text, build->account, LONGEST);
    while (*format) {
        if (strncmp(format, part_field, sizeof part_field - 1) == 0) {
            ftl_strbuf_puts(&text, part);
            format += sizeof part_field - 1;
        } else if (strncmp(format, name_field, sizeof name_field - 1) == 0) {
            ftl_strbuf_puts(&text, name);
            format += sizeof name_field - 1;
        } else
            ftl_strbuf_putc(&text, *format++);
    }
    bool is_long = text.failed && text.size + strlen(part) + strlen(name) >= LONGEST;
    *out = text.failed ? NULL
                       : ftl_arena_string(build->arena, text.data ? text.data : "", text.size);
    ftl_strbuf_free(&text);
    if (is_long)
        return FTL_FAIL(error, FTL_LIMIT, "the name of a column is longer than %d bytes",
                        (int)LONGEST);
    return *out ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_frame_prefix(ftl_build *build, const ftl_estimator *e, const char *part,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *verbose = ftl_attr(e, "verbose_feature_names_out");
    const char *format = "{transformer_name}__{feature_name}";
    ftl_node_string text;
    ftl_frame frame;
    bool flag;
    if (verbose && ftl_node_as_bool(verbose, &flag) && !flag)
        format = "{feature_name}";
    else if (verbose && ftl_node_as_str(verbose, &text))
        format = text.data;
    FTL_TRY(ftl_frame_concat(build, in, 1, &frame, error));
    *out = frame;
    if (frame.n_columns > FTL_WIDEST_TEXT_OUTPUT) /* nobody will see the names */
        return FTL_OK;
    for (uint32_t i = 0; i < frame.n_columns; i++) {
        const char *name = frame.columns[i].name ? frame.columns[i].name : "";
        FTL_TRY(formatted_name(build, format, part, name, &frame.columns[i].name, error));
    }
    return FTL_OK;
}

bool ftl_keeps_columns(const ftl_estimator *e)
{
    static const char *const classes[] = {
        "FunctionTransformer", "Normalizer",       "StandardScaler", "MinMaxScaler",
        "MaxAbsScaler",        "RobustScaler",     "OrdinalEncoder", "Binarizer",
        "CategoricalDomain",   "ContinuousDomain", "OrdinalDomain",  "MultiDomain"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(classes); i++) {
        if (strcmp(e->cls->name, classes[i]) == 0)
            return true;
    }
    return false;
}

/* ---- Inputs and methods ---------------------------------------------------------------------- */

void ftl_build_missing(ftl_build *build, const ftl_frame_column *column, ftl_missing_rule rule)
{
    const ftl_op *op = &build->ops[column->op];
    if (op->kind == FTL_OP_INPUT)
        build->inputs[op->u.input.column].missing = rule;
}

uint32_t ftl_transform_only(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_TRANSFORM;
}

ftl_status ftl_expect_transform(const ftl_estimator *e, ftl_method method, ftl_error *error)
{
    if (method == FTL_TRANSFORM)
        return FTL_OK;
    return FTL_FAIL(error, FTL_UNSUPPORTED, "%s has no %s", e->cls->name, ftl_method_name(method));
}

ftl_status ftl_fitted_names(ftl_build *build, const ftl_estimator *e, size_t n, const char ***out,
                            ftl_error *error)
{
    ftl_inputs inputs = {.count = -1};
    const char **names = ftl_arena_zero_array(build->arena, n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    FTL_TRY(ftl_estimator_inputs(build, e, &inputs, error));
    for (size_t j = 0; j < n; j++) {
        bool known = inputs.names && (int64_t)n == inputs.count;
        names[j] = known ? inputs.names[j] : ftl_arena_printf(build->arena, "x%zu", j);
        if (!names[j])
            return FTL_OOM(error);
    }
    *out = names;
    return FTL_OK;
}

ftl_status ftl_inputs_by_length(ftl_build *build, const ftl_estimator *e, const char *const *names,
                                ftl_inputs *out, ftl_error *error)
{
    ftl_inputs found = {.count = -1};
    ftl_estimator_class plain = *e->cls; /* the common rule first: n_features_in_ and its kin */
    ftl_estimator self = *e;
    plain.inputs = NULL;
    self.cls = &plain;
    FTL_TRY(ftl_estimator_inputs(build, &self, &found, error));
    for (const char *const *name = names; found.count < 0 && *name; name++) {
        const ftl_node *node = ftl_attr(e, *name);
        if (!ftl_node_is_none(node) &&
            (node->kind == FTL_NODE_ARRAY || node->kind == FTL_NODE_LIST))
            found.count = (int64_t)ftl_node_length(node);
    }
    *out = found;
    return FTL_OK;
}

ftl_status ftl_inputs_one(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                          ftl_error *error)
{
    (void)build;
    (void)e;
    (void)error;
    *out = (ftl_inputs){.count = 1};
    return FTL_OK;
}

const char *ftl_classes_detail(ftl_build *build, const ftl_estimator *e)
{
    return ftl_arena_printf(build->arena, "%zu classes", ftl_node_length(ftl_attr(e, "classes_")));
}

ftl_status ftl_inputs_by_width(ftl_build *build, const ftl_estimator *e, const char *const *names,
                               ftl_inputs *out, ftl_error *error)
{
    ftl_inputs found = {.count = -1};
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), &found, error));
    for (const char *const *name = names; found.count < 0 && *name; name++) {
        const ftl_node *node = ftl_attr(e, *name);
        if (node && node->kind == FTL_NODE_ARRAY && node->u.array->ndim == 2)
            found.count = (int64_t)node->u.array->shape[1];
    }
    *out = found;
    return FTL_OK;
}
