/*
 * The domains of sklearn2pmml.decoration: columns come out as they went in, once it is settled
 * which of their values are missing, invalid or outliers and what becomes of those.
 * ContinuousDomain knows the least and the greatest number of training, CategoricalDomain and
 * OrdinalDomain its values; MultiDomain has one for each column.
 */
#include "build/pandas_table.h"
#include "build/transformer.h"
#include "estimators/prep/domain_rules.h"
#include "estimators/prep/encoder_categories.h"

#include <math.h>
#include <string.h>

/* How a column is treated: by numbers, by a set of numbers, by cells. */
enum { as_it_is, by_numbers, by_set, by_cells, n_groups };

typedef struct domain {
    ftl_domain_rules rules;
    uint32_t n;                 /* columns */
    uint8_t *group;             /* [n] */
    bool compares_range;        /* of continuous ones: numbers outside it are invalid */
    const double *low, *high;   /* [n] */
    ftl_category_column *known; /* [n] of others; node NULL: everything is valid */
} domain;

static bool is_continuous(const ftl_estimator *e)
{
    return strcmp(e->cls->name, "ContinuousDomain") == 0;
}

/* ---- What training saw ----------------------------------------------------------------------- */

static ftl_status read_range(ftl_build *build, const ftl_estimator *e, domain *d, ftl_error *error)
{
    d->compares_range = d->rules.checked && ftl_attr(e, "data_min_") && ftl_attr(e, "data_max_");
    if (!d->compares_range)
        return FTL_OK;
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("data_min_"), d->n, &d->low, error));
    return ftl_attr_vector(build, e, FTL_NAMES("data_max_"), d->n, &d->high, error);
}

/* The valid values of column j: an array for one column, a list of arrays for several. */
static ftl_status read_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              uint32_t j, domain *d, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, d->rules.old_items ? "data_" : "data_values_");
    if (d->rules.old_items || !node || node->kind != FTL_NODE_LIST)
        FTL_TRY(ftl_frame_expect(e, in, node ? 1 : d->n, error));
    else {
        FTL_TRY(ftl_frame_expect(e, in, node->u.seq.size, error));
        node = node->u.seq.items[j];
    }
    if (!node || !d->rules.checked)
        return FTL_OK;
    FTL_TRY(ftl_build_spend(build, ftl_node_length(ftl_inner_list(node)), error));
    ftl_status status = ftl_load_category_column(build, ftl_inner_list(node), in->columns[j].name,
                                                 &d->known[j], error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, d->rules.old_items ? "data_" : "data_values_");
    return status;
}

static bool is_text(const ftl_treatment *treatment)
{
    return treatment->rule == FTL_DOMAIN_REPLACED && treatment->value.tag == FTL_CELL_STRING;
}

/* None in the place of NaN is a missing value as before. */
static bool missing_is_kept(const ftl_domain_rules *rules)
{
    return rules->if_missing.rule == FTL_DOMAIN_KEPT ||
           (rules->if_missing.rule == FTL_DOMAIN_REPLACED && rules->n_missing == 0 &&
            rules->if_missing.value.tag == FTL_CELL_MISSING);
}

static bool compares(const domain *d, uint32_t j)
{
    return d->known[j].node && d->rules.if_invalid.rule != FTL_DOMAIN_KEPT;
}

static bool is_idle(const domain *d)
{
    return missing_is_kept(&d->rules) && d->rules.if_low.rule == FTL_DOMAIN_KEPT &&
           d->rules.if_high.rule == FTL_DOMAIN_KEPT &&
           (!d->compares_range || d->rules.if_invalid.rule == FTL_DOMAIN_KEPT);
}

static uint8_t group_of(const ftl_build *build, const domain *d, const ftl_frame_column *source,
                        uint32_t j)
{
    const ftl_op *op = &build->ops[source->op];
    /* Where nothing tells that the values are numbers, cells show them as they came. */
    bool text = !(d->known[j].node ? d->known[j].count > 0 : d->rules.numbers) ||
                d->rules.objects || is_text(&d->rules.if_missing) || is_text(&d->rules.if_invalid);
    for (uint32_t i = 0; i < d->rules.n_missing; i++)
        text = text || d->rules.missing[i].tag == FTL_CELL_STRING;
    if (!compares(d, j) && missing_is_kept(&d->rules))
        return as_it_is;
    if (text || d->known[j].text || d->known[j].large ||
        (op->kind != FTL_OP_INPUT && op->edge == FTL_EDGE_OBJECT))
        return by_cells;
    return compares(d, j) ? by_set : by_numbers;
}

