/* Operations and their memory: new ops, matrices on demand, and what was emitted before. */
#include "base/hash.h"
#include "build/build.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { max_ops = 1 << 20, max_spread = 1 << 20 };

struct ftl_emit_memo {
    const ftl_node *node;
    ftl_method method;
    uint32_t next; /* an older one in the same slot: index + 1; 0: none */
    ftl_frame in, out;
};

/* ---- Operations ------------------------------------------------------------------------------ */

/* Neighbouring columns of one op become one segment. */
static ftl_status make_segments(ftl_build *build, const ftl_frame *sources, ftl_op *op,
                                ftl_error *error)
{
    uint32_t n = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        ftl_segment *segments = NULL;
        if (pass == 1) {
            segments = ftl_arena_array(build->arena, n, sizeof *segments);
            if (!segments)
                return FTL_OOM(error);
            op->segments = segments;
        }
        n = 0;
        for (uint32_t i = 0; i < sources->n_columns; i++) {
            const ftl_frame_column *c = &sources->columns[i];
            const ftl_frame_column *p = i ? c - 1 : NULL;
            if (p && p->op == c->op && p->column + 1 == c->column) {
                if (segments)
                    segments[n - 1].count++;
                continue;
            }
            if (segments)
                segments[n] = (ftl_segment){.op = c->op, .first = c->column, .count = 1};
            n++;
        }
    }
    op->n_segments = n;
    return FTL_OK;
}

ftl_status ftl_build_op(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind,
                        const ftl_frame *sources, uint32_t *id, ftl_op **op, ftl_error *error)
{
    if (build->n_ops >= max_ops)
        return FTL_FAIL(error, FTL_LIMIT, "the model needs more than %d steps", (int)max_ops);
    FTL_TRY(ftl_grow(build->account, &build->ops, &build->ops_room, build->n_ops + 1,
                     sizeof *build->ops, error));
    ftl_op *made = &build->ops[build->n_ops];
    *made = (ftl_op){
        .kind = kind, .edge = FTL_EDGE_NUM, .dtype = FTL_DTYPE_SAME, .path = e ? e->path : ""};
    if (sources) {
        FTL_TRY(make_segments(build, sources, made, error));
        made->width = sources->n_columns;
    }
    *id = (uint32_t)build->n_ops++;
    if (op)
        *op = made;
    return FTL_OK;
}

ftl_status ftl_build_on(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind, uint32_t source,
                        uint32_t width, uint32_t *id, ftl_op **op, ftl_error *error)
{
    ftl_op *made = NULL;
    FTL_TRY(ftl_build_op(build, e, kind, NULL, id, &made, error));
    ftl_segment *segment = ftl_arena_alloc(build->arena, sizeof *segment);
    if (!segment)
        return FTL_OOM(error);
    *segment = (ftl_segment){.op = source, .count = build->ops[source].width};
    made->segments = segment;
    made->n_segments = 1;
    made->width = width;
    if (op)
        *op = made;
    return FTL_OK;
}

ftl_status ftl_emit_as_missing(ftl_build *build, const ftl_estimator *e, double value, uint32_t *id,
                               ftl_error *error)
{
    uint32_t width = build->ops[*id].width;
    uint32_t *columns = ftl_arena_array(build->arena, width, sizeof *columns);
    double *fill = ftl_arena_array(build->arena, width, sizeof *fill);
    ftl_op *op = NULL;
    if (!columns || !fill)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < width; j++) {
        columns[j] = j;
        fill[j] = (double)NAN;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_IMPUTE, *id, width, id, &op, error));
    op->u.impute = (ftl_impute_op){
        .missing_value = value, FTL_SIZED(columns, columns, width), FTL_SIZED(fill, fill, width)};
    return FTL_OK;
}

