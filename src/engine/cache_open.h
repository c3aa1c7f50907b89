/* The files of a model: where a request leads, what has changed, opening them. Without locks. */
#ifndef FTL_ENGINE_CACHE_OPEN_H
#define FTL_ENGINE_CACHE_OPEN_H

#include "engine/cache_table.h"

#include <limits.h>

/* What a request comes to: a file, and the options that are left to open it with. */
typedef struct ftl_cache_target {
    ftl_cache_request asked;
    ftl_file_mark mark;
    char path[PATH_MAX]; /* of "PATH:ENTRY" */
} ftl_cache_target;

/* out refers to the request, and to itself: it stays in place. */
void ftl_cache_resolve(const ftl_cache_request *request, ftl_cache_target *out);
/*
 * Whether the entry's files are others than it was made of; mark: of the file that the request
 * leads to now. *state: what they are now, to be compared with another time; never 0.
 */
bool ftl_cache_changed(const ftl_cache_entry *entry, const ftl_file_mark *mark, uint64_t *state);
/* Opens the model, as an entry that is not in the table. */
FTL_MUST_USE ftl_status ftl_cache_open(ftl_cache *cache, const ftl_cache_request *asked,
                                       const ftl_file_mark *mark, ftl_cache_entry **out,
                                       ftl_error *error);

#endif
