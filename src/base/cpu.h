/* What the processor and the operating system offer, found once. Only kernels.c chooses by it. */
#ifndef FTL_BASE_CPU_H
#define FTL_BASE_CPU_H

#include <stdint.h>

enum {
    FTL_CPU_AVX2 = 1,   /* AVX2, FMA, BMI, BMI2 */
    FTL_CPU_AVX512 = 2, /* AVX-512 F, BW, DQ, VL; implies AVX2 */
    FTL_CPU_VBMI = 4    /* AVX-512 VBMI and GFNI; implies AVX512 */
};

/*
 * Bit set of the above. In builds with tests the environment variable FTL_CPU_MASK, a decimal
 * number read once, switches off every flag that it lacks, so that the whole suite can be run on
 * narrower kernels: 0 is the portable code.
 */
uint32_t ftl_cpu_flags(void);

#endif