static bool both_numeric(ftl_column_kind a, ftl_column_kind b)
{
    return (a == FTL_KIND_NUMERIC || a == FTL_KIND_BOOL) &&
           (b == FTL_KIND_NUMERIC || b == FTL_KIND_BOOL);
}

void ftl_build_want(ftl_build *build, uint32_t op, ftl_column_kind kind)
{
    ftl_op *input = &build->ops[op];
    if (input->kind != FTL_OP_INPUT)
        return;
    ftl_input_schema *column = &build->inputs[input->u.input.column];
    bool *used = &build->input_used[input->u.input.column];
    if (!*used)
        column->kind = kind;
    else if (column->kind != kind)
        column->kind = both_numeric(column->kind, kind) ? FTL_KIND_NUMERIC : FTL_KIND_MIXED;
    *used = true;
    bool text = column->kind == FTL_KIND_STRING || column->kind == FTL_KIND_MIXED;
    input->edge = text ? FTL_EDGE_OBJECT : FTL_EDGE_NUM;
    column->batch_type = text ? FTL_STRING : FTL_F64;
}

static void want_all(ftl_build *build, const ftl_frame *in, ftl_column_kind kind)
{
    for (uint32_t i = 0; i < in->n_columns; i++)
        ftl_build_want(build, in->columns[i].op, kind);
}

/* The op that the frame is, column for column; UINT32_MAX when it is none. */
static uint32_t whole_op(const ftl_build *build, const ftl_frame *in, ftl_edge_kind edge)
{
    if (in->n_columns == 0)
        return UINT32_MAX;
    uint32_t id = in->columns[0].op;
    const ftl_op *op = &build->ops[id];
    if (op->kind == FTL_OP_INPUT || op->edge != edge || op->width != in->n_columns)
        return UINT32_MAX;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (in->columns[i].op != id || in->columns[i].column != i)
            return UINT32_MAX;
    }
    return id;
}

/*
 * An earlier gather of the same columns, so that two consumers share one matrix. One that rounds,
 * as CatBoost's does to float32, is no other consumer's.
 */
static uint32_t same_gather(const ftl_build *build, ftl_op_kind kind, const ftl_op *wanted)
{
    for (size_t i = 0; i + 1 < build->n_ops; i++) {
        const ftl_op *op = &build->ops[i];
        if (op->kind == kind && op->dtype == wanted->dtype &&
            op->n_segments == wanted->n_segments &&
            memcmp(op->segments, wanted->segments, wanted->n_segments * sizeof *op->segments) == 0)
            return (uint32_t)i;
    }
    return UINT32_MAX;
}

static ftl_status gather(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind,
                         ftl_edge_kind edge, const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    FTL_TRY(ftl_build_spend(build, in->n_columns + build->n_ops / 4, error));
    uint32_t whole = kind == FTL_OP_GATHER_STORED ? UINT32_MAX : whole_op(build, in, edge);
    if (whole != UINT32_MAX) {
        *id = whole;
        return FTL_OK;
    }
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, kind, in, id, &op, error));
    op->edge = edge;
    uint32_t same = same_gather(build, kind, op);
    if (same != UINT32_MAX) {
        build->n_ops--;
        *id = same;
    }
    return FTL_OK;
}

static ftl_status dense_matrix(ftl_build *build, const ftl_estimator *e, ftl_op_kind kind,
                               const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    want_all(build, in, FTL_KIND_NUMERIC);
    if (in->n_columns > max_spread && ftl_frame_has_sparse(build, in))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s needs a dense matrix; one of %u columns made from text is too wide",
                        e && e->cls ? e->cls->name : "the output", in->n_columns);
    return gather(build, e, kind, FTL_EDGE_NUM, in, id, error);
}

ftl_status ftl_build_matrix(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            uint32_t *id, ftl_error *error)
{
    return dense_matrix(build, e, FTL_OP_GATHER, in, id, error);
}

