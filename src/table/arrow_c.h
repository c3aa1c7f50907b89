/*
 * Record batches of the Arrow C data interface as columns. Stateless.
 *
 * Everything in the structures is hostile: counts, pointers and formats are checked here, what the
 * buffers hold by ftl_column_check. The sizes of buffers are the producer's word: the interface
 * does not carry them.
 */
#ifndef FTL_TABLE_ARROW_C_H
#define FTL_TABLE_ARROW_C_H

#include "base/status.h"
#include "foretell/arrow.h"

/* What a child of a schema is. */
typedef struct ftl_arrow_type {
    ftl_type type;
    ftl_type index_type, value_type; /* DICTIONARY */
    int32_t scale;                   /* of decimals, a dictionary's as well */
} ftl_arrow_type;

/* Whether a schema is a record batch's, and its children have formats. ARG. */
FTL_MUST_USE ftl_status ftl_arrow_schema_check(const struct ArrowSchema *schema, ftl_error *error);
/* Of a checked schema. "" when it has none. */
const char *ftl_arrow_child_name(const struct ArrowSchema *schema, size_t i);
/* SCHEMA for a type that no model takes, ARG for what is no type. */
FTL_MUST_USE ftl_status ftl_arrow_child_type(const struct ArrowSchema *schema, size_t i,
                                             ftl_arrow_type *out, ftl_error *error);

/* NULL when it is OK; else what the child holds, in words: "a list". */
const char *ftl_arrow_child_refused(const struct ArrowSchema *schema, size_t i);

/* Whether an array is a record batch of so many columns. ARG. */
FTL_MUST_USE ftl_status ftl_arrow_batch_check(const struct ArrowArray *array, size_t n_columns,
                                              ftl_error *error);
/*
 * Column i of a checked record batch, whose buffers are borrowed; dictionary receives what a column
 * of indices refers to. ARG, with a message that goes on behind the column's name.
 */
FTL_MUST_USE ftl_status ftl_arrow_child_view(const struct ArrowArray *batch, size_t i,
                                             const ftl_arrow_type *type, ftl_column *column,
                                             ftl_column *dictionary, ftl_error *error);

#endif
