/* The commands, and what they say of themselves. */
#include "table.h"

#include "foretell/experimental.h"

#include <string.h>

const char cli_about[] =
    "foretell runs saved models without Python and without executing what is in the file: "
    "scikit-learn's (.joblib, .pkl), and those of XGBoost, LightGBM and CatBoost in pickles or in "
    "their own files. The answers are those of the library version that wrote the model.";

const cli_exit_code cli_exit_codes[CLI_EXIT_CODES] = {
    {EXIT_DONE, "done"},
    {EXIT_INTERNAL, "internal error, out of memory, ended by a signal"},
    {EXIT_USAGE, "usage"},
    {EXIT_MODEL, "the model: unreadable, corrupt, unsupported, forbidden"},
    {EXIT_DATA, "the data: columns, shape, reading, writing"},
    {EXIT_REJECTED, "done, with rejected or emptied rows"},
};

#define SEVERAL_INPUTS                                                                     \
    {"INPUT...",                                                                           \
     "a table: CSV, JSON, JSON lines, Parquet, Arrow, .npy; - is standard input. Several " \
     "inputs are one table: the first has the names of the columns, the others need have " \
     "those that are used, in any order. A folder stands for the tables in it and in its " \
     "folders, a pattern in quotes, 'part-*.csv', for the files that match; both in the "  \
     "order of the names"}
#define MODEL_CHAIN                                                                        \
    {"MODEL + MODEL", "parts from several files run one after another; FILE:KEY names an " \
                      "entry"}

