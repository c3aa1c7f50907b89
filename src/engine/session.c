/* Sessions of one's own, and what a session tells about itself. */
#include "engine/session.h"

#include <string.h>

ftl_status ftl_session_set_on_error(ftl_session *session, ftl_on_error on_error)
{
    if (!session || (on_error != FTL_ON_ERROR_FAIL && on_error != FTL_ON_ERROR_NULL))
        return FTL_ARG;
    session->on_error = on_error;
    return FTL_OK;
}

static ftl_status read_options(ftl_session_options *out, const ftl_session_options *in,
                               ftl_error *error)
{
    *out = (ftl_session_options){0};
    if (!in)
        return FTL_OK;
    if (in->struct_size < sizeof in->struct_size)
        return FTL_FAIL(error, FTL_ARG, "set struct_size to sizeof(ftl_session_options)");
    memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    if (out->on_error != FTL_ON_ERROR_FAIL && out->on_error != FTL_ON_ERROR_NULL)
        return FTL_FAIL(error, FTL_ARG, "on_error of a session is FAIL or NULL");
    return FTL_OK;
}

ftl_status ftl_session_create(ftl_model *model, const ftl_session_options *options,
                              ftl_session **out, ftl_error *error)
{
    ftl_session_options chosen;
    if (!model || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_create needs a model and a place for the session");
    FTL_TRY(read_options(&chosen, options, error));
    const ftl_plan_options wanted = {.struct_size = sizeof wanted,
                                     .input_dtype = chosen.input_dtype,
                                     .methods = chosen.methods,
                                     .block_rows = chosen.block_rows};
    ftl_plan *plan = NULL;
    FTL_TRY(ftl_model_plan(model, &wanted, &plan, error));
    ftl_session *session = NULL;
    ftl_status status = ftl_session_new(plan, &session, error);
    if (status != FTL_OK) {
        ftl_plan_release(plan);
        return status;
    }
    session->on_error = chosen.on_error;
    session->owned = true;
    *out = session;
    return FTL_OK;
}

ftl_status ftl_session_output(const ftl_session *session, ftl_method method, size_t index,
                              ftl_output_column *out)
{
    if (!session || !out || !ftl_method_name(method) || !(session->plan->methods & 1u << method) ||
        index >= session->model->graph.methods[method].count)
        return FTL_ARG;
    const ftl_output *output = &session->model->graph.methods[method].outputs[index];
    *out = (ftl_output_column){.name = output->name,
                               .type = ftl_session_column_type(session->plan, output)};
    return FTL_OK;
}
