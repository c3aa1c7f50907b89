/*
 * OrdinalEncoder, OneHotEncoder, BaseNEncoder, BinaryEncoder and TargetEncoder of the package
 * category_encoders. They encode some columns of a table and hand on the others in their places. A
 * table of zeros and ones whose rows have one 1 at most becomes a one-hot step; other numbers are
 * looked up a column at a time.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/prep/category_mapping.h"

#include <math.h>
#include <string.h>

enum { most_outputs = 1 << 24 };

/* Where an encoded column's outputs are. */
typedef struct place {
    bool is_one_hot;
    uint32_t op, first;
    ftl_as as;
} place;

/* ---- One-hot steps --------------------------------------------------------------------------- */

/* The column of the only 1 among zeros; NONE: all are zeros. False: it is another row. */
static bool hot_column(const double *row, uint32_t width, int32_t *out)
{
    *out = FTL_CODE_NONE;
    for (uint32_t k = 0; row && k < width; k++) {
        if (row[k] == 1 && *out == FTL_CODE_NONE)
            *out = (int32_t)k;
        else if (row[k] != 0)
            return false;
    }
    return row != NULL;
}

static bool is_one_hot(const ftl_category_mapping *m, const ftl_category_coding *coding)
{
    int32_t code;
    if (coding->width == 1 ||
        (!m->refuse_unknown && !hot_column(coding->unknown, coding->width, &code)))
        return false;
    for (uint32_t i = 0; i < coding->categories.count; i++) {
        if (!hot_column(coding->rows[i], coding->width, &code))
            return false;
    }
    return true;
}

static ftl_status one_hot_column(ftl_build *build, const ftl_category_mapping *m,
                                 const ftl_category_coding *coding, ftl_encode_column *out,
                                 ftl_error *error)
{
    uint32_t count = coding->categories.count;
    int32_t *codes = ftl_arena_zero_array(build->arena, count, sizeof *codes);
    if (!codes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < count; i++)
        (void)hot_column(coding->rows[i], coding->width, &codes[i]);
    out->codes = codes;
    out->codes_count = count;
    out->cardinality = coding->width;
    out->unknown = FTL_CODE_REFUSED;
    if (!m->refuse_unknown)
        (void)hot_column(coding->unknown, coding->width, &out->unknown);
    return FTL_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static ftl_status number_column(ftl_build *build, const ftl_category_mapping *m,
                                const ftl_category_coding *coding, uint32_t k,
                                ftl_encode_column *out, ftl_error *error)
{
    uint32_t count = coding->categories.count;
    double *values = ftl_arena_array(build->arena, count, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < count; i++)
        values[i] = coding->rows[i] ? coding->rows[i][k] : (double)NAN;
    out->values = values;
    out->values_count = count;
    out->unknown = m->refuse_unknown ? FTL_CODE_REFUSED : FTL_CODE_NONE;
    out->unknown_value = coding->unknown ? coding->unknown[k] : (double)NAN;
    return FTL_OK;
}

/* Whole numbers are shown as such where none of the column's can be NaN. */
static ftl_as shown_as(const ftl_category_mapping *m, const ftl_category_coding *coding)
{
    bool whole = m->refuse_unknown || coding->unknown;
    for (uint32_t i = 0; i <= coding->categories.count && whole; i++) {
        bool last = i == coding->categories.count;
        const double *row = last ? coding->unknown : coding->rows[i];
        if (last && m->refuse_unknown)
            break;
        whole = row != NULL;
        for (uint32_t k = 0; k < coding->width && whole; k++)
            whole = row[k] == trunc(row[k]) && fabs(row[k]) < 1e15;
    }
    return whole ? FTL_AS_INT : FTL_AS_FLOAT;
}

/* ---- Both steps ------------------------------------------------------------------------------ */

/* A step's columns: the input column of each, its categories, what they become. */
typedef struct group {
    uint32_t n, width;
    uint32_t *picked;
    ftl_category_column *categories;
    ftl_encode_column *encoded;
} group;

static ftl_status group_new(ftl_build *build, uint32_t n, group *out, ftl_error *error)
{
    *out = (group){0};
    out->picked = ftl_arena_array(build->scratch, n, sizeof *out->picked);
    out->categories = ftl_arena_array(build->scratch, n, sizeof *out->categories);
    out->encoded = ftl_arena_zero_array(build->arena, n, sizeof *out->encoded);
    return out->picked && out->categories && out->encoded ? FTL_OK : FTL_OOM(error);
}

static ftl_encode_column *group_add(group *g, const ftl_category_coding *coding)
{
    g->picked[g->n] = coding->source;
    g->categories[g->n] = coding->categories;
    return &g->encoded[g->n++];
}

static ftl_status group_emit(ftl_build *build, const ftl_estimator *e,
                             const ftl_category_mapping *m, const ftl_frame *in, group *g,
                             ftl_op_kind kind, uint32_t *id, ftl_error *error)
{
    ftl_frame picked, sources;
    ftl_op *op = NULL;
    *id = UINT32_MAX;
    if (g->n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, in, g->picked, g->n, &picked, error));
    FTL_TRY(ftl_category_sources(build, e, &picked, g->categories,
                                 m->refuse_missing ? FTL_CHECK_NAN : 0, g->encoded, &sources,
                                 error));
    FTL_TRY(ftl_build_op(build, e, kind, &sources, id, &op, error));
    op->edge = kind == FTL_OP_ONEHOT ? FTL_EDGE_CODED : FTL_EDGE_NUM;
    op->dtype = FTL_DTYPE_F64;
    op->width = g->width;
    op->u.encode = (ftl_encode_op){
        .n_columns = g->n, FTL_SIZED(columns, g->encoded, g->n), .estimator = e->cls->name};
    return FTL_OK;
}

