/*
 * Operations with random parameters, by their description: whatever ops/ describes, these fill.
 * They fit their description and nothing more, so that they can be written and read, not run.
 */
#ifndef FTL_TEST_RANDOM_IR_H
#define FTL_TEST_RANDOM_IR_H

#include "random_numbers.h"
#include "unit.h"

#include "model/describe.h"

#include <string.h>

typedef struct random_ir {
    ftl_arena *arena;
    const ftl_tree_nodes *nodes; /* of an earlier operation, to be shared; NULL: none yet */
} random_ir;

static inline void random_record(random_ir *r, const ftl_record *record, void *self,
                                 const ftl_op *op, uint32_t columns);

static inline const char *random_text(random_ir *r)
{
    static const char letters[] = "abcXYZ_019\"\\ \n";
    char text[12];
    uint32_t size = random_below(sizeof text);
    for (uint32_t i = 0; i < size; i++)
        text[i] = letters[random_below(sizeof letters - 1)];
    return ftl_arena_string(r->arena, text, size);
}

static inline ftl_cell random_cell(random_ir *r)
{
    ftl_cell cell = {.tag = random_below(FTL_CELL_BOOL + 1)};
    if (cell.tag == FTL_CELL_STRING || (cell.tag == FTL_CELL_MISSING && random_below(2))) {
        cell.u.text = random_text(r);
        cell.size = (uint32_t)strlen(cell.u.text);
    } else if (cell.tag == FTL_CELL_FLOAT) {
        cell.u.number = random_below(1000) / 7.0 - 50;
    } else if (cell.tag == FTL_CELL_BOOL) {
        cell.u.integer = random_below(2);
    } else if (cell.tag == FTL_CELL_INT) {
        cell.u.integer = (int64_t)random_below(1u << 31) * -3;
    }
    return cell;
}

static inline void random_value(random_ir *r, const ftl_field *field, void *out)
{
    switch (field->element) {
    case FTL_ELEMENT_BOOL:
        *(bool *)out = random_below(2);
        return;
    case FTL_ELEMENT_U8:
    case FTL_ELEMENT_CHAR:
        *(uint8_t *)out = (uint8_t)random_below(256);
        return;
    case FTL_ELEMENT_I32:
        *(int32_t *)out = (int32_t)random_below(1u << 31) - (1 << 30);
        return;
    case FTL_ELEMENT_U32: /* many are lengths */
        *(uint32_t *)out = random_below(4);
        return;
    case FTL_ELEMENT_U64:
        *(uint64_t *)out = random_below(4);
        return;
    case FTL_ELEMENT_ENUM:
        *(uint32_t *)out = random_below(field->limit);
        return;
    case FTL_ELEMENT_F32:
        *(float *)out = (float)random_below(1000) / 3;
        return;
    case FTL_ELEMENT_F64:
        *(double *)out = random_below(1u << 30) / 3.0 - 1e8;
        return;
    case FTL_ELEMENT_TEXT:
        *(const char **)out = field->optional && random_below(2) ? NULL : random_text(r);
        return;
    default:
        *(ftl_cell *)out = random_cell(r);
    }
}

/* Places go up; indices are below their limit. */
static inline void random_indices(const ftl_field *field, uint32_t *values, size_t n,
                                  uint64_t limit)
{
    for (size_t i = 0; i < n; i++) {
        if (field->range == FTL_RANGE_STARTS)
            values[i] = i ? values[i - 1] + random_below(3) : 0;
        else if (field->range == FTL_RANGE_BELOW)
            values[i] = limit ? random_below((uint32_t)limit) : 0;
        else
            values[i] = random_below(1u << 31);
    }
}

static inline void random_array(random_ir *r, const ftl_field *field, void *self,
                                const ftl_bound *bound, const ftl_op *op, uint32_t columns)
{
    size_t n = (size_t)bound->length;
    bool indices = field->element == FTL_ELEMENT_U32;
    if (field->optional && random_below(2))
        return;
    /* An array of what there is none of cannot be filled: see BELOW(WIDTH) of no columns. */
    assert_true(n < 100000);
    const ftl_record *inner = field->element == FTL_ELEMENT_RECORD ? field->record() : NULL;
    size_t step = inner ? inner->size : ftl_element_size(field->element);
    /* One more, of zeros: a test that says a wrong length reads it before the length is refused. */
    unsigned char *data = ftl_arena_zero_array(r->arena, n + 1, step);
    assert_non_null(data);
    for (size_t i = 0; i < n && !indices; i++) {
        if (inner)
            random_record(r, inner, data + i * step, op, columns);
        else
            random_value(r, field, data + i * step);
    }
    if (indices)
        random_indices(field, (uint32_t *)(void *)data, n, bound->limit);
    *(const void **)((char *)self + field->offset) = data;
    *(size_t *)((char *)self + field->count_offset) = n;
}

static inline void random_pointer(random_ir *r, const ftl_field *field, void *self,
                                  const ftl_op *op, uint32_t columns)
{
    const void **to = (const void **)(void *)((char *)self + field->offset);
    const ftl_record *inner = field->record();
    bool nodes = strcmp(inner->name, "ftl_tree_nodes") == 0;
    if (field->optional && random_below(2))
        return;
    if (nodes && r->nodes && random_below(2)) {
        *to = r->nodes;
        return;
    }
    void *made = ftl_arena_zero_array(r->arena, 1, inner->size);
    assert_non_null(made);
    random_record(r, inner, made, op, columns);
    *to = made;
    r->nodes = nodes ? made : r->nodes;
}

static inline void random_record(random_ir *r, const ftl_record *record, void *self,
                                 const ftl_op *op, uint32_t columns)
{
    ftl_bound bounds[FTL_MOST_FIELDS];
    /* Numbers first: they tell how long arrays are. */
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        if (field->form == FTL_FORM_ONE && field->element != FTL_ELEMENT_RECORD)
            random_value(r, field, (char *)self + field->offset);
    }
    for (int pass = 0; pass < 2; pass++) { /* arrays of places before those that they tell of */
        for (size_t i = 0; i < record->n_fields; i++) {
            const ftl_field *field = &record->fields[i];
            if ((field->range == FTL_RANGE_STARTS) != (pass == 0))
                continue;
            record->bounds(self, op, columns, bounds);
            if (field->form == FTL_FORM_ARRAY)
                random_array(r, field, self, &bounds[i], op, columns);
            else if (field->form == FTL_FORM_POINTER)
                random_pointer(r, field, self, op, columns);
            else if (field->element == FTL_ELEMENT_RECORD)
                random_record(r, field->record(), (char *)self + field->offset, op, columns);
        }
    }
}

/* The operation's sources are set: it reads op->segments. */
static inline void random_parameters(random_ir *r, ftl_op *op)
{
    const ftl_record *record = ftl_op_record(op->kind);
    if (record)
        random_record(r, record, &op->u, op, ftl_op_source_columns(op));
}

#endif
