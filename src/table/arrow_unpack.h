/*
 * The compressed buffers of a record batch. Each tells how much it holds, so that all get their
 * place first; then they are decompressed in any threads that there are, each buffer by itself.
 */
#ifndef FTL_TABLE_ARROW_UNPACK_H
#define FTL_TABLE_ARROW_UNPACK_H

#include "io/unpack.h"
#include "table/arrow_message.h"
#include "table/table_impl.h"

#include <pthread.h>

/* Bytes of a body. */
typedef struct ftl_arrow_piece {
    uint64_t at, size;
} ftl_arrow_piece;

/* What a buffer is read and decompressed with, by one thread at a time. */
typedef struct ftl_arrow_tools {
    ftl_unpacker unpacker;
    ftl_block_bytes bytes; /* compressed */
    struct ftl_arrow_tools *next;
} ftl_arrow_tools;

/* A buffer that is to be decompressed. */
typedef struct ftl_arrow_packed {
    ftl_arrow_piece piece; /* behind what it says of its size */
    size_t owner;          /* whose it is, for the caller's messages */
    size_t at, size;       /* where it goes */
    bool plain;            /* it is not compressed after all */
} ftl_arrow_packed;

/* Zeroed before; of one batch. */
typedef struct ftl_arrow_unpack {
    ftl_arrow_source *source;
    pthread_mutex_t lock;
    ftl_arrow_tools *idle; /* under the lock */
    ftl_arrow_packed *listed;
    size_t n_listed, room;
    /* Of the batch at hand. */
    ftl_unpack_codec codec;
    uint64_t body_at;     /* of a random source */
    ftl_block_bytes body; /* of others, whole */
} ftl_arrow_unpack;

void ftl_arrow_unpack_init(ftl_arrow_unpack *unpack, ftl_arrow_source *source);
void ftl_arrow_unpack_free(ftl_arrow_unpack *unpack);

/* What is at the beginning of a buffer, into out: its place is the caller's to set. CORRUPT. */
FTL_MUST_USE ftl_status ftl_arrow_unpack_look(const ftl_arrow_unpack *unpack,
                                              const ftl_arrow_piece *piece, ftl_arrow_packed *out,
                                              ftl_error *error);
/* Adds a buffer to those that ftl_arrow_unpack_all will decompress. */
FTL_MUST_USE ftl_status ftl_arrow_unpack_list(ftl_arrow_unpack *unpack,
                                              const ftl_arrow_packed *packed, ftl_error *error);
/*
 * Decompresses what is listed into out, and empties the list. Of those that fail the first one is
 * told, and whose it is.
 */
FTL_MUST_USE ftl_status ftl_arrow_unpack_all(ftl_arrow_unpack *unpack, uint8_t *out, size_t *owner,
                                             ftl_error *error);

#endif
