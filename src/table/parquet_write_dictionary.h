/*
 * Distinct texts in the order in which they came, as PLAIN bytes: each with its size in four bytes
 * in front. Not thread-safe.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_DICTIONARY_H
#define FTL_TABLE_PARQUET_WRITE_DICTIONARY_H

#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

enum { FTL_PARQUET_PREFIX = 4 }; /* bytes of a text's size */

typedef struct ftl_parquet_entry {
    uint64_t hash;
    size_t at; /* in bytes: the size, behind it the text */
} ftl_parquet_entry;

typedef struct ftl_parquet_dictionary {
    ftl_account *account;
    uint8_t *bytes;
    size_t size, bytes_room;
    ftl_parquet_entry *entries;
    size_t n, entries_room;
    uint32_t *slots; /* [n_slots], a power of two: an entry's index + 1, or 0 */
    size_t n_slots;
} ftl_parquet_dictionary;

void ftl_parquet_dictionary_init(ftl_parquet_dictionary *dictionary, ftl_account *account);
void ftl_parquet_dictionary_free(ftl_parquet_dictionary *dictionary);
void ftl_parquet_dictionary_clear(ftl_parquet_dictionary *dictionary);
/*
 * The index of a text of that ftl_hash_bytes, which is added when it is new. When that would make
 * bytes longer than `limit`, *index is UINT32_MAX and nothing changes.
 */
FTL_MUST_USE ftl_status ftl_parquet_dictionary_put(ftl_parquet_dictionary *dictionary,
                                                   uint64_t hash, const void *text, size_t size,
                                                   size_t limit, uint32_t *index, ftl_error *error);

static inline uint32_t ftl_parquet_text_size(const uint8_t *at)
{
    uint32_t size;
    memcpy(&size, at, sizeof size);
    return size;
}

#endif
