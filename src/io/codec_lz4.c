/* lz4 frames, also several in a row, by the lz4 library, which allocates for itself (a few blocks
 * of 4 MiB at most). */
#include "io/decoder.h"

/* Magic 184D2204 (little-endian), then a descriptor whose version is 1 and whose reserved bit is 0.
 */
static int lz4_bid(const uint8_t *data, size_t size)
{
    if (ftl_decoder_skips(data, size)) /* zstd's bid is higher, unless it sees that lz4 follows */
        return 27;
    bool match = size >= 5 && data[0] == 0x04 && data[1] == 0x22 && data[2] == 0x4d &&
                 data[3] == 0x18;
    return match && (data[4] & 0xc2) == 0x40 ? 35 : 0;
}

#if FTL_HAVE_LZ4
#include <lz4frame.h>

typedef struct lz4_state {
    LZ4F_dctx *context;
} lz4_state;

static ftl_status lz4_start(void *state, ftl_account *account, ftl_error *error)
{
    (void)account;
    lz4_state *lz4 = state;
    return LZ4F_isError(LZ4F_createDecompressionContext(&lz4->context, LZ4F_VERSION))
               ? FTL_OOM(error)
               : FTL_OK;
}

static ftl_status lz4_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    lz4_state *lz4 = state;
    size_t used = step->in_size, made = step->room;
    size_t rc = LZ4F_decompress(lz4->context, step->out, &made, step->in, &used, NULL);
    if (LZ4F_isError(rc))
        return ftl_decoder_damaged(error, &ftl_codec_lz4, LZ4F_getErrorName(rc));
    step->used = used;
    step->made = made;
    step->done = rc == 0;
    return FTL_OK;
}

static ftl_status lz4_restart(void *state, ftl_error *error)
{
    (void)error;
    lz4_state *lz4 = state;
    LZ4F_resetDecompressionContext(lz4->context);
    return FTL_OK;
}

static void lz4_stop(void *state)
{
    lz4_state *lz4 = state;
    (void)LZ4F_freeDecompressionContext(
        lz4->context); /* its result tells the stage that was reached, not an error */
}

static ftl_status lz4_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                           ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_lz4, sizeof(lz4_state), lz4_start,
                                        lz4_step,       lz4_restart,       lz4_stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}
#else
#define lz4_open NULL
#endif

const ftl_codec ftl_codec_lz4 = {.name = "lz4",
                                 .ending = ".lz4",
                                 .option = "FTL_WITH_LZ4",
                                 .magic_size = FTL_SKIPPABLE_VISIBLE,
                                 .bid = lz4_bid,
                                 .open = lz4_open};
