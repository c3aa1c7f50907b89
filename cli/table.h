/*
 * The command line as a table: what commands there are (commands.c) and which options each takes
 * (options.c). Parsing, help, manual pages, completions and docs/CLI.md are made of it, so that
 * none of them can say what another does not.
 */
#ifndef FTL_CLI_TABLE_H
#define FTL_CLI_TABLE_H

#include "cli.h"

#include <stddef.h>

/* What a value is, for those who complete it. */
typedef enum cli_value {
    VALUE_NONE, /* a switch */
    VALUE_TEXT,
    VALUE_FILE,
    VALUE_WORD,    /* one of the option's words */
    VALUE_COLUMNS, /* names of columns of INPUT, with commas between */
    VALUE_METHODS, /* names of methods, with commas between */
    VALUE_TARGET   /* of foretell generate */
} cli_value;

/* Options stand together in help under these titles, in this order. */
typedef enum cli_section {
    SECTION_NONE,
    SECTION_COMPUTE,
    SECTION_TABLE,
    SECTION_BAD_ROWS,
    SECTION_RUN,
    SECTION_ORIGINAL, /* of verify: without --against, and with it */
    SECTION_SERVICE,
    N_SECTIONS
} cli_section;
extern const char *const cli_section_titles[N_SECTIONS]; /* the first one: NULL */

typedef struct cli_option cli_option;
/* Takes a value into *out; an exit code after a message, or -1. text may be changed in place. */
typedef int cli_set(const char *command, const cli_option *option, char *text, cli_options *out);

struct cli_option {
    const char *name;     /* without its dashes */
    char letter;          /* of its short form; 0: none */
    const char *argument; /* what help calls the value; NULL for VALUE_NONE alone */
    cli_value value;
    const char *words; /* that it takes, with blanks between: VALUE_WORD */
    const char *field; /* of the library's options; its messages name it. NULL: our own */
    cli_set *set;
    size_t at, size;         /* of the member of cli_options that set fills, where it asks */
    unsigned long long most; /* set_count: the largest number; 0: 2^62 */
    bool repeats;            /* every mention adds to it */
    unsigned listed;         /* commands whose help lists it, a bit each: 1u << cli_command_id */
    unsigned silent;         /* commands that take it besides; their help says so in a sentence */
    cli_section section;
    const char *help; /* sentences without line breaks */
};
extern const cli_option cli_option_table[];
extern const size_t cli_option_count;

/* Arguments that are no options. */
typedef struct cli_argument {
    const char *name, *help; /* help as a cli_option's */
} cli_argument;
enum { CLI_MAX_ARGUMENTS = 4, CLI_MAX_EXAMPLES = 6 };

typedef struct cli_command {
    const char *name;
    int (*run)(int argc, char **argv);
    int least, most;      /* arguments that are no options */
    bool chains;          /* MODEL + MODEL is one argument */
    const char *missing;  /* what to say where there are fewer than least */
    const char *surplus;  /* the same of more than most; NULL: the argument is named */
    const char *words;    /* what the argument may be, with blanks between; NULL: a file */
    bool remote;          /* of a running server: reads FORETELL_URL and FORETELL_API_KEY */
    const char *synopsis; /* behind "foretell "; of several lines each */
    const char *shown;    /* the same as the list of all commands has it */
    const char *summary;  /* what it does, in a few words */
    const char *about;    /* paragraphs, with an empty line between */
    cli_argument arguments[CLI_MAX_ARGUMENTS];
    const char *also; /* a paragraph behind the options; NULL: none */
    const char *examples[CLI_MAX_EXAMPLES];
} cli_command;
extern const cli_command cli_commands[CLI_COMMAND_COUNT];
extern const char cli_about[]; /* of the program */

typedef struct cli_exit_code {
    int code;
    const char *meaning;
} cli_exit_code;
enum { CLI_EXIT_CODES = 6 };
extern const cli_exit_code cli_exit_codes[CLI_EXIT_CODES];

/* NULL: there is none that is called so. */
const cli_command *cli_find_command(const char *name);
/* ftl_known_name of all commands that have a name, for "did you mean". */
const char *cli_command_at(const void *unused, size_t i);
/* Whether the command takes the option, and whether its help lists it. */
bool cli_takes(const cli_option *option, cli_command_id command);
bool cli_lists(const cli_option *option, cli_command_id command);
/* Copies the i-th of words with blanks between; false: there are fewer, or it is too long. */
bool cli_word_at(const char *words, size_t i, char *out, size_t room);

/* Setters, for the table (values.c). */
cli_set cli_set_switch, cli_set_text, cli_set_word, cli_set_count, cli_set_bytes, cli_set_char,
    cli_set_batch_size, cli_set_empty, cli_set_iterations, cli_set_method, cli_set_threshold,
    cli_set_tolerance, cli_set_original, cli_set_keep, cli_set_features, cli_set_na, cli_set_also;

/* A text that is made in memory and printed at once, so that a failure is told as it was. */
typedef struct cli_text {
    FILE *file;
    char *data;
    size_t size;
} cli_text;
FILE *cli_begin_text(cli_text *text); /* NULL after a message */
int cli_end_text(cli_text *text);     /* an exit code */

/* What is made of the table: help on standard output, and three forms for other programs. */
int cli_print_help(cli_command_id command);       /* CLI_DOOR: of the program */
int cli_print_manual(const cli_command *command); /* NULL: of the program */
int cli_print_table_json(void);
void cli_print_program_help(FILE *file);

/*
 * The settings of foretell-server, as `foretell-server --list-settings` prints them: a line each,
 * NAME tab ARGUMENT tab DEFAULT tab HELP. NULL: there is no server, or it does not answer.
 * To be freed.
 */
char *cli_server_settings(void);

#endif
