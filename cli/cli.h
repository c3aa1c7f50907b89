/* The foretell program: what its commands share. */
#ifndef FTL_CLI_CLI_H
#define FTL_CLI_CLI_H

#include <foretell/codegen.h>
#include <foretell/foretell.h>

#include <stdbool.h>
#include <stdio.h>

/* As the README and foretell --help list them; report.c says which status has which. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_INTERNAL = 1, /* a bug, out of memory, or ended by a signal */
    EXIT_USAGE = 2,
    EXIT_MODEL = 3,   /* unreadable, corrupt, unsupported, forbidden */
    EXIT_DATA = 4,    /* schema, shape, reading, writing */
    EXIT_REJECTED = 5 /* finished, with rejected or nulled rows */
};

/* Options of the commands; texts and lists point into argv. */
typedef struct cli_options {
    const char *positional[2]; /* MODEL, INPUT */
    int n_positional;
    const char **more; /* inputs behind the first */
    size_t n_more;
    const char *output;
    const char *select, *labels;
    const char **then; /* MODEL + THEN + … */
    size_t n_then;
    bool plus; /* the last argument was + */
    double threshold;
    bool threshold_set;
    uint32_t iterations;
    ftl_score_options score;
    const char **keep, **features, **na;
    uint64_t memory_limit, max_bytes; /* 0: as the library does by itself */
    bool json, graph;
    bool quiet;
    const char **also; /* --also: NAME=MODEL or MODEL, as they stand */
    size_t n_also;
    ftl_model **models; /* of --also, opened */
    char **names;       /* [1 + n_also] of the first and of those; NULL: there are no others */
    ftl_method methods[FTL_METHOD_COUNT]; /* --method: those behind the first */
    unsigned progress;                    /* --progress: 1 is json */
    /* of commands that ask a server */
    const char *url, *against, *name;
    bool all;
    unsigned dialect; /* a verify_dialect */
    uint64_t rows_each;
    double tolerance;
    ftl_generate_options generate;
    unsigned dtype;   /* --dtype: 1 is float32 */
    uint64_t seen[2]; /* the options that were given, a bit each; args.c alone reads it */
} cli_options;

/* Places in the table of commands (table.h). CLI_DOOR: the program without a command. */
typedef enum cli_command_id {
    CLI_DOOR,
    CLI_PREDICT,
    CLI_INSPECT,
    CLI_CHECK,
    CLI_CLASSES,
    CLI_GENERATE,
    CLI_SERVE,
    CLI_STATS,
    CLI_HEALTH,
    CLI_LOAD,
    CLI_UNLOAD,
    CLI_VERIFY,
    CLI_HELP,
    CLI_COMPLETION,
    CLI_COMMAND_COUNT
} cli_command_id;

