#include "engine/destinations.h"

#include "io/file_id.h"

#include <string.h>
#include <unistd.h>

typedef struct destination {
    const char *what; /* for messages */
    const char *shown;
    ftl_file_id id;
} destination;

static void identify(const char *path, int standard, ftl_file_id *out)
{
    if (strcmp(path, "-") == 0)
        ftl_file_id_of_descriptor(standard, out);
    else
        ftl_file_id_of_path(path, out);
}

static destination destination_of(const char *what, const char *path)
{
    destination to = {.what = what, .shown = strcmp(path, "-") == 0 ? "standard output" : path};
    identify(path, STDOUT_FILENO, &to.id);
    return to;
}

/* One that may not be the file at path, which is read from or `standard`. */
static ftl_status keep_off(const destination *to, const char *path, const char *role,
                           ftl_error *error)
{
    ftl_file_id id;
    identify(path, STDIN_FILENO, &id);
    if (!ftl_file_id_equal(&to->id, &id))
        return FTL_OK;
    return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_SAME_FILE,
                            "%s %.250s is %s, which would be lost; give another name", to->what,
                            to->shown, role);
}

static ftl_status check_one(const destination *to, const ftl_model *model, const ftl_inputs *inputs,
                            ftl_error *error)
{
    const char *role = inputs->n > 1 ? "one of the inputs" : "the input";
    for (size_t i = 0; i < inputs->n; i++)
        FTL_TRY(keep_off(to, inputs->paths[i], role, error));
    for (const ftl_model_file *file = model->files; file; file = file->next)
        FTL_TRY(keep_off(to, file->path, "a file of the model", error));
    return FTL_OK;
}

ftl_status ftl_check_destinations(const ftl_model *model, const ftl_inputs *inputs,
                                  const char *output_path, const ftl_score_options *options,
                                  ftl_error *error)
{
    const struct {
        const char *what, *option, *path;
    } files[] = {{"the output", NULL, output_path},
                 {"the reject file", "reject_path", options->reject_path},
                 {"the file of figures", "metrics_path", options->metrics_path}};
    destination to[FTL_ARRAY_LEN(files)];
    for (size_t i = 0; i < FTL_ARRAY_LEN(files); i++) {
        to[i] = (destination){0};
        if (!files[i].path)
            continue;
        to[i] = destination_of(files[i].what, files[i].path);
        FTL_TRY(check_one(&to[i], model, inputs, error));
        for (size_t k = 0; k < i; k++) {
            if (ftl_file_id_equal(&to[k].id, &to[i].id))
                return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_SAME_FILE, files[i].option,
                                       "options.%s %.250s and %s are one file, and one would "
                                       "replace the other; give another name",
                                       files[i].option, to[i].shown, to[k].what);
        }
    }
    return FTL_OK;
}
