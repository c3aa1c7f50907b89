/* Frames: lists of column references; and results. */
#include "build/build.h"

#include <string.h>

ftl_status ftl_frame_new(ftl_build *build, uint32_t n_columns, ftl_frame *out, ftl_error *error)
{
    /* In scratch, since only the build refers to frames: that of a large vocabulary weighs more
     * than the vocabulary. */
    ftl_frame_column *columns = ftl_arena_zero_array(build->scratch, n_columns, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    *out = (ftl_frame){.n_columns = n_columns, .columns = columns};
    return FTL_OK;
}

void ftl_frame_form(const ftl_frame *in, ftl_frame *out)
{
    out->sparse = in->sparse;
    out->csc = in->csc;
    out->zeros_unknown = in->zeros_unknown;
}

ftl_status ftl_frame_of_op(ftl_build *build, uint32_t op, const char *const *names, ftl_frame *out,
                           ftl_error *error)
{
    ftl_frame frame;
    ftl_as as = build->ops[op].edge == FTL_EDGE_OBJECT ? FTL_AS_CELL : FTL_AS_FLOAT;
    FTL_TRY(ftl_frame_new(build, build->ops[op].width, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++)
        frame.columns[i] = (ftl_frame_column){
            .op = op, .column = i, .name = names ? names[i] : NULL, .as = as};
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_frame_select(ftl_build *build, const ftl_frame *in, const uint32_t *picked,
                            uint32_t n, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_new(build, n, &frame, error));
    for (uint32_t i = 0; i < n; i++) {
        if (picked[i] >= in->n_columns)
            return FTL_FAIL(error, FTL_CORRUPT, "column %u is selected from %u", picked[i],
                            in->n_columns);
        frame.columns[i] = in->columns[picked[i]];
    }
    ftl_frame_form(in, &frame);
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_frame_concat(ftl_build *build, const ftl_frame *parts, size_t n, ftl_frame *out,
                            ftl_error *error)
{
    uint32_t total = 0;
    bool sparse = false, unknown = false;
    for (size_t i = 0; i < n; i++) {
        sparse = sparse || parts[i].sparse;
        unknown = unknown || parts[i].zeros_unknown;
        if (__builtin_add_overflow(total, parts[i].n_columns, &total) || total > 1u << 24)
            return FTL_FAIL(error, FTL_LIMIT, "the model makes more than 16 million columns");
    }
    ftl_frame frame;
    FTL_TRY(ftl_frame_new(build, total, &frame, error));
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < parts[i].n_columns; j++)
            frame.columns[at++] = parts[i].columns[j];
    }
    frame.sparse = sparse;
    frame.zeros_unknown = unknown;
    frame.csc = n == 1 && parts[0].csc;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_frame_expect(const ftl_estimator *e, const ftl_frame *in, size_t n, ftl_error *error)
{
    if (in->n_columns == n)
        return FTL_OK;
    ftl_error_set(error, FTL_CORRUPT,
                  "%s was fitted on %zu columns, but %u reach it: the file is damaged",
                  e->cls ? e->cls->name : "the estimator", n, in->n_columns);
    ftl_error_in(error, e->path);
    return FTL_CORRUPT;
}

ftl_status ftl_result_labels(ftl_build *build, uint32_t op, const ftl_labels *labels,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, op, NULL, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++) {
        frame.columns[i].as = FTL_AS_LABEL;
        frame.columns[i].labels = labels;
        frame.columns[i].target = i;
    }
    frame.n_targets = frame.n_columns;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_result_scores(ftl_build *build, uint32_t op, const ftl_labels *labels,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, op, NULL, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++) {
        frame.columns[i].labels = labels;
        frame.columns[i].label = i;
    }
    frame.n_targets = 1;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_result_values(ftl_build *build, uint32_t op, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, op, NULL, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++)
        frame.columns[i].target = i;
    frame.n_targets = frame.n_columns;
    *out = frame;
    return FTL_OK;
}
