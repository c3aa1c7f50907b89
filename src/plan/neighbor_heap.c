#include "plan/neighbor_heap.h"

#include "kernels/kernels.h"

#include <string.h>

void ftl_heap_start(const ftl_neighbor_heap *heap, double largest)
{
    for (uint32_t i = 0; i < heap->k; i++) {
        heap->value[i] = largest;
        heap->number[i] = 0;
    }
}

void ftl_heap_insert(const ftl_neighbor_heap *heap, double value, uint32_t number)
{
    double *v = heap->value;
    uint64_t at = 0, k = heap->k;
    for (;;) {
        uint64_t left = 2 * at + 1, right = left + 1, next;
        if (left >= k)
            break;
        next = right >= k || v[left] >= v[right] ? left : right;
        if (!(value < v[next]))
            break;
        v[at] = v[next];
        heap->number[at] = heap->number[next];
        at = next;
    }
    v[at] = value;
    heap->number[at] = number;
}

/* What is not below the heap's largest value now will not be later: it is sorted out by kernels. */
void ftl_heap_push_all(const ftl_neighbor_heap *heap, const double *values, size_t n,
                       const uint32_t *numbers, uint32_t first)
{
    enum { step = 64 };
    ftl_distance_below_fn *below = ftl_kernels_get()->distance.below;
    for (size_t at = 0; at < n; at += step) {
        size_t left = n - at < step ? n - at : step;
        uint8_t bits[step / 8];
        below(values + at, ftl_distance_groups(left), heap->value[0], bits);
        for (size_t g = 0; g < ftl_distance_groups(left); g++) {
            for (unsigned mask = bits[g]; mask; mask &= mask - 1) {
                size_t i = at + g * 8 + (unsigned)__builtin_ctz(mask);
                if (i < n)
                    ftl_heap_push(heap, values[i], numbers ? numbers[i] : first + (uint32_t)i);
            }
        }
    }
}

/* ---- Sorting --------------------------------------------------------------------------------- */

typedef struct part {
    double *v;
    uint32_t *number;
    int64_t n;
} part;

static void swap(const part *p, int64_t i, int64_t j)
{
    double v = p->v[i];
    uint32_t number = p->number[i];
    p->v[i] = p->v[j], p->number[i] = p->number[j];
    p->v[j] = v, p->number[j] = number;
}

static part part_of(const part *p, int64_t from, int64_t n)
{
    return (part){.v = p->v + from, .number = p->number + from, .n = n};
}

/* The smallest of first, middle and last to the front, the median to the end. */
static void median_last(const part *p)
{
    int64_t middle = p->n / 2, last = p->n - 1;
    if (p->v[0] > p->v[last])
        swap(p, 0, last);
    if (p->v[last] > p->v[middle]) {
        swap(p, last, middle);
        if (p->v[0] > p->v[last])
            swap(p, 0, last);
    }
}

static void sort_three(const part *p)
{
    if (p->n < 2)
        return;
    if (p->v[0] > p->v[1])
        swap(p, 0, 1);
    if (p->n == 3 && p->v[1] > p->v[2]) {
        swap(p, 1, 2);
        if (p->v[0] > p->v[1])
            swap(p, 0, 1);
    }
}

/* The pivot's final place: smaller values are in front of it. */
static int64_t partition_smaller(const part *p)
{
    median_last(p);
    double pivot = p->v[p->n - 1];
    int64_t at = 0;
    for (int64_t i = 0; i < p->n - 1; i++) {
        if (p->v[i] < pivot)
            swap(p, i, at++);
    }
    swap(p, at, p->n - 1);
    return at;
}

/*
 * The quicksort of scikit-learn before 1.9. Sorting is in place and the two sides do not meet, so
 * their order does not matter: the smaller is sorted by a call, which bounds the depth.
 */
static void sort_quick(part p)
{
    while (p.n > 3) {
        int64_t at = partition_smaller(&p);
        part front = part_of(&p, 0, at), back = part_of(&p, at + 1, p.n - at - 1);
        bool front_is_small = front.n < back.n;
        sort_quick(front_is_small ? front : back);
        p = front_is_small ? back : front;
    }
    sort_three(&p);
}

static void sift_down(const part *p, int64_t root, int64_t end)
{
    for (;;) {
        int64_t child = 2 * root + 1, largest = root;
        if (child < end && p->v[largest] < p->v[child])
            largest = child;
        if (child + 1 < end && p->v[largest] < p->v[child + 1])
            largest = child + 1;
        if (largest == root)
            return;
        swap(p, root, largest);
        root = largest;
    }
}

static void sort_heap(const part *p)
{
    for (int64_t start = (p->n - 2) / 2; start >= 0; start--)
        sift_down(p, start, p->n);
    for (int64_t end = p->n - 1; end > 0; end--) {
        swap(p, 0, end);
        sift_down(p, 0, end);
    }
}

static void sort_insertion(const part *p)
{
    for (int64_t i = 1; i < p->n; i++) {
        double v = p->v[i];
        uint32_t number = p->number[i];
        int64_t j = i;
        for (; j > 0 && p->v[j - 1] > v; j--) {
            p->v[j] = p->v[j - 1];
            p->number[j] = p->number[j - 1];
        }
        p->v[j] = v;
        p->number[j] = number;
    }
}

static int64_t partition_both(const part *p)
{
    median_last(p);
    double pivot = p->v[p->n - 1];
    int64_t i = 1, j = p->n - 2;
    for (;;) {
        while (i <= j && p->v[i] < pivot)
            i++;
        while (i <= j && p->v[j] > pivot)
            j--;
        if (i >= j)
            break;
        swap(p, i++, j--);
    }
    swap(p, i, p->n - 1);
    return i;
}

/* Introsort; depth is at most twice the logarithm of the size. */
static void sort_intro(part p, int depth)
{
    while (p.n > 15) {
        if (depth-- <= 0) {
            sort_heap(&p);
            return;
        }
        int64_t at = partition_both(&p);
        sort_intro(part_of(&p, 0, at), depth);
        p = part_of(&p, at + 1, p.n - at - 1);
    }
    sort_insertion(&p);
}

void ftl_heap_sort(const ftl_neighbor_heap *heap, bool insertion)
{
    part all = {.v = heap->value, .number = heap->number, .n = heap->k};
    if (insertion)
        sort_intro(all, 2 * (31 - __builtin_clz(heap->k)));
    else
        sort_quick(all);
}