/* How many columns the two steps have. */
static ftl_status count_columns(ftl_build *build, const ftl_estimator *e,
                                const ftl_category_mapping *m, place *places, uint32_t *n_hot,
                                uint32_t *n_numbers, ftl_error *error)
{
    uint64_t outputs = 0, numbers = 0, values = 0;
    *n_hot = 0;
    for (uint32_t j = 0; j < m->n; j++) {
        const ftl_category_coding *coding = &m->columns[j];
        outputs += coding->width;
        places[j] = (place){.is_one_hot = is_one_hot(m, coding), .as = shown_as(m, coding)};
        *n_hot += places[j].is_one_hot ? 1 : 0;
        numbers += places[j].is_one_hot ? 0 : coding->width;
        values += places[j].is_one_hot ? 0 : (uint64_t)coding->width * coding->categories.count;
        if (outputs > most_outputs)
            return FTL_ATTR_FAIL(error, e, "mapping", FTL_LIMIT,
                                 "the encoder yields more than %d columns", (int)most_outputs);
    }
    *n_numbers = (uint32_t)numbers;
    return ftl_build_spend(build, values / 4, error);
}

static ftl_status emit_columns(ftl_build *build, const ftl_estimator *e,
                               const ftl_category_mapping *m, const ftl_frame *in, place *places,
                               ftl_error *error)
{
    group hot, numbers;
    uint32_t n_hot, n_numbers, hot_op, number_op;
    FTL_TRY(count_columns(build, e, m, places, &n_hot, &n_numbers, error));
    FTL_TRY(group_new(build, n_hot, &hot, error));
    FTL_TRY(group_new(build, n_numbers, &numbers, error));
    for (uint32_t j = 0; j < m->n; j++) {
        const ftl_category_coding *coding = &m->columns[j];
        group *g = places[j].is_one_hot ? &hot : &numbers;
        places[j].first = g->width;
        g->width += coding->width;
        if (places[j].is_one_hot)
            FTL_TRY(one_hot_column(build, m, coding, group_add(g, coding), error));
        for (uint32_t k = 0; !places[j].is_one_hot && k < coding->width; k++)
            FTL_TRY(number_column(build, m, coding, k, group_add(g, coding), error));
    }
    FTL_TRY(group_emit(build, e, m, in, &hot, FTL_OP_ONEHOT, &hot_op, error));
    FTL_TRY(group_emit(build, e, m, in, &numbers, FTL_OP_ORDINAL, &number_op, error));
    for (uint32_t j = 0; j < m->n; j++)
        places[j].op = places[j].is_one_hot ? hot_op : number_op;
    return FTL_OK;
}

/* ---- The table that comes out ---------------------------------------------------------------- */

