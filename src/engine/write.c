/* Models written: as a file, and as the text of their graph. */
#include "foretell/experimental.h"

#include "base/strbuf.h"
#include "engine/context.h"
#include "model/file.h"

static ftl_status check_graph(const ftl_model *model, ftl_error *error)
{
    if (!model->only_plan)
        return FTL_OK;
    return FTL_FAIL(error, FTL_ARG,
                    "the model was opened with options.only_plan: its graph was given back");
}

ftl_status ftl_model_write(const ftl_model *model, ftl_bytes_fn write, void *user, ftl_error *error)
{
    if (!model || !write)
        return FTL_FAIL(error, FTL_ARG, "ftl_model_write needs a model and a function that writes");
    FTL_TRY(check_graph(model, error));
    return ftl_file_write(model, write, user, &model->context->account, error);
}

ftl_status ftl_model_graph(const ftl_model *model, ftl_text_fn write, void *user, ftl_error *error)
{
    ftl_strbuf text;
    if (!model || !write)
        return FTL_FAIL(error, FTL_ARG, "ftl_model_graph needs a model and a function that writes");
    FTL_TRY(check_graph(model, error));
    ftl_strbuf_init(&text, &model->context->account, 0);
    ftl_graph_dump(&model->graph, &text);
    ftl_status status = text.failed ? FTL_OOM(error)
                        : write(user, text.data, text.size)
                            ? FTL_OK
                            : FTL_FAIL(error, FTL_CANCELLED, "writing the graph was stopped");
    ftl_strbuf_free(&text);
    return status;
}
