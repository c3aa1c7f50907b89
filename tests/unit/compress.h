/* Compressed data for tests, made by the libraries' own encoders (those that are compiled in). */
#ifndef FTL_TESTS_COMPRESS_H
#define FTL_TESTS_COMPRESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if FTL_HAVE_ZLIB
#include <zlib.h>
#endif
#if FTL_HAVE_BZIP2
#include <bzlib.h>
#endif
#if FTL_HAVE_LZMA
#include <lzma.h>
#endif
#if FTL_HAVE_LZ4
#include <lz4frame.h>
#endif
#if FTL_HAVE_ZSTD
#include <zstd.h>
#endif

/* Writes the compressed form into out[0..room); 0: not compiled in, or no room. */
typedef size_t (*compress_fn)(const uint8_t *data, size_t size, uint8_t *out, size_t room);

#if FTL_HAVE_ZLIB
static inline size_t deflate_with(int window_bits, const uint8_t *data, size_t size, uint8_t *out,
                                  size_t room)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    if (deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    z.next_in = (z_const Bytef *)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    int rc = deflate(&z, Z_FINISH);
    size_t made = room - z.avail_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END ? made : 0;
}

static inline size_t compress_zlib(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    return deflate_with(15, data, size, out, room);
}

static inline size_t compress_gzip(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    return deflate_with(15 + 16, data, size, out, room);
}

static inline size_t compress_joblib_zf(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    char header[32];
    int n = snprintf(header, sizeof header, "ZF0x%-17zx", size);
    if (n != 21 || room < 21)
        return 0;
    memcpy(out, header, 21);
    size_t made = compress_zlib(data, size, out + 21, room - 21);
    return made ? made + 21 : 0;
}
#endif

#if FTL_HAVE_BZIP2
static inline size_t compress_bzip2(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    unsigned made = (unsigned)room;
    int rc = BZ2_bzBuffToBuffCompress((char *)out, &made, (char *)(uintptr_t)data, (unsigned)size,
                                      9, 0, 0);
    return rc == BZ_OK ? made : 0;
}
#endif

#if FTL_HAVE_LZMA
static inline size_t compress_xz(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    size_t made = 0;
    lzma_ret rc = lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, size, out, &made, room);
    return rc == LZMA_OK ? made : 0;
}

static inline size_t compress_lzma(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    if (lzma_lzma_preset(&options, 1) || lzma_alone_encoder(&stream, &options) != LZMA_OK)
        return 0;
    stream.next_in = data;
    stream.avail_in = size;
    stream.next_out = out;
    stream.avail_out = room;
    lzma_ret rc = lzma_code(&stream, LZMA_FINISH);
    size_t made = room - stream.avail_out;
    lzma_end(&stream);
    return rc == LZMA_STREAM_END ? made : 0;
}
#endif

#if FTL_HAVE_LZ4
static inline size_t compress_lz4(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    LZ4F_preferences_t preferences;
    memset(&preferences, 0, sizeof preferences);
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    size_t made = LZ4F_compressFrame(out, room, data, size, &preferences);
    return LZ4F_isError(made) ? 0 : made;
}
#endif

#if FTL_HAVE_ZSTD
static inline size_t compress_zstd(const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return 0;
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t made = ZSTD_compress2(context, out, room, data, size);
    ZSTD_freeCCtx(context);
    return ZSTD_isError(made) ? 0 : made;
}
#endif

#endif
