#include "build/numpy_order.h"

#include <stdlib.h>

typedef struct ranked {
    double value;
    uint32_t index;
} ranked;

static int by_value(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

ftl_status ftl_sorted_indices(ftl_build *build, const double *values, size_t n, uint32_t **out,
                              ftl_error *error)
{
    ranked *items = ftl_arena_array(build->scratch, n, sizeof *items);
    uint32_t *indices = ftl_arena_array(build->scratch, n, sizeof *indices);
    if (!items || !indices)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        items[i] = (ranked){values[i], (uint32_t)i};
    qsort(items, n, sizeof *items, by_value);
    for (size_t i = 0; i < n; i++)
        indices[i] = items[i].index;
    *out = indices;
    return FTL_OK;
}
