/* --also: further models of the same rows, and what their columns are called. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "churn" of "models/churn.joblib". */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return strndup(name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

/* Splits NAME=MODEL; a file of such a name is no pair. */
static const char *split(const char *text, char **name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t size = strspn(text, letters);
    bool pair = size && text[size] == '=' && access(text, F_OK) != 0;
    *name = pair ? strndup(text, size) : stem_of(text);
    return pair ? text + size + 1 : text;
}

static int out_of_memory(void)
{
    fprintf(stderr, "foretell: error: out of memory\n");
    return EXIT_INTERNAL;
}

static int open_one(ftl_context *context, cli_options *options, size_t i)
{
    ftl_error error;
    const char *path = split(options->also[i], &options->names[i + 1]);
    if (!options->names[i + 1])
        return out_of_memory();
    for (size_t k = 0; k <= i; k++) {
        if (strcmp(options->names[k], options->names[i + 1]) == 0)
            return cli_usage("predict",
                             "two models are called '%s', and their columns would be, too; give "
                             "one another name: --also NAME=%s",
                             options->names[k], path);
    }
    const ftl_model_options how = {.struct_size = sizeof how,
                                   .iterations = options->iterations,
                                   .max_bytes = options->max_bytes};
    if (ftl_model_open(context, path, &how, &options->models[i], &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, path);
    return cli_check_methods(options->models[i], options, path);
}

int cli_open_also(ftl_context *context, cli_options *options)
{
    if (options->n_also == 0)
        return -1;
    options->models = calloc(options->n_also, sizeof(ftl_model *));
    options->names = calloc(options->n_also + 1, sizeof *options->names);
    if (!options->models || !options->names)
        return out_of_memory();
    options->names[0] = stem_of(options->positional[0]);
    if (!options->names[0])
        return out_of_memory();
    for (size_t i = 0; i < options->n_also; i++) {
        int code = open_one(context, options, i);
        if (code >= 0)
            return code;
    }
    options->score.name = options->names[0];
    options->score.more_models = options->models;
    options->score.more_names = (const char *const *)(options->names + 1);
    options->score.n_more_models = options->n_also;
    return -1;
}

void cli_close_also(cli_options *options)
{
    for (size_t i = 0; options->names && i <= options->n_also; i++)
        free(options->names[i]);
    for (size_t i = 0; options->models && i < options->n_also; i++)
        ftl_model_release(options->models[i]);
    free(options->names);
    free(options->models);
    options->names = NULL;
    options->models = NULL;
}