ftl_status ftl_build_objects(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             uint32_t *id, ftl_error *error)
{
    want_all(build, in, FTL_KIND_STRING);
    return gather(build, e, FTL_OP_GATHER_OBJECT, FTL_EDGE_OBJECT, in, id, error);
}

/* CHECK on the whole op. Its columns are called in errors as those of `in`, which it was made of.
 */
static ftl_status add_check(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            uint32_t refuse, uint32_t *id, ftl_error *error)
{
    const uint32_t source = *id;
    const char **names = ftl_arena_zero_array(build->arena, in->n_columns, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < in->n_columns; i++) {
        const ftl_op *op = &build->ops[in->columns[i].op];
        names[i] = in->columns[i].name;
        if ((refuse & FTL_CHECK_NAN) && op->kind == FTL_OP_INPUT)
            build->inputs[op->u.input.column].missing = FTL_MISSING_REFUSED;
    }
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_CHECK, source, in->n_columns, id, &op, error));
    op->edge = build->ops[source].edge;
    op->u.check = (ftl_check_op){.refuse = refuse,
                                 .estimator = e->cls ? e->cls->name : "the estimator",
                                 FTL_SIZED(names, names, in->n_columns)};
    return FTL_OK;
}

ftl_status ftl_build_checked_matrix(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                    uint32_t refuse, uint32_t *id, ftl_error *error)
{
    FTL_TRY(ftl_build_matrix(build, e, in, id, error));
    return refuse ? add_check(build, e, in, refuse, id, error) : FTL_OK;
}

ftl_status ftl_build_stored_matrix(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                   uint32_t refuse, uint32_t *id, ftl_error *error)
{
    ftl_op_kind kind = in->sparse ? FTL_OP_GATHER_STORED : FTL_OP_GATHER;
    if (in->zeros_unknown)
        return FTL_FAIL(
            error, FTL_UNSUPPORTED,
            "%s takes what a sparse matrix does not store for missing; here that is not "
            "known (products of such matrices, splines)",
            e->cls->name);
    FTL_TRY(dense_matrix(build, e, kind, in, id, error));
    return refuse ? add_check(build, e, in, refuse, id, error) : FTL_OK;
}

/* ---- Sparse matrices ------------------------------------------------------------------------- */

bool ftl_frame_has_sparse(const ftl_build *build, const ftl_frame *in)
{
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (build->ops[in->columns[i].op].edge == FTL_EDGE_SPARSE)
            return true;
    }
    return false;
}

/*
 * Whether numbers of the model's input, which may be missing or infinite, went into a sparse op.
 * Counts of words are finite, and stay so. Sources come earlier: one pass tells.
 */
static ftl_status holds_numbers(ftl_build *build, bool **out, ftl_error *error)
{
    bool *holds = ftl_arena_zero_array(build->scratch, build->n_ops, sizeof *holds);
    if (!holds)
        return FTL_OOM(error);
    for (size_t i = 0; i < build->n_ops; i++) {
        const ftl_op *op = &build->ops[i];
        if (op->edge != FTL_EDGE_SPARSE || op->kind == FTL_OP_TEXT)
            continue;
        holds[i] = op->kind == FTL_OP_UFUNC; /* the root of -1, say */
        for (uint32_t s = 0; s < op->n_segments && !holds[i]; s++) {
            ftl_edge_kind edge = build->ops[op->segments[s].op].edge;
            holds[i] = edge == FTL_EDGE_SPARSE ? holds[op->segments[s].op] : edge != FTL_EDGE_CODED;
        }
    }
    *out = holds;
    return FTL_OK;
}

ftl_status ftl_build_sparse(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            uint32_t refuse, uint32_t *id, ftl_error *error)
{
    bool *holds = NULL;
    want_all(build, in, FTL_KIND_NUMERIC);
    FTL_TRY(gather(build, e, FTL_OP_GATHER_SPARSE, FTL_EDGE_SPARSE, in, id, error));
    if (refuse == 0)
        return FTL_OK;
    FTL_TRY(holds_numbers(build, &holds, error));
    return holds[*id] ? add_check(build, e, in, refuse, id, error) : FTL_OK;
}

