/*
 * Parquet's encodings of integers (parquet.apache.org, Encodings.md): the hybrid of runs and packed
 * bits, and packed differences. Decoders yield some values at a time, over bytes that are borrowed
 * and may be anything: they fail when these do not hold what is asked for.
 *
 * All of them may read up to FTL_PARQUET_PADDING bytes beyond the end, which the caller provides.
 */
#ifndef FTL_TABLE_PARQUET_DECODE_H
#define FTL_TABLE_PARQUET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FTL_PARQUET_PADDING = 16 };

/* ---- Runs and packed bits -------------------------------------------------------------------- */

typedef struct ftl_rle {
    const uint8_t *at, *end;
    unsigned width;      /* bits of a value, 0 to 32 */
    uint32_t left;       /* values left of the run at hand */
    bool packed;         /* whether its values stand in bits, or are all `value` */
    uint32_t value;      /* of a run */
    const uint8_t *bits; /* of a packed run */
    uint32_t next;       /* the value in it that comes next */
} ftl_rle;

/* width is at most 32. */
void ftl_rle_init(ftl_rle *rle, const uint8_t *data, size_t size, unsigned width);
/* False when the bytes do not hold n more. */
bool ftl_rle_read(ftl_rle *rle, uint32_t *out, size_t n);
/*
 * The same for values of one bit, into bits at, at + 1, … of out, least significant first; bits
 * from there on need not be cleared. *ones: how many are set. False as well when a run's value is
 * above 1.
 */
bool ftl_rle_read_bits(ftl_rle *rle, uint8_t *out, size_t at, size_t n, size_t *ones);

/* ---- Packed differences ---------------------------------------------------------------------- */

typedef struct ftl_delta {
    const uint8_t *at, *end;
    uint32_t miniblocks;    /* of a block */
    uint32_t per_miniblock; /* values */
    uint64_t left;          /* values that are still to come */
    uint64_t value;         /* the last one */
    bool begun;             /* the first value has been given */
    uint64_t least;         /* difference of the block */
    const uint8_t *widths;  /* of its miniblocks, each a byte */
    uint32_t miniblock;     /* the one at hand */
    uint32_t in_miniblock;  /* values left of it */
    uint32_t next;          /* the value in it that comes next */
    const uint8_t *bits;
} ftl_delta;

/* False when the head is damaged. */
bool ftl_delta_init(ftl_delta *delta, const uint8_t *data, size_t size);
/* False when the bytes do not hold n more. Sums wrap; the low 32 bits are an INT32's. */
bool ftl_delta_read(ftl_delta *delta, int64_t *out, size_t n);
/* Where the values end, which the bytes do not say; of a decoder that has given none and gives none
 * by this. NULL: damage. */
const uint8_t *ftl_delta_end(const ftl_delta *delta);

#endif
