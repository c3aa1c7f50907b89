/* foretell alone on a terminal: what to do first, with the files of this folder. */
#include "cli.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    MOST_ENTRIES = 10000,    /* of the folder that are looked at */
    MOST_SHOWN = 5,          /* models */
    MOST_BYTES = 64 << 20,   /* of a file that is opened to tell what it is */
    MOST_OPENED = 200 << 20, /* and what it may unpack to */
    PATIENCE = 1             /* second, for all of them */
};

typedef struct found {
    char names[MOST_SHOWN][256];
    size_t n, more; /* more: models beyond those */
    char table[256];
} found;

static bool ends_in(const char *name, const char *const *endings, size_t n)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < n; i++) {
        size_t ending = strlen(endings[i]);
        if (size > ending && strcasecmp(name + size - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool is_model(const char *name)
{
    static const char *const endings[] = {".joblib", ".pkl", ".pickle", ".cbm", ".ubj", ".sav"};
    return ends_in(name, endings, sizeof endings / sizeof endings[0]);
}

static bool is_table(const char *name)
{
    static const char *const endings[] = {".csv",     ".csv.gz", ".csv.zst", ".tsv",
                                          ".parquet", ".jsonl",  ".arrow",   ".npy"};
    return ends_in(name, endings, sizeof endings / sizeof endings[0]);
}

/* A name that a shell takes as it stands, so that the lines below can be copied. */
static bool is_plain(const char *name)
{
    return name[0] != '-' && name[0] != '.' && strlen(name) < 256 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+,@%") ==
               strlen(name);
}

static void keep_model(found *files, const char *name)
{
    size_t at = files->n;
    while (at > 0 && strcmp(name, files->names[at - 1]) < 0)
        at--;
    if (files->n == MOST_SHOWN)
        files->more++;
    if (at == MOST_SHOWN)
        return;
    size_t kept = files->n < MOST_SHOWN ? files->n : MOST_SHOWN - 1;
    memmove(files->names[at + 1 < MOST_SHOWN ? at + 1 : at], files->names[at],
            (kept - at) * sizeof files->names[0]);
    snprintf(files->names[at], sizeof files->names[at], "%s", name);
    files->n = files->n < MOST_SHOWN ? files->n + 1 : files->n;
}

static void look(found *files)
{
    *files = (found){0};
    DIR *folder = opendir(".");
    struct dirent *entry;
    for (size_t i = 0; folder && i < MOST_ENTRIES && (entry = readdir(folder)) != NULL; i++) {
        struct stat about;
        const char *name = entry->d_name;
        if (!is_plain(name) || !(is_model(name) || is_table(name)) || stat(name, &about) != 0 ||
            !S_ISREG(about.st_mode))
            continue;
        if (is_model(name))
            keep_model(files, name);
        else if ((!files->table[0] || strcmp(name, files->table) < 0))
            snprintf(files->table, sizeof files->table, "%s", name);
    }
    if (folder)
        closedir(folder);
}

/* "Pipeline, scikit-learn 1.4.2, 7 columns", or why it does not run. True: it does, or may; what is
 * large, or comes late, is not opened. */
static bool describe(const char *path, double until, char *out, size_t room)
{
    ftl_error error;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    struct stat about;
    bool runs = false;
    const ftl_context_options limits = {
        .struct_size = sizeof limits, .threads = 1, .memory_limit = MOST_OPENED};
    const ftl_model_options options = {.struct_size = sizeof options, .max_bytes = MOST_OPENED};
    ftl_model_info info = {.struct_size = sizeof info};
    snprintf(out, room, "foretell inspect tells what it is");
    if (cli_now() > until || stat(path, &about) != 0 || about.st_size > MOST_BYTES)
        return true;
    if (ftl_context_create(&limits, &context, &error) == FTL_OK &&
        ftl_model_open(context, path, &options, &model, &error) == FTL_OK &&
        ftl_model_get_info(model, &info) == FTL_OK &&
        ftl_model_method_status(model, info.default_method, &error) == FTL_OK) {
        const char *dot = strrchr(info.class_name, '.');
        snprintf(out, room, "%s, %s %s, %zu column%s", dot ? dot + 1 : info.class_name,
                 info.library, info.library_version ? info.library_version : "",
                 (size_t)info.n_inputs, info.n_inputs == 1 ? "" : "s");
        runs = true;
    } else {
        snprintf(out, room, "does not run; foretell inspect tells why");
    }
    ftl_model_release(model);
    ftl_context_destroy(context);
    return runs;
}

static void show_steps(const char *model, const char *table)
{
    const struct {
        const char *command, *rest, *says;
    } steps[] = {{"inspect", "", "what is in it, what it needs"},
                 {"predict", table, "its predictions"},
                 {"serve", "", "the same over HTTP: http://127.0.0.1:8000/"}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool predict = steps[i].rest[0] != '\0';
        int n = printf("  foretell %s %s%s%s%s", steps[i].command, model, predict ? " " : "",
                       steps[i].rest, predict ? " -o out.csv" : "");
        printf("%*s%s\n", n < 58 ? 58 - n : 2, "", steps[i].says);
    }
}

int cli_welcome(void)
{
    found files;
    char words[256];
    const char *first = NULL;
    const double until = cli_now() + PATIENCE;
    look(&files);
    puts("foretell runs saved models: scikit-learn, XGBoost, LightGBM and CatBoost.\n"
         "Nothing in a model file is executed.\n");
    if (files.n)
        puts("models in this folder");
    for (size_t i = 0; i < files.n; i++) {
        bool runs = describe(files.names[i], until, words, sizeof words);
        if (runs && !first)
            first = files.names[i];
        printf("  %-22s ", files.names[i]);
        cli_print_plain(stdout, words, strlen(words));
        putchar('\n');
    }
    if (files.more)
        printf("  and %zu more\n", files.more);
    puts(files.n ? "\nfirst steps" : "first steps, with a model of yours");
    show_steps(first     ? first
               : files.n ? files.names[0]
                         : "model.joblib",
               files.table[0] ? files.table : "rows.csv");
    puts("\nforetell help lists all commands, foretell help predict all that predict can do.");
    return cli_end_output(EXIT_DONE);
}
