/*
 * Byte streams: a source is read ahead and consumed; codecs stack on top by bidding (codec.h).
 *
 * Two primitives replace every ad-hoc buffer: ahead(min) makes at least min bytes visible (or all
 * that is left) and consume(n) drops bytes already seen. A stream belongs to one thread. Memory
 * comes from the account given at opening.
 */
#ifndef FTL_IO_STREAM_H
#define FTL_IO_STREAM_H

#include "base/alloc.h"

typedef struct ftl_stream ftl_stream;

/* What a source or codec implements. */
typedef struct ftl_stream_ops {
    /* Reads 1..room bytes into out; *got = 0 means the end. May be called again after the end. */
    ftl_status (*read)(void *state, void *out, size_t room, size_t *got, ftl_error *error);
    void (*close)(void *state);
    /* IO when what was read so far is no longer what the source holds. NULL: such a thing cannot be
     * known. */
    ftl_status (*verify)(void *state, ftl_error *error);
    /*
     * Random access, NULL where there is none. extent: the bytes that there are; false when that is
     * not known. read_at: 1..room bytes from offset on into out, from any thread; *got = 0 behind
     * the end.
     */
    bool (*extent)(void *state, uint64_t *size);
    ftl_status (*read_at)(void *state, uint64_t offset, void *out, size_t room, size_t *got,
                          ftl_error *error);
} ftl_stream_ops;

/* Takes ownership of state (close is called also when this fails). budget: bytes that the stream
 * may yield; 0: no limit. */
FTL_MUST_USE ftl_status ftl_stream_create(ftl_account *account, const ftl_stream_ops *ops,
                                          void *state, uint64_t budget, ftl_stream **out,
                                          ftl_error *error);
/* path "-" is standard input. Directories are refused with a clear message. *size: the file's
 * bytes, or 0 when unknown. */
FTL_MUST_USE ftl_status ftl_stream_open_file(ftl_account *account, const char *path,
                                             ftl_stream **out, uint64_t *size, ftl_error *error);
/* The same; waiting for a pipe, a terminal or a FIFO's writer ends with CANCELLED when the token is
 * triggered. cancel may be NULL; it outlives the stream. */
FTL_MUST_USE ftl_status ftl_stream_open_file_cancellable(ftl_account *account, const char *path,
                                                         const ftl_cancel *cancel, ftl_stream **out,
                                                         uint64_t *size, ftl_error *error);
/*
 * A regular file and nothing else, for files that another file names: links, pipes and devices are
 * FORBIDDEN, and nothing waits for them. (The folder may be reached through links.)
 */
FTL_MUST_USE ftl_status ftl_stream_open_regular(ftl_account *account, const char *path,
                                                ftl_stream **out, uint64_t *size, ftl_error *error);
/* data is borrowed until the stream is closed. */
FTL_MUST_USE ftl_status ftl_stream_open_memory(ftl_account *account, const void *data, size_t size,
                                               ftl_stream **out, ftl_error *error);
/* Bounds the bytes that the stream may yield in all; LIMIT when it has yielded more already. 0: no
 * limit. */
FTL_MUST_USE ftl_status ftl_stream_limit(ftl_stream *stream, uint64_t budget, ftl_error *error);
void ftl_stream_close(ftl_stream *stream); /* NULL is allowed */

/* At least min bytes at *data unless the stream ends first; *available may exceed min. Grows the
 * buffer up to 16 MiB. */
FTL_MUST_USE ftl_status ftl_stream_ahead(ftl_stream *stream, size_t min, const uint8_t **data,
                                         size_t *available, ftl_error *error);
/*
 * Whether to make min bytes visible would be to wait: fewer are there, and the last read of the
 * source gave fewer than were asked for, so that it may have no more for now.
 */
bool ftl_stream_waits(const ftl_stream *stream, size_t min);
/* size must be at most what the last ahead showed. */
void ftl_stream_consume(ftl_stream *stream, size_t size);
/* Exactly size bytes; CORRUPT "unexpected end of file" with the offset otherwise. Large reads
 * bypass the buffer. */
FTL_MUST_USE ftl_status ftl_stream_read(ftl_stream *stream, void *out, size_t size,
                                        ftl_error *error);
/* 1..room bytes into out; *got = 0 at the end (or when room is 0). Large reads bypass the buffer.
 */
FTL_MUST_USE ftl_status ftl_stream_read_some(ftl_stream *stream, void *out, size_t room,
                                             size_t *got, ftl_error *error);
/*
 * IO "changed while it was read" when the file below has been rewritten since it was opened. Ask
 * after a parser's CORRUPT: half of a new file behind half of an old one looks damaged, and the
 * true cause is the better message. Reading to the end asks by itself.
 */
FTL_MUST_USE ftl_status ftl_stream_verify(ftl_stream *stream, ftl_error *error);
/*
 * Whether bytes can be read at any place, and how many there are: plain files and memory, no pipe
 * and nothing behind a codec.
 */
bool ftl_stream_extent(const ftl_stream *stream, uint64_t *size);
/*
 * Exactly size bytes from offset on, of a stream that has an extent; where it was read ahead does
 * not matter and does not change. From any thread, also while another one reads ahead. IO when the
 * file has become shorter, CORRUPT when the bytes were never there.
 */
FTL_MUST_USE ftl_status ftl_stream_read_at(const ftl_stream *stream, uint64_t offset, void *out,
                                           size_t size, ftl_error *error);
/* Goes on reading at an offset within the extent of a stream that has one. */
FTL_MUST_USE ftl_status ftl_stream_seek(ftl_stream *stream, uint64_t offset, ftl_error *error);
/* Where the next byte is: bytes consumed so far, but for seeks. */
uint64_t ftl_stream_offset(const ftl_stream *stream);

#endif
