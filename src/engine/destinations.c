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
                                  const char *output_path, const char *reject_path,
                                  ftl_error *error)
{
    destination output = destination_of("the output", output_path);
    FTL_TRY(check_one(&output, model, inputs, error));
    if (!reject_path)
        return FTL_OK;
    destination reject = destination_of("the reject file", reject_path);
    FTL_TRY(check_one(&reject, model, inputs, error));
    if (ftl_file_id_equal(&output.id, &reject.id))
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_SAME_FILE, "reject_path",
                               "options.reject_path %.250s and the output are one file, and one "
                               "would replace the other; give another name",
                               reject.shown);
    return FTL_OK;
}
