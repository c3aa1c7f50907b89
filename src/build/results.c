/* From frames to named outputs of a model, by the naming rules of the command line. */
#include "build/results.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const char *class_text(ftl_build *build, const ftl_frame_column *column)
{
    if (column->labels && column->label < column->labels->count)
        return ftl_cell_text(build->arena, &column->labels->cells[column->label]);
    return ftl_arena_printf(build->arena, "%u", column->label);
}

static const char *score_name(ftl_build *build, const ftl_frame *frame, uint32_t i,
                              const char *prefix)
{
    const ftl_frame_column *column = &frame->columns[i];
    const char *text = class_text(build, column);
    if (!text)
        return NULL;
    if (frame->n_targets > 1)
        return ftl_arena_printf(build->arena, "%s_%u_%s", prefix, column->target, text);
    return ftl_arena_printf(build->arena, "%s_%s", prefix, text);
}

static const char *output_name(ftl_build *build, ftl_method method, const ftl_frame *frame,
                               uint32_t i)
{
    const ftl_frame_column *column = &frame->columns[i];
    switch (method) {
    case FTL_PREDICT:
        return frame->n_columns == 1 ? "prediction"
                                     : ftl_arena_printf(build->arena, "prediction_%u", i);
    case FTL_PREDICT_PROBA:
        return score_name(build, frame, i, "probability");
    case FTL_PREDICT_LOG_PROBA:
        return score_name(build, frame, i, "log_probability");
    case FTL_DECISION_FUNCTION:
        return frame->n_columns == 1 ? "decision" : score_name(build, frame, i, "decision");
    case FTL_SCORE_SAMPLES:
        return "score";
    case FTL_APPLY:
        return ftl_arena_printf(build->arena, "apply_%u", i);
    case FTL_MARGIN:
        return frame->n_columns == 1 ? "margin" : score_name(build, frame, i, "margin");
    default:
        return column->name ? column->name : ftl_arena_printf(build->arena, "x%u", i);
    }
}

/*
 * Columns that have no numbers of their own (one-hot codes, input columns passed through) are
 * gathered for the output.
 */
static ftl_status materialise(ftl_build *build, ftl_frame *frame, ftl_error *error)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        ftl_frame_column *column = &frame->columns[i];
        const ftl_op *op = &build->ops[column->op];
        if (op->kind == FTL_OP_INPUT && !build->input_used[op->u.input.column])
            ftl_build_want(build, column->op,
                           build->named_inputs ? FTL_KIND_MIXED : FTL_KIND_NUMERIC);
        op = &build->ops[column->op];
        if (op->edge == FTL_EDGE_OBJECT || (op->edge == FTL_EDGE_NUM && op->kind != FTL_OP_INPUT))
            continue;
        /* Neighbours of the same op are gathered together. */
        uint32_t n = 1, id;
        while (i + n < frame->n_columns && frame->columns[i + n].op == column->op &&
               frame->columns[i + n].column == column->column + n)
            n++;
        const ftl_frame part = {.n_columns = n, .columns = column};
        FTL_TRY(ftl_build_op(build, NULL, FTL_OP_GATHER, &part, &id, NULL, error));
        for (uint32_t j = 0; j < n; j++) {
            frame->columns[i + j].op = id;
            frame->columns[i + j].column = j;
        }
        i += n - 1;
    }
    return FTL_OK;
}

static ftl_status copy_frame(ftl_build *build, const ftl_frame *in, ftl_frame *out,
                             ftl_error *error)
{
    FTL_TRY(ftl_frame_new(build, in->n_columns, out, error));
    memcpy(out->columns, in->columns, in->n_columns * sizeof *in->columns);
    out->n_targets = in->n_targets;
    out->matrix = in->matrix;
    return FTL_OK;
}

/* A name that holds lone surrogates, which no file of UTF-8 can, is shown without them. */
static ftl_status make_valid(ftl_build *build, const char **name, ftl_error *error)
{
    size_t size = strlen(*name);
    if (ftl_utf8_valid(*name, size))
        return FTL_OK;
    char *copy = ftl_arena_string(build->arena, *name, size);
    if (!copy)
        return FTL_OOM(error);
    ftl_utf8_replace_surrogates(copy, size);
    *name = copy;
    return FTL_OK;
}

ftl_status ftl_results_name(ftl_build *build, ftl_method method, const ftl_frame *result,
                            ftl_method_outputs *out, ftl_error *error)
{
    ftl_frame copy, *frame = &copy; /* the result may be shared with what ftl_emit remembers */
    FTL_TRY(copy_frame(build, result, frame, error));
    FTL_TRY(materialise(build, frame, error));
    ftl_output *outputs = ftl_arena_zero_array(build->arena, frame->n_columns, sizeof *outputs);
    if (!outputs)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_frame_column *column = &frame->columns[i];
        const char *name = output_name(build, method, frame, i);
        if (!name)
            return FTL_OOM(error);
        FTL_TRY(make_valid(build, &name, error));
        ftl_as as = column->as;
        bool object = build->ops[column->op].edge == FTL_EDGE_OBJECT;
        if (object)
            as = FTL_AS_CELL;
        else if (as == FTL_AS_CELL)
            as = FTL_AS_FLOAT;
        outputs[i] = (ftl_output){
            .name = name, .op = column->op, .column = column->column, .as = as};
        if (as == FTL_AS_LABEL)
            outputs[i].labels = column->labels;
    }
    *out = (ftl_method_outputs){
        .count = frame->n_columns, .outputs = outputs, .matrix = frame->matrix};
    return FTL_OK;
}

ftl_status ftl_outlier_labels(ftl_build *build, const ftl_labels **out, ftl_error *error)
{
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, 2, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    cells[0] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = -1};
    cells[1] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = 1};
    *labels = (ftl_labels){.type = FTL_I64, .count = 2, .cells = cells};
    *out = labels;
    return FTL_OK;
}
