/* A model in a context with threads, for tests of file jobs and of parallel predictions. */
#ifndef FTL_TEST_JOB_FIXTURE_H
#define FTL_TEST_JOB_FIXTURE_H

#include "unit.h"

#include <foretell/foretell.h>

#define LOGISTIC "1.9-logreg_weight"

typedef struct opened {
    ftl_context *context;
    ftl_model *model;
    uint64_t used; /* memory before any job */
} opened;

static inline size_t n_inputs_of(const ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    return info.n_inputs;
}

/* The context makes its executor when somebody asks for it, and keeps it: no rows ask, too. */
static inline void start_executor(ftl_model *model)
{
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = 1u << FTL_PREDICT};
    ftl_plan *plan = NULL;
    ftl_error error;
    ftl_matrix none = {.dtype = FTL_F64, .columns = n_inputs_of(model), .column_stride = 1};
    if (ftl_model_plan(model, &options, &plan, &error) != FTL_OK ||
        ftl_predict_parallel(plan, FTL_PREDICT, &none, NULL, NULL, NULL, &error) != FTL_OK)
        fail_msg("%s", error.message);
    ftl_plan_release(plan);
    ftl_model_trim(model);
}

static inline opened open_with(uint32_t threads, uint64_t memory_limit)
{
    opened o = {0};
    ftl_error error;
    const ftl_context_options options = {
        .struct_size = sizeof options, .threads = threads, .memory_limit = memory_limit};
    assert_int_equal(ftl_context_create(&options, &o.context, &error), FTL_OK);
    if (ftl_model_open(o.context, FTL_TEST_DIR "/../fuzz/corpus/model/" LOGISTIC, NULL, &o.model,
                       &error) != FTL_OK)
        fail_msg("%s", error.message);
    start_executor(o.model);
    o.used = ftl_context_memory_used(o.context);
    return o;
}

/* Everything that a job took must be back, but for the plans that the model keeps. */
static inline void close_all(opened *o)
{
    ftl_model_trim(o->model);
    assert_int_equal(ftl_context_memory_used(o->context), o->used);
    ftl_model_release(o->model);
    ftl_context_destroy(o->context);
}

#endif
