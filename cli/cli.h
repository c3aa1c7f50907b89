/* The foretell program: what its commands share. */
#ifndef FTL_CLI_CLI_H
#define FTL_CLI_CLI_H

#include <foretell/foretell.h>

#include <stdbool.h>
#include <stdio.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_INTERNAL = 1, /* a bug, or out of memory */
    EXIT_USAGE = 2,
    EXIT_MODEL = 3,   /* corrupt, unsupported, forbidden */
    EXIT_DATA = 4,    /* schema, shape, reading, writing */
    EXIT_REJECTED = 5 /* finished, with rejected or nulled rows */
};

/* Options of predict and check; lists point into argv. */
typedef struct cli_options {
    const char *positional[2];
    int n_positional;
    const char *output;
    const char *select;
    ftl_score_options score;
    const char **keep, **features, **na;
    bool json, graph;
    bool quiet;
} cli_options;

int cli_predict(int argc, char **argv);
int cli_inspect(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_classes(int argc, char **argv);

/* Fills *out from argv; an exit code, or -1 to go on. help is printed by --help. */
int cli_parse(int argc, char **argv, const char *allowed, const char *help, int n_positional,
              cli_options *out);
void cli_options_free(cli_options *options);
/* A text of the library, where the field options.reject_path becomes the option --reject. */
void cli_print_message(FILE *file, const char *text);

/*
 * The context and the model that the options name; an exit code with nothing opened, or -1. threads
 * as in ftl_context_options.
 */
int cli_open_model(const cli_options *options, uint32_t threads, ftl_context **context,
                   ftl_model **model);
void cli_close_model(ftl_context *context, ftl_model *model);
/*
 * Does the model run the wanted methods? An exit code, or -1. Why a method cannot run is a matter
 * of the model, or of the command line when its class has no such method.
 */
int cli_check_methods(const ftl_model *model, const cli_options *options, const char *path);
/* The token that SIGINT and SIGTERM trigger while a table is worked on; an exit code, or -1. */
int cli_begin_work(ftl_context *context, cli_options *options, ftl_cancel **cancel);
void cli_end_work(ftl_cancel *cancel);

extern const char cli_help_predict[], cli_help_inspect[], cli_help_check[], cli_help_classes[],
    cli_help_main[];

/*
 * "foretell: error: …" in one line on stderr; returns the exit code that the status has in this
 * phase.
 */
typedef enum cli_phase { PHASE_MODEL, PHASE_DATA } cli_phase;
int cli_fail(const ftl_error *error, cli_phase phase, const char *file);
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The progress line of long work: on a terminal only. */
typedef struct cli_progress {
    bool shown; /* stderr is a terminal */
    bool colour;
    double started;
    size_t width; /* of the line on the screen */
} cli_progress;
void cli_progress_init(cli_progress *progress);
/* From now on SIGINT and SIGTERM trigger the token; NULL: they end the program again. */
void cli_catch_signals(ftl_cancel *cancel);
/* ftl_progress_fn */
bool cli_progress_report(void *user, const ftl_progress *report);
void cli_progress_end(cli_progress *progress);
double cli_now(void);
void cli_group_digits(unsigned long long value, char out[32]);

#endif
