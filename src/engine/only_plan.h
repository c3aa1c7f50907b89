/* Models that run one plan for ever and do not keep what it was made of. */
#ifndef FTL_ENGINE_ONLY_PLAN_H
#define FTL_ENGINE_ONLY_PLAN_H

#include "model/model.h"

/*
 * Makes the plan and gives back the operations of the graph. The model is validated and nobody else
 * knows it yet. On failure the model can only be released.
 */
FTL_MUST_USE ftl_status ftl_model_keep_only_plan(ftl_model *model, const ftl_plan_options *options,
                                                 ftl_error *error);

#endif
