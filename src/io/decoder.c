#include "io/decoder.h"

#include <stdio.h>
#include <string.h>

typedef struct decoder {
    const ftl_decoder_ops *ops;
    ftl_account *account;
    ftl_stream *source; /* NULL until the opening succeeded: a failed one leaves it to the caller */
    bool started;       /* stop() is due */
    bool between;       /* a member has ended, the next has not begun */
    bool finished;
    uint64_t members, made; /* members so far, and bytes that came out of them */
    _Alignas(16) unsigned char state[];
} decoder;

void *ftl_decoder_alloc(void *opaque, size_t count, size_t size)
{
    return ftl_alloc_array(opaque, count, size);
}

void ftl_decoder_free(void *opaque, void *pointer) { ftl_free(opaque, pointer); }

ftl_status ftl_decoder_damaged(ftl_error *error, const ftl_codec *codec, const char *detail)
{
    return FTL_FAIL(error, FTL_CORRUPT, "%s data is damaged (%s)", codec->name,
                    detail ? detail : "invalid data");
}

bool ftl_decoder_skips(const uint8_t *data, size_t size)
{
    return size >= 8 && (data[0] & 0xf0) == 0x50 && data[1] == 0x2a && data[2] == 0x4d &&
           data[3] == 0x18;
}

bool ftl_decoder_skips_to(const uint8_t *data, size_t size, const uint8_t magic[4])
{
    size_t next = 8 + ((size_t)data[4] | (size_t)data[5] << 8 | (size_t)data[6] << 16 |
                       (size_t)data[7] << 24);
    return next <= size - 4 && memcmp(data + next, magic, 4) == 0;
}

/* Adds where in the compressed bytes it happened: the error's own offset counts decoded bytes. */
static ftl_status locate(const decoder *d, ftl_status status, ftl_error *error)
{
    if (!error || status == FTL_NOMEM)
        return status;
    size_t length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, " at compressed byte %llu%s",
             (unsigned long long)ftl_stream_offset(d->source),
             status == FTL_CORRUPT ? "; get the file again" : "");
    return status;
}

static ftl_status truncated(const decoder *d, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "%s data ends too early, after compressed byte %llu; get the file again",
                    d->ops->codec->name, (unsigned long long)ftl_stream_offset(d->source));
}

/*
 * Beginning a member costs time whatever it holds, up to a tenth of a millisecond (bzip2 clears
 * megabytes), and a layer above can make millions of tiny ones out of few bytes. What writes
 * members fills them: the smallest known are the 64 KiB blocks of genome files.
 */
static ftl_status count_member(decoder *d, ftl_error *error)
{
    enum { SPARE = 1024, LEAST = 4096 };
    if (++d->members <= SPARE + d->made / LEAST)
        return FTL_OK;
    return FTL_FAIL(
        error, FTL_LIMIT,
        "%s data of %llu pieces that hold next to nothing; decompress the file first, if "
        "you trust it",
        d->ops->codec->name, (unsigned long long)d->members);
}

/* After a member: the end, another member, or padding with zeros, as tapes and block devices leave
 * it. */
static ftl_status next_member(decoder *d, ftl_error *error)
{
    const ftl_codec *codec = d->ops->codec;
    for (;;) {
        const uint8_t *data;
        size_t available, zeros = 0;
        FTL_TRY(ftl_stream_ahead(d->source, codec->magic_size, &data, &available, error));
        d->finished = available == 0;
        if (d->finished)
            return FTL_OK;
        if (d->ops->restart && codec->bid(data, available)) {
            d->between = false;
            FTL_TRY(count_member(d, error));
            return d->ops->restart(d->state, error);
        }
        while (zeros < available && data[zeros] == 0)
            zeros++;
        ftl_stream_consume(d->source, zeros);
        if (zeros == 0)
            return FTL_FAIL(error, FTL_CORRUPT,
                            "bytes that are not %s data follow its end at compressed byte %llu; "
                            "get the file again",
                            codec->name, (unsigned long long)ftl_stream_offset(d->source));
    }
}

static ftl_status decoder_read(void *opaque, void *out, size_t room, size_t *got, ftl_error *error)
{
    enum { LARGEST = 1 << 30 }; /* zlib and bzip2 count in 32 bits */
    decoder *d = opaque;
    *got = 0;
    for (;;) {
        if (d->between && !d->finished)
            FTL_TRY(next_member(d, error));
        if (d->finished)
            return FTL_OK;
        ftl_decoder_step step = {.out = out, .room = room < LARGEST ? room : LARGEST};
        FTL_TRY(ftl_stream_ahead(d->source, 1, &step.in, &step.in_size, error));
        bool at_end = step.in_size == 0;
        if (step.in_size > LARGEST)
            step.in_size = LARGEST;
        ftl_status status = d->ops->step(d->state, &step, error);
        if (status != FTL_OK)
            return locate(d, status, error);
        ftl_stream_consume(d->source, step.used);
        d->between = step.done;
        *got = step.made;
        d->made += step.made;
        if (step.made)
            return FTL_OK;
        if (!step.done && at_end)
            return truncated(d, error);
        if (!step.done && !step.used) { /* input and room, yet no progress: never loop */
            status = ftl_decoder_damaged(error, d->ops->codec, "no progress");
            return locate(d, status, error);
        }
    }
}

static void decoder_close(void *opaque)
{
    decoder *d = opaque;
    if (d->started)
        d->ops->stop(d->state);
    ftl_stream_close(d->source);
    ftl_free(d->account, d);
}

static ftl_status decoder_verify(void *opaque, ftl_error *error)
{
    return ftl_stream_verify(((decoder *)opaque)->source, error);
}

ftl_status ftl_decoder_open(const ftl_decoder_ops *ops, ftl_account *account, ftl_stream *source,
                            uint64_t budget, ftl_stream **out, ftl_error *error)
{
    static const ftl_stream_ops stream_ops = {
        .read = decoder_read, .close = decoder_close, .verify = decoder_verify};
    decoder *d = ftl_alloc_zero(account, 1, sizeof *d + ops->state_size);
    if (!d)
        return FTL_OOM(error);
    d->ops = ops;
    d->account = account;
    d->started = true;
    ftl_status status = ops->start(d->state, account, error);
    if (status != FTL_OK) {
        decoder_close(d);
        return status;
    }
    FTL_TRY(ftl_stream_create(account, &stream_ops, d, budget, out, error));
    d->source = source;
    return FTL_OK;
}