/* Words of a vocabulary are counted from one; hashes may cancel out, imputers fill in zeros, and
 * the numbers of keys may be zero. */
ftl_status ftl_frame_forget_zeros(ftl_build *build, const ftl_frame *in, ftl_frame *out,
                                  ftl_error *error)
{
    bool *zeros = ftl_arena_zero_array(build->scratch, build->n_ops, sizeof *zeros);
    if (!zeros)
        return FTL_OOM(error);
    for (size_t i = 0; i < build->n_ops; i++) {
        const ftl_op *op = &build->ops[i];
        if (op->edge != FTL_EDGE_SPARSE || op->kind == FTL_OP_BINARIZE)
            continue;
        zeros[i] = op->kind == FTL_OP_IMPUTE || op->kind == FTL_OP_UFUNC ||
                   op->kind == FTL_OP_KEYS || (op->kind == FTL_OP_TEXT && op->u.text.n_hashes);
        for (uint32_t s = 0; s < op->n_segments; s++)
            zeros[i] = zeros[i] || zeros[op->segments[s].op];
    }
    out->zeros_unknown = in->zeros_unknown;
    for (uint32_t i = 0; i < in->n_columns; i++)
        out->zeros_unknown = out->zeros_unknown || zeros[in->columns[i].op];
    return FTL_OK;
}

ftl_status ftl_build_sparse_columns(ftl_build *build, const ftl_estimator *e, ftl_frame *frame,
                                    uint32_t refuse, ftl_error *error)
{
    bool *holds = NULL;
    ftl_frame suspects;
    uint32_t n = 0, id = 0;
    uint32_t *picked = ftl_arena_array(build->scratch, frame->n_columns, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    FTL_TRY(holds_numbers(build, &holds, error));
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        if (holds[frame->columns[i].op])
            picked[n++] = i;
    }
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, frame, picked, n, &suspects, error));
    FTL_TRY(ftl_build_sparse(build, e, &suspects, refuse, &id, error));
    for (uint32_t k = 0; k < n; k++) {
        frame->columns[picked[k]].op = id;
        frame->columns[picked[k]].column = k;
    }
    return FTL_OK;
}

/* ---- Estimators ------------------------------------------------------------------------------ */

const char *ftl_child_path(ftl_build *build, const ftl_estimator *parent, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        return NULL;
    const char *above = parent ? parent->path : "";
    const char *dot = above[0] && text[0] != '[' ? "." : "";
    return ftl_arena_printf(build->arena, "%s%s%s", above, dot, text);
}

uint32_t ftl_estimator_methods(ftl_build *build, const ftl_estimator *estimator)
{
    if (build->depth >= FTL_MAX_NESTING)
        return 0;
    build->depth++;
    uint32_t methods = estimator->cls->methods(build, estimator);
    build->depth--;
    return methods;
}

/* The slot of a node and a method. */
static uint32_t *memo_slot(const ftl_build *build, const ftl_node *node, ftl_method method)
{
    uint64_t hash = ftl_hash_number(ftl_hash_seed(), (uint64_t)(uintptr_t)node + (uint64_t)method);
    return &build->memo_slots[(size_t)hash & (build->memo_slots_room - 1)];
}

void ftl_emit_forget(ftl_build *build, size_t n)
{
    build->n_memo = n;
    if (build->memo_slots_room == 0)
        return;
    memset(build->memo_slots, 0, build->memo_slots_room * sizeof *build->memo_slots);
    for (size_t i = 0; i < n; i++) {
        uint32_t *slot = memo_slot(build, build->memo[i].node, build->memo[i].method);
        build->memo[i].next = *slot;
        *slot = (uint32_t)i + 1;
    }
}

