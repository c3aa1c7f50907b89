/* What was made of nodes before, by their addresses; and the budget that building spends. */
#include "base/hash.h"
#include "build/build.h"

ftl_status ftl_build_spend(ftl_build *build, uint64_t units, ftl_error *error)
{
    if (ftl_budget_work(build->budget, units))
        return FTL_OK;
    return FTL_FAIL(error, FTL_LIMIT, "the model refers to the same parts over and over");
}

static ftl_made *slot_of(const ftl_build *build, const void *key, uint32_t kind)
{
    size_t mask = build->made_room - 1;
    uint64_t hash = ftl_hash_number(ftl_hash_seed() + kind, (uint64_t)(uintptr_t)key);
    size_t at = (size_t)hash & mask;
    while (build->made[at].value && (build->made[at].key != key || build->made[at].kind != kind))
        at = (at + 1) & mask;
    return &build->made[at];
}

const void *ftl_made_of(const ftl_build *build, const void *key, ftl_made_kind kind)
{
    return build->made_room ? slot_of(build, key, kind)->value : NULL;
}

/* At most half of the slots are taken. */
static ftl_status grow(ftl_build *build, ftl_error *error)
{
    if (2 * (build->n_made + 1) <= build->made_room)
        return FTL_OK;
    ftl_made *old = build->made;
    size_t old_room = build->made_room, room = old_room ? 2 * old_room : 64;
    ftl_made *bigger = ftl_alloc_zero(build->account, room, sizeof *bigger);
    if (!bigger)
        return FTL_OOM(error);
    build->made = bigger;
    build->made_room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].value)
            *slot_of(build, old[i].key, old[i].kind) = old[i];
    }
    ftl_free(build->account, old);
    return FTL_OK;
}

ftl_status ftl_made_keep(ftl_build *build, const void *key, ftl_made_kind kind, const void *value,
                         ftl_error *error)
{
    FTL_TRY(grow(build, error));
    ftl_made *slot = slot_of(build, key, kind);
    build->n_made += slot->value == NULL;
    *slot = (ftl_made){key, kind, value};
    return FTL_OK;
}

const void *ftl_parsed_of(const ftl_build *build, const ftl_node *node)
{
    return ftl_made_of(build, node, FTL_MADE_PARSED);
}

ftl_status ftl_parsed_keep(ftl_build *build, const ftl_node *node, const void *model,
                           ftl_error *error)
{
    return ftl_made_keep(build, node, FTL_MADE_PARSED, model, error);
}
