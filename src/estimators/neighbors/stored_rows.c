#include "estimators/neighbors/stored_rows.h"

static ftl_status damaged(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "a sparse matrix has a damaged index");
}

/* One row's columns and values; the library sorts them when it fits. */
static bool read_row(const ftl_node_sparse *sparse, int64_t from, int64_t to, uint32_t *column,
                     double *value)
{
    int64_t before = -1;
    for (int64_t k = from; k < to; k++) {
        int64_t at = 0;
        if (!ftl_array_i64_at(sparse->indices->u.array, (size_t)k, &at) ||
            !ftl_array_f64_at(sparse->data->u.array, (size_t)k, &value[k - from]) || at <= before ||
            at > UINT32_MAX)
            return false;
        column[k - from] = (uint32_t)at;
        before = at;
    }
    return true;
}

ftl_status ftl_sparse_rows_read(ftl_build *build, const ftl_node *node, ftl_sparse_rows *out,
                                ftl_error *error)
{
    const ftl_node_sparse *sparse = node->u.sparse;
    size_t stored = sparse->data->u.array->size;
    if (sparse->csc)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "a matrix in compressed columns, not rows");
    if (stored > UINT32_MAX || sparse->rows > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a sparse matrix of %zu values is too large", stored);
    uint32_t *start = ftl_arena_array(build->arena, sparse->rows + 1, sizeof *start),
             *column = ftl_arena_array(build->arena, stored, sizeof *column);
    double *value = ftl_arena_array(build->arena, stored, sizeof *value);
    if (!start || !column || !value)
        return FTL_OOM(error);
    start[0] = 0;
    for (size_t i = 0; i < sparse->rows; i++) {
        int64_t from = 0, to = 0;
        if (!ftl_array_i64_at(sparse->indptr->u.array, i, &from) ||
            !ftl_array_i64_at(sparse->indptr->u.array, i + 1, &to) || from != start[i] ||
            to < from || (uint64_t)to > stored ||
            !read_row(sparse, from, to, column + start[i], value + start[i]))
            return damaged(error);
        start[i + 1] = (uint32_t)to;
    }
    *out = (ftl_sparse_rows){FTL_SIZED(start, start, sparse->rows + 1),
                             FTL_SIZED(column, column, start[sparse->rows]),
                             FTL_SIZED(value, value, start[sparse->rows])};
    return FTL_OK;
}
