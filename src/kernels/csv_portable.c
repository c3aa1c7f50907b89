#include "kernels/csv_impl.h"

#define CSV_NAME(name) ftl_csv_##name##_portable

/* Of eight bytes, the first one's bit lowest: whether it is c, of which there are eight. */
CSV_INLINE uint64_t csv_equal(uint64_t bytes, uint64_t c)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    bytes ^= c;
    uint64_t hits = ~(((bytes & low7) + low7) | bytes | low7);
    return (hits >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

CSV_INLINE csv_bytes csv_find(const uint8_t *data, uint8_t delimiter)
{
    const uint64_t eight = UINT64_C(0x0101010101010101);
    csv_bytes out = {0};
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t bytes = 0;
        for (unsigned k = 0; k < 8; k++)
            bytes |= (uint64_t)data[i + k] << 8 * k;
        out.delimiters |= csv_equal(bytes, delimiter * eight) << i;
        out.feeds |= csv_equal(bytes, '\n' * eight) << i;
        out.returns |= csv_equal(bytes, '\r' * eight) << i;
        out.quotes |= csv_equal(bytes, '"' * eight) << i;
    }
    return out;
}

CSV_INLINE void csv_put_ends(uint64_t bits, size_t base, uint32_t *ends)
{
    for (; bits; bits &= bits - 1)
        *ends++ = (uint32_t)(base + (size_t)__builtin_ctzll(bits));
}

CSV_INLINE bool csv_short(const uint8_t *end, size_t size, char decimal, double *out)
{
    return ftl_parse_f64((const char *)end - size, size, decimal, out);
}

#include "kernels/csv_body.h"
