/*
 * The messages of an Arrow IPC stream or file: each is a length, metadata (a FlatBuffer) and a
 * body. They come one behind the other; the messages of a file that can be read at any place are
 * found by its footer.
 */
#ifndef FTL_TABLE_ARROW_MESSAGE_H
#define FTL_TABLE_ARROW_MESSAGE_H

#include "io/flatbuf.h"
#include "table/table_impl.h"

enum { FTL_ARROW_SCHEMA = 1, FTL_ARROW_DICTIONARY = 2, FTL_ARROW_BATCH = 3 }; /* kinds */

/* A message of a file, by its footer. */
typedef struct ftl_arrow_place {
    uint64_t at, body_size;
    uint32_t metadata_size; /* with the length in front */
} ftl_arrow_place;

typedef struct ftl_arrow_source {
    ftl_table *table;
    bool file;     /* it has a file's magic, a footer then */
    bool ended;    /* the last message was seen */
    bool random;   /* it is read at any place; else from front to end */
    uint64_t size; /* random: of the file */
    uint64_t at;   /* random: where it is read next */
    /* file and random: the footer's lists; next: the one that comes next */
    ftl_arrow_place *dictionaries, *batches;
    size_t n_dictionaries, n_batches, next_dictionary, next_batch;
    ftl_block_bytes metadata; /* of the last message, or the footer */
    ftl_flatbuf buffer;       /* the same */
} ftl_arrow_source;

/* Of the source, until the next one is read. */
typedef struct ftl_arrow_message {
    unsigned kind;
    int version;
    ftl_fb_table header;
    uint64_t body_size;
} ftl_arrow_message;

/* Zeroed, with its table. Sees what there is and goes to the first message; *schema: of a footer,
 * where there is one, else its buffer is NULL, and the schema is the first message. */
FTL_MUST_USE ftl_status ftl_arrow_source_open(ftl_arrow_source *source, ftl_fb_table *schema,
                                              ftl_error *error);
void ftl_arrow_source_close(ftl_arrow_source *source);
/* The next message, whose body is what is read next; END behind the last one. */
FTL_MUST_USE ftl_status ftl_arrow_source_next(ftl_arrow_source *source, ftl_arrow_message *out,
                                              ftl_error *error);
/* Reads the next size bytes of a body. */
FTL_MUST_USE ftl_status ftl_arrow_source_read(ftl_arrow_source *source, void *out, size_t size,
                                              ftl_error *error);
FTL_MUST_USE ftl_status ftl_arrow_source_skip(ftl_arrow_source *source, uint64_t size,
                                              ftl_error *error);
/* Reads at a place of a random source, without going there. */
FTL_MUST_USE ftl_status ftl_arrow_source_read_at(const ftl_arrow_source *source, uint64_t at,
                                                 void *out, size_t size, ftl_error *error);

#endif
