/* The files that a job reads: what its options name, found and opened as one table. */
#ifndef FTL_ENGINE_INPUTS_H
#define FTL_ENGINE_INPUTS_H

#include "base/arena.h"
#include "table/table.h"

typedef struct ftl_inputs {
    const char **paths; /* "-" is standard input */
    size_t n;
    bool as_parts; /* a table over parts, else one file */
} ftl_inputs;

/*
 * input_path and options->more_inputs in their order. A folder stands for the files in it that are
 * called as tables are, a name of nothing that has *, ? or [ in it for the files that it matches;
 * both sorted by name. All lives in the arena.
 */
FTL_MUST_USE ftl_status ftl_inputs_find(ftl_arena *arena, const char *input_path,
                                        const ftl_score_options *options, ftl_inputs *out,
                                        ftl_error *error);
/* The table borrows inputs, options and what the arena holds. */
FTL_MUST_USE ftl_status ftl_inputs_open(ftl_arena *arena, const ftl_inputs *inputs,
                                        const ftl_score_options *options, ftl_table **out,
                                        ftl_error *error);

#endif