/* ---- Casts ----------------------------------------------------------------------------------- */

/* The name of what dtype= says: "float64", "builtins.str" … */
static const char *dtype_name(const ftl_node *dtype)
{
    ftl_node_string text;
    if (ftl_node_as_str(dtype, &text))
        return text.data;
    if (dtype->kind == FTL_NODE_GLOBAL)
        return dtype->u.global.name;
    if (dtype->kind == FTL_NODE_OBJECT)
        return dtype->u.object->name;
    if (dtype->kind == FTL_NODE_DTYPE && dtype->u.dtype->kind == 'f')
        return dtype->u.dtype->item_size == 8 ? "float64" : "float32";
    return "";
}

/*
 * What a cast does to the numbers of a continuous domain shows only where it rounds. The values of
 * others are compared with what the cast gave in training: whatever else it makes is refused.
 */
static ftl_status check_cast(const ftl_estimator *e, const domain *d, ftl_error *error)
{
    static const char *const harmless[] = {"float",  "float64",  "Float64",
                                           "double", "category", "object"};
    const ftl_node *dtype = ftl_attr(e, "dtype");
    if (ftl_node_is_none(dtype))
        return FTL_OK;
    for (size_t i = 0; i < FTL_ARRAY_LEN(harmless); i++) {
        if (strcmp(dtype_name(dtype), harmless[i]) == 0)
            return FTL_OK;
    }
    bool refused = !is_continuous(e) && d->rules.if_invalid.rule == FTL_DOMAIN_REFUSED &&
                   strcmp(dtype_name(dtype), "CategoricalDtype") != 0;
    for (uint32_t j = 0; refused && j < d->n; j++)
        refused = d->known[j].node != NULL;
    return refused ? FTL_OK
                   : FTL_ATTR_FAIL(error, e, "dtype", FTL_UNSUPPORTED,
                                   "%s(dtype=…) with a cast other than to float or category",
                                   e->cls->name);
}

static ftl_status load(ftl_build *build, const ftl_estimator *e, const ftl_frame *in, domain *d,
                       ftl_error *error)
{
    *d = (domain){.n = in->n_columns};
    FTL_TRY(ftl_domain_rules_read(build, e, is_continuous(e), &d->rules, error));
    d->group = ftl_arena_zero_array(build->scratch, d->n, sizeof *d->group);
    d->known = ftl_arena_zero_array(build->scratch, d->n, sizeof *d->known);
    if (!d->group || !d->known)
        return FTL_OOM(error);
    if (is_continuous(e))
        FTL_TRY(read_range(build, e, d, error));
    for (uint32_t j = 0; j < d->n; j++) {
        if (!is_continuous(e))
            FTL_TRY(read_values(build, e, in, j, d, error));
        d->group[j] = !is_continuous(e) ? group_of(build, d, &in->columns[j], j)
                      : is_idle(d)      ? as_it_is
                                        : by_numbers;
    }
    return check_cast(e, d, error);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static ftl_status number_column(ftl_build *build, const ftl_estimator *e, const domain *d,
                                uint32_t j, ftl_domain_column *out, ftl_error *error)
{
    const ftl_domain_rules *rules = &d->rules;
    double *missing = ftl_arena_array(build->arena, rules->n_missing, sizeof *missing);
    if (!missing)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_spend(build, rules->n_missing, error));
    for (uint32_t i = 0; i < rules->n_missing; i++) {
        if (rules->missing[i].tag == FTL_CELL_STRING)
            return FTL_ATTR_FAIL(error, e, "missing_values", FTL_UNSUPPORTED,
                                 "a text among numbers");
        missing[i] = ftl_cell_number(&rules->missing[i]);
    }
    if (is_text(&rules->if_missing) || is_text(&rules->if_invalid))
        return FTL_ATTR_FAIL(error, e, "missing_value_replacement", FTL_UNSUPPORTED,
                             "a text among numbers");
    *out = (ftl_domain_column){.nan_is_missing = rules->nan_is_missing,
                               .n_missing = rules->n_missing,
                               FTL_SIZED(missing, missing, rules->n_missing),
                               .low = d->low ? d->low[j] : -(double)INFINITY,
                               .high = d->high ? d->high[j] : (double)INFINITY,
                               .outlier_low = rules->outlier_low,
                               .outlier_high = rules->outlier_high,
                               .if_missing = rules->if_missing.rule,
                               .if_invalid = rules->if_invalid.rule,
                               .if_low = rules->if_low.rule,
                               .if_high = rules->if_high.rule,
                               .missing_value = ftl_cell_number(&rules->if_missing.value),
                               .invalid_value = ftl_cell_number(&rules->if_invalid.value),
                               .low_value = ftl_cell_number(&rules->if_low.value),
                               .high_value = ftl_cell_number(&rules->if_high.value)};
    /* Where nothing is compared, NaN that is no missing value is valid. */
    if (!d->compares_range)
        out->if_invalid = FTL_DOMAIN_KEPT;
    return FTL_OK;
}

