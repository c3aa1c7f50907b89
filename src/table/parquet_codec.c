#include "table/parquet_codec.h"

#include <string.h>

#if FTL_HAVE_ZLIB
#include <zlib.h>

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

/* By the format's numbers; but for 0, which is no compression, and 3, lzo, which is not read. */
static const struct {
    bool is_read;
    ftl_unpack_codec codec;
} known[] = {
    [FTL_PARQUET_SNAPPY] = {true, FTL_UNPACK_SNAPPY},
    [FTL_PARQUET_GZIP] = {true, FTL_UNPACK_GZIP},
    [FTL_PARQUET_BROTLI] = {true, FTL_UNPACK_BROTLI},
    [FTL_PARQUET_LZ4_HADOOP] = {true, FTL_UNPACK_LZ4_HADOOP},
    [FTL_PARQUET_ZSTD] = {true, FTL_UNPACK_ZSTD},
    [FTL_PARQUET_LZ4_RAW] = {true, FTL_UNPACK_LZ4_BLOCK},
};

ftl_status ftl_parquet_codec_check(int codec, ftl_error *error)
{
    if (codec == FTL_PARQUET_UNCOMPRESSED)
        return FTL_OK;
    if (codec < 0 || (size_t)codec >= FTL_ARRAY_LEN(known) || !known[codec].is_read)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the Parquet file is compressed with %s, which is not read; write it with "
                        "snappy or zstd",
                        codec == FTL_PARQUET_LZO ? "lzo" : "a codec of a later version");
    const char *option = ftl_unpack_lacks(known[codec].codec);
    if (!option)
        return FTL_OK;
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "the Parquet file is compressed with %s and this build reads none: build with "
                    "%s=ON",
                    ftl_unpack_name(known[codec].codec), option);
}

ftl_status ftl_parquet_decompress(ftl_unpacker *unpacker, int codec, const uint8_t *in,
                                  size_t in_size, uint8_t *out, size_t out_size, ftl_error *error)
{
    FTL_TRY(ftl_parquet_codec_check(codec, error));
    if (out_size == 0) /* some writers compress nothing to nothing, some to an empty frame */
        return FTL_OK;
    if (codec != FTL_PARQUET_UNCOMPRESSED)
        return ftl_unpack(unpacker, known[codec].codec, in, in_size, out, out_size, error);
    if (in_size != out_size)
        return FTL_FAIL(error, FTL_CORRUPT, "uncompressed data is damaged: it has another size");
    memcpy(out, in, in_size);
    return FTL_OK;
}
