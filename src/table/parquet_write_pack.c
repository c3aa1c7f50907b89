#include "table/parquet_write_pack.h"

#include "io/snappy.h"

#include <string.h>

#if FTL_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

enum { CODEC_NONE = 0, CODEC_SNAPPY = 1, CODEC_ZSTD = 6 }; /* CompressionCodec */
enum { ZSTD_LEVEL = 1 }; /* columns of numbers hardly get smaller with more */

const char *const ftl_parquet_codecs[] = {
#if FTL_HAVE_ZSTD
    "zstd",
#endif
    "snappy", "none", NULL};

struct ftl_parquet_packer {
    ftl_account *account;
    int32_t codec;
    uint8_t *out;
    size_t room;
    uint16_t *table; /* snappy's */
#if FTL_HAVE_ZSTD
    ZSTD_CCtx *zstd; /* allocates for itself; about a megabyte at this level */
#endif
};

int32_t ftl_parquet_codec(const char *name)
{
    if (strcmp(name, "zstd") == 0)
        return CODEC_ZSTD;
    return strcmp(name, "snappy") == 0 ? CODEC_SNAPPY : CODEC_NONE;
}

static ftl_status prepare(ftl_parquet_packer *packer, ftl_error *error)
{
    if (packer->codec == CODEC_SNAPPY) {
        packer->table = ftl_alloc_array(packer->account, FTL_SNAPPY_TABLE, sizeof *packer->table);
        return packer->table ? FTL_OK : FTL_OOM(error);
    }
#if FTL_HAVE_ZSTD
    if (packer->codec == CODEC_ZSTD) {
        packer->zstd = ZSTD_createCCtx();
        if (!packer->zstd ||
            ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)))
            return FTL_OOM(error);
    }
#endif
    return FTL_OK;
}

ftl_status ftl_parquet_packer_create(ftl_account *account, const char *name,
                                     ftl_parquet_packer **out, ftl_error *error)
{
    ftl_parquet_packer *packer = ftl_alloc_zero(account, 1, sizeof *packer);
    if (!packer)
        return FTL_OOM(error);
    packer->account = account;
    packer->codec = ftl_parquet_codec(name);
    ftl_status status = prepare(packer, error);
    if (status != FTL_OK) {
        ftl_parquet_packer_destroy(packer);
        return status;
    }
    *out = packer;
    return FTL_OK;
}

void ftl_parquet_packer_destroy(ftl_parquet_packer *packer)
{
    if (!packer)
        return;
#if FTL_HAVE_ZSTD
    ZSTD_freeCCtx(packer->zstd);
#endif
    ftl_free(packer->account, packer->table);
    ftl_free(packer->account, packer->out);
    ftl_free(packer->account, packer);
}

#if FTL_HAVE_ZSTD
static ftl_status pack_zstd(ftl_parquet_packer *packer, const void *data, size_t size,
                            size_t *out_size, ftl_error *error)
{
    FTL_TRY(
        ftl_grow(packer->account, &packer->out, &packer->room, ZSTD_compressBound(size), 1, error));
    size_t made = ZSTD_compress2(packer->zstd, packer->out, packer->room, data, size);
    if (ZSTD_isError(made))
        return ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation
                   ? FTL_OOM(error)
                   : FTL_FAIL(error, FTL_INTERNAL, "zstd cannot compress a page: %s",
                              ZSTD_getErrorName(made));
    *out_size = made;
    return FTL_OK;
}
#endif

ftl_status ftl_parquet_pack(ftl_parquet_packer *packer, const void *data, size_t size,
                            const void **out, size_t *out_size, ftl_error *error)
{
    if (packer->codec == CODEC_NONE) {
        *out = data;
        *out_size = size;
        return FTL_OK;
    }
    if (packer->codec == CODEC_SNAPPY) {
        FTL_TRY(ftl_grow(packer->account, &packer->out, &packer->room, ftl_snappy_bound(size), 1,
                         error));
        *out_size = ftl_snappy_compress(data, size, packer->out, packer->table);
    }
#if FTL_HAVE_ZSTD
    if (packer->codec == CODEC_ZSTD)
        FTL_TRY(pack_zstd(packer, data, size, out_size, error));
#endif
    *out = packer->out;
    return FTL_OK;
}
