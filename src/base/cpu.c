#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CPU_KNOWN = 1 << 30 };

static uint32_t detect(void)
{
    uint32_t flags = 0;
#if defined(__x86_64__)
    /* The compiler's run-time library asks for the operating system's register support (XGETBV)
     * too. */
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        flags |= FTL_CPU_AVX2;
    if ((flags & FTL_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        flags |= FTL_CPU_AVX512;
    if ((flags & FTL_CPU_AVX512) && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("gfni"))
        flags |= FTL_CPU_VBMI;
#endif
    return flags;
}

static uint32_t mask(void)
{
#if defined(FTL_HAVE_CPU_MASK)
    const char *text = getenv("FTL_CPU_MASK");
    if (text && *text >= '0' && *text <= '9') {
        uint32_t value = 0;
        for (; *text >= '0' && *text <= '9' && value < 1000; text++)
            value = value * 10 + (uint32_t)(*text - '0');
        return value;
    }
#endif
    return UINT32_MAX;
}

uint32_t ftl_cpu_flags(void)
{
    /* Threads that race here compute the same value. */
    static _Atomic uint32_t known;
    uint32_t flags = atomic_load_explicit(&known, memory_order_relaxed);
    if (!(flags & CPU_KNOWN)) {
        flags = (detect() & mask()) | CPU_KNOWN;
        atomic_store_explicit(&known, flags, memory_order_relaxed);
    }
    return flags & ~(uint32_t)CPU_KNOWN;
}
