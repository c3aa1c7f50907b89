/*
 * Arrow C streams that are handed out: what all of them have in common. Whoever makes one begins
 * its structure with a ftl_stream_out, and says how the next batch comes and what is given up.
 *
 * The structure and the columns' names are memory of its own; all else is the context's, and is
 * given up as soon as the stream has ended or failed, so that the stream itself may outlive it.
 */
#ifndef FTL_ENGINE_STREAM_OUT_H
#define FTL_ENGINE_STREAM_OUT_H

#include "base/arena.h"
#include "foretell/arrow.h"
#include "table/sink.h"

typedef struct ftl_stream_out ftl_stream_out;
struct ftl_stream_out {
    ftl_account own; /* of this structure and the names */
    ftl_arena names;
    ftl_sink_column *columns;
    size_t n_columns;
    /* The next batch, which becomes the caller's; END behind the last one. */
    ftl_status (*next)(ftl_stream_out *stream, struct ArrowArray *out, ftl_error *error);
    /* Gives up everything that is the context's; may be called again. */
    void (*give_up)(ftl_stream_out *stream);
    ftl_status status; /* not OK: what every further batch is; END behind the last one */
    ftl_error error;
    char message[FTL_ERROR_MESSAGE_SIZE + 32];
};

/* size bytes, zeroed but for the accounts; NULL: out of memory. */
void *ftl_stream_out_new(const ftl_allocator *allocator, size_t size);
/* Gives up and frees all, whatever there is. */
void ftl_stream_out_destroy(ftl_stream_out *stream);
/* Copies the columns with their names. */
FTL_MUST_USE ftl_status ftl_stream_out_columns(ftl_stream_out *stream,
                                               const ftl_sink_column *columns, size_t n,
                                               ftl_error *error);
/* The stream is *out's from here on, whose release destroys it. */
void ftl_stream_out_hand(ftl_stream_out *stream, struct ArrowArrayStream *out);

#endif
