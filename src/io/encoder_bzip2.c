/* bzip2 files by the bzip2 library; the largest blocks, which take 8 MiB. */
#include "io/decoder.h"
#include "io/encoder.h"

#if FTL_HAVE_BZIP2
#include <bzlib.h>

static void *allocate(void *opaque, int count, int size)
{
    return count < 0 || size < 0 ? NULL : ftl_decoder_alloc(opaque, (size_t)count, (size_t)size);
}

static ftl_status start(void *state, ftl_account *account, ftl_error *error)
{
    enum { LEVEL = 9, QUIET = 0, DEFAULT_WORK = 0 };
    bz_stream *bz = state;
    bz->bzalloc = allocate;
    bz->bzfree = ftl_decoder_free;
    bz->opaque = account;
    int rc = BZ2_bzCompressInit(bz, LEVEL, QUIET, DEFAULT_WORK);
    if (rc == BZ_MEM_ERROR)
        return FTL_OOM(error);
    return rc == BZ_OK ? FTL_OK : ftl_encoder_failed(&ftl_encoding_bzip2, error);
}

static ftl_status step_bzip2(void *state, ftl_encoder_step *step, ftl_error *error)
{
    bz_stream *bz = state;
    bz->next_in = (char *)(uintptr_t)step->in; /* the library only reads there */
    bz->avail_in = (unsigned)step->in_size;
    bz->next_out = (char *)step->out;
    bz->avail_out = (unsigned)step->room;
    int rc = BZ2_bzCompress(bz, step->last ? BZ_FINISH : BZ_RUN);
    step->used = step->in_size - bz->avail_in;
    step->made = step->room - bz->avail_out;
    step->done = rc == BZ_STREAM_END;
    return rc < 0 ? ftl_encoder_failed(&ftl_encoding_bzip2, error) : FTL_OK;
}

static void stop(void *state) { (void)BZ2_bzCompressEnd(state); }

#define STATE_SIZE sizeof(bz_stream)
#else
#define STATE_SIZE 0
#define start NULL
#define step_bzip2 NULL
#define stop NULL
#endif

const ftl_encoding ftl_encoding_bzip2 = {
    "bzip2", ".bz2", "FTL_WITH_BZIP2", STATE_SIZE, start, step_bzip2, stop, NULL, false};
