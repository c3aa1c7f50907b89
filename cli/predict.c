/* foretell predict: rows in, predictions out. */
#include "cli.h"

#include <string.h>

/* 12,345,678 bytes → "12.3 MB". */
static void show_bytes(double bytes, char out[32])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++)
        bytes /= 1000;
    snprintf(out, 32, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : 1, bytes, units[unit]);
}

/* Where the time went, of work that took some. */
static void show_split(const ftl_score_result *result)
{
    const struct {
        const char *name;
        double seconds;
    } parts[] = {{"read", result->read_seconds},
                 {"parse", result->parse_seconds},
                 {"predict", result->predict_seconds},
                 {"format", result->format_seconds},
                 {"write", result->write_seconds}};
    double sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        sum += parts[i].seconds;
    fputs("foretell: of the work", stderr);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        fprintf(stderr, "%s %.0f %% %s", i ? "," : "", sum > 0 ? 100 * parts[i].seconds / sum : 0,
                parts[i].name);
    fprintf(stderr, "; %u thread%s, batches of %u rows\n", result->threads,
            result->threads == 1 ? "" : "s", result->batch_rows);
}

static void summarise(const cli_options *options, const ftl_score_result *result)
{
    enum { quick = 1 }; /* second: shorter work needs one line */
    char rows[32], rate[32], bad[32], speed[32], memory[32], rows_before[32];
    unsigned long long n_bad = result->rows_rejected + result->rows_nulled;
    double seconds = result->seconds > 0 ? result->seconds : 1e-9;
    cli_group_digits(result->rows_read, rows);
    cli_group_digits(n_bad, bad);
    cli_group_digits(
        (unsigned long long)((double)(result->rows_read - result->rows_resumed) / seconds), rate);
    show_bytes((double)result->bytes_read / seconds, speed);
    show_bytes((double)cli_peak_memory(), memory);
    if (!options->quiet)
        fprintf(stderr, "foretell: %s row%s in %.3f s (%s rows/s, %s/s, peak memory %s)\n", rows,
                result->rows_read == 1 ? "" : "s", result->seconds, rate, speed, memory);
    cli_group_digits(result->rows_resumed, rows_before);
    if (!options->quiet && result->rows_resumed)
        fprintf(stderr, "foretell: %s of the rows were done by an earlier call\n", rows_before);
    if (!options->quiet && result->seconds >= quick)
        show_split(result);
    if (n_bad)
        fprintf(stderr, "foretell: warning: %s of %s rows were %s%s%s\n", bad, rows,
                result->rows_rejected ? "rejected" : "left empty",
                options->score.reject_path ? "; see " : "",
                options->score.reject_path ? options->score.reject_path : "");
}

/* What was decided about a file of several things, for who did not ask for it. */
static void tell_note(const ftl_model *model, const cli_options *options)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (options->quiet || ftl_model_get_info(model, &info) != FTL_OK || !info.note[0])
        return;
    fputs("foretell: note: ", stderr);
    cli_print_message(stderr, info.note);
    fputc('\n', stderr);
}

/* ftl_text_fn */
static bool print_warning(void *user, const char *text, size_t size)
{
    (void)user;
    (void)size;
    fputs("foretell: warning: ", stderr);
    cli_print_message(stderr, text);
    fputc('\n', stderr);
    return true;
}

int cli_predict_table(ftl_model *model, cli_options *options, const char *output)
{
    ftl_error error;
    ftl_score_result result = {.struct_size = sizeof result};
    cli_progress progress;
    cli_progress_init(&progress);
    progress.shown = progress.shown && !options->quiet;
    progress.json = options->progress == 1;
    options->score.progress = cli_progress_report;
    options->score.progress_user = &progress;
    options->score.warn = print_warning;
    tell_note(model, options);
    ftl_status status = ftl_score(model, options->positional[1], output, &options->score, &result,
                                  &error);
    cli_progress_end(&progress);
    if (status != FTL_OK && error.reason == FTL_REASON_NOBODY_READS && strcmp(output, "-") == 0)
        cli_end_unread();
    if (status == FTL_CANCELLED && options->score.resume)
        fputs("foretell: stopped; the same command goes on from here\n", stderr);
    if (status != FTL_OK)
        return cli_fail(&error, PHASE_DATA, NULL);
    summarise(options, &result);
    int code = options->score.metrics_path ? cli_write_metrics(options->score.metrics_path, &result)
                                           : -1;
    if (code >= 0)
        return code;
    return result.rows_rejected + result.rows_nulled ? EXIT_REJECTED : EXIT_DONE;
}

int cli_predict(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_cancel *cancel = NULL;
    int code = cli_parse(argc, argv, CLI_PREDICT, &options);
    if (code < 0)
        code = cli_open_model(&options, options.score.threads, &context, &model);
    if (code >= 0) {
        cli_options_free(&options);
        return code;
    }
    code = cli_check_methods(model, &options, options.positional[0]);
    if (code < 0)
        code = cli_open_also(context, &options);
    if (code < 0)
        code = cli_begin_work(context, &options, &cancel);
    if (code < 0)
        code = cli_predict_table(model, &options, options.output ? options.output : "-");
    cli_end_work(cancel);
    cli_close_also(&options);
    cli_close_model(context, model);
    cli_options_free(&options);
    return code;
}
