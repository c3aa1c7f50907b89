#include "plan/words.h"

#include "base/hash.h"

#include <string.h>

/* memcmp() == 0 for the short texts that words are: no call, and no byte beyond them is read. */
static inline bool same_bytes(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    uint32_t v, w;
    if (size < 4) {
        for (size_t i = 0; i < size; i++) {
            if (a[i] != b[i])
                return false;
        }
        return true;
    }
    if (size < 8) {
        memcpy(&v, a, 4);
        memcpy(&w, b, 4);
        bool same = v == w;
        memcpy(&v, a + size - 4, 4);
        memcpy(&w, b + size - 4, 4);
        return same && v == w;
    }
    for (size_t i = 0; i + 8 < size; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return x == y;
}

static inline size_t word_size(const ftl_words *words, uint32_t id)
{
    return words->start[id + 1] - words->start[id] - 1;
}

ftl_status ftl_word_table_make(ftl_blob *blob, const ftl_words *words, ftl_word_table *out,
                               ftl_error *error)
{
    memset(out, 0, sizeof *out);
    if (words->count == 0)
        return FTL_OK;
    uint64_t room = 16;
    while (room < 2 * (uint64_t)words->count)
        room *= 2;
    ftl_word_slot *slots = ftl_blob_zero_data(blob, room, sizeof *slots);
    if (!slots)
        return FTL_OOM(error);
    out->slots = slots;
    ftl_blob_ref(blob, &out->slots);
    out->text = words->text;
    ftl_blob_borrow(blob, &out->text, words->start[words->count], 1);
    out->mask = (uint32_t)(room - 1);
    out->seed = ftl_hash_mix(blob->seed ^ blob->n_pieces, 0xe7037ed1a0b428dbu);
    for (uint32_t id = 0; id < words->count; id++) {
        size_t size = word_size(words, id);
        uint64_t hash = ftl_hash_bytes(out->seed, words->text + words->start[id], size);
        uint32_t at = (uint32_t)hash & out->mask;
        while (slots[at].id)
            at = (at + 1) & out->mask;
        slots[at] = (ftl_word_slot){.hash = (uint32_t)(hash >> 32),
                                    .id = id + 1,
                                    .start = words->start[id],
                                    .size = (uint32_t)size};
        out->longest = size > out->longest ? size : out->longest;
    }
    return FTL_OK;
}

uint64_t ftl_word_hash(const ftl_word_table *table, const char *text, size_t size)
{
    uint64_t hash = ftl_hash_bytes(table->seed, text, size);
    __builtin_prefetch(&table->slots[(uint32_t)hash & table->mask]);
    return hash;
}

int32_t ftl_word_find_hashed(const ftl_word_table *table, const char *text, size_t size,
                             uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & table->mask; table->slots[at].id;
         at = (at + 1) & table->mask) {
        const ftl_word_slot *slot = &table->slots[at];
        if (slot->hash == (uint32_t)(hash >> 32) && slot->size == size &&
            same_bytes(table->text + slot->start, text, size))
            return (int32_t)(slot->id - 1);
    }
    return FTL_WORD_NONE;
}

int32_t ftl_word_find(const ftl_word_table *table, const char *text, size_t size)
{
    if (!table->slots || size > table->longest)
        return FTL_WORD_NONE;
    return ftl_word_find_hashed(table, text, size, ftl_hash_bytes(table->seed, text, size));
}

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

/* By the algorithm's description; blocks are read little-endian, whatever the machine. */
uint32_t ftl_word_murmur3(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    const uint32_t c1 = 0xcc9e2d51u, c2 = 0x1b873593u;
    uint32_t hash = 0, tail = 0;
    size_t left = size;
    for (; left >= 4; left -= 4, p += 4) {
        uint32_t k = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                     (uint32_t)p[3] << 24;
        hash ^= rotate(k * c1, 15) * c2;
        hash = rotate(hash, 13) * 5 + 0xe6546b64u;
    }
    for (size_t i = left; i > 0; i--)
        tail = tail << 8 | p[i - 1];
    hash ^= rotate(tail * c1, 15) * c2;
    hash ^= (uint32_t)size;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}
