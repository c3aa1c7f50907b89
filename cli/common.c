/* What several commands do: open the model, see that it has the method, work until a signal. */
#include "cli.h"

int cli_open_model(const cli_options *options, uint32_t threads, ftl_context **context,
                   ftl_model **model)
{
    ftl_error error;
    const char *path = options->positional[0];
    const ftl_model_options how = {.struct_size = sizeof how,
                                   .select = options->select,
                                   .iterations = options->iterations,
                                   .max_bytes = options->max_bytes,
                                   .then = options->then,
                                   .n_then = options->n_then,
                                   .labels = options->labels,
                                   .threshold = options->threshold,
                                   .threshold_set = options->threshold_set,
                                   .classes = options->score.target != NULL,
                                   .inverse = options->score.method_set &&
                                              options->score.method == FTL_INVERSE_TRANSFORM};
    const ftl_context_options with = {
        .struct_size = sizeof with, .threads = threads, .memory_limit = options->memory_limit};
    cli_set_memory_limit(options->memory_limit);
    if (ftl_context_create(&with, context, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, NULL);
    if (ftl_model_open(*context, path, &how, model, &error) != FTL_OK) {
        int code = cli_fail(&error, PHASE_MODEL, path);
        ftl_context_destroy(*context);
        return code;
    }
    return -1;
}

void cli_close_model(ftl_context *context, ftl_model *model)
{
    ftl_model_release(model);
    ftl_context_destroy(context);
}

int cli_check_methods(const ftl_model *model, const cli_options *options, const char *path)
{
    ftl_error error;
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return EXIT_INTERNAL;
    if (info.newer)
        cli_warn(path, "it was written by", info.newer);
    ftl_method method = options->score.method_set ? options->score.method : info.default_method;
    if (ftl_model_method_status(model, method, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, path);
    if (options->score.proba && method == FTL_PREDICT &&
        ftl_model_method_status(model, FTL_PREDICT_PROBA, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, path);
    for (size_t i = 0; i < options->score.n_more_methods; i++) {
        if (ftl_model_method_status(model, options->score.more_methods[i], &error) != FTL_OK)
            return cli_fail(&error, PHASE_MODEL, path);
    }
    return -1;
}

int cli_begin_work(ftl_context *context, cli_options *options, ftl_cancel **cancel)
{
    ftl_error error;
    if (ftl_cancel_create(context, cancel, &error) != FTL_OK)
        return cli_fail(&error, PHASE_DATA, NULL);
    options->score.cancel = *cancel;
    cli_catch_signals(*cancel);
    return -1;
}

void cli_end_work(ftl_cancel *cancel)
{
    cli_catch_signals(NULL);
    ftl_cancel_destroy(cancel);
}
