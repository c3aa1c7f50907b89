/*
 * The plans of a model: each is made once, by the first who asks, and kept until it is trimmed. A
 * plan that somebody holds is never trimmed.
 */
#ifndef FTL_ENGINE_PLAN_CACHE_H
#define FTL_ENGINE_PLAN_CACHE_H

#include "plan/plan.h"

typedef struct ftl_plan_cache ftl_plan_cache;

FTL_MUST_USE ftl_status ftl_plan_cache_create(ftl_model *model, ftl_error *error);
/* Frees the plans as well; nobody holds one. NULL is allowed. */
void ftl_plan_cache_destroy(ftl_model *model);
/*
 * Makes the plan of the options, which refers to nothing of the graph and stays as long as the
 * model: the only one that the model will have (model->only_plan).
 */
FTL_MUST_USE ftl_status ftl_plan_cache_make_only(ftl_model *model, const ftl_plan_options *options,
                                                 ftl_error *error);
/*
 * Gives back what nobody uses; false when somebody else is at the cache: memory is short in the
 * middle of making a plan, and waiting would be a deadlock.
 */
bool ftl_plan_cache_try_trim(ftl_model *model);

#endif
