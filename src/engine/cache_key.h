/*
 * What a model is asked for by: a path and the options that it is opened with. A request is what a
 * caller hands over, checked but not copied; a key is a copy of one.
 */
#ifndef FTL_ENGINE_CACHE_KEY_H
#define FTL_ENGINE_CACHE_KEY_H

#include "base/alloc.h"

typedef struct ftl_cache_request {
    const char *path;
    size_t path_size;
    uint64_t hash;
    bool plain;                /* all options are the defaults */
    ftl_model_options options; /* zero when plain */
    ftl_plan_options plan;     /* what options.only_plan says, when that is set */
} ftl_cache_request;

/* options may be NULL. The request refers to both. */
FTL_MUST_USE ftl_status ftl_cache_request_read(ftl_cache_request *out, const char *path,
                                               const ftl_model_options *options, ftl_error *error);
/* Whether both open the same model, of whatever file. */
bool ftl_cache_options_equal(const ftl_cache_request *a, const ftl_cache_request *b);
bool ftl_cache_request_equal(const ftl_cache_request *a, const ftl_cache_request *b);
/* The same request for a path, or for an entry of the file there. */
void ftl_cache_request_select(const ftl_cache_request *request, const char *path,
                              const char *select, ftl_cache_request *out);
/* The options to open the model with, which refer to the request. */
ftl_model_options ftl_cache_request_options(const ftl_cache_request *request);
/* A copy in one block: ftl_free. NULL: no memory. */
ftl_cache_request *ftl_cache_request_copy(ftl_account *account, const ftl_cache_request *request);

#endif
