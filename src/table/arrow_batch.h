/*
 * A record batch of Arrow IPC data: where its columns' buffers lie, and reading them into rows.
 *
 * Of an uncompressed batch of a file that can be read at any place, a window of rows is read at a
 * time, so that memory does not depend on the size of batches. Other batches are read as a whole,
 * up to a limit. Nothing but the buffers of the wanted columns is read where there is a choice.
 */
#ifndef FTL_TABLE_ARROW_BATCH_H
#define FTL_TABLE_ARROW_BATCH_H

#include "table/arrow_rows.h"
#include "table/arrow_schema.h"
#include "table/arrow_unpack.h"

/* A column of a batch, and where its buffers lie in memory once they are read. */
typedef struct ftl_arrow_part {
    const ftl_arrow_field *field;
    ftl_type type; /* of what lies in the batch: of a dictionary its indices' */
    bool nulls;
    ftl_arrow_piece validity, first, second; /* first: values, offsets or views; second: texts */
    size_t first_view, n_views;              /* among the batch's */
    size_t validity_at, first_at, second_at, text_size;
} ftl_arrow_part;

typedef struct ftl_arrow_batch {
    ftl_arrow_source *source;
    char what[160]; /* "record batch 3", for messages */
    uint64_t number;
    uint64_t rows, next; /* next: the first one that is not read yet */
    uint64_t body_at;    /* of a random source */
    uint64_t body_size;
    bool whole;            /* set by who makes it: it is read at once, whatever it holds */
    bool packed, resident; /* resident: the whole body lies in shared */
    ftl_arrow_unpack unpack;
    ftl_arrow_part *parts; /* [n_parts], one for each wanted field */
    size_t n_parts;
    ftl_arrow_piece *views;
    size_t n_views, views_room;
    ftl_arrow_rows *shared; /* what all windows view: the body, or the buffers of views */
} ftl_arrow_batch;

/* wanted: of the fields that the batches will have, in their order. Zeroed before. */
FTL_MUST_USE ftl_status ftl_arrow_batch_init(ftl_arrow_batch *batch, ftl_arrow_source *source,
                                             const ftl_arrow_field *fields, const size_t *wanted,
                                             size_t n_wanted, ftl_error *error);
void ftl_arrow_batch_free(ftl_arrow_batch *batch);

/*
 * Begins with the batch whose table is given, the message being the source's last one. what is
 * copied. Of a source that is no random one the body is read or gone through here.
 */
FTL_MUST_USE ftl_status ftl_arrow_batch_begin(ftl_arrow_batch *batch,
                                              const ftl_arrow_message *message,
                                              const ftl_fb_table *table,
                                              const ftl_arrow_field *fields, size_t n_fields,
                                              const char *what, ftl_error *error);
/*
 * Reads the next rows of the batch, which must have some: a multiple of max_rows or all that are
 * left. rows: with room for the parts, which become its columns; indices of dictionaries come as
 * integers. What it holds (one place at least) begins with what all windows share.
 */
FTL_MUST_USE ftl_status ftl_arrow_batch_read(ftl_arrow_batch *batch, size_t max_rows,
                                             ftl_arrow_rows *rows, ftl_error *error);

#endif
