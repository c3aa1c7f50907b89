/*
 * Proves the parameters of an operation by their description: arrays are as long as it says, which
 * those who made them told beside each array; enumerations and indices are in range.
 */
#include "model/validate.h"

/* Where a record is, for messages. */
typedef struct place {
    const ftl_proof *proof;
    const ftl_record *record;
} place;

static ftl_status validate_record(const ftl_proof *proof, const ftl_record *record,
                                  const void *self, unsigned depth, ftl_error *error);

/* The record's name in messages: "trees", "tree_nodes". */
static const char *record_name(const ftl_record *record) { return record->name + 4; /* ftl_ */ }

static bool cell_is_sound(const ftl_cell *cell)
{
    bool has_text = cell->tag == FTL_CELL_STRING || (cell->tag == FTL_CELL_MISSING && cell->size);
    return cell->tag <= FTL_CELL_BOOL && (!has_text || cell->u.text);
}

/* Indices that an array of U32 holds, without a branch on each. */
static ftl_status check_range(const place *at, const ftl_field *field, const uint32_t *values,
                              size_t n, uint64_t limit, ftl_error *error)
{
    uint32_t bad = 0, last = 0;
    if (field->range == FTL_RANGE_BELOW) {
        for (size_t i = 0; i < n; i++)
            bad |= values[i] >= limit;
    } else if (field->range == FTL_RANGE_STARTS) {
        bad = n > 0 && values[0] != 0;
        for (size_t i = 0; i < n; i++) {
            bad |= values[i] < last;
            last = values[i];
        }
    }
    if (!bad)
        return FTL_OK;
    if (field->range == FTL_RANGE_STARTS)
        return FTL_INVALID(error, "%s of %s are not places in order", field->name,
                           record_name(at->record));
    size_t i = 0;
    while (values[i] < limit)
        i++;
    return FTL_INVALID(error, "%s[%zu] of %s is %u, not below %llu", field->name, i,
                       record_name(at->record), values[i], (unsigned long long)limit);
}

static ftl_status check_elements(const place *at, const ftl_field *field, const void *data,
                                 size_t n, unsigned depth, uint64_t limit, ftl_error *error)
{
    if (field->element == FTL_ELEMENT_U32)
        return check_range(at, field, data, n, limit, error);
    if (field->element == FTL_ELEMENT_CELL) {
        const ftl_cell *cells = data;
        for (size_t i = 0; i < n; i++) {
            if (!cell_is_sound(&cells[i]))
                return FTL_INVALID(error, "%s[%zu] of %s is malformed", field->name, i,
                                   record_name(at->record));
        }
    }
    if (field->element != FTL_ELEMENT_RECORD)
        return FTL_OK;
    const ftl_record *inner = field->record();
    for (size_t i = 0; i < n; i++)
        FTL_TRY(validate_record(at->proof, inner, (const char *)data + i * inner->size, depth + 1,
                                error));
    return FTL_OK;
}

static ftl_status check_array(const place *at, const ftl_field *field, const void *self,
                              const ftl_bound *bound, unsigned depth, ftl_error *error)
{
    const void *data = ftl_field_pointer(field, self);
    size_t n = ftl_field_count(field, self);
    if (!data && field->optional && n == 0)
        return FTL_OK;
    if (n != bound->length)
        return FTL_INVALID(error, "%s of %s holds %zu values where %llu were expected", field->name,
                           record_name(at->record), n, (unsigned long long)bound->length);
    if (!data && n)
        return FTL_INVALID(error, "%s of %s is missing", field->name, record_name(at->record));
    return check_elements(at, field, data, n, depth, bound->limit, error);
}

static ftl_status check_pointer(const place *at, const ftl_field *field, const void *self,
                                unsigned depth, ftl_error *error)
{
    const void *inner = ftl_field_pointer(field, self);
    if (!inner)
        return field->optional ? FTL_OK
                               : FTL_INVALID(error, "%s of %s are missing", field->name,
                                             record_name(at->record));
    return validate_record(at->proof, field->record(), inner, depth + 1, error);
}

static ftl_status check_one(const place *at, const ftl_field *field, const void *self,
                            unsigned depth, ftl_error *error)
{
    const void *value = ftl_field_at(field, self);
    switch (field->element) {
    case FTL_ELEMENT_ENUM:
        if (*(const unsigned *)value >= field->limit)
            return FTL_INVALID(error, "%s of %s is of unknown kind", field->name,
                               record_name(at->record));
        return FTL_OK;
    case FTL_ELEMENT_TEXT:
        if (!field->optional && !*(const char *const *)value)
            return FTL_INVALID(error, "%s of %s is missing", field->name, record_name(at->record));
        return FTL_OK;
    case FTL_ELEMENT_CELL:
        if (!cell_is_sound(value))
            return FTL_INVALID(error, "%s of %s is malformed", field->name,
                               record_name(at->record));
        return FTL_OK;
    case FTL_ELEMENT_RECORD:
        return validate_record(at->proof, field->record(), value, depth + 1, error);
    default:
        return FTL_OK;
    }
}

static ftl_status validate_record(const ftl_proof *proof, const ftl_record *record,
                                  const void *self, unsigned depth, ftl_error *error)
{
    const place at = {proof, record};
    ftl_bound bounds[FTL_MOST_FIELDS];
    if (depth > FTL_MOST_RECORD_DEPTH)
        return FTL_FAIL(error, FTL_INTERNAL, "%s is described within too many records",
                        record_name(record));
    record->bounds(self, proof->op, proof->columns, bounds);
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        if (field->form == FTL_FORM_ARRAY)
            FTL_TRY(check_array(&at, field, self, &bounds[i], depth, error));
        else if (field->form == FTL_FORM_POINTER)
            FTL_TRY(check_pointer(&at, field, self, depth, error));
        else
            FTL_TRY(check_one(&at, field, self, depth, error));
    }
    return FTL_OK;
}

ftl_status ftl_validate_parameters(const ftl_proof *proof, ftl_error *error)
{
    const ftl_record *record = ftl_op_record(proof->op->kind);
    return record ? validate_record(proof, record, &proof->op->u, 0, error) : FTL_OK;
}
