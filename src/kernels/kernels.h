/*
 * The kernel table: pure functions on arrays, one set per instruction set, chosen once by what the
 * processor offers. Kernels trust their arguments (validate and compile have checked them),
 * allocate nothing and cannot fail. Every set of kernels gives the same bits: the order of each sum
 * is fixed by its length alone, and products are never fused into additions but where a kernel says
 * so.
 *
 * A new kernel is a member here, a portable form, and, where it pays, forms in *_avx2.c and
 * *_avx512.c, which get their flags from the build; nothing else is compiled for more than the base
 * instruction set.
 */
#ifndef FTL_KERNELS_KERNELS_H
#define FTL_KERNELS_KERNELS_H

#include "kernels/csv.h"
#include "kernels/distance.h"
#include "kernels/json.h"
#include "kernels/linear.h"
#include "kernels/oblivious.h"
#include "kernels/rows.h"
#include "kernels/trees.h"
#include "kernels/vmath.h"

#include <stdint.h>

typedef struct ftl_kernels {
    const char *name; /* portable, avx2, avx512 */
    ftl_linear_kernels linear;
    ftl_tree_kernels trees;
    ftl_distance_kernels distance;
    ftl_oblivious_kernels oblivious;
    ftl_vmath_kernels vmath;
    ftl_rows_kernels rows;
    ftl_csv_kernels csv;
    ftl_json_kernels json;
} ftl_kernels;

const ftl_kernels *ftl_kernels_get(void);
/* The table for a set of FTL_CPU_ flags that this processor has: for tests that compare kernels. */
const ftl_kernels *ftl_kernels_for(uint32_t cpu_flags);

#endif
