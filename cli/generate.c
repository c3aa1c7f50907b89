/* foretell generate: code made from a model. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the code goes: a temporary file beside the one that is asked for, or standard output. */
typedef struct target_file {
    const char *path; /* NULL: standard output */
    char *temporary;  /* NULL: written in place, as devices and pipes are */
    FILE *file;
} target_file;

static int fail_file(const char *path)
{
    int reason = errno;
    fputs("foretell: error: ", stderr);
    cli_print_plain(stderr, path, strlen(path));
    fprintf(stderr, ": cannot be written: %s\n", strerror(reason));
    return EXIT_DATA;
}

static int open_temporary(target_file *out)
{
    static const char ending[] = ".XXXXXX";
    size_t size = strlen(out->path) + sizeof ending;
    out->temporary = malloc(size);
    if (!out->temporary) {
        fputs("foretell: error: out of memory\n", stderr);
        return EXIT_INTERNAL;
    }
    snprintf(out->temporary, size, "%s%s", out->path, ending);
    int descriptor = mkstemp(out->temporary);
    if (descriptor < 0) {
        int code = fail_file(out->path);
        free(out->temporary);
        out->temporary = NULL;
        return code;
    }
    mode_t mask = umask(0);
    umask(mask);
    (void)!fchmod(descriptor, 0666 & ~mask);
    out->file = fdopen(descriptor, "w");
    if (!out->file)
        close(descriptor);
    return out->file ? -1 : fail_file(out->path);
}

static int open_target(const char *path, target_file *out)
{
    struct stat found;
    *out = (target_file){.path = path && strcmp(path, "-") != 0 ? path : NULL};
    if (!out->path)
        return -1;
    if (stat(path, &found) != 0 || S_ISREG(found.st_mode))
        return open_temporary(out);
    out->file = fopen(path, "w");
    return out->file ? -1 : fail_file(path);
}

/* Whole, or not there: code is what the work ended with so far, -1 when it went well. */
static int close_target(target_file *out, int code)
{
    if (out->file) {
        bool good = fflush(out->file) == 0 && (!out->temporary || fsync(fileno(out->file)) == 0);
        good = fclose(out->file) == 0 && good;
        if (code < 0 && good && out->temporary)
            good = rename(out->temporary, out->path) == 0;
        if (code < 0 && !good)
            code = fail_file(out->path);
    }
    if (out->temporary && code >= 0)
        unlink(out->temporary);
    free(out->temporary);
    return out->path ? (code < 0 ? EXIT_DONE : code) : cli_end_output(code < 0 ? EXIT_DONE : code);
}

/* ftl_text_fn */
static bool write_code(void *user, const char *text, size_t size)
{
    const target_file *out = user;
    return out->path ? fwrite(text, 1, size, out->file) == size : cli_put(text, size);
}

static int list_targets(void)
{
    ftl_generate_target target = {.struct_size = sizeof target};
    for (size_t i = 0; ftl_generate_target_at(i, &target) == FTL_OK; i++)
        printf("%-13s %s\n", target.name, target.about);
    return cli_end_output(EXIT_DONE);
}

static void fill_options(const cli_options *from, ftl_generate_options *out)
{
    out->model_path = from->positional[0];
    out->batch_size = from->score.batch_rows;
    out->probabilities = from->score.proba;
    out->input_dtype = from->dtype ? FTL_F32 : FTL_F64;
    if (from->score.method_set)
        out->methods = 1u << from->score.method;
    for (size_t i = 0; i < from->score.n_more_methods; i++)
        out->methods |= 1u << from->score.more_methods[i];
}

/* Programs open the model by its path alone; -1: nothing else was asked for. */
static int check_program(const cli_options *options)
{
    const char *target = options->generate.target;
    if (!target || strcmp(target, "standalone-c") == 0)
        return -1;
    if (options->select)
        return cli_usage("generate", "a program opens the model by its path: give MODEL:%s",
                         options->select);
    if (options->labels || options->threshold_set || options->iterations || options->n_then)
        return cli_usage("generate", "a program opens the model as its file says: --labels, "
                                     "--threshold, --iterations and + are for standalone-c");
    return -1;
}

static int write_model(const ftl_model *model, cli_options *options)
{
    ftl_error error;
    target_file file;
    fill_options(options, &options->generate);
    int code = open_target(options->output, &file);
    if (code < 0) {
        ftl_status status = ftl_generate(model, &options->generate, write_code, &file, &error);
        if (status == FTL_CANCELLED)
            code = file.path ? fail_file(file.path) : EXIT_DATA;
        else if (status != FTL_OK)
            code = cli_fail(&error, PHASE_MODEL, options->positional[0]);
    }
    return close_target(&file, code);
}

int cli_generate(int argc, char **argv)
{
    cli_options options;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    int code = cli_parse(argc, argv, CLI_GENERATE, &options);
    if (code < 0) {
        if (options.generate.target && strcmp(options.generate.target, "list") == 0)
            code = list_targets();
        else if (options.n_positional < 1)
            code = cli_usage("generate", "give a MODEL");
        else
            code = check_program(&options);
    }
    if (code < 0)
        code = cli_open_model(&options, 1, &context, &model);
    if (code < 0) {
        code = write_model(model, &options);
        cli_close_model(context, model);
    }
    cli_options_free(&options);
    return code;
}
