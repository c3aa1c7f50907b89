/* zstd frames with a checksum, by the zstd library, which allocates for itself (some 4 MiB). */
#include "io/encoder.h"

#if FTL_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

typedef struct zstd_state {
    ZSTD_CCtx *context;
} zstd_state;

static ftl_status check(size_t rc, ftl_error *error)
{
    if (!ZSTD_isError(rc))
        return FTL_OK;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
        return FTL_OOM(error);
    return ftl_encoder_failed(&ftl_encoding_zstd, error);
}

static ftl_status start(void *state, ftl_account *account, ftl_error *error)
{
    enum { LEVEL = 3 };
    (void)account;
    zstd_state *zstd = state;
    zstd->context = ZSTD_createCCtx();
    if (!zstd->context)
        return FTL_OOM(error);
    FTL_TRY(check(ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_compressionLevel, LEVEL), error));
    return check(ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_checksumFlag, 1), error);
}

static ftl_status step_zstd(void *state, ftl_encoder_step *step, ftl_error *error)
{
    zstd_state *zstd = state;
    ZSTD_inBuffer in = {step->in, step->in_size, 0};
    ZSTD_outBuffer out = {step->out, step->room, 0};
    size_t rc = ZSTD_compressStream2(zstd->context, &out, &in,
                                     step->last ? ZSTD_e_end : ZSTD_e_continue);
    step->used = in.pos;
    step->made = out.pos;
    step->done = step->last && rc == 0;
    return check(rc, error);
}

static void stop(void *state) { (void)ZSTD_freeCCtx(((zstd_state *)state)->context); }

#define STATE_SIZE sizeof(zstd_state)
#else
#define STATE_SIZE 0
#define start NULL
#define step_zstd NULL
#define stop NULL
#endif

const ftl_encoding ftl_encoding_zstd = {
    "zstd", ".zst", "FTL_WITH_ZSTD", STATE_SIZE, start, step_zstd, stop, NULL, false};
