/*
 * Statistics of a column chunk: its least and greatest value, nulls and NaNs, by the rules of
 * apache/parquet-format for the type's own order. Not thread-safe.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_RANGE_H
#define FTL_TABLE_PARQUET_WRITE_RANGE_H

#include "io/thrift_write.h"

enum { FTL_PARQUET_BOUND = 64 }; /* bytes of a text that statistics hold */

/* The beginning of a text, and its first eight bytes as a number of the same order. */
typedef struct ftl_parquet_bound {
    uint64_t key;
    uint8_t text[FTL_PARQUET_BOUND];
    size_t size;
    bool cut; /* the text goes on behind it */
} ftl_parquet_bound;

typedef struct ftl_parquet_range {
    ftl_type type;
    bool any; /* there is a value that is not NaN */
    uint64_t nulls, nans;
    union {
        double f64[2];
        float f32[2];
        int64_t i64[2];
        uint64_t u64[2];
        uint8_t bools[2];
    } ends; /* least, greatest */
    ftl_parquet_bound least, greatest;
} ftl_parquet_range;

void ftl_parquet_range_init(ftl_parquet_range *range, ftl_type type);
/* Takes n values of a type of numbers or BOOL, which lie in a row. */
void ftl_parquet_range_numbers(ftl_parquet_range *range, const void *values, size_t n);
void ftl_parquet_range_text(ftl_parquet_range *range, const void *text, size_t size);
/* The struct Statistics as the field of another one. */
void ftl_parquet_range_write(const ftl_parquet_range *range, ftl_thrift_writer *writer,
                             int32_t field);

#endif