/* The encoded columns in the places of theirs, the others between them. */
static ftl_status assemble(ftl_build *build, const ftl_category_mapping *m, const ftl_frame *in,
                           const place *places, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    uint32_t n = m->n_inputs - m->n, at = 0;
    uint32_t *coding_of = ftl_arena_array(build->scratch, m->n_inputs, sizeof *coding_of);
    if (!coding_of)
        return FTL_OOM(error);
    memset(coding_of, 0xff, m->n_inputs * sizeof *coding_of);
    for (uint32_t j = 0; j < m->n; j++) {
        coding_of[m->columns[j].source] = j;
        n += m->columns[j].width;
    }
    FTL_TRY(ftl_frame_new(build, n, &frame, error));
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        uint32_t j = coding_of[i];
        if (j == UINT32_MAX) {
            frame.columns[at] = in->columns[i];
            frame.columns[at].name = m->labels[i];
            /* A column of a table keeps its type, whatever stands beside it. */
            if (build->named_inputs && build->ops[in->columns[i].op].kind == FTL_OP_INPUT)
                frame.columns[at].as = FTL_AS_CELL;
            at++;
            continue;
        }
        for (uint32_t k = 0; k < m->columns[j].width; k++) {
            if (m->n_dropped && ftl_category_is_dropped(m, m->columns[j].names[k]))
                continue;
            frame.columns[at++] = (ftl_frame_column){.op = places[j].op,
                                                     .column = places[j].first + k,
                                                     .name = m->columns[j].names[k],
                                                     .as = places[j].as};
        }
    }
    frame.n_columns = at;
    *out = frame;
    return FTL_OK;
}

static ftl_status emit_encoder(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_category_mapping *m = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_category_mapping_read(build, e, &m, error));
    FTL_TRY(ftl_frame_expect(e, in, m->n_inputs, error));
    place *places = ftl_arena_zero_array(build->scratch, m->n, sizeof *places);
    if (!places)
        return FTL_OOM(error);
    FTL_TRY(emit_columns(build, e, m, in, places, error));
    return assemble(build, m, in, places, out, error);
}

static ftl_status encoder_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    const ftl_category_mapping *m = NULL;
    FTL_TRY(ftl_category_mapping_read(build, e, &m, error));
    *out = (ftl_inputs){.count = m->n_inputs, .names = m->named ? m->labels : NULL};
    return FTL_OK;
}

static const char *encoder_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_category_mapping *m = NULL;
    uint64_t categories = 0;
    if (ftl_category_mapping_read(build, e, &m, NULL) != FTL_OK)
        return "";
    for (uint32_t j = 0; j < m->n; j++)
        categories += m->columns[j].categories.count;
    return ftl_arena_printf(build->arena, "%u column%s of %u, %llu categories", m->n,
                            m->n == 1 ? "" : "s", m->n_inputs, (unsigned long long)categories);
}

/* ---- Classes --------------------------------------------------------------------------------- */

/* Until 2.4 BinaryEncoder holds a BaseNEncoder; later it is one. */
static const ftl_node *inner_encoder(const ftl_estimator *e)
{
    return ftl_attr(e, "base_n_encoder");
}

static ftl_status open_inner(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                             ftl_error *error)
{
    return ftl_estimator_of(build, inner_encoder(e), e, ftl_child_path(build, e, "base_n_encoder"),
                            out, error);
}

static ftl_status emit_binary(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator inner;
    if (!inner_encoder(e))
        return emit_encoder(build, e, method, in, out, error);
    FTL_TRY(open_inner(build, e, &inner, error));
    return ftl_emit(build, &inner, method, in, out, error);
}

static ftl_status binary_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    ftl_estimator inner;
    if (!inner_encoder(e))
        return encoder_inputs(build, e, out, error);
    FTL_TRY(open_inner(build, e, &inner, error));
    return ftl_estimator_inputs(build, &inner, out, error);
}

static const char *binary_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator inner;
    if (!inner_encoder(e))
        return encoder_detail(build, e);
    return open_inner(build, e, &inner, NULL) == FTL_OK ? encoder_detail(build, &inner) : "";
}

#define ENCODER(name_)                                                                        \
    FTL_PLAIN_TRANSFORMER("category_encoders", name_, emit_encoder, .inputs = encoder_inputs, \
                          .detail = encoder_detail, .library = "category_encoders")

const ftl_estimator_class ftl_category_encoder_classes[] = {
    ENCODER("OrdinalEncoder"),
    ENCODER("OneHotEncoder"),
    ENCODER("BaseNEncoder"),
    FTL_PLAIN_TRANSFORMER("category_encoders", "BinaryEncoder", emit_binary,
                          .inputs = binary_inputs, .detail = binary_detail,
                          .library = "category_encoders"),
    ENCODER("TargetEncoder"),
    {0},
};
