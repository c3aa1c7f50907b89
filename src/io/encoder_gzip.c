/* gzip files (RFC 1952) by the zlib library: no name and no time, so the same bytes every day. */
#include "io/decoder.h"
#include "io/encoder.h"

#if FTL_HAVE_ZLIB
#include <zlib.h>

static void *allocate(void *opaque, unsigned count, unsigned size)
{
    return ftl_decoder_alloc(opaque, count, size);
}

static ftl_status start(void *state, ftl_account *account, ftl_error *error)
{
    enum { LEVEL = 6, WINDOW_BITS = 15 + 16 /* the largest, and gzip's header */, MEMORY = 8 };
    z_stream *z = state;
    z->zalloc = allocate;
    z->zfree = ftl_decoder_free;
    z->opaque = account;
    int rc = deflateInit2(z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY);
    if (rc == Z_MEM_ERROR)
        return FTL_OOM(error);
    return rc == Z_OK ? FTL_OK : ftl_encoder_failed(&ftl_encoding_gzip, error);
}

static ftl_status step_gzip(void *state, ftl_encoder_step *step, ftl_error *error)
{
    z_stream *z = state;
    z->next_in = (z_const Bytef *)step->in;
    z->avail_in = (uInt)step->in_size;
    z->next_out = step->out;
    z->avail_out = (uInt)step->room;
    int rc = deflate(z, step->last ? Z_FINISH : Z_NO_FLUSH);
    step->used = step->in_size - z->avail_in;
    step->made = step->room - z->avail_out;
    step->done = rc == Z_STREAM_END;
    return rc == Z_STREAM_ERROR ? ftl_encoder_failed(&ftl_encoding_gzip, error) : FTL_OK;
}

static void stop(void *state) { (void)deflateEnd(state); }

#define STATE_SIZE sizeof(z_stream)
#else
#define STATE_SIZE 0
#define start NULL
#define step_gzip NULL
#define stop NULL
#endif

const ftl_encoding ftl_encoding_gzip = {
    "gzip", ".gz", "FTL_WITH_ZLIB", STATE_SIZE, start, step_gzip, stop, NULL, false};