static ftl_status emit_numbers(ftl_build *build, const ftl_estimator *e, const domain *d,
                               const ftl_frame *group, const uint32_t *picked, uint32_t *id,
                               ftl_error *error)
{
    uint32_t n = group->n_columns;
    ftl_op *op = NULL;
    ftl_domain_column *columns = ftl_arena_zero_array(build->arena, n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++) {
        FTL_TRY(number_column(build, e, d, picked[k], &columns[k], error));
        columns[k].name = group->columns[k].name;
    }
    FTL_TRY(ftl_build_matrix(build, e, group, id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_DOMAIN, *id, n, id, &op, error));
    op->u.domain = (ftl_domain_op){FTL_SIZED(columns, columns, n), .estimator = e->cls->name};
    return FTL_OK;
}

/* ---- Known values ---------------------------------------------------------------------------- */

/* What each value that can be met becomes. */
typedef struct table {
    uint32_t n;
    ftl_cell *from, *to; /* [n], to: [n + 1] */
    int32_t *codes;      /* [n] */
} table;

static void add(table *t, const ftl_cell *from, const ftl_treatment *treatment)
{
    t->from[t->n] = *from;
    t->to[t->n] = treatment->rule == FTL_DOMAIN_REPLACED ? treatment->value : *from;
    t->codes[t->n++] = treatment->rule == FTL_DOMAIN_REFUSED ? FTL_CODE_REFUSED : 0;
}

/* Missing values come first: the first of two equal ones is found. */
static ftl_status make_table(ftl_build *build, const domain *d, uint32_t j, table *out,
                             ftl_error *error)
{
    const ftl_treatment valid = {.rule = FTL_DOMAIN_KEPT};
    const ftl_cell none = {.tag = FTL_CELL_MISSING};
    const ftl_category_column *known = &d->known[j];
    size_t room = (size_t)d->rules.n_missing + known->count + 2;
    *out = (table){.from = ftl_arena_zero_array(build->arena, room, sizeof *out->from),
                   .to = ftl_arena_zero_array(build->arena, room, sizeof *out->to),
                   .codes = ftl_arena_zero_array(build->arena, room, sizeof *out->codes)};
    if (!out->from || !out->to || !out->codes)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_spend(build, room, error));
    for (uint32_t i = 0; i < d->rules.n_missing; i++)
        add(out, &d->rules.missing[i], &d->rules.if_missing);
    if (d->rules.nan_is_missing)
        add(out, &none, &d->rules.if_missing);
    for (uint32_t i = 0; compares(d, j) && i < known->count; i++) {
        if (known->cells[i].tag != FTL_CELL_MISSING) /* NaN equals nothing */
            add(out, &known->cells[i], &valid);
    }
    out->to[out->n] = d->rules.if_invalid.value;
    return FTL_OK;
}

static ftl_status encode_column(ftl_build *build, const domain *d, uint32_t j, bool numbers,
                                ftl_encode_column *out, ftl_error *error)
{
    table t;
    FTL_TRY(make_table(build, d, j, &t, error));
    *out = (ftl_encode_column){FTL_SIZED(codes, t.codes, t.n),
                               .unknown = !compares(d, j) ? 0
                                          : d->rules.if_invalid.rule == FTL_DOMAIN_REFUSED
                                              ? FTL_CODE_REFUSED
                                              : FTL_CODE_NONE};
    if (!numbers) {
        out->categories = (ftl_categories){.count = t.n, FTL_SIZED(cells, t.from, t.n)};
        out->cells = t.to;
        out->cells_count = t.n + 1;
        return FTL_OK;
    }
    double *from = ftl_arena_array(build->arena, t.n, sizeof *from);
    double *to = ftl_arena_array(build->arena, t.n, sizeof *to);
    if (!from || !to)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < t.n; i++) {
        from[i] = ftl_cell_number(&t.from[i]);
        to[i] = ftl_cell_number(&t.to[i]);
    }
    out->categories = (ftl_categories){
        .count = t.n, .numeric = true, FTL_SIZED(numbers, from, t.n)};
    out->values = to;
    out->values_count = t.n;
    out->unknown_value = ftl_cell_number(&t.to[t.n]);
    return FTL_OK;
}

