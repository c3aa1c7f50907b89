/* The tables of describe.h, made from ops/. */
#include "model/describe.h"

#include "base/crc64.h"

#include <string.h>

#define FTL_WITH_MODEL_RECORDS

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* Each record has a function that computes, field by field, what the description demands. */
#define WIDTH ((uint64_t)op->width)
#define COLUMNS columns
#define LAST(array) (self->array##_count ? self->array[self->array##_count - 1] : 0)
#define ANY UINT64_MAX
#define STARTS UINT64_MAX
#define BELOW(expression) (expression)

#define RECORD(type)                                                                  \
    static void type##_bounds(const void *record, const ftl_op *op, uint64_t columns, \
                              ftl_bound *out)                                         \
    {                                                                                 \
        const type *self = record;                                                    \
        (void)self;                                                                   \
        (void)op;                                                                     \
        (void)columns;
#define PARAMETERS(type, member) RECORD(type)
#define END(type) \
    (void)out;    \
    }
#define NO_BOUND *out++ = (ftl_bound){1, UINT64_MAX};
#define BOOL(name) NO_BOUND
#define U32(name) NO_BOUND
#define I32(name) NO_BOUND
#define U64(name) NO_BOUND
#define F32(name) NO_BOUND
#define F64(name) NO_BOUND
#define ENUM(type, name, limit) NO_BOUND
#define TEXT(name) NO_BOUND
#define TEXT_OR_NULL(name) NO_BOUND
#define CELL(name) NO_BOUND
#define ARRAY(element, name, length, range) *out++ = (ftl_bound){(length), (range)};
#define ARRAY_OR_NULL(element, name, length, range) ARRAY(element, name, length, range)
#define RECORDS(type, name, length) *out++ = (ftl_bound){(length), UINT64_MAX};
#define WITHIN(type, name) NO_BOUND
#define POINTER(type, name) NO_BOUND
#define POINTER_OR_NULL(type, name) NO_BOUND
#define COUNTED(element, name, count) *out++ = (ftl_bound){self->count, UINT64_MAX};
#define COUNTED_RECORDS(type, name, count) COUNTED(RECORD, name, count)
#define COUNTED_POINTERS(type, name, count) COUNTED(RECORD, name, count)
#define EACH(type, name, n) NO_BOUND
#define BUFFER(name) NO_BOUND
#define OP_PARAMETERS(name) NO_BOUND
#include "model/ops/records.def"
#undef NO_BOUND
#undef ANY
#undef STARTS
#undef BELOW
#undef LAST
#undef COLUMNS
#undef WIDTH

/* ---- Fields ---------------------------------------------------------------------------------- */

#define ANY FTL_RANGE_ANY
#define STARTS FTL_RANGE_STARTS
#define BELOW(expression) FTL_RANGE_BELOW
#define AT(name_) .name = #name_, .offset = (uint32_t)offsetof(self_type, name_)
#define COUNT_AT(name)                                   \
    .count_offset = (uint32_t)offsetof(self_type, name), \
    .count_size = (uint32_t)sizeof(((const self_type *)NULL)->name)
#define BESIDE(name) AT(name), COUNT_AT(name##_count)

