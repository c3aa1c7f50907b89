#include "table/parquet_write_dictionary.h"

enum { FIRST_SLOTS = 64 };

void ftl_parquet_dictionary_init(ftl_parquet_dictionary *dictionary, ftl_account *account)
{
    *dictionary = (ftl_parquet_dictionary){.account = account};
}

void ftl_parquet_dictionary_free(ftl_parquet_dictionary *dictionary)
{
    ftl_free(dictionary->account, dictionary->bytes);
    ftl_free(dictionary->account, dictionary->entries);
    ftl_free(dictionary->account, dictionary->slots);
    ftl_parquet_dictionary_init(dictionary, dictionary->account);
}

void ftl_parquet_dictionary_clear(ftl_parquet_dictionary *dictionary)
{
    dictionary->n = dictionary->size = 0;
    if (dictionary->slots)
        memset(dictionary->slots, 0, dictionary->n_slots * sizeof *dictionary->slots);
}

/* Twice the slots, of which entries then fill a quarter. */
static ftl_status widen(ftl_parquet_dictionary *dictionary, ftl_error *error)
{
    size_t n_slots = dictionary->n_slots ? dictionary->n_slots * 2 : FIRST_SLOTS;
    uint32_t *slots = ftl_alloc_zero(dictionary->account, n_slots, sizeof *slots);
    if (!slots)
        return FTL_OOM(error);
    for (size_t i = 0; i < dictionary->n; i++) {
        size_t slot = dictionary->entries[i].hash & (n_slots - 1);
        while (slots[slot])
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    ftl_free(dictionary->account, dictionary->slots);
    dictionary->slots = slots;
    dictionary->n_slots = n_slots;
    return FTL_OK;
}

static ftl_status append(ftl_parquet_dictionary *dictionary, uint64_t hash, const void *text,
                         size_t size, ftl_error *error)
{
    size_t at = dictionary->size, end = at + FTL_PARQUET_PREFIX + size;
    uint32_t prefix = (uint32_t)size;
    FTL_TRY(
        ftl_grow(dictionary->account, &dictionary->bytes, &dictionary->bytes_room, end, 1, error));
    FTL_TRY(ftl_grow(dictionary->account, &dictionary->entries, &dictionary->entries_room,
                     dictionary->n + 1, sizeof *dictionary->entries, error));
    memcpy(dictionary->bytes + at, &prefix, sizeof prefix);
    memcpy(dictionary->bytes + at + FTL_PARQUET_PREFIX, text, size);
    dictionary->entries[dictionary->n++] = (ftl_parquet_entry){.hash = hash, .at = at};
    dictionary->size = end;
    return FTL_OK;
}

ftl_status ftl_parquet_dictionary_put(ftl_parquet_dictionary *dictionary, uint64_t hash,
                                      const void *text, size_t size, size_t limit, uint32_t *index,
                                      ftl_error *error)
{
    if ((dictionary->n + 1) * 2 > dictionary->n_slots)
        FTL_TRY(widen(dictionary, error));
    size_t mask = dictionary->n_slots - 1, slot = hash & mask;
    for (; dictionary->slots[slot]; slot = (slot + 1) & mask) {
        const ftl_parquet_entry *entry = &dictionary->entries[dictionary->slots[slot] - 1];
        const uint8_t *at = dictionary->bytes + entry->at;
        if (entry->hash == hash && ftl_parquet_text_size(at) == size &&
            memcmp(at + FTL_PARQUET_PREFIX, text, size) == 0) {
            *index = dictionary->slots[slot] - 1;
            return FTL_OK;
        }
    }
    if (dictionary->size > limit || limit - dictionary->size < FTL_PARQUET_PREFIX ||
        limit - dictionary->size - FTL_PARQUET_PREFIX < size || dictionary->n >= UINT32_MAX - 1) {
        *index = UINT32_MAX;
        return FTL_OK;
    }
    FTL_TRY(append(dictionary, hash, text, size, error));
    *index = (uint32_t)dictionary->n - 1;
    dictionary->slots[slot] = (uint32_t)dictionary->n;
    return FTL_OK;
}
