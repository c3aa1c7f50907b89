#include "table/parquet_codec.h"

#include "io/snappy.h"

#include <string.h>

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
#if FTL_HAVE_LZ4
#include <lz4.h>
enum { HAVE_LZ4 = 1 };
#else
enum { HAVE_LZ4 = 0 };
#endif
#if FTL_HAVE_BROTLI
#include <brotli/decode.h>
enum { HAVE_BROTLI = 1 };
#else
enum { HAVE_BROTLI = 0 };
#endif

void ftl_parquet_codecs_init(ftl_parquet_codecs *codecs, ftl_account *account)
{
    *codecs = (ftl_parquet_codecs){.account = account};
}

void ftl_parquet_codecs_free(ftl_parquet_codecs *codecs)
{
#if FTL_HAVE_ZSTD
    ZSTD_freeDCtx(codecs->zstd);
#endif
#if FTL_HAVE_ZLIB
    if (codecs->inflate)
        inflateEnd(codecs->inflate);
#endif
    ftl_free(codecs->account, codecs->inflate);
    *codecs = (ftl_parquet_codecs){.account = codecs->account};
}

static ftl_status damaged(ftl_error *error, const char *name, const char *why)
{
    return FTL_FAIL(error, FTL_CORRUPT, "%s data is damaged: %s", name, why);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

#if FTL_HAVE_ZLIB
static void *zlib_alloc(void *account, unsigned count, unsigned size)
{
    return ftl_alloc_array(account, count, size);
}

static void zlib_free(void *account, void *pointer) { ftl_free(account, pointer); }

static ftl_status begin_inflate(ftl_parquet_codecs *codecs, ftl_error *error)
{
    if (codecs->inflate)
        return inflateReset(codecs->inflate) == Z_OK ? FTL_OK
                                                     : damaged(error, "gzip", "it cannot be read");
    z_stream *stream = ftl_alloc_zero(codecs->account, 1, sizeof *stream);
    if (!stream)
        return FTL_OOM(error);
    stream->zalloc = zlib_alloc;
    stream->zfree = zlib_free;
    stream->opaque = codecs->account;
    if (inflateInit2(stream, 15 + 32) != Z_OK) { /* gzip's or zlib's head */
        ftl_free(codecs->account, stream);
        return FTL_OOM(error);
    }
    codecs->inflate = stream;
    return FTL_OK;
}

/* Members may follow each other. */
static ftl_status gzip(ftl_parquet_codecs *codecs, const uint8_t *in, size_t in_size, uint8_t *out,
                       size_t out_size, ftl_error *error)
{
    FTL_TRY(begin_inflate(codecs, error));
    z_stream *stream = codecs->inflate;
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
            return damaged(error, "gzip", stream->msg ? stream->msg : "it has another size");
        if (stream->avail_in && inflateReset(stream) != Z_OK)
            return damaged(error, "gzip", "it cannot be read");
    }
    return stream->avail_out == 0 ? FTL_OK : damaged(error, "gzip", "it ends too early");
}

bool ftl_parquet_crc_matches(uint32_t crc, const uint8_t *data, size_t size)
{
    return crc32(0, data, (uInt)size) == crc;
}
#else
bool ftl_parquet_crc_matches(uint32_t crc, const uint8_t *data, size_t size)
{
    (void)crc;
    (void)data;
    (void)size;
    return true;
}
#endif

/* ---- zstd, brotli ---------------------------------------------------------------------------- */

#if FTL_HAVE_ZSTD
static ftl_status zstd(ftl_parquet_codecs *codecs, const uint8_t *in, size_t in_size, uint8_t *out,
                       size_t out_size, ftl_error *error)
{
    if (!codecs->zstd)
        codecs->zstd = ZSTD_createDCtx();
    if (!codecs->zstd)
        return FTL_OOM(error);
    size_t made = ZSTD_decompressDCtx(codecs->zstd, out, out_size, in, in_size);
    if (ZSTD_isError(made) && ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation)
        return FTL_OOM(error);
    if (ZSTD_isError(made))
        return damaged(error, "zstd", ZSTD_getErrorName(made));
    return made == out_size ? FTL_OK : damaged(error, "zstd", "it ends too early");
}
#endif

