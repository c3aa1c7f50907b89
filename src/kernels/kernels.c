#include "kernels/kernels.h"

#include "base/cpu.h"

static const ftl_kernels portable = {
    .name = "portable",
    .linear = FTL_LINEAR_KERNELS(portable),
    .trees = FTL_TREES_KERNELS(portable, NULL),
    .distance = FTL_DISTANCE_KERNELS(portable),
    .oblivious = FTL_OBLIVIOUS_KERNELS(portable),
    .vmath = FTL_VMATH_KERNELS(portable),
    .rows = FTL_ROWS_KERNELS(portable),
    .csv = FTL_CSV_KERNELS(portable),
    .json = {.values = NULL},
};

#if defined(__x86_64__)
static const ftl_kernels avx2 = {
    .name = "avx2",
    .linear = FTL_LINEAR_KERNELS(avx2),
    .trees = FTL_TREES_KERNELS(avx2, ftl_tree_row_masks_avx2),
    .distance = FTL_DISTANCE_KERNELS(avx2),
    .oblivious = FTL_OBLIVIOUS_KERNELS(avx2),
    .vmath = FTL_VMATH_KERNELS(avx2),
    .rows = FTL_ROWS_KERNELS(avx2),
    .csv = FTL_CSV_KERNELS(avx2),
    .json = {.values = ftl_json_values_avx2},
};

static const ftl_kernels avx512 = {
    .name = "avx512",
    .linear = FTL_LINEAR_KERNELS(avx512),
    .trees = FTL_TREES_KERNELS(avx512, ftl_tree_row_masks_avx512),
    .distance = FTL_DISTANCE_KERNELS(avx512),
    .oblivious = FTL_OBLIVIOUS_KERNELS(avx512),
    .vmath = FTL_VMATH_KERNELS(avx512),
    .rows = FTL_ROWS_KERNELS(avx512),
    .csv = FTL_CSV_KERNELS(avx512),
    .json = {.values = ftl_json_values_avx512},
};
#endif

const ftl_kernels *ftl_kernels_for(uint32_t cpu_flags)
{
#if defined(__x86_64__)
    if (cpu_flags & FTL_CPU_AVX512)
        return &avx512;
    if (cpu_flags & FTL_CPU_AVX2)
        return &avx2;
#endif
    (void)cpu_flags;
    return &portable;
}

const ftl_kernels *ftl_kernels_get(void) { return ftl_kernels_for(ftl_cpu_flags()); }
