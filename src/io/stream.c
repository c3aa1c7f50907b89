/*
 * The buffered stream over a source or codec, and the memory stream.
 *
 * A memory stream is the same structure with its buffer set to the caller's bytes and no ops, so
 * that ahead() shows the whole of it without a copy. A failed source stays failed: decoders are not
 * called again after an error.
 */
#include "io/stream.h"

#include "base/checked.h"

#include <string.h>

enum {
    BUFFER_SIZE = 256 * 1024, /* first size; what one read(2) fills */
    BUFFER_LIMIT = 16 * 1024 * 1024,
    DIRECT_READ = 64 * 1024 /* reads of this many bytes go straight into the caller's memory */
};

struct ftl_stream {
    ftl_account *account;
    const ftl_stream_ops *ops; /* NULL: a memory stream */
    void *state;
    uint64_t budget;   /* 0: none */
    uint64_t produced; /* bytes that came from ops */
    uint64_t consumed; /* bytes given to the caller */
    uint8_t *owned;    /* NULL until first needed, and for memory streams */
    size_t room;
    const uint8_t *data; /* owned, or the caller's memory */
    size_t begin, end;   /* unread bytes: data[begin..end) */
    bool ended;
    bool ran_dry; /* the last read gave fewer bytes than were asked for */
    bool sought;  /* since then bytes come from read_at, the next ones from `next` on */
    uint64_t next;
    ftl_status failed;
};

ftl_status ftl_stream_create(ftl_account *account, const ftl_stream_ops *ops, void *state,
                             uint64_t budget, ftl_stream **out, ftl_error *error)
{
    ftl_stream *stream = ftl_alloc_zero(account, 1, sizeof *stream);
    if (!stream) {
        ops->close(state);
        return FTL_OOM(error);
    }
    stream->account = account;
    stream->ops = ops;
    stream->state = state;
    stream->budget = budget;
    *out = stream;
    return FTL_OK;
}

ftl_status ftl_stream_open_memory(ftl_account *account, const void *data, size_t size,
                                  ftl_stream **out, ftl_error *error)
{
    ftl_stream *stream = ftl_alloc_zero(account, 1, sizeof *stream);
    if (!stream)
        return FTL_OOM(error);
    stream->account = account;
    stream->data = data;
    stream->end = data ? size : 0;
    stream->produced = stream->end;
    stream->ended = true;
    *out = stream;
    return FTL_OK;
}

void ftl_stream_close(ftl_stream *stream)
{
    if (!stream)
        return;
    if (stream->ops)
        stream->ops->close(stream->state);
    ftl_free(stream->account, stream->owned);
    ftl_free(stream->account, stream);
}

static ftl_status over_budget(uint64_t budget, ftl_error *error)
{
    return FTL_FAIL_AT(
        error, FTL_LIMIT, budget,
        "the data is longer than the limit of %llu bytes; raise options.max_bytes, if you "
        "trust it",
        (unsigned long long)budget);
}

ftl_status ftl_stream_limit(ftl_stream *stream, uint64_t budget, ftl_error *error)
{
    if (budget && stream->produced > budget)
        return over_budget(budget, error);
    stream->budget = budget;
    return FTL_OK;
}

ftl_status ftl_stream_verify(ftl_stream *stream, ftl_error *error)
{
    return stream->ops && stream->ops->verify ? stream->ops->verify(stream->state, error) : FTL_OK;
}

bool ftl_stream_extent(const ftl_stream *stream, uint64_t *size)
{
    if (stream->ops)
        return stream->ops->extent && stream->ops->extent(stream->state, size);
    *size = stream->produced;
    return true;
}

ftl_status ftl_stream_read_at(const ftl_stream *stream, uint64_t offset, void *out, size_t size,
                              ftl_error *error)
{
    uint64_t extent;
    if (!ftl_stream_extent(stream, &extent))
        return FTL_FAIL(error, FTL_INTERNAL, "the stream has no random access");
    if (offset > extent || size > extent - offset)
        return FTL_FAIL_AT(error, FTL_CORRUPT, offset,
                           "the file has %llu bytes, and %zu from byte %llu on are wanted",
                           (unsigned long long)extent, size, (unsigned long long)offset);
    if (!stream->ops) {
        if (size)
            memcpy(out, stream->data + offset, size);
        return FTL_OK;
    }
    for (size_t done = 0; done < size;) {
        size_t got = 0;
        FTL_TRY(stream->ops->read_at(stream->state, offset + done, (char *)out + done, size - done,
                                     &got, error));
        if (got == 0)
            return FTL_FAIL_BECAUSE(error, FTL_IO, FTL_REASON_FILE_CHANGED,
                                    "the file became shorter while it was read");
        done += got;
    }
    return FTL_OK;
}

ftl_status ftl_stream_seek(ftl_stream *stream, uint64_t offset, ftl_error *error)
{
    uint64_t extent;
    if (!ftl_stream_extent(stream, &extent) || offset > extent)
        return FTL_FAIL(error, FTL_INTERNAL, "the stream cannot go to byte %llu",
                        (unsigned long long)offset);
    stream->consumed = offset;
    if (!stream->ops) {
        stream->begin = (size_t)offset;
        return FTL_OK;
    }
    stream->begin = stream->end = 0;
    stream->ended = false;
    stream->sought = true;
    stream->next = offset;
    return FTL_OK;
}

