/* Finding words of a list (ftl_words) by their bytes: a hash table with open addressing. */
#ifndef FTL_PLAN_WORDS_H
#define FTL_PLAN_WORDS_H

#include "model/ir.h"
#include "plan/blob.h"

enum { FTL_WORD_NONE = -1 };

typedef struct ftl_word_slot {
    uint32_t hash;        /* the upper half of it */
    uint32_t id;          /* + 1; 0: empty */
    uint32_t start, size; /* of the word's text */
} ftl_word_slot;

typedef struct ftl_word_table {
    const char *text;           /* of the list */
    const ftl_word_slot *slots; /* [mask + 1]; NULL: no words */
    uint32_t mask;
    uint64_t seed; /* follows from the blob's, so that nobody can choose words that collide */
    size_t longest;
} ftl_word_table;

/* out is a record of a state piece; its table is a piece of the blob, the text is borrowed. */
FTL_MUST_USE ftl_status ftl_word_table_make(ftl_blob *blob, const ftl_words *words,
                                            ftl_word_table *out, ftl_error *error);
/*
 * Many words at once, since large tables lie in no cache: the hash of a text (at most `longest`
 * bytes) with a hint to the processor to fetch its slot, then the same for the slot's word, then
 * what ftl_word_find does.
 */
uint64_t ftl_word_hash(const ftl_word_table *table, const char *text, size_t size);
static inline void ftl_word_fetch(const ftl_word_table *table, uint64_t hash)
{
    __builtin_prefetch(table->text + table->slots[(uint32_t)hash & table->mask].start);
}
int32_t ftl_word_find_hashed(const ftl_word_table *table, const char *text, size_t size,
                             uint64_t hash);
/* MurmurHash3's 32-bit form with seed 0, as scikit-learn hashes words. */
uint32_t ftl_word_murmur3(const char *text, size_t size);
/* The word's number, or FTL_WORD_NONE. */
int32_t ftl_word_find(const ftl_word_table *table, const char *text, size_t size);

#endif
