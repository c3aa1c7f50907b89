/* A request that is no plain hit: a look at the files, a load, or waiting for another's. */
#ifndef FTL_ENGINE_CACHE_GET_H
#define FTL_ENGINE_CACHE_GET_H

#include "engine/cache_table.h"

FTL_MUST_USE ftl_status ftl_cache_get_slowly(ftl_cache *cache, const ftl_cache_request *request,
                                             ftl_cache_answer *answer, ftl_model **out,
                                             ftl_error *error);
/* Opens the model for the caller alone. */
FTL_MUST_USE ftl_status ftl_cache_get_alone(ftl_cache *cache, const ftl_cache_request *request,
                                            ftl_cache_answer *answer, ftl_model **out,
                                            ftl_error *error);

#endif
