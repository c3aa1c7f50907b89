/* xz files by liblzma. Preset 3 takes 32 MiB; the usual 6 takes 94 MiB and three times as long for
 * a few percent. */
#include "io/decoder.h"
#include "io/encoder.h"

#if FTL_HAVE_LZMA
#include <lzma.h>

typedef struct xz_state {
    lzma_stream stream;
    lzma_allocator allocator;
} xz_state;

static ftl_status start(void *state, ftl_account *account, ftl_error *error)
{
    enum { PRESET = 3 };
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    xz_state *xz = state;
    xz->stream = fresh;
    xz->allocator = (lzma_allocator){ftl_decoder_alloc, ftl_decoder_free, account};
    xz->stream.allocator = &xz->allocator;
    lzma_ret rc = lzma_easy_encoder(&xz->stream, PRESET, LZMA_CHECK_CRC64);
    if (rc == LZMA_MEM_ERROR)
        return FTL_OOM(error);
    return rc == LZMA_OK ? FTL_OK : ftl_encoder_failed(&ftl_encoding_xz, error);
}

static ftl_status step_xz(void *state, ftl_encoder_step *step, ftl_error *error)
{
    xz_state *xz = state;
    xz->stream.next_in = step->in;
    xz->stream.avail_in = step->in_size;
    xz->stream.next_out = step->out;
    xz->stream.avail_out = step->room;
    lzma_ret rc = lzma_code(&xz->stream, step->last ? LZMA_FINISH : LZMA_RUN);
    step->used = step->in_size - xz->stream.avail_in;
    step->made = step->room - xz->stream.avail_out;
    step->done = rc == LZMA_STREAM_END;
    if (rc == LZMA_MEM_ERROR)
        return FTL_OOM(error);
    return rc == LZMA_OK || rc == LZMA_STREAM_END ? FTL_OK
                                                  : ftl_encoder_failed(&ftl_encoding_xz, error);
}

static void stop(void *state) { lzma_end(&((xz_state *)state)->stream); }

#define STATE_SIZE sizeof(xz_state)
#else
#define STATE_SIZE 0
#define start NULL
#define step_xz NULL
#define stop NULL
#endif

const ftl_encoding ftl_encoding_xz = {
    "xz", ".xz", "FTL_WITH_LZMA", STATE_SIZE, start, step_xz, stop, NULL, false};
