/* foretell inspect: what is in a model file. */
#include "cli.h"

#include "foretell/experimental.h"

static bool write_stdout(void *user, const char *text, size_t size)
{
    (void)user;
    return cli_put(text, size);
}

/* ftl_text_fn, for text that may name options. user: the cli_options. */
static bool print_text(void *user, const char *text, size_t size)
{
    const cli_options *options = user;
    if (options->json)
        return cli_put_json(text, size);
    cli_print_message(stdout, text);
    return ferror(stdout) == 0;
}

int cli_inspect(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    int code = cli_parse(argc, argv, CLI_INSPECT, &options);
    if (code < 0 && options.json && options.graph)
        code = cli_usage("inspect", "--graph is text; leave --json out");
    if (code < 0)
        code = cli_open_model(&options, 1, &context, &model);
    if (code < 0) {
        ftl_error error;
        ftl_model_info info = {.struct_size = sizeof info};
        code = ftl_model_get_info(model, &info) == FTL_OK ? EXIT_DONE : EXIT_INTERNAL;
        ftl_status status = options.graph ? ftl_model_graph(model, write_stdout, NULL, &error)
                                          : ftl_model_describe(model, options.json, print_text,
                                                               &options, &error);
        if (status != FTL_OK && !ferror(stdout))
            code = cli_fail(&error, PHASE_DATA, NULL);
        else if (ftl_model_method_status(model, info.default_method, &error) != FTL_OK)
            code = cli_fail(&error, PHASE_MODEL, options.positional[0]);
        code = cli_end_output(code);
        cli_close_model(context, model);
    }
    cli_options_free(&options);
    return code;
}
