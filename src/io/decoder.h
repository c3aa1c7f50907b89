/*
 * The frame that the codecs share: reading from the source below, members that follow each other,
 * truncated input, clean-up. A codec supplies a step over buffers and little else.
 */
#ifndef FTL_IO_DECODER_H
#define FTL_IO_DECODER_H

#include "io/codec.h"

/* One step: in[0..in_size) and out[0..room) are offered, used, made and done are the step's answer.
 */
typedef struct ftl_decoder_step {
    const uint8_t *in;
    size_t in_size; /* 0: the source has ended; 1 GiB at most */
    uint8_t *out;
    size_t room; /* 1 GiB at most */
    size_t used, made;
    bool done; /* this member is complete and its checksum was right */
} ftl_decoder_step;

typedef struct ftl_decoder_ops {
    const ftl_codec *codec;
    size_t state_size; /* cleared before start */
    ftl_status (*start)(void *state, ftl_account *account, ftl_error *error);
    /* Failures: ftl_decoder_damaged() or another status; the frame adds name and position. */
    ftl_status (*step)(void *state, ftl_decoder_step *step, ftl_error *error);
    /* Prepares for another member; NULL: the format has one only. */
    ftl_status (*restart)(void *state, ftl_error *error);
    void (*stop)(void *state); /* called once, also after a failed start */
} ftl_decoder_ops;

/* source is taken over on success only. */
FTL_MUST_USE ftl_status ftl_decoder_open(const ftl_decoder_ops *ops, ftl_account *account,
                                         ftl_stream *source, uint64_t budget, ftl_stream **out,
                                         ftl_error *error);

/* CORRUPT with what the library says about the data (NULL: nothing). */
FTL_MUST_USE ftl_status ftl_decoder_damaged(ftl_error *error, const ftl_codec *codec,
                                            const char *detail);

/*
 * Whether a skippable frame begins here, 184D2A50 to 184D2A5F and its length, which may stand
 * before and between the frames of zstd and lz4. _to: and behind it, where that is visible, such a
 * magic.
 */
enum { FTL_SKIPPABLE_VISIBLE = 17 /* bytes that show what follows pzstd's */ };
bool ftl_decoder_skips(const uint8_t *data, size_t size);
bool ftl_decoder_skips_to(const uint8_t *data, size_t size, const uint8_t magic[4]);

/* Allocation functions for zlib and bzip2 (int counts) and liblzma (size_t counts); opaque is the
 * account. */
void *ftl_decoder_alloc(void *opaque, size_t count, size_t size);
void ftl_decoder_free(void *opaque, void *pointer);

#endif
