/* Columns of several batches as one, for formats whose files come in parts. Stateless. */
#ifndef FTL_ENGINE_JOIN_COLUMNS_H
#define FTL_ENGINE_JOIN_COLUMNS_H

#include "base/arena.h"

typedef struct ftl_column_part {
    const ftl_column *column;
    size_t rows;
} ftl_column_part;

/*
 * *out: a copy of the parts' rows one behind the other, in the arena, of the type of their values:
 * dictionaries are resolved, texts become FTL_LARGE_STRING (FTL_STRING where the texts of nulls
 * count) and bits FTL_BOOL. The parts have been
 * checked (ftl_column_check). SCHEMA when their types differ.
 */
FTL_MUST_USE ftl_status ftl_join_columns(const ftl_column_part *parts, size_t n_parts,
                                         ftl_arena *arena, ftl_column *out, ftl_error *error);

#endif
