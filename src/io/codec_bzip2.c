/* bzip2 streams, also several in a row, by the bzip2 library. */
#include "io/decoder.h"

#include <string.h>

/* "BZh", the level, then the magic of a block (pi) or of an empty stream's end (sqrt pi): 80 bits.
 */
static int bzip2_bid(const uint8_t *data, size_t size)
{
    static const uint8_t block[6] = {0x31, 0x41, 0x59, 0x26, 0x53, 0x59};
    static const uint8_t end[6] = {0x17, 0x72, 0x45, 0x38, 0x50, 0x90};
    if (size < 10 || memcmp(data, "BZh", 3) != 0 || data[3] < '1' || data[3] > '9')
        return 0;
    return memcmp(data + 4, block, 6) == 0 || memcmp(data + 4, end, 6) == 0 ? 76 : 0;
}

#if FTL_HAVE_BZIP2
#include <bzlib.h>

static void *bzip2_alloc(void *opaque, int count, int size)
{
    return count < 0 || size < 0 ? NULL : ftl_decoder_alloc(opaque, (size_t)count, (size_t)size);
}

static ftl_status initialise(bz_stream *bz, ftl_error *error)
{
    int rc = BZ2_bzDecompressInit(bz, 0, 0);
    if (rc == BZ_MEM_ERROR)
        return FTL_OOM(error);
    return rc == BZ_OK ? FTL_OK : FTL_FAIL(error, FTL_INTERNAL, "bzip2 cannot start (code %d)", rc);
}

static ftl_status bzip2_start(void *state, ftl_account *account, ftl_error *error)
{
    bz_stream *bz = state;
    bz->bzalloc = bzip2_alloc;
    bz->bzfree = ftl_decoder_free;
    bz->opaque = account;
    return initialise(bz, error);
}

static ftl_status bzip2_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    bz_stream *bz = state;
    bz->next_in = (char *)(uintptr_t)step->in; /* the library only reads there */
    bz->avail_in = (unsigned)step->in_size;
    bz->next_out = (char *)step->out;
    bz->avail_out = (unsigned)step->room;
    int rc = BZ2_bzDecompress(bz);
    step->used = step->in_size - bz->avail_in;
    step->made = step->room - bz->avail_out;
    step->done = rc == BZ_STREAM_END;
    if (rc == BZ_OK || rc == BZ_STREAM_END)
        return FTL_OK;
    if (rc == BZ_MEM_ERROR)
        return FTL_OOM(error);
    return ftl_decoder_damaged(error, &ftl_codec_bzip2,
                               rc == BZ_DATA_ERROR ? "checksum or code table" : NULL);
}

static void bzip2_stop(void *state) { (void)BZ2_bzDecompressEnd(state); }

static ftl_status bzip2_restart(void *state, ftl_error *error)
{
    bzip2_stop(state);
    return initialise(state, error);
}

static ftl_status bzip2_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                             ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_bzip2, sizeof(bz_stream), bzip2_start,
                                        bzip2_step,       bzip2_restart,     bzip2_stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}
#else
#define bzip2_open NULL
#endif

const ftl_codec ftl_codec_bzip2 = {.name = "bzip2",
                                   .ending = ".bz2",
                                   .option = "FTL_WITH_BZIP2",
                                   .magic_size = 10,
                                   .bid = bzip2_bid,
                                   .open = bzip2_open};