const cli_command cli_commands[CLI_COMMAND_COUNT] = {
    [CLI_DOOR] = {.name = "",
                  .run = cli_open_door,
                  .least = 1,
                  .most = CLI_ANY_NUMBER,
                  .chains = true,
                  .missing = "give a MODEL"},
    [CLI_PREDICT] =
        {.name = "predict",
         .run = cli_predict,
         .least = 2,
         .most = CLI_ANY_NUMBER,
         .chains = true,
         .missing = "give a MODEL and an INPUT",
         .synopsis = "predict MODEL [+ MODEL]... INPUT... [-o OUTPUT] [options]",
         .shown = "predict MODEL INPUT... [-o OUTPUT]",
         .summary = "rows in, predictions out",
         .about =
             "Reads a table, predicts every row and writes what OUTPUT's name says: .csv, "
             ".csv.zst, .tsv, .json, .jsonl, .parquet, .arrow, .arrows, .npy (default: CSV on "
             "standard output). Columns are matched by name; extra ones are ignored. Memory stays "
             "the same however long the table is. A file appears under its name only when it is "
             "complete; standard output and pipes get rows as they are computed.",
         .arguments = {{"MODEL", "a file that a library saved: .joblib, .pkl, .json, .ubj, .txt, "
                                 ".cbm and others; its bytes say what it is, not its name"},
                       MODEL_CHAIN,
                       SEVERAL_INPUTS},
         .examples = {"foretell predict model.joblib rows.csv -o predictions.csv --proba --keep id",
                      "zcat rows.csv.gz | foretell predict model.joblib - > predictions.csv",
                      "foretell predict model.joblib rows.csv -o out.csv --on-error skip --reject "
                      "bad.csv",
                      "foretell predict model.joblib january.csv february.csv.gz -o out.csv --keep "
                      "id,filename",
                      "foretell predict spam.pkl messages.txt --no-header --delimiter tab "
                      "--features 1 --keep 0"}},
    [CLI_INSPECT] =
        {.name = "inspect",
         .run = cli_inspect,
         .least = 1,
         .most = 1,
         .chains = true,
         .missing = "give a MODEL",
         .synopsis = "inspect MODEL [+ MODEL]... [--select KEY] [--iterations N] [--json | "
                     "--graph]",
         .shown = "inspect MODEL [--json]",
         .summary = "what is in the file, what it needs",
         .about = "Prints what is in a model file: its class and the library version that wrote "
                  "it, the steps, the classes, the input columns with their kinds and missing "
                  "rules, the output columns, the size, and everything that is not supported, with "
                  "its place. Nothing in the file is executed.",
         .examples = {"foretell inspect model.joblib", "foretell inspect model.joblib --json"}},
    [CLI_CHECK] =
        {.name = "check",
         .run = cli_check,
         .least = 2,
         .most = CLI_ANY_NUMBER,
         .chains = true,
         .missing = "give a MODEL and an INPUT",
         .synopsis = "check MODEL INPUT... [options]",
         .shown = "check MODEL INPUT...",
         .summary = "would this table run?",
         .about = "Would it run, and how well? Matches the table's columns against the model, "
                  "predicts all rows (or --limit N of them) and writes a report instead: the share "
                  "of missing cells and of unknown categories in each column, names that nearly "
                  "fit where columns are missing, rows that would be refused. Exit code 0: every "
                  "row would be predicted.",
         .also = "It takes the options of foretell predict as well, whose command line can be "
                 "tried so; no file is written.",
         .examples = {"foretell check model.joblib rows.csv",
                      "foretell check model.joblib rows.csv --target churned --json"}},
    [CLI_CLASSES] = {.name = "classes",
                     .run = cli_classes,
                     .synopsis = "classes [--json]",
                     .shown = "classes [--json]",
                     .summary = "the classes that it runs",
                     .about = "Lists the classes that foretell runs when it finds them in a model "
                              "file, with the library that each belongs to. docs/MODELS.md says "
                              "which versions and methods, and how exactly."},
    [CLI_GENERATE] =
        {.name = "generate",
         .run = cli_generate,
         .most = 1,
         .chains = true,
         .synopsis = "generate MODEL [+ MODEL]... [--target TARGET] [-o FILE] [options]",
         .shown = "generate MODEL [-o FILE]",
         .summary = "the model as C, and programs for it",
         .about = "Writes code for the model: by default one C file with the model compiled in, "
                  "which needs neither foretell nor the model's file and gives the same results to "
                  "the bit. FILE appears only when it is complete; without -o, or with -, the code "
                  "goes to standard output.",
         .also =
             "--select, --labels, --threshold, --iterations, --memory-limit and --max-bytes are "
             "taken as foretell predict takes them.",
         .examples = {"foretell generate model.joblib -o model.c",
                      "foretell generate --target list"}},
    [CLI_SERVE] = {.name = "serve",
                   .run = cli_serve,
                   .most = CLI_ANY_NUMBER,
                   .synopsis = "serve [MODEL_OR_DIR...] [options]",
                   .shown = "serve [MODEL_OR_DIR...]",
                   .summary = "models over HTTP",
                   .about =
                       "Serves models over HTTP: `foretell serve model.joblib` alone is enough to "
                       "start. It becomes foretell-server, which lies beside this program or in "
                       "libexec; with --help that one lists its settings.",
                   .examples = {"foretell serve model.joblib",
                                "foretell serve models/ --port 9000 --cache-size 30"}},
    [CLI_STATS] = {.name = "stats",
                   .run = cli_stats,
                   .remote = true,
                   .surplus = "it takes no arguments",
                   .synopsis = "stats [--url URL] [--json]",
                   .shown = "stats [--url URL]",
                   .summary = "what a running server's cache holds",
                   .about = "What a running server's cache holds, how quick its predictions are, "
                            "what its process takes."},
    [CLI_HEALTH] = {.name = "health",
                    .run = cli_health,
                    .remote = true,
                    .surplus = "it takes no arguments",
                    .synopsis = "health [--url URL] [--json] [--quiet]",
                    .shown = "health [--url URL]",
                    .summary = "whether a running server is ready",
                    .about = "Whether a running server is ready: exit code 0. While it starts or "
                             "ends, and when nothing answers, 4."},
    [CLI_LOAD] = {.name = "load",
                  .run = cli_load,
                  .least = 1,
                  .most = CLI_ANY_NUMBER,
                  .remote = true,
                  .missing = "name a model",
                  .synopsis = "load MODEL... [--url URL] [--json] [--quiet]",
                  .shown = "load MODEL... [--url URL]",
                  .summary = "has a server open models",
                  .about = "Has a running server open models, by name or by path beneath its "
                           "model-root, so that the first request finds them ready."},
    [CLI_UNLOAD] = {.name = "unload",
                    .run = cli_unload,
                    .most = CLI_ANY_NUMBER,
                    .remote = true,
                    .missing = "name a model",
                    .synopsis = "unload MODEL... | --all [--url URL] [--json] [--quiet]",
                    .shown = "unload MODEL... | --all",
                    .summary = "has a server close models",
                    .about = "Has a running server close models, and give their memory back; the "
                             "next request opens them again."},
    [CLI_VERIFY] =
        {.name = "verify",
         .run = cli_verify,
         .least = 2,
         .most = 2,
         .remote = true,
         .missing = "it takes --against URL, MODEL and ROWS.jsonl",
         .synopsis = "verify MODEL [DATA] [options]\n"
                     "verify --against URL MODEL ROWS.jsonl [options]",
         .shown = "verify MODEL [DATA]",
         .summary = "does its own library, or a service, answer as we do?",
         .about =
             "Without --against: predicts the same rows here and with the library that wrote the "
             "model, in your Python, which needs that library and the foretell package; tells for "
             "each method whether the answers are the same, where they differ most, and how long "
             "both took. foretell opens MODEL first, and what it refuses is not loaded; then "
             "Python loads it, which EXECUTES what is in a pickle: verify your own models "
             "alone.\n\n"
             "With --against: compares a service that runs already with this program: sends it "
             "the rows, predicts them here as well, and tells whether the answers are the same and "
             "how long both took.\n\nExit code 0: they all agree; 5: some do not.",
         .arguments = {{"DATA", "a table as foretell predict reads it; without it rows are made up "
                                "from what the model says of its inputs"},
                       {"ROWS.jsonl", "a JSON object a line, or an array where the model has no "
                                      "column names"}},
         .examples = {"foretell verify --against http://127.0.0.1:8000 model.joblib rows.jsonl"}},
    [CLI_HELP] = {.name = "help",
                  .run = cli_help,
                  .most = 1,
                  .words = "",
                  .synopsis = "help [COMMAND]",
                  .shown = "help COMMAND",
                  .summary = "all options of a command",
                  .about = "Prints the help of a command, as COMMAND --help does; without one, the "
                           "commands that there are. help --man COMMAND prints it as a manual page "
                           "(man(7)), help --json all of it as one JSON object."},
    [CLI_COMPLETION] =
        {.name = "completion",
         .run = cli_completion,
         .least = 1,
         .most = 1,
         .missing = "name a shell: bash, zsh or fish",
         .words = "bash zsh fish",
         .synopsis = "completion bash | zsh | fish",
         .shown = "completion bash|zsh|fish",
         .summary = "completes words in a shell",
         .about = "Prints what makes a shell complete the words of a foretell command line: "
                  "commands, options, their values, files and the columns of a table. make install "
                  "puts the same where the "
                  "shells look for it.",
         .examples = {"source <(foretell completion bash)",
                      "foretell completion zsh > \"${fpath[1]}/_foretell\"",
                      "foretell completion fish > ~/.config/fish/completions/foretell.fish"}},
};

const cli_command *cli_find_command(const char *name)
{
    for (size_t i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++) {
        if (strcmp(name, cli_commands[i].name) == 0)
            return &cli_commands[i];
    }
    return NULL;
}

const char *cli_command_at(const void *unused, size_t i)
{
    (void)unused;
    return cli_commands[i + 1].name;
}

bool cli_word_at(const char *words, size_t i, char *out, size_t room)
{
    words += strspn(words, " ");
    for (; i > 0 && *words; i--) {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    }
    size_t size = strcspn(words, " ");
    if (size == 0 || size >= room)
        return false;
    memcpy(out, words, size);
    out[size] = '\0';
    return true;
}