static bool any_number(const ftl_category_column *known, const ftl_domain_rules *rules)
{
    bool any = known->number || !known->node;
    for (uint32_t i = 0; i < rules->n_missing; i++)
        any = any || rules->missing[i].tag != FTL_CELL_STRING;
    return any;
}

static ftl_status emit_known(ftl_build *build, const ftl_estimator *e, const domain *d,
                             const ftl_frame *group, const uint32_t *picked, bool numbers,
                             uint32_t *id, ftl_error *error)
{
    uint32_t n = group->n_columns;
    ftl_op *op = NULL;
    ftl_frame sources = *group;
    ftl_encode_column *columns = ftl_arena_zero_array(build->arena, n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++) {
        FTL_TRY(encode_column(build, d, picked[k], numbers, &columns[k], error));
        columns[k].name = group->columns[k].name;
        if (!numbers)
            ftl_build_want(build, group->columns[k].op,
                           any_number(&d->known[picked[k]], &d->rules) ? FTL_KIND_MIXED
                                                                       : FTL_KIND_STRING);
    }
    if (numbers) {
        FTL_TRY(ftl_build_matrix(build, e, group, id, error));
        FTL_TRY(ftl_frame_of_op(build, *id, NULL, &sources, error));
    }
    FTL_TRY(ftl_build_op(build, e, numbers ? FTL_OP_ORDINAL : FTL_OP_DOMAIN_OBJECT, &sources, id,
                         &op, error));
    op->edge = numbers ? FTL_EDGE_NUM : FTL_EDGE_OBJECT;
    op->u.encode = (ftl_encode_op){
        .n_columns = n, FTL_SIZED(columns, columns, n), .estimator = e->cls->name};
    return FTL_OK;
}

/* ---- Domains --------------------------------------------------------------------------------- */

static void note_missing(ftl_build *build, const domain *d, const ftl_frame *in)
{
    bool refused = d->rules.nan_is_missing ? d->rules.if_missing.rule == FTL_DOMAIN_REFUSED
                                           : d->rules.if_invalid.rule == FTL_DOMAIN_REFUSED;
    for (uint32_t j = 0; refused && j < d->n; j++) {
        if (d->group[j] != as_it_is)
            ftl_build_missing(build, &in->columns[j], FTL_MISSING_REFUSED);
    }
}

/* Columns of one group become those of an operation. */
static ftl_status emit_group(ftl_build *build, const ftl_estimator *e, const domain *d,
                             uint8_t which, ftl_frame *frame, ftl_error *error)
{
    uint32_t *picked = ftl_arena_array(build->scratch, d->n, sizeof *picked);
    uint32_t n = 0, id = 0;
    ftl_frame group;
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < d->n; j++) {
        if (d->group[j] == which)
            picked[n++] = j;
    }
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, frame, picked, n, &group, error));
    if (which == by_numbers)
        FTL_TRY(emit_numbers(build, e, d, &group, picked, &id, error));
    else
        FTL_TRY(emit_known(build, e, d, &group, picked, which == by_set, &id, error));
    for (uint32_t k = 0; k < n; k++) {
        ftl_frame_column *column = &frame->columns[picked[k]];
        column->op = id;
        column->column = k;
        column->as = which == by_cells ? FTL_AS_CELL : FTL_AS_FLOAT;
        column->exact = NULL;
    }
    return FTL_OK;
}

static ftl_status emit_groups(ftl_build *build, const ftl_estimator *e, const domain *d,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (in->sparse)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s on a sparse matrix", e->cls->name);
    FTL_TRY(ftl_frame_concat(build, in, 1, out, error));
    for (uint8_t which = by_numbers; which < n_groups; which++)
        FTL_TRY(emit_group(build, e, d, which, out, error));
    note_missing(build, d, in);
    return FTL_OK;
}

static ftl_status emit_domain(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    domain d;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load(build, e, in, &d, error));
    return emit_groups(build, e, &d, in, out, error);
}

static ftl_status domain_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    const ftl_node *several = ftl_attr(e, "data_values_"), *range = ftl_attr(e, "data_min_");
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    if (out->count >= 0)
        return FTL_OK;
    if (several && several->kind == FTL_NODE_LIST)
        out->count = (int64_t)several->u.seq.size;
    else if (several || ftl_attr(e, "data_"))
        out->count = 1;
    else if (range && range->kind == FTL_NODE_ARRAY && range->u.array->ndim <= 1)
        out->count = (int64_t)range->u.array->size;
    return FTL_OK;
}