int cli_predict(int argc, char **argv);
int cli_inspect(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_classes(int argc, char **argv);
int cli_generate(int argc, char **argv);
/* Of the server, and of one that runs. */
int cli_serve(int argc, char **argv);
int cli_stats(int argc, char **argv);
int cli_health(int argc, char **argv);
int cli_load(int argc, char **argv);
int cli_unload(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_help(int argc, char **argv);
int cli_completion(int argc, char **argv);
/* foretell __complete WORD...: what may stand in the place of the last word, for shells. */
int cli_complete(int argc, char **argv);
/* foretell alone on a terminal: what to do first, with the files of this folder. */
int cli_welcome(void);
/*
 * foretell MODEL [INPUT...]: without a command. A card of the model, or its predictions: a short
 * table where a person looks at them, otherwise what predict writes. argv[0] is not looked at.
 */
int cli_open_door(int argc, char **argv);

enum { CLI_ANY_NUMBER = 1 << 30 };
/*
 * Fills *out from argv by the table of options; an exit code, or -1 to go on. Arguments behind the
 * second are more inputs. --help prints the command's help.
 */
int cli_parse(int argc, char **argv, cli_command_id command, cli_options *out);
/* The i-th argument that is no option; NULL behind the last one. */
const char *cli_argument_at(const cli_options *options, size_t i);
void cli_options_free(cli_options *options);
/* A text of the library, where the field options.reject_path becomes the option --reject. */
void cli_print_message(FILE *file, const char *text);
/* A JSON object of the library on standard output, its messages likewise; false: not written. */
bool cli_put_json(const char *text, size_t size);
/* A name of a file or of a model: line breaks, terminal codes and the like become '?'. */
void cli_print_plain(FILE *file, const char *text, size_t size);

/*
 * The context and the model that the options name; an exit code with nothing opened, or -1. threads
 * as in ftl_context_options.
 */
int cli_open_model(const cli_options *options, uint32_t threads, ftl_context **context,
                   ftl_model **model);
void cli_close_model(ftl_context *context, ftl_model *model);
/* Opens the models of --also in the context; an exit code, or -1. cli_close_also gives them back.
 */
int cli_open_also(ftl_context *context, cli_options *options);
void cli_close_also(cli_options *options);
/*
 * Does the model run the wanted methods? An exit code, or -1. Why a method cannot run is a matter
 * of the model, or of the command line when its class has no such method.
 */
int cli_check_methods(const ftl_model *model, const cli_options *options, const char *path);
/* The token that signals trigger while a table is worked on; an exit code, or -1. */
int cli_begin_work(ftl_context *context, cli_options *options, ftl_cancel **cancel);
void cli_end_work(ftl_cancel *cancel);

/* Predicts as the options say, and tells of it on stderr; an exit code. */
int cli_predict_table(ftl_model *model, cli_options *options, const char *output);
/*
 * The same into a short table on standard output: the first rows, and how many rows have which
 * class. An exit code.
 */
int cli_preview(ftl_model *model, cli_options *options);
/* What a person wants to know first, and the line that predicts. */
void cli_print_card(const ftl_model *model, const ftl_model_info *info, const cli_options *options);

/*
 * "foretell: error: …" in one line on stderr; returns the exit code that the status has in this
 * phase.
 */
typedef enum cli_phase { PHASE_MODEL, PHASE_DATA } cli_phase;
int cli_fail(const ftl_error *error, cli_phase phase, const char *file);
/* The limit that a NOMEM error is to name; 0: none was given. */
void cli_set_memory_limit(uint64_t bytes);
/* Standard output: text that is written when cli_end_output says so; false when it was not. */
bool cli_put(const char *text, size_t size);
/*
 * Sees to it that all of it was written: code, or EXIT_DATA with a message. Does not return when
 * nobody reads it any more, as in `| head`: the program ends like others, by SIGPIPE.
 */
int cli_end_output(int code);
/* Writes a text, all of it; an exit code. */
int cli_print(const char *text);
/* Ends the program by SIGPIPE, quietly. */
void cli_end_unread(void);
/* "foretell: warning: FILE: WHAT TEXT: its answers may differ" on stderr, as one line. */
void cli_warn(const char *file, const char *what, const char *text);
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The progress line of long work: on a terminal only. */
typedef struct cli_progress {
    bool shown; /* stderr is a terminal */
    bool json;  /* a JSON object a line instead, wherever stderr goes */
    bool colour;
    double started;
    size_t width;    /* of the line on the screen */
    double reported; /* the last JSON object */
} cli_progress;
void cli_progress_init(cli_progress *progress);
/*
 * From now on the signals that end a program (a key, a closed terminal, a limit of time) trigger
 * the token; NULL: they end the program again. Those that were ignored when it started stay so.
 */
void cli_catch_signals(ftl_cancel *cancel);
/* ftl_progress_fn */
bool cli_progress_report(void *user, const ftl_progress *report);
void cli_progress_end(cli_progress *progress);
/* The most memory that the program has held, in bytes. */
unsigned long long cli_peak_memory(void);
/* An exit code, after a message, or -1. */
int cli_write_metrics(const char *path, const ftl_score_result *result);
double cli_now(void);
void cli_group_digits(unsigned long long value, char out[32]);

#endif