#define RECORD(type)                       \
    const ftl_record *type##_record_(void) \
    {                                      \
        typedef type self_type;            \
        static const ftl_field fields[] = {
#define PARAMETERS(type, member) RECORD(type)
#define END(type)                                                                       \
    }                                                                                   \
    ;                                                                                   \
    _Static_assert(FTL_ARRAY_LEN(fields) <= FTL_MOST_FIELDS, #type " has many fields"); \
    static const ftl_record record = {.name = #type,                                    \
                                      .size = sizeof(type),                             \
                                      .n_fields = FTL_ARRAY_LEN(fields),                \
                                      .fields = fields,                                 \
                                      .bounds = type##_bounds};                         \
    return &record;                                                                     \
    }
#define ONE(element_, name) {AT(name), .element = FTL_ELEMENT_##element_},
#define BOOL(name) ONE(BOOL, name)
#define U32(name) ONE(U32, name)
#define I32(name) ONE(I32, name)
#define U64(name) ONE(U64, name)
#define F32(name) ONE(F32, name)
#define F64(name) ONE(F64, name)
#define ENUM(type, name, limit_) {AT(name), .element = FTL_ELEMENT_ENUM, .limit = (limit_)},
#define TEXT(name) ONE(TEXT, name)
#define TEXT_OR_NULL(name) {AT(name), .element = FTL_ELEMENT_TEXT, .optional = true},
#define CELL(name) ONE(CELL, name)
#define ARRAY(element_, name, length, range_) \
    {BESIDE(name), .element = FTL_ELEMENT_##element_, .form = FTL_FORM_ARRAY, .range = range_},
#define ARRAY_OR_NULL(element_, name, length, range_)                                           \
    {BESIDE(name), .element = FTL_ELEMENT_##element_, .form = FTL_FORM_ARRAY, .optional = true, \
     .range = range_},
#define RECORDS(type, name, length) \
    {BESIDE(name), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_ARRAY, .record = type##_record_},
#define WITHIN(type, name) {AT(name), .element = FTL_ELEMENT_RECORD, .record = type##_record_},
#define POINTER(type, name) \
    {AT(name), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_POINTER, .record = type##_record_},
#define POINTER_OR_NULL(type, name)                                                       \
    {AT(name), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_POINTER, .optional = true, \
     .record = type##_record_},
#define COUNTED(element_, name, count) \
    {AT(name), COUNT_AT(count), .element = FTL_ELEMENT_##element_, .form = FTL_FORM_ARRAY},
#define COUNTED_RECORDS(type, name, count)                                             \
    {AT(name), COUNT_AT(count), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_ARRAY, \
     .record = type##_record_},
#define COUNTED_POINTERS(type, name, count)                                               \
    {AT(name), COUNT_AT(count), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_POINTERS, \
     .record = type##_record_},
#define EACH(type, name, n)                                                        \
    {AT(name), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_EACH, .limit = (n), \
     .record = type##_record_},
#define BUFFER(name)                          \
    {AT(name), .element = FTL_ELEMENT_BUFFER, \
     .limit = (uint32_t)sizeof(((const self_type *)NULL)->name)},
#define OP_PARAMETERS(name) {AT(name), .element = FTL_ELEMENT_RECORD, .form = FTL_FORM_PARAMETERS},
#include "model/ops/records.def"
#undef ONE
#undef BESIDE
#undef COUNT_AT
#undef AT
#undef ANY
#undef STARTS
#undef BELOW

/* ---- Operations ------------------------------------------------------------------------------ */

#define no_parameters_record_ NULL
static const ftl_op_description descriptions[FTL_OP_KIND_COUNT] = {
#define OP(kind_, name_, parameters, reads_, yields_, width_, dtype_, traits_, check_) \
    [FTL_OP_##kind_] = {.name = #name_,                                                \
                        .record = parameters##_record_,                                \
                        .reads = FTL_READS_##reads_,                                   \
                        .yields = FTL_YIELDS_##yields_,                                \
                        .width = FTL_WIDTH_##width_,                                   \
                        .dtype = FTL_DTYPE_TRAIT_##dtype_,                             \
                        .traits = traits_},
#include "model/ops/ops.def"
#undef OP
};
#undef no_parameters_record_

const ftl_op_description *ftl_op_describe(ftl_op_kind kind) { return &descriptions[kind]; }

const ftl_record *ftl_op_record(ftl_op_kind kind)
{
    return descriptions[kind].record ? descriptions[kind].record() : NULL;
}

const char *ftl_op_name(ftl_op_kind kind)
{
    return (unsigned)kind < FTL_OP_KIND_COUNT ? descriptions[kind].name : "unknown";
}

bool ftl_op_keeps_dtype(ftl_op_kind kind)
{
    return descriptions[kind].dtype == FTL_DTYPE_TRAIT_KEEPS;
}

bool ftl_op_follows_first(ftl_op_kind kind)
{
    return descriptions[kind].dtype == FTL_DTYPE_TRAIT_FIRST;
}

const ftl_record *ftl_model_record(void) { return ftl_model_record_(); }

const ftl_record *ftl_field_record(const ftl_field *field, const void *self)
{
    return field->form == FTL_FORM_PARAMETERS ? ftl_op_record(((const ftl_op *)self)->kind)
                                              : field->record();
}

static uint64_t digest_record(uint64_t digest, const ftl_record *record)
{
    digest = ftl_crc64(digest, record->name, strlen(record->name) + 1);
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        const uint32_t form[] = {field->element, field->form, field->optional, field->limit};
        digest = ftl_crc64(digest, field->name, strlen(field->name) + 1);
        digest = ftl_crc64(digest, form, sizeof form);
    }
    return digest;
}

uint64_t ftl_description_digest(void)
{
    uint64_t digest = 0;
#define RECORD(type) digest = digest_record(digest, type##_record_());
#define PARAMETERS(type, member) RECORD(type)
#include "model/ops/records.def"
    for (int kind = 0; kind < FTL_OP_KIND_COUNT; kind++)
        digest = ftl_crc64(digest, descriptions[kind].name, strlen(descriptions[kind].name) + 1);
    return digest;
}

static size_t field_size(const ftl_field *field)
{
    switch (field->form) {
    case FTL_FORM_ONE:
        if (field->element == FTL_ELEMENT_BUFFER)
            return field->limit;
        if (field->element == FTL_ELEMENT_ENUM)
            return sizeof(ftl_norm);
        return ftl_element_size(field->element);
    default:
        return sizeof(void *);
    }
}

void ftl_record_copy(const ftl_record *record, void *to, const void *from)
{
    memset(to, 0, record->size);
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        char *at = (char *)to + field->offset;
        const char *value = (const char *)from + field->offset;
        if (field->form == FTL_FORM_ONE && field->element == FTL_ELEMENT_RECORD)
            ftl_record_copy(field->record(), at, value);
        else
            memcpy(at, value, field_size(field));
        if (field->form == FTL_FORM_ARRAY)
            memcpy((char *)to + field->count_offset, (const char *)from + field->count_offset,
                   field->count_size);
    }
}

void ftl_op_copy(ftl_op *to, const ftl_op *from)
{
    const ftl_record *record = ftl_op_record(from->kind);
    memset(to, 0, sizeof *to);
    to->kind = from->kind;
    to->edge = from->edge;
    to->dtype = from->dtype;
    to->width = from->width;
    to->n_segments = from->n_segments;
    to->segments = from->segments;
    to->path = from->path;
    if (record)
        ftl_record_copy(record, &to->u, &from->u);
}

/* ---- Elements -------------------------------------------------------------------------------- */

size_t ftl_element_size(ftl_element element)
{
    static const uint8_t sizes[] = {
        [FTL_ELEMENT_BOOL] = sizeof(bool),
        [FTL_ELEMENT_U8] = 1,
        [FTL_ELEMENT_CHAR] = 1,
        [FTL_ELEMENT_I32] = 4,
        [FTL_ELEMENT_U32] = 4,
        [FTL_ELEMENT_U64] = 8,
        [FTL_ELEMENT_F32] = 4,
        [FTL_ELEMENT_F64] = 8,
        [FTL_ELEMENT_ENUM] = 0,
        [FTL_ELEMENT_TEXT] = sizeof(char *),
        [FTL_ELEMENT_CELL] = sizeof(ftl_cell),
        [FTL_ELEMENT_RECORD] = 0,
    };
    return sizes[element];
}

bool ftl_element_is_plain(ftl_element element) { return element <= FTL_ELEMENT_F64; }
