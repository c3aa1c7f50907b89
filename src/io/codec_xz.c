/* xz streams, also several in a row, and the older lzma format ("lzma alone"), by liblzma. */
#include "io/decoder.h"

#include <string.h>

/* Magic, then the stream flags: a zero byte and a check type below 16. */
static int xz_bid(const uint8_t *data, size_t size)
{
    static const uint8_t magic[7] = {0xfd, '7', 'z', 'X', 'Z', 0, 0};
    return size >= 8 && memcmp(data, magic, 7) == 0 && data[7] < 16 ? 60 : 0;
}

/*
 * The format has no magic: properties 5d (lc=3 lp=0 pb=2, what every writer uses), the dictionary
 * size (2^n or 2^n + 2^(n-1), at least 64 KiB), the decoded size (unknown = all ones, or below
 * 2^48). A pickled list also begins with 5d, but its next byte is an opcode, which 0 is not.
 */
static int lzma_bid(const uint8_t *data, size_t size)
{
    if (size < 13 || data[0] != 0x5d || data[1] != 0 || data[2] != 0)
        return 0;
    uint32_t dictionary = (uint32_t)data[3] << 16 | (uint32_t)data[4] << 24;
    uint32_t top = dictionary ? 1u << (31 - __builtin_clz(dictionary)) : 0;
    if (dictionary == 0 || (dictionary != top && dictionary != (top | top >> 1)))
        return 0;
    uint64_t decoded = 0;
    for (int i = 7; i >= 0; i--)
        decoded = decoded << 8 | data[5 + i];
    return decoded == UINT64_MAX || decoded < (UINT64_C(1) << 48) ? 48 : 0;
}

#if FTL_HAVE_LZMA
#include <lzma.h>

/* xz -9 needs 65 MiB; a header may ask for 4 GiB. */
static const uint64_t memory_limit = UINT64_C(256) << 20;

typedef struct xz_state {
    lzma_stream stream;
    lzma_allocator allocator;
} xz_state;

static ftl_status check(lzma_ret rc, const ftl_codec *codec, ftl_error *error)
{
    switch (rc) {
    case LZMA_OK:
    case LZMA_STREAM_END:
    case LZMA_BUF_ERROR: /* no progress was possible: the frame sees that used and made are 0 */
        return FTL_OK;
    case LZMA_MEM_ERROR:
        return FTL_OOM(error);
    case LZMA_MEMLIMIT_ERROR:
        return FTL_FAIL(
            error, FTL_LIMIT,
            "%s data needs more than %llu MiB to decode; recompress it with preset 9 or less",
            codec->name, (unsigned long long)(memory_limit >> 20));
    case LZMA_OPTIONS_ERROR:
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s data uses options that liblzma does not know",
                        codec->name);
    default:
        return ftl_decoder_damaged(error, codec, rc == LZMA_DATA_ERROR ? "checksum or code" : NULL);
    }
}

static void connect(xz_state *xz, ftl_account *account)
{
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    xz->stream = fresh;
    xz->allocator = (lzma_allocator){ftl_decoder_alloc, ftl_decoder_free, account};
    xz->stream.allocator = &xz->allocator;
}

static ftl_status xz_restart(void *state, ftl_error *error)
{
    xz_state *xz = state;
    return check(lzma_stream_decoder(&xz->stream, memory_limit, 0), &ftl_codec_xz, error);
}

static ftl_status xz_start(void *state, ftl_account *account, ftl_error *error)
{
    connect(state, account);
    return xz_restart(state, error);
}

static ftl_status lzma_start(void *state, ftl_account *account, ftl_error *error)
{
    xz_state *xz = state;
    connect(xz, account);
    return check(lzma_alone_decoder(&xz->stream, memory_limit), &ftl_codec_lzma, error);
}

static ftl_status step_with(xz_state *xz, const ftl_codec *codec, ftl_decoder_step *step,
                            ftl_error *error)
{
    xz->stream.next_in = step->in;
    xz->stream.avail_in = step->in_size;
    xz->stream.next_out = step->out;
    xz->stream.avail_out = step->room;
    lzma_ret rc = lzma_code(&xz->stream, LZMA_RUN);
    step->used = step->in_size - xz->stream.avail_in;
    step->made = step->room - xz->stream.avail_out;
    step->done = rc == LZMA_STREAM_END;
    return check(rc, codec, error);
}

static ftl_status xz_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    return step_with(state, &ftl_codec_xz, step, error);
}

static ftl_status lzma_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    return step_with(state, &ftl_codec_lzma, step, error);
}

static void stop(void *state) { lzma_end(&((xz_state *)state)->stream); }

static ftl_status xz_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                          ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_xz, sizeof(xz_state), xz_start,
                                        xz_step,       xz_restart,       stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}

static ftl_status lzma_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                            ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {
        &ftl_codec_lzma, sizeof(xz_state), lzma_start, lzma_step, NULL, stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}
#else
#define xz_open NULL
#define lzma_open NULL
#endif

const ftl_codec ftl_codec_xz = {.name = "xz",
                                .ending = ".xz",
                                .option = "FTL_WITH_LZMA",
                                .magic_size = 8,
                                .bid = xz_bid,
                                .open = xz_open};
const ftl_codec ftl_codec_lzma = {.name = "lzma",
                                  .ending = ".lzma",
                                  .option = "FTL_WITH_LZMA",
                                  .magic_size = 13,
                                  .bid = lzma_bid,
                                  .open = lzma_open};
