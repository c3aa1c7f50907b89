#include "io/unpack.h"

#include "io/snappy.h"

#if FTL_HAVE_BROTLI
#include <brotli/decode.h>
enum { HAVE_BROTLI = 1 };
#else
enum { HAVE_BROTLI = 0 };
#endif
#if FTL_HAVE_LZ4
#include <lz4.h>
#include <lz4frame.h>
enum { HAVE_LZ4 = 1 };
#else
enum { HAVE_LZ4 = 0 };
#endif
#if FTL_HAVE_ZLIB
#include <zlib.h>
enum { HAVE_ZLIB = 1 };
#else
enum { HAVE_ZLIB = 0 };
#endif
#if FTL_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
enum { HAVE_ZSTD = 1 };
#else
enum { HAVE_ZSTD = 0 };
#endif

static inline ftl_status damaged(const char *name, const char *why, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "%s data is damaged: %s", name, why);
}

/* ---- lz4 ------------------------------------------------------------------------------------- */

#if FTL_HAVE_LZ4
static ftl_status lz4_frame(ftl_unpacker *unpacker, const char *in, size_t in_size, char *out,
                            size_t out_size, ftl_error *error)
{
    /* what was decoded stays where it is, so the library need not copy it to look back */
    static const LZ4F_decompressOptions_t options = {.stableDst = 1};
    LZ4F_dctx *context = unpacker->lz4;
    if (!context && LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return FTL_OOM(error);
    unpacker->lz4 = context;
    LZ4F_resetDecompressionContext(context);
    for (size_t rc = 1; rc != 0;) {
        size_t used = in_size, made = out_size;
        rc = LZ4F_decompress(context, out, &made, in, &used, &options);
        if (LZ4F_isError(rc))
            return damaged("lz4", LZ4F_getErrorName(rc), error);
        if (rc != 0 && used == 0 && made == 0)
            return damaged("lz4", in_size ? "it holds more than it says" : "it is cut off", error);
        in += used;
        in_size -= used;
        out += made;
        out_size -= made;
    }
    return out_size == 0 ? FTL_OK : damaged("lz4", "it holds less than it says", error);
}

static bool lz4_block(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    if (in_size > INT32_MAX || out_size > INT32_MAX)
        return false;
    return LZ4_decompress_safe((const char *)in, (char *)out, (int)in_size, (int)out_size) ==
           (int)out_size;
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hadoop's framing: before each block its size and its compressed size, big-endian. */
static bool lz4_hadoop(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    while (in_size >= 8) {
        size_t size = big_endian(in), compressed = big_endian(in + 4);
        in += 8;
        in_size -= 8;
        if (compressed > in_size || size > out_size || !lz4_block(in, compressed, out, size))
            return false;
        in += compressed;
        in_size -= compressed;
        out += size;
        out_size -= size;
    }
    return in_size == 0 && out_size == 0;
}

/* What calls itself Hadoop's may be one plain block, as Arrow wrote it once. */
static ftl_status lz4_blocks(ftl_unpack_codec codec, const uint8_t *in, size_t in_size,
                             uint8_t *out, size_t out_size, ftl_error *error)
{
    bool good = (codec == FTL_UNPACK_LZ4_HADOOP && lz4_hadoop(in, in_size, out, out_size)) ||
                lz4_block(in, in_size, out, out_size);
    return good ? FTL_OK : damaged("lz4", "it has another size, or is none", error);
}
#endif

/* ---- zstd, gzip, brotli ---------------------------------------------------------------------- */

#if FTL_HAVE_ZSTD
static ftl_status zstd(ftl_unpacker *unpacker, const void *in, size_t in_size, void *out,
                       size_t out_size, ftl_error *error)
{
    if (!unpacker->zstd)
        unpacker->zstd = ZSTD_createDCtx();
    if (!unpacker->zstd)
        return FTL_OOM(error);
    size_t made = ZSTD_decompressDCtx(unpacker->zstd, out, out_size, in, in_size);
    if (ZSTD_isError(made) && ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation)
        return FTL_OOM(error);
    if (ZSTD_isError(made))
        return damaged("zstd", ZSTD_getErrorName(made), error);
    return made == out_size ? FTL_OK : damaged("zstd", "it holds less than it says", error);
}
#endif

#if FTL_HAVE_ZLIB
static void *zlib_alloc(void *account, unsigned count, unsigned size)
{
    return ftl_alloc_array(account, count, size);
}

static void zlib_free(void *account, void *pointer) { ftl_free(account, pointer); }

static ftl_status begin_inflate(ftl_unpacker *unpacker, ftl_error *error)
{
    if (unpacker->inflate)
        return inflateReset(unpacker->inflate) == Z_OK
                   ? FTL_OK
                   : damaged("gzip", "it cannot be read", error);
    z_stream *stream = ftl_alloc_zero(unpacker->account, 1, sizeof *stream);
    if (!stream)
        return FTL_OOM(error);
    stream->zalloc = zlib_alloc;
    stream->zfree = zlib_free;
    stream->opaque = unpacker->account;
    if (inflateInit2(stream, 15 + 32) != Z_OK) { /* gzip's or zlib's head */
        ftl_free(unpacker->account, stream);
        return FTL_OOM(error);
    }
    unpacker->inflate = stream;
    return FTL_OK;
}

/* Members may follow each other. */
static ftl_status gzip(ftl_unpacker *unpacker, const uint8_t *in, size_t in_size, uint8_t *out,
                       size_t out_size, ftl_error *error)
{
    FTL_TRY(begin_inflate(unpacker, error));
    z_stream *stream = unpacker->inflate;
    union {
        const uint8_t *from;
        Bytef *to;
    } input = {in}; /* zlib does not write there */
    stream->next_in = input.to;
    stream->avail_in = (uInt)in_size;
    stream->next_out = out;
    stream->avail_out = (uInt)out_size;
    while (stream->avail_in) {
        int rc = inflate(stream, Z_FINISH);
        if (rc == Z_MEM_ERROR)
            return FTL_OOM(error);
        if (rc != Z_STREAM_END)
            return damaged("gzip", stream->msg ? stream->msg : "it has another size", error);
        if (stream->avail_in && inflateReset(stream) != Z_OK)
            return damaged("gzip", "it cannot be read", error);
    }
    return stream->avail_out == 0 ? FTL_OK : damaged("gzip", "it ends too early", error);
}
#endif

#if FTL_HAVE_BROTLI
static ftl_status brotli(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                         ftl_error *error)
{
    size_t made = out_size;
    if (BrotliDecoderDecompress(in_size, in, &made, out) != BROTLI_DECODER_RESULT_SUCCESS ||
        made != out_size)
        return damaged("brotli", "it has another size, or is none", error);
    return FTL_OK;
}
#endif

/* ---- Choosing -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *option; /* the build switch */
    bool built;
} known[] = {
    [FTL_UNPACK_LZ4_FRAME] = {"lz4", "FTL_WITH_LZ4", HAVE_LZ4},
    [FTL_UNPACK_ZSTD] = {"zstd", "FTL_WITH_ZSTD", HAVE_ZSTD},
    [FTL_UNPACK_LZ4_BLOCK] = {"lz4", "FTL_WITH_LZ4", HAVE_LZ4},
    [FTL_UNPACK_LZ4_HADOOP] = {"lz4", "FTL_WITH_LZ4", HAVE_LZ4},
    [FTL_UNPACK_GZIP] = {"gzip", "FTL_WITH_ZLIB", HAVE_ZLIB},
    [FTL_UNPACK_BROTLI] = {"brotli", "FTL_WITH_BROTLI", HAVE_BROTLI},
    [FTL_UNPACK_SNAPPY] = {"snappy", "", true},
};

const char *ftl_unpack_name(ftl_unpack_codec codec) { return known[codec].name; }

const char *ftl_unpack_lacks(ftl_unpack_codec codec)
{
    return known[codec].built ? NULL : known[codec].option;
}

void ftl_unpacker_free(ftl_unpacker *unpacker)
{
#if FTL_HAVE_LZ4
    if (unpacker->lz4)
        (void)LZ4F_freeDecompressionContext(unpacker->lz4);
#endif
#if FTL_HAVE_ZSTD
    ZSTD_freeDCtx(unpacker->zstd);
#endif
#if FTL_HAVE_ZLIB
    if (unpacker->inflate) {
        inflateEnd(unpacker->inflate);
        ftl_free(unpacker->account, unpacker->inflate);
    }
#endif
    *unpacker = (ftl_unpacker){.account = unpacker->account};
}

static ftl_status not_built(ftl_unpack_codec codec, ftl_error *error)
{
    if ((unsigned)codec >= FTL_ARRAY_LEN(known))
        return FTL_FAIL(error, FTL_INTERNAL, "there is no codec %u", (unsigned)codec);
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "it is compressed with %s, which this build does not read; build with %s=ON",
                    known[codec].name, known[codec].option);
}

ftl_status ftl_unpack(ftl_unpacker *unpacker, ftl_unpack_codec codec, const void *in,
                      size_t in_size, void *out, size_t out_size, ftl_error *error)
{
    (void)unpacker;
    switch (codec) {
#if FTL_HAVE_LZ4
    case FTL_UNPACK_LZ4_FRAME:
        return lz4_frame(unpacker, in, in_size, out, out_size, error);
    case FTL_UNPACK_LZ4_BLOCK:
    case FTL_UNPACK_LZ4_HADOOP:
        return lz4_blocks(codec, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_ZSTD
    case FTL_UNPACK_ZSTD:
        return zstd(unpacker, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_ZLIB
    case FTL_UNPACK_GZIP:
        return gzip(unpacker, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_BROTLI
    case FTL_UNPACK_BROTLI:
        return brotli(in, in_size, out, out_size, error);
#endif
    case FTL_UNPACK_SNAPPY:
        return ftl_snappy_decompress(in, in_size, out, out_size, error);
    default:
        return not_built(codec, error);
    }
}
