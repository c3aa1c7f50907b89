/* Names of columns: how a table's and a model's are compared. Stateless. */
#ifndef FTL_ENGINE_NAMES_H
#define FTL_ENGINE_NAMES_H

#include <stdbool.h>

/*
 * Whether a table's name is a model's that has '_' for every space: LightGBM keeps the names of a
 * data frame so.
 */
bool ftl_equal_but_for_spaces(const char *header, const char *name);

#endif
