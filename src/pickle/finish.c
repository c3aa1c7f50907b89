/*
 * After loading: a dict that was given the same string key twice keeps the later value at the place
 * of the first, as Python's does. Done once for all dicts, so that loading stays linear however the
 * items came.
 */
#include "base/hash.h"
#include "pickle/vm.h"

enum { SMALL = 8, PROBES_PER_KEY = 64 };

static bool equal(const ftl_node *a, const ftl_node *b)
{
    return a == b || (a->u.str.size == b->u.str.size &&
                      memcmp(a->u.str.data, b->u.str.data, a->u.str.size) == 0);
}

/* Moves the pairs that stay to the front; drop[i] says which go. */
static void compact(ftl_node_dict *dict, const bool *drop)
{
    size_t n = 0;
    for (size_t i = 0; i < dict->size; i++) {
        if (drop[i])
            continue;
        dict->keys[n] = dict->keys[i];
        dict->values[n++] = dict->values[i];
    }
    dict->size = n;
}

static void small_dict(ftl_node_dict *dict)
{
    bool drop[SMALL] = {false}, any = false;
    for (size_t i = 1; i < dict->size; i++) {
        for (size_t k = 0; k < i && dict->keys[i]->kind == FTL_NODE_STR; k++) {
            if (drop[k] || dict->keys[k]->kind != FTL_NODE_STR ||
                !equal(dict->keys[i], dict->keys[k]))
                continue;
            dict->values[k] = dict->values[i];
            drop[i] = any = true;
            break;
        }
    }
    if (any)
        compact(dict, drop);
}

/* Fills slots, mask + 1 of them, with indices + 1. false: the keys collide far more than chance. */
static bool fill_slots(ftl_node_dict *dict, uint32_t *slots, size_t mask, bool *drop, bool *any)
{
    uint64_t seed = ftl_hash_seed();
    size_t probes = 0;
    for (size_t i = 0; i < dict->size; i++) {
        const ftl_node *key = dict->keys[i];
        if (key->kind != FTL_NODE_STR)
            continue;
        size_t at = (size_t)ftl_hash_bytes(seed, key->u.str.data, key->u.str.size) & mask;
        while (slots[at] && !equal(key, dict->keys[slots[at] - 1])) {
            at = (at + 1) & mask;
            if (++probes > dict->size * PROBES_PER_KEY)
                return false;
        }
        if (slots[at]) {
            dict->values[slots[at] - 1] = dict->values[i];
            drop[i] = *any = true;
        } else {
            slots[at] = (uint32_t)i + 1;
        }
    }
    return true;
}

/* The dict keeps its table of keys: shared attributes are looked up again and again. */
static ftl_status large_dict(ftl_pk_load *load, ftl_node_dict *dict)
{
    size_t mask = 16;
    while (mask < dict->size * 2)
        mask *= 2;
    if (mask > UINT32_MAX)
        return FTL_FAIL(load->error, FTL_LIMIT, "a dict has more than %u items", UINT32_MAX / 2);
    uint32_t *slots = ftl_arena_zero_array(load->arena, mask + 1, sizeof *slots);
    bool *drop = slots ? ftl_alloc_zero(load->account, dict->size, sizeof *drop) : NULL;
    if (!drop)
        return FTL_OOM(load->error);
    bool any = false;
    bool fair = fill_slots(dict, slots + 1, mask - 1, drop, &any);
    if (fair && any) { /* the pairs move: their slots are found anew, nothing is dropped any more */
        compact(dict, drop);
        memset(slots, 0, (mask + 1) * sizeof *slots);
        fair = fill_slots(dict, slots + 1, mask - 1, drop, &any);
    }
    ftl_free(load->account, drop);
    if (!fair)
        return FTL_FAIL(load->error, FTL_CORRUPT, "the keys of a dict are made to collide");
    slots[0] = (uint32_t)mask - 1;
    dict->slots = slots;
    return FTL_OK;
}

ftl_status ftl_pk_remove_duplicates(ftl_pk_load *load)
{
    for (size_t i = 0; i < load->n_dicts; i++) {
        if (load->dicts[i]->size <= SMALL)
            small_dict(load->dicts[i]);
        else
            FTL_TRY(large_dict(load, load->dicts[i]));
    }
    return FTL_OK;
}
