/* zlib (RFC 1950) and gzip (RFC 1952) streams, by the zlib library. */
#include "io/decoder.h"

/*
 * 78 and one of the four level bytes (deflate, 32 KiB window, no preset dictionary, header
 * divisible by 31). A text such as the header "x^2,y" begins the same way, so bytes that are all
 * text do not count.
 */
static int zlib_bid(const uint8_t *data, size_t size)
{
    if (size < 2 || data[0] != 0x78 ||
        (data[1] != 0x01 && data[1] != 0x5e && data[1] != 0x9c && data[1] != 0xda))
        return 0;
    for (size_t i = 1; i < size && i < 32; i++) {
        bool text = (data[i] >= 0x20 && data[i] < 0x7f) || data[i] == '\n' || data[i] == '\r' ||
                    data[i] == '\t';
        if (!text)
            return 16;
    }
    return 0;
}

static int gzip_bid(const uint8_t *data, size_t size)
{
    bool match = size >= 4 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 &&
                 (data[3] & 0xe0) == 0;
    return match ? 27 : 0;
}

#if FTL_HAVE_ZLIB
#include <zlib.h>

static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
    return ftl_decoder_alloc(opaque, count, size);
}

static ftl_status start(z_stream *z, ftl_account *account, int window_bits, ftl_error *error)
{
    z->zalloc = zlib_alloc;
    z->zfree = ftl_decoder_free;
    z->opaque = account;
    int rc = inflateInit2(z, window_bits);
    if (rc == Z_MEM_ERROR)
        return FTL_OOM(error);
    if (rc != Z_OK)
        return FTL_FAIL(error, FTL_INTERNAL, "zlib cannot start: %s",
                        z->msg ? z->msg : "wrong version");
    return FTL_OK;
}

static ftl_status zlib_start(void *state, ftl_account *account, ftl_error *error)
{
    return start(state, account, 15, error);
}

static ftl_status gzip_start(void *state, ftl_account *account, ftl_error *error)
{
    return start(state, account, 15 + 16, error);
}

static ftl_status step_with(z_stream *z, const ftl_codec *codec, ftl_decoder_step *step,
                            ftl_error *error)
{
    z->next_in = (z_const Bytef *)step->in;
    z->avail_in = (uInt)step->in_size;
    z->next_out = step->out;
    z->avail_out = (uInt)step->room;
    int rc = inflate(z, Z_NO_FLUSH);
    step->used = step->in_size - z->avail_in;
    step->made = step->room - z->avail_out;
    step->done = rc == Z_STREAM_END;
    switch (rc) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* no progress was possible: the frame sees that used and made are 0 */
        return FTL_OK;
    case Z_MEM_ERROR:
        return FTL_OOM(error);
    case Z_NEED_DICT:
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s data needs a preset dictionary", codec->name);
    default:
        return ftl_decoder_damaged(error, codec, z->msg);
    }
}

static ftl_status zlib_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    return step_with(state, &ftl_codec_zlib, step, error);
}

static ftl_status gzip_step(void *state, ftl_decoder_step *step, ftl_error *error)
{
    return step_with(state, &ftl_codec_gzip, step, error);
}

static ftl_status restart(void *state, ftl_error *error)
{
    return inflateReset(state) == Z_OK ? FTL_OK
                                       : FTL_FAIL(error, FTL_INTERNAL, "zlib cannot start again");
}

static void stop(void *state) { (void)inflateEnd(state); }

static ftl_status zlib_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                            ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_zlib, sizeof(z_stream), zlib_start,
                                        zlib_step,       restart,          stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}

static ftl_status gzip_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                            ftl_stream **out, ftl_error *error)
{
    static const ftl_decoder_ops ops = {&ftl_codec_gzip, sizeof(z_stream), gzip_start,
                                        gzip_step,       restart,          stop};
    return ftl_decoder_open(&ops, account, source, budget, out, error);
}
#else
#define zlib_open NULL
#define gzip_open NULL
#endif

const ftl_codec ftl_codec_zlib = {.name = "zlib",
                                  .option = "FTL_WITH_ZLIB",
                                  .magic_size = 32,
                                  .bid = zlib_bid,
                                  .open = zlib_open};
const ftl_codec ftl_codec_gzip = {.name = "gzip",
                                  .ending = ".gz",
                                  .option = "FTL_WITH_ZLIB",
                                  .magic_size = 4,
                                  .bid = gzip_bid,
                                  .open = gzip_open};
