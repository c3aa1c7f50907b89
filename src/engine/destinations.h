/* Where a job may write. */
#ifndef FTL_ENGINE_DESTINATIONS_H
#define FTL_ENGINE_DESTINATIONS_H

#include "engine/inputs.h"
#include "model/model.h"

/*
 * ARG when the output, the reject file or the file of figures (options, NULL: none) is an input, a
 * file of the model or one of the others, whatever the names are: writing would lose one of them.
 * "-" is standard input or output.
 */
FTL_MUST_USE ftl_status ftl_check_destinations(const ftl_model *model, const ftl_inputs *inputs,
                                               const char *output_path,
                                               const ftl_score_options *options, ftl_error *error);

#endif
