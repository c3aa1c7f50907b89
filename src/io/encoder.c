#include "io/encoder.h"

#include <string.h>

struct ftl_encoder {
    ftl_account *account;
    const ftl_encoding *encoding;
    ftl_emit_fn emit;
    void *user;
    uint8_t *out; /* FTL_ENCODER_ROOM bytes */
    _Alignas(16) unsigned char state[];
};

ftl_status ftl_encoder_failed(const ftl_encoding *encoding, ftl_error *error)
{
    return FTL_FAIL(error, FTL_INTERNAL, "the output cannot be compressed with %s", encoding->name);
}

ftl_status ftl_encoder_create(ftl_account *account, const ftl_encoding *encoding, ftl_emit_fn emit,
                              void *user, ftl_encoder **out, ftl_error *error)
{
    if (!encoding->start)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "this build cannot write %s files (%s); build foretell with -D%s=ON or "
                        "give a name without that ending",
                        encoding->name, encoding->ending, encoding->option);
    ftl_encoder *encoder = ftl_alloc_zero(account, 1, sizeof *encoder + encoding->state_size);
    if (!encoder)
        return FTL_OOM(error);
    encoder->account = account;
    encoder->encoding = encoding;
    encoder->emit = emit;
    encoder->user = user;
    encoder->out = ftl_alloc(account, FTL_ENCODER_ROOM);
    ftl_status status = FTL_NOMEM;
    if (encoder->out)
        status = encoding->start(encoder->state, account, error);
    else
        ftl_error_set(error, FTL_NOMEM, "out of memory");
    if (status != FTL_OK) {
        ftl_encoder_destroy(encoder);
        return status;
    }
    *out = encoder;
    return FTL_OK;
}

static ftl_status make_step(ftl_encoder *encoder, ftl_encoder_step *step, ftl_error *error)
{
    step->out = encoder->out;
    step->room = FTL_ENCODER_ROOM;
    FTL_TRY(encoder->encoding->step(encoder->state, step, error));
    if (!step->used && !step->made && !step->done) /* room, yet no progress: never loop */
        return ftl_encoder_failed(encoder->encoding, error);
    return FTL_OK;
}

/* One step, and what it made is handed on. */
static ftl_status run_step(ftl_encoder *encoder, ftl_encoder_step *step, ftl_error *error)
{
    FTL_TRY(make_step(encoder, step, error));
    return step->made ? encoder->emit(encoder->user, encoder->out, step->made, error) : FTL_OK;
}

ftl_status ftl_encoder_write(ftl_encoder *encoder, const void *data, size_t size, ftl_error *error)
{
    enum { LARGEST = 1 << 30 }; /* zlib and bzip2 count in 32 bits */
    const uint8_t *next = data;
    while (size) {
        ftl_encoder_step step = {.in = next, .in_size = size < LARGEST ? size : LARGEST};
        FTL_TRY(run_step(encoder, &step, error));
        next += step.used;
        size -= step.used;
    }
    return FTL_OK;
}

static ftl_status end(ftl_encoder *encoder, bool part, ftl_error *error)
{
    for (bool done = false; !done;) {
        ftl_encoder_step step = {.in = (const uint8_t *)"", .last = true, .part = part};
        FTL_TRY(run_step(encoder, &step, error));
        done = step.done;
    }
    return FTL_OK;
}

ftl_status ftl_encoder_finish(ftl_encoder *encoder, ftl_error *error)
{
    return end(encoder, false, error);
}

ftl_status ftl_encoder_go_on(ftl_encoder *encoder, ftl_error *error)
{
    /* the first step of these makes the file's head, which is there */
    ftl_encoder_step step = {.in = (const uint8_t *)"", .last = true, .part = true};
    return encoder->encoding->one_file ? make_step(encoder, &step, error) : FTL_OK;
}

ftl_status ftl_encoder_part(ftl_encoder *encoder, ftl_error *error)
{
    FTL_TRY(end(encoder, encoder->encoding->one_file, error));
    /* as new, so that who goes on elsewhere writes the same bytes */
    encoder->encoding->stop(encoder->state);
    memset(encoder->state, 0, encoder->encoding->state_size);
    FTL_TRY(encoder->encoding->start(encoder->state, encoder->account, error));
    return ftl_encoder_go_on(encoder, error);
}

bool ftl_encoder_has_end(const ftl_encoder *encoder) { return encoder->encoding->one_file; }

void ftl_encoder_destroy(ftl_encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->out) /* else it was never started */
        encoder->encoding->stop(encoder->state);
    ftl_free(encoder->account, encoder->out);
    ftl_free(encoder->account, encoder);
}