#if FTL_HAVE_BROTLI
static ftl_status brotli(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                         ftl_error *error)
{
    size_t made = out_size;
    if (BrotliDecoderDecompress(in_size, in, &made, out) != BROTLI_DECODER_RESULT_SUCCESS ||
        made != out_size)
        return damaged(error, "brotli", "it has another size, or is none");
    return FTL_OK;
}
#endif

/* ---- lz4 ------------------------------------------------------------------------------------- */

#if FTL_HAVE_LZ4
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

/* What calls itself LZ4 is Hadoop's, or one plain block, as Arrow wrote it once. */
static ftl_status lz4(int codec, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                      ftl_error *error)
{
    bool good = (codec == FTL_PARQUET_LZ4_HADOOP && lz4_hadoop(in, in_size, out, out_size)) ||
                lz4_block(in, in_size, out, out_size);
    return good ? FTL_OK : damaged(error, "lz4", "it has another size, or is none");
}
#endif

/* ---- Choosing -------------------------------------------------------------------------------- */

/* By the format's numbers; option: the build switch without which a codec is not there. */
static const struct {
    const char *name, *option;
    bool built;
} known[] = {
    [FTL_PARQUET_UNCOMPRESSED] = {"nothing", "", true},
    [FTL_PARQUET_SNAPPY] = {"snappy", "", true},
    [FTL_PARQUET_GZIP] = {"gzip", "FTL_WITH_ZLIB", HAVE_ZLIB},
    [FTL_PARQUET_LZO] = {"lzo", NULL, false},
    [FTL_PARQUET_BROTLI] = {"brotli", "FTL_WITH_BROTLI", HAVE_BROTLI},
    [FTL_PARQUET_LZ4_HADOOP] = {"lz4", "FTL_WITH_LZ4", HAVE_LZ4},
    [FTL_PARQUET_ZSTD] = {"zstd", "FTL_WITH_ZSTD", HAVE_ZSTD},
    [FTL_PARQUET_LZ4_RAW] = {"lz4", "FTL_WITH_LZ4", HAVE_LZ4},
};

ftl_status ftl_parquet_codec_check(int codec, ftl_error *error)
{
    bool is_known = codec >= 0 && (size_t)codec < FTL_ARRAY_LEN(known);
    if (is_known && known[codec].built)
        return FTL_OK;
    if (!is_known || !known[codec].option)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the Parquet file is compressed with %s, which is not read; write it with "
                        "snappy or zstd",
                        is_known ? known[codec].name : "a codec of a later version");
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "the Parquet file is compressed with %s and this build reads none: build with "
                    "%s=ON",
                    known[codec].name, known[codec].option);
}

ftl_status ftl_parquet_decompress(ftl_parquet_codecs *codecs, int codec, const uint8_t *in,
                                  size_t in_size, uint8_t *out, size_t out_size, ftl_error *error)
{
    FTL_TRY(ftl_parquet_codec_check(codec, error));
    if (out_size == 0) /* some writers compress nothing to nothing, some to an empty frame */
        return FTL_OK;
    switch (codec) {
    case FTL_PARQUET_UNCOMPRESSED:
        if (in_size != out_size)
            return damaged(error, "uncompressed", "it has another size");
        memcpy(out, in, in_size);
        return FTL_OK;
    case FTL_PARQUET_SNAPPY:
        return ftl_snappy_decompress(in, in_size, out, out_size, error);
#if FTL_HAVE_ZLIB
    case FTL_PARQUET_GZIP:
        return gzip(codecs, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_BROTLI
    case FTL_PARQUET_BROTLI:
        return brotli(in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_LZ4
    case FTL_PARQUET_LZ4_HADOOP:
    case FTL_PARQUET_LZ4_RAW:
        return lz4(codec, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_ZSTD
    case FTL_PARQUET_ZSTD:
        return zstd(codecs, in, in_size, out, out_size, error);
#endif
    default:
        (void)codecs;
        return FTL_FAIL(error, FTL_INTERNAL, "a codec was not checked");
    }
}
