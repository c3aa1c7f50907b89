/*
 * The k smallest of a stream of values, with the numbers that came with them: a max-heap of fixed
 * size, as scikit-learn's trees and reductions keep one. Which of several equal values stay, and in
 * what order they come out, follows from the order of arrival alone, as there.
 */
#ifndef FTL_PLAN_NEIGHBOR_HEAP_H
#define FTL_PLAN_NEIGHBOR_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ftl_neighbor_heap {
    uint32_t k;
    double *value;    /* [k] */
    uint32_t *number; /* [k] */
} ftl_neighbor_heap;

void ftl_heap_start(const ftl_neighbor_heap *heap, double largest);
/* Below heap->value[0]; the caller looks first, because almost nothing is. */
void ftl_heap_insert(const ftl_neighbor_heap *heap, double value, uint32_t number);
static inline void ftl_heap_push(const ftl_neighbor_heap *heap, double value, uint32_t number)
{
    if (!(value >= heap->value[0]))
        ftl_heap_insert(heap, value, number);
}
/*
 * n values in their order, with the numbers that came with them; numbers NULL: first, first + 1, …
 * values is readable to a whole number of eight.
 */
void ftl_heap_push_all(const ftl_neighbor_heap *heap, const double *values, size_t n,
                       const uint32_t *numbers, uint32_t first);
/* Ascending; insertion: the sort of scikit-learn from 1.9 on, else the one before. */
void ftl_heap_sort(const ftl_neighbor_heap *heap, bool insertion);

#endif
