/*
 * lz4 frames by the lz4 library, which allocates for itself (some 300 KiB). A file that is written
 * at once has blocks that refer to one another, and a checksum at its end. One that is written in
 * parts is one frame as well, because some readers see nothing behind the first one: of blocks that
 * stand alone, each with a checksum of its own.
 */
#include "io/encoder.h"

#if FTL_HAVE_LZ4
#include <lz4frame.h>

/* The library wants room for all that a call may yield: a block of 64 KiB that it holds back, and
 * what it is given. */
enum { PIECE = 32 << 10 };

static const LZ4F_preferences_t at_once = {
    .frameInfo = {.blockSizeID = LZ4F_max64KB, .contentChecksumFlag = LZ4F_contentChecksumEnabled}};
static const LZ4F_preferences_t parts = {
    .frameInfo = {.blockSizeID = LZ4F_max64KB,
                  .blockMode = LZ4F_blockIndependent,
                  .blockChecksumFlag = LZ4F_blockChecksumEnabled}};

typedef struct lz4_state {
    LZ4F_cctx *context;
    const LZ4F_preferences_t *preferences;
    bool begun;
} lz4_state;

static ftl_status start_with(lz4_state *lz4, const LZ4F_preferences_t *preferences,
                             ftl_error *error)
{
    lz4->preferences = preferences;
    if (LZ4F_compressBound(PIECE, preferences) > FTL_ENCODER_ROOM)
        return ftl_encoder_failed(&ftl_encoding_lz4, error);
    return LZ4F_isError(LZ4F_createCompressionContext(&lz4->context, LZ4F_VERSION)) ? FTL_OOM(error)
                                                                                    : FTL_OK;
}

static ftl_status start(void *state, ftl_account *account, ftl_error *error)
{
    (void)account;
    return start_with(state, &at_once, error);
}

static ftl_status start_parts(void *state, ftl_account *account, ftl_error *error)
{
    (void)account;
    return start_with(state, &parts, error);
}

static ftl_status step_lz4(void *state, ftl_encoder_step *step, ftl_error *error)
{
    lz4_state *lz4 = state;
    size_t made, used = step->in_size < PIECE ? step->in_size : PIECE;
    bool begun = lz4->begun;
    if (!begun) {
        used = 0;
        made = LZ4F_compressBegin(lz4->context, step->out, step->room, lz4->preferences);
    } else if (step->last && step->part) {
        made = LZ4F_flush(lz4->context, step->out, step->room, NULL);
    } else if (step->last) {
        made = LZ4F_compressEnd(lz4->context, step->out, step->room, NULL);
    } else {
        made = LZ4F_compressUpdate(lz4->context, step->out, step->room, step->in, used, NULL);
    }
    if (LZ4F_isError(made))
        return ftl_encoder_failed(&ftl_encoding_lz4, error);
    step->done = begun && step->last;
    step->used = used;
    step->made = made;
    lz4->begun = true;
    return FTL_OK;
}

static void stop(void *state)
{
    lz4_state *lz4 = state;
    (void)LZ4F_freeCompressionContext(lz4->context);
}

#define STATE_SIZE sizeof(lz4_state)
#else
#define STATE_SIZE 0
#define start NULL
#define start_parts NULL
#define step_lz4 NULL
#define stop NULL
#endif

static const ftl_encoding in_parts = {"lz4",    ".lz4", "FTL_WITH_LZ4", STATE_SIZE, start_parts,
                                      step_lz4, stop,   NULL,           true};
const ftl_encoding ftl_encoding_lz4 = {"lz4",    ".lz4", "FTL_WITH_LZ4", STATE_SIZE, start,
                                       step_lz4, stop,   &in_parts,      false};
