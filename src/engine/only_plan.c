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

static ftl_status copy_text(ftl_arena *arena, const char **text, ftl_error *error)
{
    if (!*text)
        return FTL_OK;
    *text = ftl_arena_string(arena, *text, strlen(*text));
    return *text ? FTL_OK : FTL_OOM(error);
}

static ftl_status copy_files(ftl_model *model, ftl_error *error)
{
    const ftl_model_file *from = model->files, **to = &model->files;
    for (; from; from = from->next) {
        ftl_model_file *file = FTL_ARENA_NEW(&model->arena, ftl_model_file);
        if (!file)
            return FTL_OOM(error);
        *file = (ftl_model_file){.path = from->path};
        FTL_TRY(copy_text(&model->arena, &file->path, error));
        *to = file;
        to = (const ftl_model_file **)&file->next;
    }
    *to = NULL;
    return FTL_OK;
}

static ftl_status copy_found(ftl_model *model, ftl_error *error)
{
    ftl_found *found = ftl_arena_array(&model->arena, model->n_found, sizeof *found);
    if (!found)
        return FTL_OOM(error);
    for (size_t i = 0; i < model->n_found; i++) {
        found[i] = model->found[i]; /* what is a constant */
        FTL_TRY(copy_text(&model->arena, &found[i].path, error));
        FTL_TRY(copy_text(&model->arena, &found[i].text, error));
    }
    model->found = found;
    return FTL_OK;
}

static ftl_status copy_foreign(ftl_model *model, ftl_error *error)
{
    const char **foreign = ftl_arena_array(&model->arena, model->n_foreign, sizeof *foreign);
    if (!foreign)
        return FTL_OOM(error);
    for (size_t i = 0; i < model->n_foreign; i++) {
        foreign[i] = model->foreign[i];
        FTL_TRY(copy_text(&model->arena, &foreign[i], error));
    }
    model->foreign = foreign;
    return FTL_OK;
}

/* What a file does not say of a model, and lies in its old arena, into the new one. */
static ftl_status copy_unwritten(ftl_model *model, ftl_error *error)
{
    FTL_TRY(copy_text(&model->arena, &model->codec, error));
    FTL_TRY(copy_text(&model->arena, &model->note, error));
    FTL_TRY(copy_text(&model->arena, &model->labels_entry, error));
    FTL_TRY(copy_files(model, error));
    FTL_TRY(copy_found(model, error));
    return copy_foreign(model, error);
}

/*
 * All but the operations moves to an arena of its own: it is written as a file and read back, and
 * what a file does not say is copied.
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
    if (status == FTL_OK)
        status = copy_unwritten(model, error);
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
