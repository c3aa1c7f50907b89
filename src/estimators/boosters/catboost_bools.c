/*
 * Whether a text that spells a bool is one. CatBoost's Python package takes True for the category
 * "1", and pandas reads a column of True and False as bools; who trained on texts has the category
 * "True". The model knows only hashes, so its tables are searched for those of such texts, and for
 * categories that no column of bools has: beside "0" and "1" there are none.
 */
#include "estimators/boosters/catboost.h"

#include "base/cityhash.h"

#include <string.h>

enum { n_spellings = 6, most_flags = 4 };

static const uint64_t multiplier = 0x4906ba494954cb65;

/* Of a text, as keys of tables hold it: the hash is signed there. */
static uint64_t item_of(const char *text)
{
    return (uint64_t)(int64_t)(int32_t)(uint32_t)ftl_cityhash64(text, strlen(text));
}

static bool is_item(uint64_t item) { return item == (uint64_t)(int64_t)(int32_t)(uint32_t)item; }

static void spellings(uint64_t items[n_spellings])
{
    static const char *const texts[n_spellings] = {"True",  "TRUE",  "true",
                                                   "False", "FALSE", "false"};
    for (size_t i = 0; i < n_spellings; i++)
        items[i] = item_of(texts[i]);
}

/* Of a column that matches or statistics know alone: whether bools have that category. */
static bool is_bool(uint64_t item) { return item == item_of("0") || item == item_of("1"); }

/* The inverse of the odd multiplier modulo 2^64, by Newton's iteration. */
static uint64_t inverse(void)
{
    uint64_t x = multiplier;
    for (int i = 0; i < 6; i++)
        x *= 2 - multiplier * x;
    return x;
}

/* A key is folded from items, key = M (key + M item): without its last item. */
static uint64_t unfold(uint64_t key, uint64_t item) { return inverse() * key - multiplier * item; }

/*
 * A key of one or two categories, flags behind them taken off: whether the category at place is
 * such a spelling, or, where it stands alone, of no bool at all. Of two categories the other one
 * follows from the key; chance makes a hash of it once in four billion times.
 */
static bool no_bool(const uint64_t items[n_spellings], uint64_t key, uint32_t n_hashes,
                    uint32_t place)
{
    uint64_t last = inverse();
    if (n_hashes == 1) {
        uint64_t item = last * last * key;
        return is_item(item) && !is_bool(item);
    }
    for (size_t i = 0; i < n_spellings; i++) {
        uint64_t other = place == 1 ? last * last * unfold(key, items[i])
                                    : last * (last * key - multiplier * multiplier * items[i]);
        if (is_item(other))
            return true;
    }
    return false;
}

static bool table_tells(const uint64_t items[n_spellings], const ftl_ctr_table *table,
                        const ftl_ctr_projection *projection, uint32_t place)
{
    uint32_t n_flags = projection->n_above + projection->n_equal;
    for (uint32_t b = 0; b < table->n_buckets; b++) {
        if (table->keys[b] == FTL_CTR_EMPTY)
            continue;
        for (uint32_t flags = 0; flags < 1u << n_flags; flags++) {
            uint64_t key = table->keys[b];
            for (uint32_t f = 0; f < n_flags; f++)
                key = unfold(key, flags >> f & 1);
            if (no_bool(items, key, projection->n_hashes, place))
                return true;
        }
    }
    return false;
}

/* Each table is of one projection: it is searched for the first feature that has it. */
static void search_tables(const ftl_cbm *cbm, const uint64_t items[n_spellings], bool *searched,
                          bool *bools)
{
    for (uint32_t i = 0; i < cbm->n_ctrs; i++) {
        const ftl_ctr_feature *feature = &cbm->ctr.features[i];
        const ftl_ctr_projection *projection = &cbm->ctr.projections[feature->projection];
        if (searched[feature->table] || projection->n_hashes < 1 || projection->n_hashes > 2 ||
            projection->n_above > most_flags || projection->n_equal > most_flags ||
            projection->n_above + projection->n_equal > most_flags)
            continue;
        searched[feature->table] = true;
        for (uint32_t place = 0; place < projection->n_hashes; place++) {
            uint32_t category = projection->hashes[place] - cbm->n_floats;
            if (bools[category] &&
                table_tells(items, &cbm->ctr.tables[feature->table], projection, place))
                bools[category] = false;
        }
    }
}

ftl_status ftl_cat_bools(ftl_build *build, const ftl_cbm *cbm, const bool **out, ftl_error *error)
{
    bool *bools = ftl_arena_array(build->arena, cbm->n_categories, sizeof *bools);
    bool *searched = ftl_arena_zero_array(build->scratch, cbm->ctr.n_tables, sizeof *searched);
    uint64_t items[n_spellings];
    if (!bools || !searched)
        return FTL_OOM(error);
    memset(bools, true, cbm->n_categories * sizeof *bools);
    spellings(items);
    for (uint32_t i = 0; i < cbm->n_matches; i++) {
        if (!is_bool((uint64_t)(int64_t)(int32_t)cbm->matches[i].hash))
            bools[cbm->matches[i].category] = false;
    }
    search_tables(cbm, items, searched, bools);
    *out = bools;
    return FTL_OK;
}
