/* Reading a model from bytes, and awkward rows through its methods: what the fuzz targets share. */
#ifndef FTL_FUZZ_MODEL_H
#define FTL_FUZZ_MODEL_H

#include <foretell/codegen.h>
#include <foretell/foretell.h>

#include <math.h>
#include <stdlib.h>

enum { fuzz_rows = 7, fuzz_columns = 64 };

static const double fuzz_numbers[fuzz_rows] = {0.0, -1.5, 1e300, 3.0, 5e-324, NAN, INFINITY};
static const char fuzz_text[] = "a"
                                "1"
                                "True"
                                ""
                                "\xc3\xa9"
                                "2.5"
                                "b";
static const uint32_t fuzz_offsets[fuzz_rows + 1] = {0, 1, 2, 6, 6, 8, 11, 12};
static const uint8_t fuzz_validity[1] = {0x77};

static bool fuzz_ignore_text(void *user, const char *text, size_t size)
{
    (void)text;
    *(size_t *)user += size;
    return true;
}

/* Returns NOMEM when an allocation failed on the way, else OK. */
static ftl_status fuzz_session(ftl_model *model, ftl_type dtype, const ftl_batch *in)
{
    const ftl_session_options options = {.struct_size = sizeof options,
                                         .input_dtype = dtype,
                                         .block_rows = 3,
                                         .on_error = FTL_ON_ERROR_NULL};
    ftl_session *session = NULL;
    ftl_error error;
    ftl_status status = ftl_session_create(model, &options, &session, &error);
    for (int m = 0; status == FTL_OK && m < FTL_METHOD_COUNT; m++) {
        ftl_batch out;
        if (ftl_model_has_method(model, (ftl_method)m))
            status = ftl_predict(session, (ftl_method)m, in, &out, &error);
    }
    ftl_session_destroy(session);
    return status == FTL_NOMEM ? FTL_NOMEM : FTL_OK;
}

/* Code for each method; what cannot be written is refused, whatever the model holds. */
static ftl_status fuzz_generate(const ftl_model *model)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        const ftl_generate_options options = {.struct_size = sizeof options,
                                              .methods = 1u << m,
                                              .input_dtype = m % 2 ? FTL_F32 : FTL_F64,
                                              .max_code_bytes = 1 << 20};
        size_t written = 0;
        if (ftl_model_has_method(model, (ftl_method)m) &&
            ftl_generate(model, &options, fuzz_ignore_text, &written, NULL) == FTL_NOMEM)
            return FTL_NOMEM;
    }
    return FTL_OK;
}

static ftl_status fuzz_predict(ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    size_t described = 0;
    if (ftl_model_get_info(model, &info) != FTL_OK)
        abort();
    if (ftl_model_describe(model, true, fuzz_ignore_text, &described, NULL) == FTL_NOMEM ||
        ftl_model_describe(model, false, fuzz_ignore_text, &described, NULL) == FTL_NOMEM)
        return FTL_NOMEM;
    if (fuzz_generate(model) == FTL_NOMEM)
        return FTL_NOMEM;
    if (info.n_inputs > fuzz_columns)
        return FTL_OK; /* wide models are the unit tests' */
    ftl_column columns[fuzz_columns];
    for (size_t i = 0; i < info.n_inputs; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(model, i, &column) != FTL_OK)
            abort();
        if (column.batch_type == FTL_STRING)
            columns[i] = (ftl_column){.type = FTL_STRING,
                                      .values = fuzz_text,
                                      .offsets = fuzz_offsets,
                                      .validity = fuzz_validity};
        else
            columns[i] = (ftl_column){.type = FTL_F64, .values = fuzz_numbers};
    }
    const ftl_batch in = {.rows = fuzz_rows, .n_columns = info.n_inputs, .columns = columns};
    if (fuzz_session(model, FTL_F64, &in) == FTL_NOMEM)
        return FTL_NOMEM;
    return fuzz_session(model, FTL_F32, &in);
}

/* A model file, from the first byte to predictions of awkward rows. limits may be NULL. */
static inline void fuzz_file(const uint8_t *data, size_t size, const ftl_model_options *limits)
{
    ftl_context *context = NULL;
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = (uint64_t)256 << 20, .threads = 1};
    if (ftl_context_create(&options, &context, NULL) != FTL_OK)
        return;
    ftl_model *model = NULL;
    ftl_error error;
    if (ftl_model_open_memory(context, data, size, limits, &model, &error) == FTL_OK)
        fuzz_predict(model);
    ftl_model_release(model);
    if (ftl_context_memory_used(context) > 4096)
        abort(); /* something was not given back */
    ftl_context_destroy(context);
}

#endif
