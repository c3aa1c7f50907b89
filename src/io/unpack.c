#include "io/unpack.h"

#if FTL_HAVE_LZ4
#include <lz4frame.h>
#endif
#if FTL_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

static ftl_status damaged(const char *name, const char *why, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "its %s data is damaged: %s", name, why);
}

#if FTL_HAVE_LZ4
static ftl_status lz4(ftl_unpacker *unpacker, const char *in, size_t in_size, char *out,
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
#endif

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

void ftl_unpacker_free(ftl_unpacker *unpacker)
{
#if FTL_HAVE_LZ4
    if (unpacker->lz4)
        (void)LZ4F_freeDecompressionContext(unpacker->lz4);
#endif
#if FTL_HAVE_ZSTD
    ZSTD_freeDCtx(unpacker->zstd);
#endif
    *unpacker = (ftl_unpacker){0};
}

ftl_status ftl_unpack(ftl_unpacker *unpacker, ftl_unpack_codec codec, const void *in,
                      size_t in_size, void *out, size_t out_size, ftl_error *error)
{
    (void)unpacker;
    (void)in;
    (void)in_size;
    (void)out;
    (void)out_size;
#if FTL_HAVE_LZ4
    if (codec == FTL_UNPACK_LZ4_FRAME)
        return lz4(unpacker, in, in_size, out, out_size, error);
#endif
#if FTL_HAVE_ZSTD
    if (codec == FTL_UNPACK_ZSTD)
        return zstd(unpacker, in, in_size, out, out_size, error);
#endif
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "it is compressed with %s, which this build does not read; build with %s=ON",
                    codec == FTL_UNPACK_ZSTD ? "zstd" : "lz4",
                    codec == FTL_UNPACK_ZSTD ? "FTL_WITH_ZSTD" : "FTL_WITH_LZ4");
}