uint64_t ftl_stream_offset(const ftl_stream *stream) { return stream->consumed; }

/* One read from the source into out[0..room), room > 0. Sets ended at the end; failures are
 * remembered. */
static ftl_status pull(ftl_stream *stream, void *out, size_t room, size_t *got, ftl_error *error)
{
    *got = 0;
    if (stream->failed)
        return FTL_FAIL(error, stream->failed,
                        "the stream cannot be read further after an earlier error");
    if (stream->ended)
        return FTL_OK;
    uint8_t beyond;
    bool exhausted = stream->budget && stream->produced == stream->budget;
    if (exhausted) { /* one byte more tells the end from a stream that is too long */
        out = &beyond;
        room = 1;
    } else if (stream->budget && room > stream->budget - stream->produced) {
        room = (size_t)(stream->budget - stream->produced);
    }
    size_t n = 0;
    ftl_status status = stream->sought ? stream->ops->read_at(stream->state, stream->next, out,
                                                              room, &n, error)
                                       : stream->ops->read(stream->state, out, room, &n, error);
    if (status != FTL_OK) {
        ftl_error_at(error, (int64_t)stream->produced);
        return stream->failed = status;
    }
    if (n == 0) {
        stream->ended = true;
        return FTL_OK;
    }
    if (exhausted) {
        stream->failed = FTL_LIMIT;
        return over_budget(stream->budget, error);
    }
    stream->produced += n;
    stream->next += n;
    stream->ran_dry = n < room;
    *got = n;
    return FTL_OK;
}

/* Moves the unread bytes to the front and makes room for min of them in all. */
static ftl_status make_room(ftl_stream *stream, size_t min, ftl_error *error)
{
    size_t kept = stream->end - stream->begin;
    if (min > stream->room || !stream->owned) {
        size_t room = stream->owned ? stream->room : BUFFER_SIZE;
        while (room < min)
            room *= 2;
        uint8_t *grown = ftl_realloc(stream->account, stream->owned, room);
        if (!grown)
            return FTL_OOM(error);
        stream->owned = grown;
        stream->data = grown;
        stream->room = room;
    }
    if (stream->begin) {
        memmove(stream->owned, stream->owned + stream->begin, kept);
        stream->begin = 0;
        stream->end = kept;
    }
    return FTL_OK;
}

/* Fills the buffer until min bytes are visible or the stream ends. */
static ftl_status fill(ftl_stream *stream, size_t min, ftl_error *error)
{
    if (stream->ended)
        return FTL_OK;
    if (min > BUFFER_LIMIT)
        return FTL_FAIL_AT(error, FTL_LIMIT, stream->consumed,
                           "an item of %zu bytes is longer than the limit of %d bytes", min,
                           BUFFER_LIMIT);
    FTL_TRY(make_room(stream, min, error));
    while (stream->end - stream->begin < min && !stream->ended) {
        size_t got;
        FTL_TRY(pull(stream, stream->owned + stream->end, stream->room - stream->end, &got, error));
        stream->end += got;
    }
    return FTL_OK;
}

ftl_status ftl_stream_ahead(ftl_stream *stream, size_t min, const uint8_t **data, size_t *available,
                            ftl_error *error)
{
    static const uint8_t nothing[1];
    if (FTL_UNLIKELY(stream->end - stream->begin < min))
        FTL_TRY(fill(stream, min, error));
    *data = stream->data ? stream->data + stream->begin : nothing;
    *available = stream->end - stream->begin;
    return FTL_OK;
}

bool ftl_stream_waits(const ftl_stream *stream, size_t min)
{
    return stream->ran_dry && !stream->ended && stream->end - stream->begin < min;
}

void ftl_stream_consume(ftl_stream *stream, size_t size)
{
    size_t visible = stream->end - stream->begin;
    if (size > visible)
        size = visible;
    stream->begin += size;
    stream->consumed += size;
}

ftl_status ftl_stream_read_some(ftl_stream *stream, void *out, size_t room, size_t *got,
                                ftl_error *error)
{
    size_t n = stream->end - stream->begin;
    *got = 0;
    if (room == 0)
        return FTL_OK;
    if (n == 0 && room >= DIRECT_READ) {
        FTL_TRY(pull(stream, out, room, &n, error));
        stream->consumed += n;
        *got = n;
        return FTL_OK;
    }
    if (n == 0) {
        FTL_TRY(fill(stream, 1, error));
        n = stream->end - stream->begin;
    }
    if (n > room)
        n = room;
    if (n)
        memcpy(out, stream->data + stream->begin, n);
    ftl_stream_consume(stream, n);
    *got = n;
    return FTL_OK;
}

static ftl_status early_end(const ftl_stream *stream, uint64_t missing, ftl_error *error)
{
    return FTL_FAIL_AT(error, FTL_CORRUPT, stream->consumed,
                       "unexpected end of file: %llu more bytes were expected; the file is "
                       "truncated, get it again",
                       (unsigned long long)missing);
}

ftl_status ftl_stream_read(ftl_stream *stream, void *out, size_t size, ftl_error *error)
{
    uint8_t *next = out;
    while (size) {
        size_t got;
        FTL_TRY(ftl_stream_read_some(stream, next, size, &got, error));
        if (got == 0)
            return early_end(stream, size, error);
        next += got;
        size -= got;
    }
    return FTL_OK;
}
