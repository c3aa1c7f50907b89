/* Steps of CatBoost models: hashes, matches, target statistics, oblivious trees. */
#include "model/validate.h"

#include <math.h>

ftl_status ftl_validate_category_hash(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error)
{
    (void)scratch;
    if (op->width != n || op->dtype != FTL_DTYPE_F64 || !op->u.category_hash.names ||
        !op->u.category_hash.estimator)
        return FTL_INVALID(error, op, "a step of categories' hashes is malformed");
    return FTL_OK;
}

ftl_status ftl_validate_match(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (op->dtype != FTL_DTYPE_F32 || !op->u.match.columns || !op->u.match.values)
        return FTL_INVALID(error, op, "a match step is malformed");
    for (uint32_t i = 0; i < op->width; i++) {
        if (op->u.match.columns[i] >= n)
            return FTL_INVALID(error, op, "a match is with column %u of %u", op->u.match.columns[i],
                               n);
    }
    return FTL_OK;
}

static bool projection_fits(const ftl_ctr_projection *p, uint32_t n)
{
    bool fits = true;
    for (uint32_t i = 0; i < p->n_hashes; i++)
        fits &= p->hashes[i] < n;
    for (uint32_t i = 0; i < p->n_above; i++)
        fits &= p->above[i].column < n;
    for (uint32_t i = 0; i < p->n_equal; i++)
        fits &= p->equal[i].column < n;
    return fits;
}

/* Searches end: the number of buckets is a power of two, and one is empty. */
static bool table_fits(const ftl_ctr_table *table)
{
    bool fits = table->n_buckets && (table->n_buckets & (table->n_buckets - 1)) == 0, ends = false;
    for (uint32_t i = 0; fits && i < table->n_buckets; i++) {
        bool empty = table->keys[i] == FTL_CTR_EMPTY;
        ends |= empty;
        fits = empty || table->values[i] < table->n_values;
    }
    return fits && ends;
}

ftl_status ftl_validate_ctr(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_ctr_op *ctr = &op->u.ctr;
    if (op->dtype != FTL_DTYPE_F32)
        return FTL_INVALID(error, op, "target statistics are float32");
    for (uint32_t i = 0; i < ctr->n_projections; i++) {
        if (!projection_fits(&ctr->projections[i], n))
            return FTL_INVALID(error, op, "projection %u reads a column that does not exist", i);
    }
    for (uint32_t i = 0; i < ctr->n_tables; i++) {
        if (!table_fits(&ctr->tables[i]))
            return FTL_INVALID(error, op, "table %u of the target statistics is malformed", i);
    }
    for (uint32_t i = 0; i < op->width; i++) {
        if (ctr->features[i].projection >= ctr->n_projections ||
            ctr->features[i].table >= ctr->n_tables || !ctr->features[i].values)
            return FTL_INVALID(error, op, "target statistic %u has no table", i);
    }
    return FTL_OK;
}

static ftl_status check_borders(const ftl_op *op, uint32_t n, ftl_error *error)
{
    const ftl_oblivious_op *o = &op->u.oblivious;
    if (!o->border_start || !o->nan_above || o->border_start[0] != 0)
        return FTL_INVALID(error, op, "oblivious trees have no borders");
    for (uint32_t c = 0; c < n; c++) {
        if (o->border_start[c + 1] < o->border_start[c])
            return FTL_INVALID(error, op, "the borders of column %u are malformed", c);
        for (uint32_t i = o->border_start[c]; i < o->border_start[c + 1]; i++) {
            if (isnan(o->borders[i]) ||
                (i > o->border_start[c] && !(o->borders[i - 1] < o->borders[i])))
                return FTL_INVALID(error, op, "the borders of column %u are not in order", c);
        }
    }
    return FTL_OK;
}

ftl_status ftl_validate_oblivious(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    const ftl_oblivious_op *o = &op->u.oblivious;
    uint64_t values = 0;
    if (op->dtype != FTL_DTYPE_F64 || !o->start || o->start[0] != 0)
        return FTL_INVALID(error, op, "oblivious trees are malformed");
    FTL_TRY(check_borders(op, n, error));
    for (uint32_t t = 0; t < o->n_trees; t++) {
        if (o->start[t + 1] < o->start[t] ||
            o->start[t + 1] - o->start[t] > FTL_OBLIVIOUS_MAX_DEPTH)
            return FTL_INVALID(error, op, "tree %u has too many levels", t);
        for (uint32_t i = o->start[t]; i < o->start[t + 1]; i++) {
            if (o->splits[i] >= o->border_start[n])
                return FTL_INVALID(error, op, "tree %u asks question %u of %u", t, o->splits[i],
                                   o->border_start[n]);
        }
        values += (uint64_t)op->width << (o->start[t + 1] - o->start[t]);
    }
    if (o->leaf_number ? op->width != o->n_trees : values != o->n_values)
        return FTL_INVALID(error, op, "oblivious trees have leaves for another number of outputs");
    return FTL_OK;
}
