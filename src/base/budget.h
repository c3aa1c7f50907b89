/*
 * What opening a model may cost: one budget of work and memory, in proportion to the bytes that
 * were read so far. Loading, walking, resolving, copying and naming all spend from it, so that a
 * file cannot make few bytes do much by referring to them over and over.
 *
 * Work is counted in units of about a nanosecond: an item that is visited, eight bytes that are
 * compared, sixteen bytes of memory that are asked for. Memory is what an account holds
 * (ftl_account.budget): every request below it is tested and counted by ftl_alloc.
 *
 * A budget that was passed once stays so: every later request fails. Whoever opened the model then
 * reports LIMIT, whatever error the failure led to. Of one thread.
 */
#ifndef FTL_BASE_BUDGET_H
#define FTL_BASE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FTL_BUDGET_WORK_PER_BYTE = 16,
    FTL_BUDGET_MEMORY_PER_BYTE = 64,
    /* What any file may cost, however short: polynomial features of a few kilobytes make a million
     * columns with names. (Models that were fitted take a tenth of all this, per byte.) */
    FTL_BUDGET_WORK_FLOOR = 64 << 20,
    FTL_BUDGET_MEMORY_FLOOR = 256 << 20
};

typedef struct ftl_budget {
    uint64_t bytes;   /* read so far, decompressed: side files included */
    uint64_t earlier; /* of them in earlier files */
    uint64_t work;    /* spent */
    bool passed;      /* more was asked for than there is */
} ftl_budget;

/* Bytes of the file that can be counted on from now on; the largest figure given holds. */
static inline void ftl_budget_read(ftl_budget *budget, uint64_t bytes)
{
    if (bytes > budget->bytes - budget->earlier)
        budget->bytes = budget->earlier + bytes;
}

/* One more file, of so many bytes, is a part of the model. */
static inline void ftl_budget_next(ftl_budget *budget, uint64_t file_bytes)
{
    budget->earlier = budget->bytes;
    ftl_budget_read(budget, file_bytes);
}

/* False when the work was passed. */
static inline bool ftl_budget_work(ftl_budget *budget, uint64_t units)
{
    const uint64_t per_byte = FTL_BUDGET_WORK_PER_BYTE, floor = FTL_BUDGET_WORK_FLOOR;
    uint64_t most = budget->bytes < UINT64_MAX / per_byte - floor ? floor + per_byte * budget->bytes
                                                                  : UINT64_MAX;
    if (units > most || budget->work > most - units)
        budget->passed = true;
    else
        budget->work += units;
    return !budget->passed;
}

/* False when `more` bytes beside the `held` ones are too many, or too much work to write. */
static inline bool ftl_budget_memory(ftl_budget *budget, uint64_t held, uint64_t more)
{
    const uint64_t per_byte = FTL_BUDGET_MEMORY_PER_BYTE, floor = FTL_BUDGET_MEMORY_FLOOR;
    uint64_t most = budget->bytes < UINT64_MAX / per_byte - floor ? floor + per_byte * budget->bytes
                                                                  : UINT64_MAX;
    if (more > most || held > most - more)
        budget->passed = true;
    return ftl_budget_work(budget, more / 16);
}

#endif
