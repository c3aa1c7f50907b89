/* The commands: predict, inspect, check, classes. */
#include "cli.h"

#include "foretell/experimental.h"

#include <stdlib.h>
#include <string.h>

static int open_model(const cli_options *options, uint32_t threads, ftl_context **context,
                      ftl_model **model)
{
    ftl_error error;
    const char *path = options->positional[0];
    const ftl_model_options how = {.struct_size = sizeof how, .select = options->select};
    const ftl_context_options with = {.struct_size = sizeof with, .threads = threads};
    if (ftl_context_create(&with, context, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, NULL);
    if (ftl_model_open(*context, path, &how, model, &error) != FTL_OK) {
        int code = cli_fail(&error, PHASE_MODEL, path);
        ftl_context_destroy(*context);
        return code;
    }
    return -1;
}

static void close_model(ftl_context *context, ftl_model *model)
{
    ftl_model_release(model);
    ftl_context_destroy(context);
}

static bool write_stdout(void *user, const char *text, size_t size)
{
    (void)user;
    return fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0;
}

/* ftl_text_fn, for the text of a check. */
static bool print_report(void *user, const char *text, size_t size)
{
    (void)user;
    (void)size;
    cli_print_message(stdout, text);
    return fflush(stdout) == 0;
}

static void summarise(const cli_options *options, const ftl_score_result *result)
{
    char rows[32], rate[32], bad[32];
    unsigned long long n_bad = result->rows_rejected + result->rows_nulled;
    cli_group_digits(result->rows_read, rows);
    cli_group_digits(n_bad, bad);
    cli_group_digits(
        result->seconds > 0 ? (unsigned long long)((double)result->rows_read / result->seconds) : 0,
        rate);
    if (!options->quiet)
        fprintf(stderr, "foretell: %s rows in %.3f s (%s rows/s)\n", rows, result->seconds, rate);
    if (n_bad)
        fprintf(stderr, "foretell: warning: %s of %s rows were %s%s%s\n", bad, rows,
                result->rows_rejected ? "rejected" : "left empty",
                options->score.reject_path ? "; see " : "",
                options->score.reject_path ? options->score.reject_path : "");
}

/*
 * Why a method cannot run is a matter of the model, or of the command line when its class has no
 * such method.
 */
static int check_methods(const ftl_model *model, const cli_options *options, const char *path)
{
    ftl_error error;
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return EXIT_INTERNAL;
    ftl_method method = options->score.method_set ? options->score.method : info.default_method;
    if (ftl_model_method_status(model, method, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, path);
    if (options->score.proba && method == FTL_PREDICT &&
        ftl_model_method_status(model, FTL_PREDICT_PROBA, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, path);
    return -1;
}

/* The token that SIGINT and SIGTERM trigger while a table is worked on; an exit code, or -1. */
static int begin_work(ftl_context *context, cli_options *options, ftl_cancel **cancel)
{
    ftl_error error;
    if (ftl_cancel_create(context, cancel, &error) != FTL_OK)
        return cli_fail(&error, PHASE_DATA, NULL);
    options->score.cancel = *cancel;
    cli_catch_signals(*cancel);
    return -1;
}

static void end_work(ftl_cancel *cancel)
{
    cli_catch_signals(NULL);
    ftl_cancel_destroy(cancel);
}

static int predict_table(ftl_model *model, cli_options *options)
{
    ftl_error error;
    ftl_score_result result = {.struct_size = sizeof result};
    cli_progress progress;
    cli_progress_init(&progress);
    progress.shown = progress.shown && !options->quiet;
    options->score.progress = cli_progress_report;
    options->score.progress_user = &progress;
    ftl_status status = ftl_score(model, options->positional[1],
                                  options->output ? options->output : "-", &options->score, &result,
                                  &error);
    cli_progress_end(&progress);
    if (status != FTL_OK)
        return cli_fail(&error, PHASE_DATA, NULL);
    summarise(options, &result);
    return result.rows_rejected + result.rows_nulled ? EXIT_REJECTED : EXIT_DONE;
}

int cli_predict(int argc, char **argv)
{
    static const char allowed[] =
        " output quiet method proba keep features delimiter decimal no-header na max-record limit "
        "on-error reject threads batch-size select ";
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_cancel *cancel = NULL;
    int code = cli_parse(argc, argv, allowed, cli_help_predict, 2, &options);
    if (code < 0)
        code = open_model(&options, options.score.threads, &context, &model);
    if (code >= 0) {
        cli_options_free(&options);
        return code;
    }
    code = check_methods(model, &options, options.positional[0]);
    if (code < 0)
        code = begin_work(context, &options, &cancel);
    if (code < 0)
        code = predict_table(model, &options);
    end_work(cancel);
    close_model(context, model);
    cli_options_free(&options);
    return code;
}

int cli_inspect(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    int code = cli_parse(argc, argv, " graph json select ", cli_help_inspect, 1, &options);
    if (code < 0)
        code = open_model(&options, 1, &context, &model);
    if (code < 0) {
        ftl_error error;
        ftl_model_info info = {.struct_size = sizeof info};
        code = ftl_model_get_info(model, &info) == FTL_OK ? EXIT_DONE : EXIT_INTERNAL;
        ftl_status status = options.graph ? ftl_model_graph(model, write_stdout, NULL, &error)
                                          : ftl_model_describe(model, options.json, write_stdout,
                                                               NULL, &error);
        if (status != FTL_OK)
            code = cli_fail(&error, PHASE_DATA, NULL);
        else if (ftl_model_method_status(model, info.default_method, &error) != FTL_OK)
            code = cli_fail(&error, PHASE_MODEL, options.positional[0]);
        close_model(context, model);
    }
    cli_options_free(&options);
    return code;
}

int cli_check(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_cancel *cancel = NULL;
    int code = cli_parse(argc, argv,
                         " method keep features delimiter decimal no-header na max-record limit "
                         "select ",
                         cli_help_check, 2, &options);
    if (code < 0)
        code = open_model(&options, 1, &context, &model);
    if (code >= 0) {
        cli_options_free(&options);
        return code;
    }
    code = check_methods(model, &options, options.positional[0]);
    if (code < 0)
        code = begin_work(context, &options, &cancel);
    if (code < 0) {
        ftl_error error;
        code = EXIT_DONE;
        if (ftl_check(model, options.positional[1], &options.score, print_report, NULL, &error) !=
            FTL_OK)
            code = cli_fail(&error, PHASE_DATA, NULL);
    }
    end_work(cancel);
    close_model(context, model);
    cli_options_free(&options);
    return code;
}

/* Alphabetically, as people look for a name. */
static int by_name(const void *a, const void *b)
{
    const ftl_class_info *left = a, *right = b;
    int library = strcmp(left->library, right->library);
    int package = strcmp(left->package, right->package);
    return library ? library : package ? package : strcmp(left->name, right->name);
}

int cli_classes(int argc, char **argv)
{
    cli_options options;
    int code = cli_parse(argc, argv, " json ", cli_help_classes, 0, &options);
    if (code >= 0)
        return code;
    ftl_class_info *classes = NULL, next = {.struct_size = sizeof next};
    size_t n = 0;
    while (ftl_supported_class(n, &next) == FTL_OK)
        n++;
    classes = calloc(n, sizeof *classes);
    if (!classes) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < n; i++) {
        classes[i].struct_size = sizeof *classes;
        (void)!ftl_supported_class(i, &classes[i]);
    }
    qsort(classes, n, sizeof *classes, by_name);
    for (size_t i = 0; i < n && !options.json; i++)
        printf("%-13s %s.%s\n", classes[i].library, classes[i].package, classes[i].name);
    for (size_t i = 0; i < n && options.json; i++)
        printf("%s{\"library\": \"%s\", \"package\": \"%s\", \"name\": \"%s\"}%s\n", i ? " " : "[",
               classes[i].library, classes[i].package, classes[i].name, i + 1 < n ? "," : "]");
    free(classes);
    cli_options_free(&options);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_DATA;
}
