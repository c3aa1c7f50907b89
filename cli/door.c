/* foretell MODEL [INPUT...]: the program without a command. */
#include "cli.h"

#include <unistd.h>

static int open_and_show(cli_options *options)
{
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_cancel *cancel = NULL;
    ftl_error error;
    ftl_model_info info = {.struct_size = sizeof info};
    bool table = options->n_positional == 2;
    int code = cli_open_model(options, options->score.threads, &context, &model);
    if (code >= 0)
        return code;
    if (ftl_model_get_info(model, &info) != FTL_OK)
        code = EXIT_INTERNAL;
    else if (!table && ftl_model_method_status(model, info.default_method, &error) != FTL_OK)
        code = cli_fail(&error, PHASE_MODEL, options->positional[0]);
    else if (!table)
        cli_print_card(model, &info, options);
    if (table && code < 0)
        code = cli_check_methods(model, options, options->positional[0]);
    if (table && code < 0)
        code = cli_begin_work(context, options, &cancel);
    if (table && code < 0) {
        if (!options->output && isatty(STDOUT_FILENO))
            code = cli_preview(model, options);
        else
            code = cli_predict_table(model, options, options->output ? options->output : "-");
    }
    cli_end_work(cancel);
    cli_close_model(context, model);
    return code < 0 ? cli_end_output(EXIT_DONE) : code;
}

int cli_open_door(int argc, char **argv)
{
    static char no_command[] = "";
    cli_options options;
    argv[0] = no_command; /* messages then name no command */
    int code = cli_parse(argc, argv, CLI_DOOR, &options);
    if (code < 0)
        code = open_and_show(&options);
    cli_options_free(&options);
    return code;
}