/* Room for one more; there are at least as many slots as entries. */
static ftl_status grow_memo(ftl_build *build, ftl_error *error)
{
    FTL_TRY(ftl_grow(build->account, &build->memo, &build->memo_room, build->n_memo + 1,
                     sizeof *build->memo, error));
    if (build->n_memo < build->memo_slots_room)
        return FTL_OK;
    size_t room = build->memo_slots_room ? 2 * build->memo_slots_room : 64;
    uint32_t *slots = ftl_alloc_zero(build->account, room, sizeof *slots);
    if (!slots)
        return FTL_OOM(error);
    ftl_free(build->account, build->memo_slots);
    build->memo_slots = slots;
    build->memo_slots_room = room;
    ftl_emit_forget(build, build->n_memo);
    return FTL_OK;
}

static bool same_frame(const ftl_frame *a, const ftl_frame *b)
{
    if (a->n_columns != b->n_columns || a->sparse != b->sparse || a->csc != b->csc ||
        a->zeros_unknown != b->zeros_unknown)
        return false;
    for (uint32_t i = 0; i < a->n_columns; i++) {
        if (a->columns[i].op != b->columns[i].op || a->columns[i].column != b->columns[i].column)
            return false;
    }
    return true;
}

/* *out stays NULL when it was not emitted yet. */
static ftl_status emitted(ftl_build *build, const ftl_estimator *estimator, ftl_method method,
                          const ftl_frame *in, const struct ftl_emit_memo **out, ftl_error *error)
{
    uint32_t at = build->memo_slots_room ? *memo_slot(build, estimator->node, method) : 0;
    while (at) {
        const struct ftl_emit_memo *memo = &build->memo[at - 1];
        FTL_TRY(ftl_build_spend(build, 1 + in->n_columns, error));
        if (memo->node == estimator->node && memo->method == method && same_frame(&memo->in, in)) {
            *out = memo;
            return FTL_OK;
        }
        at = memo->next;
    }
    return FTL_OK;
}

ftl_status ftl_emit(ftl_build *build, const ftl_estimator *estimator, ftl_method method,
                    const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const struct ftl_emit_memo *known = NULL;
    FTL_TRY(emitted(build, estimator, method, in, &known, error));
    if (known) {
        *out = known->out;
        return FTL_OK;
    }
    if (build->depth >= FTL_MAX_NESTING)
        return FTL_FAIL(error, FTL_LIMIT, "estimators are nested more than %d deep",
                        (int)FTL_MAX_NESTING);
    build->depth++;
    ftl_frame made = {0};
    ftl_status status = estimator->cls->emit(build, estimator, method, in, &made, error);
    build->depth--;
    if (status != FTL_OK) {
        ftl_error_in(error, estimator->path);
        return status;
    }
    FTL_TRY(grow_memo(build, error));
    uint32_t *slot = memo_slot(build, estimator->node, method);
    build->memo[build->n_memo++] = (struct ftl_emit_memo){estimator->node, method, *slot, *in,
                                                          made};
    *slot = (uint32_t)build->n_memo;
    *out = made;
    return FTL_OK;
}

ftl_status ftl_emit_inverse(ftl_build *build, const ftl_estimator *estimator, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    if (!estimator->cls->inverse)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_METHOD_MISSING, "inverse",
                               "%s has no inverse_transform that foretell runs",
                               estimator->cls->name);
    if (build->depth >= FTL_MAX_NESTING)
        return FTL_FAIL(error, FTL_LIMIT, "estimators are nested more than %d deep",
                        (int)FTL_MAX_NESTING);
    ftl_frame made = {0};
    build->depth++;
    ftl_status status = estimator->cls->inverse(build, estimator, in, &made, error);
    build->depth--;
    if (status != FTL_OK) {
        ftl_error_in(error, estimator->path);
        return status;
    }
    *out = made;
    return FTL_OK;
}
