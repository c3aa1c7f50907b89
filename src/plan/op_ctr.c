/*
 * CTR: CatBoost's target statistics. A projection folds a row's categories, comparisons and matches
 * into a key, hash = M (hash + M item) modulo 2^64; the key's place in a table gives each feature's
 * value.
 */
#include "plan/plan.h"

#include <math.h>

static const uint64_t multiplier = 0x4906ba494954cb65;

/* Where a source column is. */
typedef struct place {
    uint32_t segment, column;
} place;

typedef struct ctr_state {
    const place *places;   /* [source columns] */
    const uint32_t *order; /* [width] features by projection, then table */
} ctr_state;

static uint64_t fold(uint64_t key, uint64_t item) { return multiplier * (key + multiplier * item); }

static void read_column(const ftl_step *step, ftl_exec *exec, uint32_t column, double *out)
{
    const ctr_state *state = step->state;
    ftl_read_f64(step, exec, state->places[column].segment, state->places[column].column, out, 1);
}

/* A column of hashes as CATEGORY_HASH yields them. Another column's numbers are hashes of nothing.
 */
static uint32_t hash_of(double value)
{
    return value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void make_keys(const ftl_step *step, ftl_exec *exec, const ftl_ctr_projection *p,
                      double *column, uint64_t *keys)
{
    for (uint32_t r = 0; r < exec->rows; r++)
        keys[r] = 0;
    for (uint32_t i = 0; i < p->n_hashes; i++) {
        read_column(step, exec, p->hashes[i], column);
        for (uint32_t r = 0; r < exec->rows; r++) /* the hash is signed there */
            keys[r] = fold(keys[r], (uint64_t)(int64_t)(int32_t)hash_of(column[r]));
    }
    for (uint32_t i = 0; i < p->n_above; i++) {
        read_column(step, exec, p->above[i].column, column);
        for (uint32_t r = 0; r < exec->rows; r++) {
            float x = (float)column[r];
            bool yes = x > p->above[i].border || (isnan(x) && p->above[i].nan_above);
            keys[r] = fold(keys[r], yes);
        }
    }
    for (uint32_t i = 0; i < p->n_equal; i++) {
        read_column(step, exec, p->equal[i].column, column);
        for (uint32_t r = 0; r < exec->rows; r++)
            keys[r] = fold(keys[r], hash_of(column[r]) == p->equal[i].hash);
    }
}

/* The key's value number; UINT32_MAX: it is not there. */
static uint32_t find(const ftl_ctr_table *table, uint64_t key)
{
    uint32_t mask = table->n_buckets - 1;
    for (uint32_t at = (uint32_t)key & mask; table->keys[at] != FTL_CTR_EMPTY;
         at = (at + 1) & mask) {
        if (table->keys[at] == key)
            return table->values[at];
    }
    return UINT32_MAX;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_ctr_op *op = &step->op->u.ctr;
    const ctr_state *state = step->state;
    float *out = ftl_slot(step, exec);
    uint32_t width = step->op->width, projection = UINT32_MAX, table = UINT32_MAX;
    double *column = ftl_scratch(step, exec);
    uint64_t *keys = (uint64_t *)(void *)(column + exec->capacity);
    uint32_t *found = (uint32_t *)(void *)(keys + exec->capacity);
    for (uint32_t i = 0; i < width; i++) {
        uint32_t at = state->order[i];
        const ftl_ctr_feature *f = &op->features[at];
        if (f->projection != projection) {
            projection = f->projection;
            table = UINT32_MAX;
            make_keys(step, exec, &op->projections[projection], column, keys);
        }
        if (f->table != table) {
            table = f->table;
            for (uint32_t r = 0; r < exec->rows; r++)
                found[r] = find(&op->tables[table], keys[r]);
        }
        for (uint32_t r = 0; r < exec->rows; r++)
            out[(size_t)r * width + at] = found[r] == UINT32_MAX ? f->unknown : f->values[found[r]];
    }
}

/* Features by projection, each list in its old order: a counting sort. */
static ftl_status sort_features(ftl_plan *plan, const ftl_ctr_op *op, uint32_t width,
                                const uint32_t **out, ftl_error *error)
{
    uint32_t *order = ftl_blob_data(&plan->blob, width, sizeof *order);
    uint32_t *next = ftl_arena_zero_array(&plan->scratch, (size_t)op->n_projections + 1,
                                          sizeof *next);
    if (!order || !next)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < width; i++)
        next[op->features[i].projection + 1]++;
    for (uint32_t p = 0; p < op->n_projections; p++)
        next[p + 1] += next[p];
    for (uint32_t i = 0; i < width; i++)
        order[next[op->features[i].projection]++] = i;
    *out = order;
    return FTL_OK;
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    uint32_t n = ftl_op_source_columns(step->op), at = 0;
    ctr_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    place *places = ftl_blob_data(&plan->blob, n, sizeof *places);
    if (!state || !places)
        return FTL_OOM(error);
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++)
            places[at++] = (place){s, c};
    }
    state->places = places;
    FTL_TRY(sort_features(plan, &step->op->u.ctr, step->op->width, &state->order, error));
    step->scratch_per_row = sizeof(double) + sizeof(uint64_t) + sizeof(uint32_t);
    step->is_f32 = true;
    ftl_blob_ref(&plan->blob, &state->places);
    ftl_blob_ref(&plan->blob, &state->order);
    step->state = state;
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_ctr_op *ctr = &op->u.ctr;
    const ftl_ctr_table *tables = ctr->tables;
    (void)step;
    ftl_ctr_feature *features = ftl_keep_records(blob, &ctr->features, op->width,
                                                 ftl_ctr_feature_record_());
    for (uint32_t i = 0; features && i < op->width; i++) {
        ftl_blob_borrow(blob, &features[i].values, tables[features[i].table].n_values,
                        sizeof(float));
    }
    ftl_ctr_table *own = ftl_keep_records(blob, &ctr->tables, ctr->n_tables,
                                          ftl_ctr_table_record_());
    for (uint32_t i = 0; own && i < ctr->n_tables; i++) {
        ftl_blob_borrow(blob, &own[i].keys, own[i].n_buckets, sizeof(uint64_t));
        ftl_blob_borrow(blob, &own[i].values, own[i].n_buckets, sizeof(uint32_t));
    }
    ftl_ctr_projection *p = ftl_keep_records(blob, &ctr->projections, ctr->n_projections,
                                             ftl_ctr_projection_record_());
    for (uint32_t i = 0; p && i < ctr->n_projections; i++) {
        ftl_blob_borrow(blob, &p[i].hashes, p[i].n_hashes, sizeof(uint32_t));
        (void)ftl_keep_records(blob, &p[i].above, p[i].n_above, ftl_ctr_above_record_());
        (void)ftl_keep_records(blob, &p[i].equal, p[i].n_equal, ftl_ctr_equal_record_());
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_ctr = {.name = "ctr", .compile = compile, .keep = keep, .bind = bind};
