/* What the library and a model tell about themselves. */
#include "base/options.h"
#include "estimators/families.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

const char *ftl_version(void) { return FTL_VERSION_STRING; }

ftl_status ftl_model_get_info(const ftl_model *model, ftl_model_info *out)
{
    if (!model || !out)
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_model_info", NULL));
    const ftl_model_info info = {
        .kind = model->kind,
        .class_name = model->class_name,
        .library = model->library,
        .library_version = model->library_version,
        .bytes = ftl_model_own_bytes(model),
        .plan_bytes = ftl_account_used(&model->plan_account),
        .session_bytes = ftl_account_used(&model->session_account),
        .file_bytes = model->file_bytes,
        .default_method = model->default_method,
        .n_inputs = model->graph.n_inputs,
        .has_input_names = model->has_input_names,
        .open_width = model->open_width,
        .newer = model->newer,
        .parts = model->selected,
        .note = model->note ? model->note : "",
    };
    ftl_out_write(out, &info, sizeof info);
    return FTL_OK;
}

/* "; it has predict, apply", of a model that has methods. */
static const char *methods_of(const ftl_model *model, char out[200])
{
    size_t used = 0;
    out[0] = '\0';
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (!model->graph.methods[m].count)
            continue;
        int n = snprintf(out + used, 200 - used, "%s%s", used ? ", " : "; it has ",
                         ftl_method_name((ftl_method)m));
        used += n > 0 && (size_t)n < 200 - used ? (size_t)n : 0;
    }
    return out;
}

ftl_status ftl_model_method_status(const ftl_model *model, ftl_method method, ftl_error *error)
{
    const char *name = ftl_method_name(method);
    if (!model)
        return FTL_FAIL(error, FTL_ARG, "ftl_model_method_status needs a model");
    if (!name)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "method",
                               "there is no method %d", (int)method);
    if (model->graph.methods[method].count)
        return FTL_OK;
    const ftl_error *why = &model->method_error[method];
    char methods[200];
    if (why->code == FTL_OK)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_METHOD_MISSING, "method",
                               "%s has no %s%s", model->class_name, name,
                               method == FTL_PREDICT_PROBA && model->kind == FTL_REGRESSOR
                                   ? ": it is a regressor, predict is its value"
                                   : methods_of(model, methods));
    if (error)
        *error = *why;
    return why->code;
}

bool ftl_model_has_method(const ftl_model *model, ftl_method method)
{
    return ftl_model_output_count(model, method) > 0;
}

ftl_status ftl_model_input(const ftl_model *model, size_t index, ftl_schema_column *out)
{
    if (!model || !out || index >= model->graph.n_inputs)
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_schema_column", NULL));
    const ftl_input_schema *input = &model->inputs[index];
    const ftl_schema_column column = {.name = input->name,
                                      .kind = input->kind,
                                      .missing = input->missing,
                                      .batch_type = input->batch_type};
    ftl_out_write(out, &column, sizeof column);
    return FTL_OK;
}

size_t ftl_model_output_count(const ftl_model *model, ftl_method method)
{
    return model && (unsigned)method < FTL_METHOD_COUNT ? model->graph.methods[method].count : 0;
}

ftl_status ftl_model_output(const ftl_model *model, ftl_method method, size_t index,
                            ftl_output_column *out)
{
    if (!model || !out || index >= ftl_model_output_count(model, method))
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_output_column", NULL));
    const ftl_output *output = &model->graph.methods[method].outputs[index];
    const ftl_output_column column = {.name = output->name, .type = ftl_output_type(output)};
    ftl_out_write(out, &column, sizeof column);
    return FTL_OK;
}

bool ftl_model_result_is_matrix(const ftl_model *model, ftl_method method)
{
    return model && ftl_method_name(method) && model->graph.methods[method].matrix;
}

size_t ftl_model_target_count(const ftl_model *model) { return model ? model->n_classes : 0; }

size_t ftl_model_class_count(const ftl_model *model, size_t target)
{
    return target < ftl_model_target_count(model) ? model->classes[target]->count : 0;
}

ftl_status ftl_model_class(const ftl_model *model, size_t target, size_t index, ftl_label *out)
{
    if (!out || index >= ftl_model_class_count(model, target))
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_label", NULL));
    const ftl_labels *labels = model->classes[target];
    const ftl_cell *cell = &labels->cells[index];
    ftl_label label = {.type = labels->type, .dtype = labels->dtype};
    if (cell->tag == FTL_CELL_STRING) {
        label.text = cell->u.text;
        label.size = cell->size;
    } else if (cell->tag == FTL_CELL_FLOAT) {
        label.number = cell->u.number;
    } else {
        label.integer = cell->u.integer;
    }
    ftl_out_write(out, &label, sizeof label);
    return FTL_OK;
}

ftl_status ftl_supported_class(size_t index, ftl_class_info *out)
{
    if (!out)
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_class_info", NULL));
    const ftl_registry *registry = ftl_estimator_registry();
    for (const ftl_estimator_class *const *family = registry->families; *family; family++) {
        for (const ftl_estimator_class *cls = *family; cls->name; cls++) {
            bool own = strcmp(cls->package, "foretell") == 0; /* chains are found in no file */
            if (own || index-- > 0)
                continue;
            const ftl_class_info info = {.library = cls->library ? cls->library : "scikit-learn",
                                         .package = cls->package,
                                         .name = cls->name,
                                         .kind = cls->kind};
            ftl_out_write(out, &info, sizeof info);
            return FTL_OK;
        }
    }
    return FTL_ARG;
}
