#include "kernels/csv_impl.h"

#include <immintrin.h>

#define CSV_NAME(name) ftl_csv_##name##_avx2

CSV_INLINE uint64_t csv_equal(const __m256i *v, uint8_t c)
{
    const __m256i wanted = _mm256_set1_epi8((char)c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v[0], wanted));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v[1], wanted));
    return low | (uint64_t)high << 32;
}

CSV_INLINE csv_bytes csv_find(const uint8_t *data, uint8_t delimiter)
{
    const __m256i v[2] = {_mm256_loadu_si256((const void *)data),
                          _mm256_loadu_si256((const void *)(data + 32))};
    return (csv_bytes){csv_equal(v, delimiter), csv_equal(v, '\n'), csv_equal(v, '\r'),
                       csv_equal(v, '"')};
}

/* Eight at a time: how many there are is hard to foresee, how many eights is not. */
CSV_INLINE void csv_put_ends(uint64_t bits, size_t base, uint32_t *ends)
{
    for (; bits; ends += 8) {
        for (int i = 0; i < 8; i++, bits &= bits - 1)
            ends[i] = (uint32_t)(base + _tzcnt_u64(bits));
    }
}

#include "kernels/csv_vector.h"
