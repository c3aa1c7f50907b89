#include "estimators/prep/decode.h"

#include <math.h>

ftl_status ftl_decoding_new(ftl_build *build, size_t room, ftl_decoding *out, ftl_error *error)
{
    if (room > UINT32_MAX / 4)
        return FTL_FAIL(error, FTL_LIMIT, "too many categories");
    *out = (ftl_decoding){.room = (uint32_t)room};
    out->cells = ftl_arena_zero_array(build->arena, room, sizeof *out->cells);
    out->numbers = ftl_arena_zero_array(build->arena, room, sizeof *out->numbers);
    out->indices = ftl_arena_zero_array(build->arena, room, sizeof *out->indices);
    return out->cells && out->numbers && out->indices ? FTL_OK : FTL_OOM(error);
}

uint32_t ftl_decoding_cell(ftl_decoding *decoding, ftl_cell cell)
{
    decoding->cells[decoding->n_cells] = cell;
    return decoding->n_cells++;
}

void ftl_decoding_number(ftl_decoding *decoding, double number, uint32_t index)
{
    /* Numbers come in ascending runs: only the few special ones at the front can be met again. */
    for (uint32_t i = 0; i < decoding->n && i < 2; i++) {
        if (decoding->numbers[i] == number || (isnan(decoding->numbers[i]) && isnan(number)))
            return;
    }
    decoding->numbers[decoding->n] = number;
    decoding->indices[decoding->n++] = index;
}

bool ftl_decodings_are_float(const ftl_decoding *decodings, uint32_t n)
{
    bool fractions = false;
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t i = 0; i < decodings[j].n_cells; i++) {
            uint32_t tag = decodings[j].cells[i].tag;
            if (tag != FTL_CELL_INT && tag != FTL_CELL_FLOAT && tag != FTL_CELL_MISSING)
                return false;
            fractions = fractions || tag == FTL_CELL_FLOAT;
        }
    }
    return fractions;
}

/* Cells of several types make a table of texts, in which each shows as it is. */
static ftl_status make_labels(ftl_build *build, const ftl_decoding *decoding, bool as_float,
                              const ftl_labels **out, ftl_error *error)
{
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    unsigned tags = 0;
    if (!labels)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < decoding->n_cells; i++) {
        ftl_cell *cell = &decoding->cells[i];
        if (as_float && cell->tag == FTL_CELL_INT)
            *cell = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = (double)cell->u.integer};
        tags |= 1u << cell->tag;
    }
    labels->type = tags == 1u << FTL_CELL_INT                                       ? FTL_I64
                   : tags == 1u << FTL_CELL_BOOL                                    ? FTL_BOOL
                   : (tags & ~(1u << FTL_CELL_FLOAT | 1u << FTL_CELL_MISSING)) == 0 ? FTL_F64
                                                                                    : FTL_STRING;
    labels->count = decoding->n_cells;
    labels->cells = decoding->cells;
    *out = labels;
    return FTL_OK;
}

ftl_status ftl_emit_decoding(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             const ftl_decoding *decodings, const char *const *names, bool as_float,
                             ftl_frame *out, ftl_error *error)
{
    uint32_t n = in->n_columns, id;
    ftl_op *op = NULL;
    ftl_frame frame;
    ftl_encode_column *columns = ftl_arena_zero_array(build->arena, n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n; j++) {
        const ftl_decoding *decoding = &decodings[j];
        columns[j].categories = (ftl_categories){
            .count = decoding->n,
            .numeric = true,
            FTL_SIZED(numbers, decoding->numbers, decoding->n)};
        columns[j].values = decoding->indices;
        columns[j].values_count = decoding->n;
        columns[j].unknown = FTL_CODE_REFUSED;
        columns[j].name = in->columns[j].name;
    }
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, in, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = n, FTL_SIZED(columns, columns, n), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, names, &frame, error));
    for (uint32_t j = 0; j < n; j++) {
        frame.columns[j].as = FTL_AS_LABEL;
        FTL_TRY(make_labels(build, &decodings[j], as_float, &frame.columns[j].labels, error));
    }
    *out = frame;
    return FTL_OK;
}
