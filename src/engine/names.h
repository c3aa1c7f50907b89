/* Names of columns: how a table's and a model's are compared. Stateless. */
#ifndef FTL_ENGINE_NAMES_H
#define FTL_ENGINE_NAMES_H

#include "base/arena.h"
#include "table/sink.h"

/*
 * Whether a table's name is a model's that has '_' for every space: LightGBM keeps the names of a
 * data frame so.
 */
bool ftl_equal_but_for_spaces(const char *header, const char *name);
/*
 * No two columns of an output bear one name: of the first n_keep of n, which were copied from the
 * input, those that are called like an output or an earlier one get a number, as pandas does: id.1.
 * New names are the arena's. Takes n log n steps, whatever the names are.
 */
FTL_MUST_USE ftl_status ftl_number_repeats(ftl_sink_column *columns, size_t n_keep, size_t n,
                                           ftl_arena *arena, ftl_error *error);

#endif
