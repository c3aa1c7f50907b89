#include "engine/only_plan.h"

#include "engine/context.h"
#include "engine/plan_cache.h"
#include "model/file.h"

#include <string.h>

/* The bytes of a file, as they come. */
typedef struct collected {
    ftl_arena *arena;
    char *bytes;
    size_t size, room;
} collected;

static bool collect(void *user, const void *data, size_t size)
{
    collected *c = user;
    if (size > c->room - c->size) {
        size_t room = c->room ? 2 * c->room : 16 << 10;
        while (room < c->size + size)
            room *= 2;
        char *bytes = ftl_arena_resize(c->arena, c->bytes, c->size, room);
        if (!bytes)
            return false;
        c->bytes = bytes;
        c->room = room;
    }
    memcpy(c->bytes + c->size, data, size);
    c->size += size;
    return true;
}

/*
 * All but the operations moves to an arena of its own: it is written as a file and read back. What
 * a file does not say of a model stays, but for the name of the codec, which lies in the arena.
 */
static ftl_status move_rest(ftl_model *model, ftl_error *error)
{
    ftl_account *scratch = &model->context->account;
    ftl_arena old = model->arena;
    model->graph.ops = NULL;
    model->graph.n_ops = 0;
    ftl_arena_init(&model->arena, &model->account);
    collected c = {.arena = &model->arena};
    ftl_status status = ftl_file_write(model, collect, &c, scratch, error);
    if (status == FTL_CANCELLED) /* the collector had no more memory */
        status = FTL_OOM(error);
    if (status == FTL_OK)
        status = ftl_file_read(model, c.bytes, c.size, scratch, error);
    if (status == FTL_OK) {
        model->codec = ftl_arena_string(&model->arena, model->codec, strlen(model->codec));
        status = model->codec ? FTL_OK : FTL_OOM(error);
    }
    ftl_arena_free(&old);
    return status;
}

ftl_status ftl_model_keep_only_plan(ftl_model *model, const ftl_plan_options *options,
                                    ftl_error *error)
{
    if (model->open_width)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s does not say how many columns it takes, so it has a plan for each "
                        "number of them; open it without options.only_plan",
                        model->class_name);
    FTL_TRY(ftl_plan_cache_make_only(model, options, error));
    return move_rest(model, error);
}
