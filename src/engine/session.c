/* Sessions of one's own, and what a session tells about itself. */
#include "engine/session.h"
#include "base/options.h"

ftl_status ftl_session_set_on_error(ftl_session *session, ftl_on_error on_error)
{
    if (!session || (on_error != FTL_ON_ERROR_FAIL && on_error != FTL_ON_ERROR_NULL))
        return FTL_ARG;
    session->on_error = on_error;
    return FTL_OK;
}

ftl_status ftl_session_set_cancel(ftl_session *session, const ftl_cancel *cancel)
{
    if (!session)
        return FTL_ARG;
    session->cancel = cancel;
    return FTL_OK;
}

static ftl_status read_options(ftl_session_options *out, const ftl_session_options *in,
                               ftl_error *error)
{
    FTL_TRY(ftl_options_read(out, sizeof *out, in, "ftl_session_options", error));
    if (out->on_error != FTL_ON_ERROR_FAIL && out->on_error != FTL_ON_ERROR_NULL)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "on_error",
                               "options.on_error of a session is FAIL or NULL");
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
    FTL_TRY(ftl_out_check(out, "ftl_output_column", NULL));
    const ftl_output *output = &session->model->graph.methods[method].outputs[index];
    const ftl_output_column column = {.name = output->name,
                                      .type = ftl_session_column_type(session->plan, output)};
    ftl_out_write(out, &column, sizeof column);
    return FTL_OK;
}
