/* foretell check: would this table run? */
#include "cli.h"

/* ftl_text_fn, for the report. user: the cli_options. */
static bool print_report(void *user, const char *text, size_t size)
{
    const cli_options *options = user;
    if (options->json)
        return cli_put_json(text, size);
    cli_print_message(stdout, text);
    return ferror(stdout) == 0;
}

int cli_check(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_cancel *cancel = NULL;
    int code = cli_parse(argc, argv, CLI_CHECK, &options);
    if (code < 0)
        code = cli_open_model(&options, 1, &context, &model);
    if (code >= 0) {
        cli_options_free(&options);
        return code;
    }
    code = cli_check_methods(model, &options, options.positional[0]);
    if (code < 0)
        code = cli_begin_work(context, &options, &cancel);
    if (code < 0) {
        ftl_error error;
        code = EXIT_DONE;
        options.score.json = options.json;
        if (ftl_check(model, options.positional[1], &options.score, print_report, &options,
                      &error) != FTL_OK &&
            !ferror(stdout))
            code = cli_fail(&error, PHASE_DATA, NULL);
        code = cli_end_output(code);
    }
    cli_end_work(cancel);
    cli_close_model(context, model);
    cli_options_free(&options);
    return code;
}
