/* What descriptions do not say of target statistics and oblivious trees. */
#include "model/validate.h"

#include <math.h>

static bool projection_fits(const ftl_ctr_projection *p, uint32_t n)
{
    bool fits = true;
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

ftl_status ftl_check_ctr(const ftl_proof *proof, ftl_error *error)
{
    const ftl_ctr_op *ctr = &proof->op->u.ctr;
    for (uint32_t i = 0; i < ctr->n_projections; i++) {
        if (!projection_fits(&ctr->projections[i], proof->columns))
            return FTL_INVALID(error, "projection %u reads a column that does not exist", i);
    }
    for (uint32_t i = 0; i < ctr->n_tables; i++) {
        if (!table_fits(&ctr->tables[i]))
            return FTL_INVALID(error, "table %u of the target statistics is malformed", i);
    }
    for (uint32_t i = 0; i < proof->op->width; i++) {
        if (ctr->features[i].projection >= ctr->n_projections ||
            ctr->features[i].table >= ctr->n_tables)
            return FTL_INVALID(error, "target statistic %u has no table", i);
    }
    return FTL_OK;
}

static ftl_status check_borders(const ftl_op *op, uint32_t n, ftl_error *error)
{
    const ftl_oblivious_op *o = &op->u.oblivious;
    for (uint32_t c = 0; c < n; c++) {
        for (uint32_t i = o->border_start[c]; i < o->border_start[c + 1]; i++) {
            if (isnan(o->borders[i]) ||
                (i > o->border_start[c] && !(o->borders[i - 1] < o->borders[i])))
                return FTL_INVALID(error, "the borders of column %u are not in order", c);
        }
    }
    return FTL_OK;
}

ftl_status ftl_check_oblivious(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    const ftl_oblivious_op *o = &op->u.oblivious;
    uint64_t values = 0;
    FTL_TRY(check_borders(op, proof->columns, error));
    for (uint32_t t = 0; t < o->n_trees; t++) {
        uint32_t levels = o->start[t + 1] - o->start[t];
        if (levels > FTL_OBLIVIOUS_MAX_DEPTH)
            return FTL_INVALID(error, "tree %u has too many levels", t);
        values += (uint64_t)op->width << levels; /* below 2^40, and it stops before it can wrap */
        if (values > o->n_values && !o->leaf_number)
            break;
    }
    if (o->leaf_number ? op->width != o->n_trees : values != o->n_values)
        return FTL_INVALID(error, "oblivious trees have leaves for another number of outputs");
    return FTL_OK;
}
