#include "table/arrow_unpack.h"

#include <string.h>

enum { HEAD = 8 }; /* how much a buffer holds, or -1: it is not compressed */

void ftl_arrow_unpack_init(ftl_arrow_unpack *unpack, ftl_arrow_source *source)
{
    unpack->source = source;
    pthread_mutex_init(&unpack->lock, NULL);
}

void ftl_arrow_unpack_free(ftl_arrow_unpack *unpack)
{
    if (!unpack->source)
        return;
    ftl_account *account = unpack->source->table->account;
    while (unpack->idle) {
        ftl_arrow_tools *tools = unpack->idle;
        unpack->idle = tools->next;
        ftl_unpacker_free(&tools->unpacker);
        ftl_free(account, tools->bytes.data);
        ftl_free(account, tools);
    }
    ftl_free(account, unpack->listed);
    ftl_free(account, unpack->body.data);
    pthread_mutex_destroy(&unpack->lock);
    *unpack = (ftl_arrow_unpack){0};
}

/* ---- Listing --------------------------------------------------------------------------------- */

/* Bytes of the batch's body. */
static ftl_status read_body(const ftl_arrow_unpack *unpack, uint64_t at, void *out, size_t size,
                            ftl_error *error)
{
    if (unpack->source->random)
        return ftl_arrow_source_read_at(unpack->source, unpack->body_at + at, out, size, error);
    if (size)
        memcpy(out, unpack->body.data + at, size);
    return FTL_OK;
}

ftl_status ftl_arrow_unpack_look(const ftl_arrow_unpack *unpack, const ftl_arrow_piece *piece,
                                 ftl_arrow_packed *out, ftl_error *error)
{
    uint8_t head[HEAD];
    *out = (ftl_arrow_packed){.piece = *piece, .plain = true};
    if (piece->size == 0)
        return FTL_OK;
    if (piece->size < HEAD)
        return FTL_FAIL(error, FTL_CORRUPT, "a compressed buffer has %llu bytes",
                        (unsigned long long)piece->size);
    FTL_TRY(read_body(unpack, piece->at, head, HEAD, error));
    out->piece = (ftl_arrow_piece){piece->at + HEAD, piece->size - HEAD};
    int64_t claimed = (int64_t)ftl_le_u64(head);
    out->plain = claimed == -1;
    if (out->plain)
        claimed = (int64_t)out->piece.size;
    if (claimed < 0)
        return FTL_FAIL(error, FTL_CORRUPT, "a compressed buffer holds %lld bytes",
                        (long long)claimed);
    out->size = (size_t)claimed;
    return FTL_OK;
}

ftl_status ftl_arrow_unpack_list(ftl_arrow_unpack *unpack, const ftl_arrow_packed *packed,
                                 ftl_error *error)
{
    FTL_TRY(ftl_grow(unpack->source->table->account, &unpack->listed, &unpack->room,
                     unpack->n_listed + 1, sizeof *unpack->listed, error));
    unpack->listed[unpack->n_listed++] = *packed;
    return FTL_OK;
}

/* ---- Decompressing --------------------------------------------------------------------------- */

/* Tools that nobody uses, or new ones. */
static ftl_status take_tools(ftl_arrow_unpack *unpack, ftl_arrow_tools **out, ftl_error *error)
{
    pthread_mutex_lock(&unpack->lock);
    ftl_arrow_tools *tools = unpack->idle;
    if (tools)
        unpack->idle = tools->next;
    pthread_mutex_unlock(&unpack->lock);
    if (!tools) {
        tools = ftl_alloc_zero(unpack->source->table->account, 1, sizeof *tools);
        if (!tools)
            return FTL_OOM(error);
    }
    *out = tools;
    return FTL_OK;
}

static void give_tools(ftl_arrow_unpack *unpack, ftl_arrow_tools *tools)
{
    pthread_mutex_lock(&unpack->lock);
    tools->next = unpack->idle;
    unpack->idle = tools;
    pthread_mutex_unlock(&unpack->lock);
}

static ftl_status decompress(const ftl_arrow_unpack *unpack, ftl_arrow_tools *tools,
                             const ftl_arrow_packed *packed, uint8_t *out, ftl_error *error)
{
    const size_t size = (size_t)packed->piece.size;
    const uint8_t *data = unpack->body.data + (unpack->source->random ? 0 : packed->piece.at);
    if (unpack->source->random) {
        ftl_account *account = unpack->source->table->account;
        FTL_TRY(ftl_block_bytes_reserve(account, &tools->bytes, size, error));
        FTL_TRY(read_body(unpack, packed->piece.at, tools->bytes.data, size, error));
        data = tools->bytes.data;
    }
    return ftl_unpack(&tools->unpacker, unpack->codec, data, size, out, packed->size, error);
}

typedef struct work {
    ftl_arrow_unpack *unpack;
    uint8_t *out;
    /* Under the lock. */
    size_t failed; /* the first one that failed */
    ftl_status status;
    ftl_error error;
} work;

static ftl_status unpack_one(const work *w, size_t i, ftl_error *error)
{
    const ftl_arrow_packed *packed = &w->unpack->listed[i];
    uint8_t *out = w->out + packed->at;
    ftl_arrow_tools *tools;
    if (packed->size == 0)
        return FTL_OK;
    if (packed->plain)
        return read_body(w->unpack, packed->piece.at, out, packed->size, error);
    FTL_TRY(take_tools(w->unpack, &tools, error));
    ftl_status status = decompress(w->unpack, tools, packed, out, error);
    give_tools(w->unpack, tools);
    return status;
}

static void unpack_part(void *user, size_t i)
{
    work *w = user;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_status status = unpack_one(w, i, &error);
    if (status == FTL_OK)
        return;
    pthread_mutex_lock(&w->unpack->lock);
    if (i < w->failed) {
        w->failed = i;
        w->status = status;
        w->error = error;
    }
    pthread_mutex_unlock(&w->unpack->lock);
}

ftl_status ftl_arrow_unpack_all(ftl_arrow_unpack *unpack, uint8_t *out, size_t *owner,
                                ftl_error *error)
{
    work w = {.unpack = unpack, .out = out, .failed = SIZE_MAX, .status = FTL_OK};
    ftl_group_share(unpack->source->table->helpers, unpack->n_listed, unpack_part, &w);
    unpack->n_listed = 0;
    if (w.status == FTL_OK)
        return FTL_OK;
    *owner = unpack->listed[w.failed].owner;
    if (error)
        *error = w.error;
    return w.status;
}
