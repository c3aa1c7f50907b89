/* Opening models and sessions through the public header alone. */
#ifndef FTL_TEST_PUBLIC_API_H
#define FTL_TEST_PUBLIC_API_H

#include "unit.h"

#include <foretell/foretell.h>

#include <stdio.h>

#define DEMO "../examples/demo/model.joblib" /* 4 columns of numbers, 3 of texts, by name */
#define FOREST "../fuzz/corpus/model/1.9-rf_balanced" /* 5 numbers without names, 3 int classes */

typedef struct opened {
    ftl_context *context;
    ftl_model *model;
    ftl_session *session;
    uint64_t empty;  /* bytes of the context without a model */
    ftl_error error; /* of the last call that is given it */
} opened;

static inline opened open_session(const char *file, ftl_on_error on_error, uint32_t block_rows)
{
    char path[512];
    opened o = {0};
    const ftl_context_options context = {.struct_size = sizeof context, .threads = 1};
    const ftl_session_options options = {
        .struct_size = sizeof options, .block_rows = block_rows, .on_error = on_error};
    snprintf(path, sizeof path, FTL_TEST_DIR "/%s", file);
    assert_int_equal(ftl_context_create(&context, &o.context, NULL), FTL_OK);
    o.empty = ftl_context_memory_used(o.context);
    if (ftl_model_open(o.context, path, NULL, &o.model, &o.error) != FTL_OK ||
        ftl_session_create(o.model, &options, &o.session, &o.error) != FTL_OK)
        fail_msg("%s: %s", path, o.error.message);
    return o;
}

/*
 * Makes the context's executor, which it keeps from then on: one of the things that an empty
 * context holds. plan: one for predict.
 */
static inline void start_executor(opened *o, ftl_plan *plan)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(o->model, &info), FTL_OK);
    const ftl_matrix none = {.dtype = FTL_F64, .columns = info.n_inputs, .column_stride = 1};
    ftl_model_trim(o->model);
    uint64_t before = ftl_context_memory_used(o->context);
    assert_int_equal(ftl_predict_parallel(plan, FTL_PREDICT, &none, NULL, NULL, NULL, NULL),
                     FTL_OK);
    ftl_model_trim(o->model);
    o->empty += ftl_context_memory_used(o->context) - before;
}

static inline void close_session(opened *o)
{
    ftl_session_destroy(o->session);
    ftl_model_release(o->model);
    assert_int_equal(ftl_context_memory_used(o->context), o->empty);
    ftl_context_destroy(o->context);
}

#endif
