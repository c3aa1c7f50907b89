/*
 * Finding a value among a column's categories: open-addressing tables made when a plan is compiled,
 * one for texts and one for numbers. The hash has the seed of the plan's blob, so that a file
 * cannot be written to make its texts collide. What a table needs of the categories it keeps
 * itself.
 */
#ifndef FTL_PLAN_LOOKUP_H
#define FTL_PLAN_LOOKUP_H

#include "model/ir.h"
#include "plan/blob.h"

enum { FTL_LOOKUP_NOT_FOUND = -1 };

typedef struct ftl_lookup_table {
    uint32_t mask;         /* slots - 1 */
    const uint32_t *slots; /* category + 1; 0: empty */
} ftl_lookup_table;

typedef struct ftl_lookup {
    uint64_t seed;
    const char *text;          /* of all categories; NULL when none is a text */
    const uint32_t *start;     /* [count + 1] of each one's text */
    const double *numbers;     /* [count]; NaN where the category is no number */
    const int64_t *integers;   /* [count]; NULL when none is an integer or a bool */
    const uint8_t *is_integer; /* [count], with integers */
    ftl_lookup_table texts, values;
    bool has_numbers;
    int32_t missing; /* the category of a missing value, or NOT_FOUND */
} ftl_lookup;

/* lookup is a record of a state piece; its tables are pieces of the blob. NOMEM, LIMIT. */
FTL_MUST_USE ftl_status ftl_lookup_init(ftl_lookup *lookup, const ftl_categories *categories,
                                        ftl_blob *blob, ftl_error *error);
/* The same for the same categories as another record of the piece has: the tables are shared. */
void ftl_lookup_share(ftl_lookup *lookup, const ftl_lookup *from, ftl_blob *blob);
/* The category, or NOT_FOUND. NaN is the missing value. */
int32_t ftl_lookup_number(const ftl_lookup *lookup, double value);
/*
 * The same for a cell. A text that is no category may stand for a bool or a number when such are
 * among the categories.
 */
int32_t ftl_lookup_cell(const ftl_lookup *lookup, const ftl_cell *cell);

#endif
