/* What several commands do: open the model, see that it has the method, work until a signal. */
#include "cli.h"

#include <string.h>

/* Whether a message begins with the file of a part that is FILE or FILE:ENTRY, or says "FILE". */
static bool is_about(const char *message, const char *part)
{
    const char *colon = part ? strrchr(part, ':') : NULL;
    size_t size = !part ? 0 : colon && colon != part ? (size_t)(colon - part) : strlen(part);
    const char *quoted = size ? memmem(message, strlen(message), part, size) : NULL;
    return quoted && (quoted == message || quoted[-1] == '"');
}

/* The file that an error of opening is about: the model's own, or one that the message names. */
static const char *blamed(const cli_options *options, const ftl_error *error)
{
    bool named = is_about(error->message, options->labels);
    for (size_t i = 0; i < options->n_then; i++)
        named |= is_about(error->message, options->then[i]);
    return named ? NULL : options->positional[0];
}

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
        int code = cli_fail(&error, PHASE_MODEL, blamed(options, &error));
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

/* What was wished for the classes, of a method that shows none. */
static int check_wishes(const cli_options *options, ftl_method method)
{
    const char *name = ftl_method_name(method);
    bool names_classes = method == FTL_PREDICT || method == FTL_PREDICT_PROBA ||
                         method == FTL_PREDICT_LOG_PROBA || method == FTL_DECISION_FUNCTION ||
                         method == FTL_MARGIN;
    if (options->threshold_set && method != FTL_PREDICT)
        return cli_usage("predict", "--threshold is for predict; it changes nothing of %s", name);
    if (options->labels && !names_classes)
        return cli_usage("predict", "--labels names classes, and %s shows none", name);
    return -1;
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
    int code = check_wishes(options, method);
    if (code >= 0)
        return code;
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
