/* Names of columns, each once, in the order in which they were seen. */
#include "base/hash.h"
#include "table/json.h"

#include <string.h>

/* The slot of a name, or the empty one where it belongs. */
static uint32_t *name_slot(const ftl_json_names *names, const char *name, size_t size)
{
    size_t mask = names->n_slots - 1;
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), name, size) & mask;
    for (; names->slots[at]; at = (at + 1) & mask) {
        const char *known = names->names[names->slots[at] - 1];
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            break;
    }
    return &names->slots[at];
}

static ftl_status widen(ftl_json_names *names, ftl_error *error)
{
    size_t n = names->n_slots ? 2 * names->n_slots : 64;
    uint32_t *slots = ftl_alloc_zero(names->account, n, sizeof *slots);
    if (!slots)
        return FTL_OOM(error);
    ftl_free(names->account, names->slots);
    names->slots = slots;
    names->n_slots = n;
    for (size_t i = 0; i < names->n; i++)
        *name_slot(names, names->names[i], strlen(names->names[i])) = (uint32_t)i + 1;
    return FTL_OK;
}

ftl_status ftl_json_add_name(ftl_json_names *names, ftl_arena *arena, const char *name, size_t size,
                             bool *added, ftl_error *error)
{
    if (added)
        *added = false;
    if (2 * (names->n + 1) > names->n_slots)
        FTL_TRY(widen(names, error));
    uint32_t *slot = name_slot(names, name, size);
    if (*slot)
        return FTL_OK;
    FTL_TRY(ftl_grow(names->account, &names->names, &names->room, names->n + 1,
                     sizeof *names->names, error));
    const char *copy = ftl_arena_string(arena, name, size);
    if (!copy)
        return FTL_OOM(error);
    names->names[names->n++] = copy;
    *slot = (uint32_t)names->n;
    if (added)
        *added = true;
    return FTL_OK;
}

ftl_status ftl_json_set_names(ftl_json_names *names, ftl_table *table, ftl_error *error)
{
    table->info.n_columns = names->n;
    table->names = ftl_arena_array(&table->arena, names->n + 1, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    if (names->n)
        memcpy(table->names, names->names, names->n * sizeof *table->names);
    return FTL_OK;
}

void ftl_json_names_free(ftl_json_names *names)
{
    ftl_free(names->account, names->names);
    ftl_free(names->account, names->slots);
    names->names = NULL;
    names->slots = NULL;
}