/* ---- CategoricalImputer of sklearn_pandas ----------------------------------------------------- */

/* fill_ in the place of missing_values: "NaN", None and NaN are NaN and None, anything else itself.
 */
static ftl_status emit_imputer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    domain d = {.n = in->n_columns};
    ftl_treatment *fill = &d.rules.if_missing;
    ftl_cell *missing = ftl_arena_zero_array(build->arena, 1, sizeof *missing);
    d.group = ftl_arena_zero_array(build->scratch, d.n, sizeof *d.group);
    d.known = ftl_arena_zero_array(build->scratch, d.n, sizeof *d.known);
    if (!missing || !d.group || !d.known)
        return FTL_OOM(error);
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_cell(build, e, "missing_values", missing, error));
    FTL_TRY(ftl_attr_cell(build, e, ftl_attr(e, "fill_") ? "fill_" : "fill", &fill->value, error));
    if (fill->value.tag == FTL_CELL_MISSING)
        return FTL_ATTR_FAIL(error, e, "fill_", FTL_CORRUPT, "there is no value to fill in");
    fill->rule = FTL_DOMAIN_REPLACED;
    d.rules.missing = missing;
    d.rules.nan_is_missing = missing->tag == FTL_CELL_MISSING ||
                             ftl_attr_is(e, "missing_values", "NaN");
    d.rules.n_missing = d.rules.nan_is_missing ? 0 : 1;
    d.rules.numbers = fill->value.tag != FTL_CELL_STRING;
    d.rules.outlier_low = -(double)INFINITY;
    d.rules.outlier_high = (double)INFINITY;
    for (uint32_t j = 0; j < d.n; j++)
        d.group[j] = group_of(build, &d, &in->columns[j], j);
    return emit_groups(build, e, &d, in, out, error);
}

/* ---- One for each column --------------------------------------------------------------------- */

static ftl_status emit_multi(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_items(e, "domains", &items, &n, error));
    FTL_TRY(ftl_frame_expect(e, in, n, error));
    ftl_frame *frames = ftl_arena_zero_array(build->scratch, n, sizeof *frames);
    if (!frames)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n; j++) {
        ftl_estimator child;
        FTL_TRY(ftl_frame_select(build, in, &j, 1, &frames[j], error));
        if (ftl_node_is_none(items[j]))
            continue;
        FTL_TRY(ftl_estimator_of(build, items[j], e, ftl_child_path(build, e, "domains[%u]", j),
                                 &child, error));
        ftl_frame one = frames[j];
        FTL_TRY(ftl_emit(build, &child, FTL_TRANSFORM, &one, &frames[j], error));
        FTL_TRY(ftl_frame_expect(e, &frames[j], 1, error));
    }
    return ftl_frame_concat(build, frames, n, out, error);
}

static ftl_status multi_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("domains"), out, error);
}

/* DomainEraser and the like, which only PMML heeds. */
static ftl_status emit_same(ftl_build *build, const ftl_estimator *e, ftl_method method,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    FTL_TRY(ftl_expect_transform(e, method, error));
    return ftl_frame_concat(build, in, 1, out, error);
}

#define TRANSFORMER(package_, name_, emit_, inputs_, library_) \
    FTL_PLAIN_TRANSFORMER(package_, name_, emit_, .inputs = inputs_, .library = (library_))
#define DECORATION(name_, emit_, inputs_) \
    TRANSFORMER("sklearn2pmml.decoration", name_, emit_, inputs_, "sklearn2pmml")

const ftl_estimator_class ftl_domain_classes[] = {
    DECORATION("ContinuousDomain", emit_domain, domain_inputs),
    DECORATION("CategoricalDomain", emit_domain, domain_inputs),
    DECORATION("OrdinalDomain", emit_domain, domain_inputs),
    DECORATION("MultiDomain", emit_multi, multi_inputs),
    DECORATION("ContinuousDomainEraser", emit_same, NULL),
    DECORATION("DiscreteDomainEraser", emit_same, NULL),
    TRANSFORMER("sklearn2pmml.preprocessing", "IdentityTransformer", emit_same, NULL,
                "sklearn2pmml"),
    TRANSFORMER("sklearn_pandas", "CategoricalImputer", emit_imputer, ftl_inputs_one,
                "sklearn-pandas"),
    {0},
};
