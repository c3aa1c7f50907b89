/* What can be generated, and what every target wants to be sure of. */
#include "codegen/target.h"

#include "base/options.h"
#include "engine/context.h"
#include "foretell/experimental.h"

enum { most_prefix = 40, usual_megabytes = 64 };

static const ftl_target *const targets[] = {
    &ftl_target_standalone_c,
    &ftl_target_python,
    &ftl_target_fastapi,
    &ftl_target_c,
};

ftl_status ftl_generate_target_at(size_t index, ftl_generate_target *out)
{
    ftl_generate_target target = {.struct_size = sizeof target};
    FTL_TRY(ftl_out_check(out, "ftl_generate_target", NULL));
    if (index >= FTL_ARRAY_LEN(targets))
        return FTL_ARG;
    target.name = targets[index]->name;
    target.about = targets[index]->about;
    ftl_out_write(out, &target, sizeof target);
    return FTL_OK;
}

/* ftl_known_name */
static const char *target_name(const void *unused, size_t i)
{
    (void)unused;
    return targets[i]->name;
}

static ftl_status find_target(const char *name, const ftl_target **out, ftl_error *error)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(targets); i++) {
        if (!name || strcmp(name, targets[i]->name) == 0) {
            *out = targets[i];
            return FTL_OK;
        }
    }
    const char *near = ftl_name_nearest(name, target_name, NULL, FTL_ARRAY_LEN(targets));
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "target",
                           "there is no target '%.60s'; did you mean %s?", name,
                           near ? near : targets[0]->name);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Names that begin with an underscore are the compiler's. */
static ftl_status check_prefix(const char *prefix, ftl_error *error)
{
    size_t size = strlen(prefix);
    bool good = size > 0 && size <= most_prefix && is_letter(prefix[0]) && prefix[0] != '_';
    for (size_t i = 0; good && i < size; i++)
        good = is_letter(prefix[i]) || (prefix[i] >= '0' && prefix[i] <= '9');
    if (good)
        return FTL_OK;
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "prefix",
                           "options.prefix is to be a name of C, such as churn_model: letters, "
                           "digits and _, at most %d of them, a letter first",
                           most_prefix);
}

static ftl_status check_model(const ftl_model *model, ftl_error *error)
{
    if (model->only_plan)
        return FTL_FAIL(error, FTL_ARG,
                        "the model was opened with options.only_plan: its graph was given back");
    if (model->open_width)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the model does not say how many columns it takes; open it with "
                        "ftl_model_with_inputs first");
    return FTL_OK;
}

static ftl_status choose_methods(const ftl_model *model, uint32_t *methods, ftl_error *error)
{
    if (*methods >> FTL_METHOD_COUNT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "methods",
                               "options.methods has bits that are no method");
    if (!*methods) {
        *methods = 1u << model->default_method;
        if (model->default_method == FTL_PREDICT && model->graph.methods[FTL_PREDICT_PROBA].count)
            *methods |= 1u << FTL_PREDICT_PROBA;
    }
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        if (*methods & 1u << m)
            FTL_TRY(ftl_model_method_status(model, (ftl_method)m, error));
    }
    return FTL_OK;
}

static ftl_status write_target(const ftl_target *target, const ftl_generate_request *request,
                               const ftl_generate_options *options, ftl_text_fn write, void *user,
                               ftl_error *error)
{
    ftl_emitter *out = ftl_alloc(request->account, sizeof *out);
    if (!out)
        return FTL_OOM(error);
    ftl_emitter_init(out, write, user,
                     options->max_code_bytes ? options->max_code_bytes
                                             : (uint64_t)usual_megabytes << 20);
    ftl_status status = target->write(request, out, error);
    if (status == FTL_OK)
        status = ftl_emitter_end(out, error);
    ftl_free(request->account, out);
    return status;
}

ftl_status ftl_generate(const ftl_model *model, const ftl_generate_options *options,
                        ftl_text_fn write, void *user, ftl_error *error)
{
    ftl_generate_options own;
    const ftl_target *target = NULL;
    if (!model || !write)
        return FTL_FAIL(error, FTL_ARG, "ftl_generate needs a model and a function that writes");
    FTL_TRY(ftl_options_read(&own, sizeof own, options, "ftl_generate_options", error));
    FTL_TRY(find_target(own.target, &target, error));
    FTL_TRY(check_model(model, error));
    if (own.input_dtype != FTL_F64 && own.input_dtype != FTL_F32)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "input_dtype",
                               "options.input_dtype is FTL_F64 or FTL_F32");
    FTL_TRY(choose_methods(model, &own.methods, error));
    if (!own.prefix)
        own.prefix = "model";
    FTL_TRY(check_prefix(own.prefix, error));
    const ftl_generate_request request = {.model = model,
                                          .account = &model->context->account,
                                          .methods = own.methods,
                                          .input_dtype = own.input_dtype,
                                          .prefix = own.prefix,
                                          .model_path = own.model_path,
                                          .data_path = own.data_path,
                                          .output_path = own.output_path,
                                          .batch_size = own.batch_size,
                                          .plain = own.plain,
                                          .probabilities = own.probabilities};
    return write_target(target, &request, &own, write, user, error);
}
