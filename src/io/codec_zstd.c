/*
 * zstd frames, also several in a row, by the zstd library, which allocates for itself: its default
 * window limit (128 MiB) bounds that.
 */
#include "io/decoder.h"

/* Magic FD2FB528 (little-endian), then a frame header descriptor whose reserved bit is 0. */
static int zstd_bid(const uint8_t *data, size_t size)
{
    static const uint8_t lz4[4] = {0x04, 0x22, 0x4d, 0x18};
    if (ftl_decoder_skips(data, size)) /* pzstd and the seekable format write such */
        return ftl_decoder_skips_to(data, size, lz4) ? 0 : 28;
    bool match = size >= 5 && data[0] == 0x28 && data[1] == 0xb5 && data[2] == 0x2f &&
                 data[3] == 0xfd;
    return match && (data[4] & 0x08) == 0 ? 33 : 0;
}

#if FTL_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

typedef struct zstd_state {
    ZSTD_DCtx *context;
} zstd_state;

static ftl_status zstd_start(void *state, ftl_account *account, ftl_error *error)
{
    (void)account;
    zstd_state *zstd = state;
    zstd->context = ZSTD_createDCtx();
    return zstd->context ? FTL_OK : FTL_OOM(error);
}

static ftl_status failure(size_t rc, ftl_error *error)
{
    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_memory_allocation:
        return FTL_OOM(error);
    case ZSTD_error_frameParameter_windowTooLarge:
        return FTL_FAIL(
            error, FTL_LIMIT,
            "zstd data needs a window above 128 MiB; recompress it with a smaller window");
    case ZSTD_error_dictionary_wrong:
        return FTL_FAIL(error, FTL_UNSUPPORTED, "zstd data needs a dictionary");
    default:
        return ftl_decoder_damaged(error, &ftl_codec_zstd, ZSTD_getErrorName(rc));
    }
}

static ftl_status zstd_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    zstd_state *zstd = state;
    ZSTD_inBuffer in = {step->in, step->in_size, 0};
    ZSTD_outBuffer out = {step->out, step->room, 0};
    size_t rc = ZSTD_decompressStream(zstd->context, &out, &in);
    if (ZSTD_isError(rc))
        return failure(rc, error);
    step->used = in.pos;
    step->made = out.pos;
    step->done = rc == 0;
    return FTL_OK;
}

static ftl_status zstd_restart(void *state, ftl_error *error)
{
    zstd_state *zstd = state;
    size_t rc = ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
    return ZSTD_isError(rc) ? failure(rc, error) : FTL_OK;
}

static void zstd_stop(void *state)
{
    zstd_state *zstd = state;
    ZSTD_freeDCtx(zstd->context);
}

static ftl_status zstd_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                            ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_zstd, sizeof(zstd_state), zstd_start,
                                        zstd_step,       zstd_restart,       zstd_stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}
#else
#define zstd_open NULL
#endif

const ftl_codec ftl_codec_zstd = {.name = "zstd",
                                  .ending = ".zst",
                                  .option = "FTL_WITH_ZSTD",
                                  .magic_size = FTL_SKIPPABLE_VISIBLE,
                                  .bid = zstd_bid,
                                  .open = zstd_open};
