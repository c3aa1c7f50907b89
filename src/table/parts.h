/*
 * Several tables, one behind the other, as one: a table as table.h has them.
 *
 * The first part says which columns there are, in which order, and what they hold. The others have
 * every wanted column by its name; their order and what else they have are their own matter.
 * Parts without names have as many columns as the first. Formats may differ, types of columns that
 * are copied may not.
 *
 * A part is opened when the one before it was read to its end, and closed when no block and no
 * batch is of it any more: so as many are open at once as there are blocks and batches, and in the
 * work of one thread two.
 *
 * Errors begin with the name of the part. ftl_row_batch_problem alone leaves that, as the line is
 * in front of it, to the caller: ftl_table_name_origin.
 */
#ifndef FTL_TABLE_PARTS_H
#define FTL_TABLE_PARTS_H

#include "table/table.h"

/* What is borrowed stays until the table is closed. */
typedef struct ftl_parts_options {
    const char *const *paths; /* borrowed */
    size_t n_paths;           /* at least one */
    /* Opens a path as a table; in the reading thread. */
    ftl_status (*open)(void *user, const char *path, ftl_table **out, ftl_error *error);
    void *user; /* borrowed */
    /*
     * Rejected rows will be asked for: their records go into one file, so all parts need be of the
     * same format, and of the same columns where cells are told apart by their place
     */
    bool rejects;
    uint64_t bytes_total; /* of all parts, if none of them is compressed; 0: unknown */
} ftl_parts_options;

/* Opens the first part. */
FTL_MUST_USE ftl_status ftl_table_open_parts(ftl_account *account, const ftl_parts_options *options,
                                             ftl_table **out, ftl_error *error);

/* Puts "ORIGIN: " in front of a message, unless it names it already. error and origin may be NULL.
 */
void ftl_table_name_origin(ftl_error *error, const char *origin);

#endif
