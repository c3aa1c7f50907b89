/* ftl_predict_arrow: a record batch in, a record batch out. */
#include "engine/arrow_export.h"
#include "engine/arrow_import.h"
#include "engine/context.h"
#include "engine/session.h"

#include <string.h>

static size_t count_outputs(const ftl_session *session, uint32_t methods)
{
    size_t n = 0;
    for (int m = 0; m < FTL_METHOD_COUNT; m++)
        n += methods & 1u << m ? session->methods[m].count : 0;
    return n;
}

/* Names and types of the outputs of the last run, method by method, and their columns. */
static void view_outputs(const ftl_session *session, uint32_t methods, size_t rows,
                         ftl_sink_column *names, ftl_column *columns)
{
    size_t n = 0;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_batch batch;
        if (!(methods & 1u << m))
            continue;
        ftl_session_view(session, (ftl_method)m, rows, &batch);
        for (size_t i = 0; i < batch.n_columns; i++, n++) {
            columns[n] = batch.columns[i];
            names[n] = (ftl_sink_column){session->model->graph.methods[m].outputs[i].name,
                                         batch.columns[i].type};
        }
    }
}

static ftl_status export(const ftl_session *session, const ftl_sink_column *names,
                         const ftl_batch *batch, struct ArrowSchema *out_schema,
                         struct ArrowArray *out, ftl_error *error)
{
    const ftl_allocator *allocator = &session->model->context->account.allocator;
    struct ArrowArray array;
    FTL_TRY(ftl_arrow_export_array(allocator, names, batch, NULL, &array, error));
    if (out_schema) {
        ftl_status status = ftl_arrow_export_schema(allocator, names, batch->n_columns, out_schema,
                                                    error);
        if (status != FTL_OK) {
            array.release(&array);
            return status;
        }
    }
    *out = array;
    return FTL_OK;
}

ftl_status ftl_predict_arrow(ftl_session *session, uint32_t methods,
                             const struct ArrowSchema *schema, const struct ArrowArray *in,
                             struct ArrowSchema *out_schema, struct ArrowArray *out,
                             ftl_error *error)
{
    ftl_batch batch;
    if (!session || !schema || !in || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_predict_arrow needs a session, a schema, an array and a place for the "
                        "result");
    methods = methods ? methods : session->plan->methods;
    session->free_arrow = ftl_arrow_binding_destroy;
    FTL_TRY(ftl_arrow_bind(session->model, &session->account, schema, &session->arrow, error));
    FTL_TRY(ftl_arrow_view(session->arrow, in, &batch, error));
    FTL_TRY(ftl_session_run(session, methods, &batch, error));
    const ftl_session *shown = session->shows_wide ? session->wide : session;
    size_t n = count_outputs(shown, methods);
    ftl_sink_column *names = ftl_alloc_array(&session->account, n, sizeof *names);
    ftl_column *columns = ftl_alloc_array(&session->account, n, sizeof *columns);
    ftl_status status = names && columns ? FTL_OK : FTL_OOM(error);
    if (status == FTL_OK) {
        view_outputs(shown, methods, batch.rows, names, columns);
        const ftl_batch results = {.rows = batch.rows, .n_columns = n, .columns = columns};
        status = export(session, names, &results, out_schema, out, error);
    }
    ftl_free(&session->account, names);
    ftl_free(&session->account, columns);
    return status;
}
