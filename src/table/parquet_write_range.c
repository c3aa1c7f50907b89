#include "table/parquet_write_range.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

void ftl_parquet_range_init(ftl_parquet_range *range, ftl_type type)
{
    *range = (ftl_parquet_range){.type = type};
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/*
 * Comparisons with NaN are false, so that it is neither least nor greatest. Several chains, because
 * one would wait for itself.
 */
#define RANGE_OF_FLOATS(name, type, infinity)                                              \
    static void name(ftl_parquet_range *range, const type *values, size_t n, type ends[2]) \
    {                                                                                      \
        enum { CHAINS = 8 };                                                               \
        type least[CHAINS], greatest[CHAINS];                                              \
        size_t nans = 0, i = 0;                                                            \
        for (size_t c = 0; c < CHAINS; c++) {                                              \
            least[c] = infinity;                                                           \
            greatest[c] = -infinity;                                                       \
        }                                                                                  \
        for (; i < n; i += CHAINS) {                                                       \
            size_t part = n - i < CHAINS ? n - i : CHAINS;                                 \
            for (size_t c = 0; c < part; c++) {                                            \
                type value = values[i + c];                                                \
                least[c] = value < least[c] ? value : least[c];                            \
                greatest[c] = value > greatest[c] ? value : greatest[c];                   \
                nans += value != value;                                                    \
            }                                                                              \
        }                                                                                  \
        for (size_t c = 1; c < CHAINS; c++) {                                              \
            least[0] = least[c] < least[0] ? least[c] : least[0];                          \
            greatest[0] = greatest[c] > greatest[0] ? greatest[c] : greatest[0];           \
        }                                                                                  \
        range->nans += nans;                                                               \
        if (nans == n)                                                                     \
            return;                                                                        \
        ends[0] = !range->any || least[0] < ends[0] ? least[0] : ends[0];                  \
        ends[1] = !range->any || greatest[0] > ends[1] ? greatest[0] : ends[1];            \
        range->any = true;                                                                 \
    }

#define RANGE_OF_INTEGERS(name, type)                                                      \
    static void name(ftl_parquet_range *range, const type *values, size_t n, type ends[2]) \
    {                                                                                      \
        type least = range->any ? ends[0] : values[0];                                     \
        type greatest = range->any ? ends[1] : values[0];                                  \
        for (size_t i = 0; i < n; i++) {                                                   \
            least = values[i] < least ? values[i] : least;                                 \
            greatest = values[i] > greatest ? values[i] : greatest;                        \
        }                                                                                  \
        ends[0] = least;                                                                   \
        ends[1] = greatest;                                                                \
        range->any = true;                                                                 \
    }

RANGE_OF_FLOATS(range_f64, double, (double)INFINITY)
RANGE_OF_FLOATS(range_f32, float, (float)INFINITY)
RANGE_OF_INTEGERS(range_i64, int64_t)
RANGE_OF_INTEGERS(range_u64, uint64_t)
RANGE_OF_INTEGERS(range_bool, uint8_t)

void ftl_parquet_range_numbers(ftl_parquet_range *range, const void *values, size_t n)
{
    if (n == 0)
        return;
    switch (range->type) {
    case FTL_F64:
        range_f64(range, values, n, range->ends.f64);
        break;
    case FTL_F32:
        range_f32(range, values, n, range->ends.f32);
        break;
    case FTL_I64:
        range_i64(range, values, n, range->ends.i64);
        break;
    case FTL_U64:
        range_u64(range, values, n, range->ends.u64);
        break;
    default:
        range_bool(range, values, n, range->ends.bools);
    }
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* The first eight bytes, or all there are and zeros, as a number of the same order. */
static uint64_t key_of(const uint8_t *text, size_t size)
{
    uint64_t key = 0;
    if (FTL_LIKELY(size >= sizeof key)) {
        memcpy(&key, text, sizeof key);
    } else if (size >= 4) { /* two loads that overlap */
        uint32_t low, high;
        memcpy(&low, text, sizeof low);
        memcpy(&high, text + size - 4, sizeof high);
        key = low | (uint64_t)high << (size - 4) * 8;
    } else {
        for (size_t i = 0; i < size; i++)
            key |= (uint64_t)text[i] << i * 8;
    }
    return __builtin_bswap64(key);
}

static int compare(const ftl_parquet_bound *bound, uint64_t key, const uint8_t *text, size_t size)
{
    if (bound->key != key)
        return bound->key < key ? -1 : 1;
    int order = memcmp(bound->text, text, bound->size < size ? bound->size : size);
    return order ? order : (bound->size > size) - (bound->size < size);
}

static void set_bound(ftl_parquet_bound *bound, uint64_t key, const uint8_t *text, size_t size,
                      bool cut)
{
    bound->key = key;
    bound->size = size;
    bound->cut = cut;
    memcpy(bound->text, text, size);
}

/*
 * Beginnings of texts are ordered as the texts are, so theirs are enough. Of those that begin as
 * the least does, one that ends there is the least; of the others, one that goes on is the
 * greatest.
 */
void ftl_parquet_range_text(ftl_parquet_range *range, const void *data, size_t size)
{
    const uint8_t *text = data;
    bool cut = size > FTL_PARQUET_BOUND;
    uint64_t key = key_of(text, size);
    size = cut ? FTL_PARQUET_BOUND : size;
    if (FTL_LIKELY(range->any) && key > range->least.key && key < range->greatest.key)
        return;
    int below = range->any ? compare(&range->least, key, text, size) : 1;
    int above = range->any ? compare(&range->greatest, key, text, size) : -1;
    if (below > 0)
        set_bound(&range->least, key, text, size, cut);
    else if (below == 0)
        range->least.cut = range->least.cut && cut;
    if (above < 0)
        set_bound(&range->greatest, key, text, size, cut);
    else if (above == 0)
        range->greatest.cut = range->greatest.cut || cut;
    range->any = true;
}

/* The size without a character that the cut went through. */
static size_t whole_characters(const uint8_t *text, size_t size)
{
    size_t begin = size;
    while (begin > 0 && (text[begin - 1] & 0xc0) == 0x80)
        begin--;
    if (begin == 0)
        return 0;
    return ftl_utf8_length((const char *)text + begin - 1, size - begin + 1) ? size : begin - 1;
}

/*
 * Makes a beginning greater than all texts that begin so: its last character becomes the next one.
 * The size; 0 when there is no such text.
 */
static size_t round_up(uint8_t *text, size_t size)
{
    enum { LAST = 0x10ffff, BEFORE_SURROGATES = 0xd7ff, BEHIND_SURROGATES = 0xe000 };
    while (size > 0) {
        size_t begin = size - 1;
        while (begin > 0 && (text[begin] & 0xc0) == 0x80)
            begin--;
        const char *at = (const char *)text + begin;
        uint32_t code = ftl_utf8_next(&at);
        char next[4];
        if (code < LAST) {
            size_t n = ftl_utf8_put(code == BEFORE_SURROGATES ? BEHIND_SURROGATES : code + 1, next);
            memcpy(text + begin, next, n);
            return begin + n;
        }
        size = begin;
    }
    return 0;
}

static void write_texts(const ftl_parquet_range *range, ftl_thrift_writer *writer)
{
    const ftl_parquet_bound *least = &range->least, *greatest = &range->greatest;
    uint8_t text[FTL_PARQUET_BOUND + 1]; /* the next character may be longer than the last */
    size_t size = greatest->size;
    memcpy(text, greatest->text, size);
    if (greatest->cut)
        size = round_up(text, whole_characters(text, size));
    bool bounded = size > 0 || !greatest->cut;
    if (bounded)
        ftl_thrift_put_text(writer, 5, text, size);
    ftl_thrift_put_text(writer, 6, least->text,
                        least->cut ? whole_characters(least->text, least->size) : least->size);
    if (bounded)
        ftl_thrift_put_bool(writer, 7, !greatest->cut);
    ftl_thrift_put_bool(writer, 8, !least->cut);
}

/* ---- Both ------------------------------------------------------------------------------------ */

static void write_numbers(const ftl_parquet_range *range, ftl_thrift_writer *writer)
{
    ftl_parquet_range r = *range;
    size_t width = r.type == FTL_F32 ? 4 : r.type == FTL_BOOL ? 1 : 8;
    /* zeros of both signs are equal, and there may be either */
    if (r.type == FTL_F64 && r.ends.f64[0] == 0)
        r.ends.f64[0] = -0.0;
    if (r.type == FTL_F64 && r.ends.f64[1] == 0)
        r.ends.f64[1] = 0.0;
    if (r.type == FTL_F32 && r.ends.f32[0] == 0)
        r.ends.f32[0] = -0.0f;
    if (r.type == FTL_F32 && r.ends.f32[1] == 0)
        r.ends.f32[1] = 0.0f;
    ftl_thrift_put_text(writer, 5, (const uint8_t *)&r.ends + width, width);
    ftl_thrift_put_text(writer, 6, &r.ends, width);
    ftl_thrift_put_bool(writer, 7, true);
    ftl_thrift_put_bool(writer, 8, true);
}

void ftl_parquet_range_write(const ftl_parquet_range *range, ftl_thrift_writer *writer,
                             int32_t field)
{
    ftl_thrift_put_struct(writer, field);
    ftl_thrift_put_i64(writer, 3, (int64_t)range->nulls);
    if (range->any && range->type == FTL_STRING)
        write_texts(range, writer);
    else if (range->any)
        write_numbers(range, writer);
    if (range->type == FTL_F64 || range->type == FTL_F32)
        ftl_thrift_put_i64(writer, 9, (int64_t)range->nans);
    ftl_thrift_put_end(writer);
}
