/*
 * Compression of what is written, chosen by the ending of a name; the counterpart of codec.h. The
 * frame holds a buffer for encoded bytes and hands them on through an emit function; an encoding
 * supplies a step over buffers and little else.
 *
 * Encodings that were not compiled in are known by name, so that the error can say what is missing.
 */
#ifndef FTL_IO_ENCODER_H
#define FTL_IO_ENCODER_H

#include "base/alloc.h"

/* The room that a step is offered. */
enum { FTL_ENCODER_ROOM = 128 << 10 };

/* One step: in[0..in_size) and out[0..room) are offered, used, made and done are the answer. */
typedef struct ftl_encoder_step {
    const uint8_t *in;
    size_t in_size; /* 0 when last, and only then; 1 GiB at most */
    bool last;      /* nothing follows: complete the file, in as many steps as it takes */
    bool part;      /* of one whose parts lie in one file: last ends such a part alone */
    uint8_t *out;
    size_t room; /* FTL_ENCODER_ROOM */
    size_t used, made;
    bool done; /* the file, or the part, is complete */
} ftl_encoder_step;

typedef struct ftl_encoding {
    const char *name;   /* "gzip" */
    const char *ending; /* ".gz" */
    const char *option; /* the build switch, such as "FTL_WITH_ZLIB" */
    size_t state_size;  /* cleared before start */
    /* NULL when not compiled in. */
    ftl_status (*start)(void *state, ftl_account *account, ftl_error *error);
    ftl_status (*step)(void *state, ftl_encoder_step *step, ftl_error *error);
    void (*stop)(void *state); /* called once for each start, also after a failed one */
    /*
     * What is written in parts (ftl_encoder_part) is several files behind one another, which are
     * one file to those who read them. Where some see the first one alone and say nothing, a form
     * of it whose parts lie in one file: the encoding for that, where one_file is set.
     */
    const struct ftl_encoding *in_parts;
    bool one_file;
} ftl_encoding;

extern const ftl_encoding ftl_encoding_gzip, ftl_encoding_bzip2, ftl_encoding_xz, ftl_encoding_lz4,
    ftl_encoding_zstd;

/*
 * The encoding that the ending of name[0..*size) asks for, whatever its capitals; *size becomes the
 * size of what stands before the ending. NULL: none. A name that is nothing but the ending has
 * none.
 */
const ftl_encoding *ftl_encoding_of_name(const char *name, size_t *size);

/* How a file is written in parts with it. */
static inline const ftl_encoding *ftl_encoding_in_parts(const ftl_encoding *encoding)
{
    return encoding->in_parts ? encoding->in_parts : encoding;
}

typedef struct ftl_encoder ftl_encoder;

/* Takes encoded bytes. */
typedef ftl_status (*ftl_emit_fn)(void *user, const void *data, size_t size, ftl_error *error);

/* UNSUPPORTED when this build lacks the encoding. */
FTL_MUST_USE ftl_status ftl_encoder_create(ftl_account *account, const ftl_encoding *encoding,
                                           ftl_emit_fn emit, void *user, ftl_encoder **out,
                                           ftl_error *error);
FTL_MUST_USE ftl_status ftl_encoder_write(ftl_encoder *encoder, const void *data, size_t size,
                                          ftl_error *error);
/* Nothing follows; without a write before it, an empty file. */
FTL_MUST_USE ftl_status ftl_encoder_finish(ftl_encoder *encoder, ftl_error *error);
/*
 * Ends a part: everything that was given to the encoder was emitted, and what follows depends on
 * nothing of it. A part holds a byte at least. After a failure the encoder can only be destroyed.
 */
FTL_MUST_USE ftl_status ftl_encoder_part(ftl_encoder *encoder, ftl_error *error);
/* Of one that nothing was given to: it goes on behind parts that another one has written. */
FTL_MUST_USE ftl_status ftl_encoder_go_on(ftl_encoder *encoder, ftl_error *error);
/* Whether a file that ended with a part needs ftl_encoder_finish all the same. */
bool ftl_encoder_has_end(const ftl_encoder *encoder);
void ftl_encoder_destroy(ftl_encoder *encoder); /* NULL is allowed */

/* An encoder's library failed without a fault of the data's. */
FTL_MUST_USE ftl_status ftl_encoder_failed(const ftl_encoding *encoding, ftl_error *error);

#endif
