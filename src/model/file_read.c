/*
 * The reader. Every byte is hostile: counts are held against what is left of the file before memory
 * is asked for, offsets against the one place where an array can be, kinds against their
 * descriptions, which also bound how deep records lie. What the numbers mean, the validator proves.
 */
#include "model/file.h"

#include "base/checked.h"
#include "base/crc64.h"
#include "model/describe.h"

#include <string.h>

/* A record that was met behind a pointer. */
typedef struct known {
    const ftl_record *record;
    void *at;
} known;

typedef struct reader {
    ftl_arena *arena;
    ftl_account *account;
    const unsigned char *bytes;
    size_t at, end;            /* of the records */
    size_t next_array, finish; /* of the arrays */
    known *known;
    size_t n_known, known_room;
    ftl_error *error;
} reader;

static ftl_status read_record(reader *r, const ftl_record *record, void *self, unsigned depth);

#define DAMAGED(r, ...) FTL_FAIL_AT((r)->error, FTL_CORRUPT, (r)->at, __VA_ARGS__)

/* ---- Values ---------------------------------------------------------------------------------- */

static ftl_status take(reader *r, void *out, size_t size)
{
    if (size > r->end - r->at)
        return DAMAGED(r, "the model's records end too early");
    memcpy(out, r->bytes + r->at, size);
    r->at += size;
    return FTL_OK;
}

/* size bytes and a NUL, where they lie. */
static ftl_status take_text(reader *r, size_t size, const char **out)
{
    const char *text = (const char *)r->bytes + r->at;
    if (size >= r->end - r->at || text[size] != '\0')
        return DAMAGED(r, "a text of the model has no end");
    r->at += size + 1;
    *out = text;
    return FTL_OK;
}

/* *out: NULL when it is missing. */
static ftl_status take_string(reader *r, const ftl_field *field, bool optional, const char **out)
{
    uint32_t size;
    *out = NULL;
    FTL_TRY(take(r, &size, sizeof size));
    if (size == UINT32_MAX)
        return optional ? FTL_OK : DAMAGED(r, "%s of the model is missing", field->name);
    FTL_TRY(take_text(r, size, out));
    if (memchr(*out, '\0', size))
        return DAMAGED(r, "%s of the model has a NUL in it", field->name);
    return FTL_OK;
}

static ftl_status take_buffer(reader *r, const ftl_field *field, char *out)
{
    const char *text;
    FTL_TRY(take_string(r, field, false, &text));
    size_t size = strlen(text);
    if (size >= field->limit)
        return DAMAGED(r, "%s of the model is too long", field->name);
    memcpy(out, text, size + 1);
    return FTL_OK;
}

static ftl_status take_cell(reader *r, ftl_cell *out)
{
    FTL_TRY(take(r, &out->tag, sizeof out->tag));
    FTL_TRY(take(r, &out->size, sizeof out->size));
    if (out->tag > FTL_CELL_BOOL)
        return DAMAGED(r, "a cell of the model is of unknown kind %u", out->tag);
    if (out->tag == FTL_CELL_STRING || (out->tag == FTL_CELL_MISSING && out->size))
        return take_text(r, out->size, &out->u.text);
    if (out->size)
        return DAMAGED(r, "a number of the model has a size");
    return take(r, &out->u.integer, sizeof out->u.integer);
}

static ftl_status take_enum(reader *r, const ftl_field *field, void *out)
{
    uint32_t value;
    FTL_TRY(take(r, &value, sizeof value));
    if (value >= field->limit)
        return DAMAGED(r, "%s of the model is of unknown kind %u", field->name, value);
    memcpy(out, &value, sizeof value);
    return FTL_OK;
}

static ftl_status take_bool(reader *r, const ftl_field *field, bool *out)
{
    uint8_t value;
    FTL_TRY(take(r, &value, sizeof value));
    if (value > 1)
        return DAMAGED(r, "%s of the model is neither true nor false", field->name);
    *out = value != 0;
    return FTL_OK;
}

static ftl_status take_value(reader *r, const ftl_field *field, void *out)
{
    switch (field->element) {
    case FTL_ELEMENT_BOOL:
        return take_bool(r, field, out);
    case FTL_ELEMENT_ENUM:
        return take_enum(r, field, out);
    case FTL_ELEMENT_TEXT:
        return take_string(r, field, field->optional || field->form == FTL_FORM_ARRAY, out);
    case FTL_ELEMENT_BUFFER:
        return take_buffer(r, field, out);
    case FTL_ELEMENT_CELL:
        return take_cell(r, out);
    default:
        return take(r, out, ftl_element_size(field->element));
    }
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

/* The fewest bytes that a record takes in a file: bounds how many there can be. */
static size_t fewest_bytes(const ftl_record *record)
{
    size_t sum = 0;
    for (size_t i = 0; i < record->n_fields; i++) {
        const ftl_field *field = &record->fields[i];
        if (field->form == FTL_FORM_ARRAY || field->form == FTL_FORM_POINTERS)
            sum += sizeof(uint64_t);
        else if (field->form == FTL_FORM_POINTER)
            sum += sizeof(uint32_t);
        else if (field->form == FTL_FORM_EACH)
            sum += field->limit * fewest_bytes(field->record());
        else if (field->form == FTL_FORM_ONE && field->element == FTL_ELEMENT_RECORD)
            sum += fewest_bytes(field->record());
        else if (field->form == FTL_FORM_ONE)
            sum += field->element == FTL_ELEMENT_BOOL || field->element == FTL_ELEMENT_U8 ? 1 : 4;
    }
    return sum;
}

static void set_count(const ftl_field *field, void *self, size_t n)
{
    void *count = (char *)self + field->count_offset;
    if (field->count_size == sizeof(uint32_t))
        *(uint32_t *)count = (uint32_t)n;
    else
        *(size_t *)count = n;
}

/* How many; each takes at least `fewest` bytes of what is left. */
static ftl_status take_count(reader *r, const ftl_field *field, size_t fewest, uint64_t *out)
{
    FTL_TRY(take(r, out, sizeof *out));
    if (*out == UINT64_MAX)
        return FTL_OK;
    if (*out > (r->end - r->at) / fewest || (field->count_size == 4 && *out > UINT32_MAX))
        return DAMAGED(r, "%s of the model are more than the file holds", field->name);
    return FTL_OK;
}

static ftl_status check_bools(reader *r, const ftl_field *field, const unsigned char *data,
                              size_t n)
{
    unsigned any = 0;
    for (size_t i = 0; i < n; i++)
        any |= data[i];
    return any > 1 ? DAMAGED(r, "%s of the model are neither true nor false", field->name) : FTL_OK;
}

/* Numbers where they lie: at the next place that is aligned, and nowhere else. */
static ftl_status take_plain_array(reader *r, const ftl_field *field, const void **data,
                                   uint64_t *count)
{
    uint64_t offset, size;
    FTL_TRY(take(r, count, sizeof *count));
    *data = NULL;
    if (*count == UINT64_MAX)
        return FTL_OK;
    *data = r->bytes + r->next_array; /* not NULL, also when it is empty */
    if (*count == 0)
        return FTL_OK;
    FTL_TRY(take(r, &offset, sizeof offset));
    if (!ftl_mul_u64(*count, ftl_element_size(field->element), &size) ||
        size > r->finish - r->next_array ||
        (field->count_size == sizeof(uint32_t) && *count > UINT32_MAX))
        return DAMAGED(r, "%s of the model are more than the file holds", field->name);
    if (offset != r->next_array)
        return DAMAGED(r, "%s of the model are at %llu, not at %zu", field->name,
                       (unsigned long long)offset, r->next_array);
    size = (size + FTL_FILE_ALIGNMENT - 1) / FTL_FILE_ALIGNMENT * FTL_FILE_ALIGNMENT;
    if (size > r->finish - r->next_array)
        return DAMAGED(r, "%s of the model are more than the file holds", field->name);
    r->next_array += size;
    return field->element == FTL_ELEMENT_BOOL ? check_bools(r, field, *data, (size_t)*count)
                                              : FTL_OK;
}

static ftl_status take_other_array(reader *r, const ftl_field *field, const void **data,
                                   uint64_t *count, unsigned depth)
{
    bool records = field->element == FTL_ELEMENT_RECORD;
    const ftl_record *inner = records ? field->record() : NULL;
    size_t step = records ? inner->size : ftl_element_size(field->element);
    size_t fewest = records ? fewest_bytes(inner) : sizeof(uint32_t);
    *data = NULL;
    FTL_TRY(take_count(r, field, fewest, count));
    if (*count == UINT64_MAX)
        return FTL_OK;
    unsigned char *made = ftl_arena_zero_array(r->arena, (size_t)*count, step);
    if (!made)
        return FTL_OOM(r->error);
    for (uint64_t i = 0; i < *count; i++)
        FTL_TRY(records ? read_record(r, inner, made + i * step, depth + 1)
                        : take_value(r, field, made + i * step));
    *data = made;
    return FTL_OK;
}

static ftl_status take_array(reader *r, const ftl_field *field, void *self, unsigned depth)
{
    const void *data = NULL;
    uint64_t count = 0;
    FTL_TRY(ftl_element_is_plain(field->element)
                ? take_plain_array(r, field, &data, &count)
                : take_other_array(r, field, &data, &count, depth));
    *(const void **)((char *)self + field->offset) = data;
    set_count(field, self, data ? (size_t)count : 0);
    return FTL_OK;
}

/* ---- Records --------------------------------------------------------------------------------- */

static ftl_status take_pointer(reader *r, const ftl_field *field, const void **out, unsigned depth)
{
    uint32_t number;
    const ftl_record *record = field->record();
    *out = NULL;
    FTL_TRY(take(r, &number, sizeof number));
    if (number == 0)
        return field->optional ? FTL_OK : DAMAGED(r, "%s of the model is missing", field->name);
    if (number <= r->n_known) {
        if (r->known[number - 1].record != record)
            return DAMAGED(r, "%s of the model is of another kind", field->name);
        *out = r->known[number - 1].at;
        return FTL_OK;
    }
    if (number != r->n_known + 1)
        return DAMAGED(r, "%s of the model is record %u of %zu", field->name, number, r->n_known);
    void *made = ftl_arena_zero_array(r->arena, 1, record->size);
    if (!made)
        return FTL_OOM(r->error);
    FTL_TRY(read_record(r, record, made, depth + 1));
    FTL_TRY(ftl_grow(r->account, &r->known, &r->known_room, r->n_known + 1, sizeof *r->known,
                     r->error));
    r->known[r->n_known++] = (known){record, made};
    *out = made;
    return FTL_OK;
}

static ftl_status take_pointers(reader *r, const ftl_field *field, void *self, unsigned depth)
{
    uint64_t count;
    FTL_TRY(take_count(r, field, sizeof(uint32_t), &count));
    if (count == UINT64_MAX)
        return DAMAGED(r, "%s of the model are missing", field->name);
    const void **made = ftl_arena_zero_array(r->arena, (size_t)count, sizeof *made);
    if (!made)
        return FTL_OOM(r->error);
    for (uint64_t i = 0; i < count; i++)
        FTL_TRY(take_pointer(r, field, &made[i], depth));
    *(const void **)((char *)self + field->offset) = made;
    set_count(field, self, (size_t)count);
    return FTL_OK;
}

static ftl_status take_field(reader *r, const ftl_field *field, void *self, unsigned depth)
{
    unsigned char *value = (unsigned char *)self + field->offset;
    switch (field->form) {
    case FTL_FORM_ARRAY:
        return take_array(r, field, self, depth);
    case FTL_FORM_POINTER:
        return take_pointer(r, field, (const void **)(void *)value, depth);
    case FTL_FORM_POINTERS:
        return take_pointers(r, field, self, depth);
    case FTL_FORM_EACH:
        for (uint32_t i = 0; i < field->limit; i++, value += field->record()->size)
            FTL_TRY(read_record(r, field->record(), value, depth + 1));
        return FTL_OK;
    default:
        if (field->element != FTL_ELEMENT_RECORD)
            return take_value(r, field, value);
        const ftl_record *inner = ftl_field_record(field, self);
        return inner ? read_record(r, inner, value, depth + 1) : FTL_OK;
    }
}

static ftl_status read_record(reader *r, const ftl_record *record, void *self, unsigned depth)
{
    if (depth > FTL_MOST_RECORD_DEPTH)
        return FTL_FAIL(r->error, FTL_INTERNAL, "%s is described within too many records",
                        record->name);
    for (size_t i = 0; i < record->n_fields; i++)
        FTL_TRY(take_field(r, &record->fields[i], self, depth));
    return FTL_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static ftl_status read_header(const unsigned char *bytes, size_t size, ftl_file_header *out,
                              ftl_error *error)
{
    if (size < sizeof *out)
        return FTL_FAIL(error, FTL_CORRUPT, "the model file ends in its header");
    memcpy(out, bytes, sizeof *out);
    if (memcmp(out->magic, FTL_FILE_MAGIC, sizeof out->magic) != 0)
        return FTL_FAIL(error, FTL_CORRUPT, "this is no model file of foretell");
    if (out->byte_order != FTL_FILE_BYTE_ORDER)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the model file was written on a machine of another byte order");
    if (ftl_crc64(0, out, offsetof(ftl_file_header, header_checksum)) != out->header_checksum)
        return FTL_FAIL(error, FTL_CORRUPT, "the model file's header is damaged");
    if (out->version != FTL_FILE_VERSION || out->descriptions != ftl_description_digest())
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the model file was written by another version of foretell; write it anew "
                        "from the original model");
    return FTL_OK;
}

static ftl_status check_sizes(const ftl_file_header *header, const unsigned char *bytes,
                              size_t size, ftl_error *error)
{
    if (header->size != size)
        return FTL_FAIL(error, FTL_CORRUPT, "the model file has %zu bytes, not %llu as it says",
                        size, (unsigned long long)header->size);
    if (header->arrays > size || header->arrays % FTL_FILE_ALIGNMENT ||
        header->arrays < sizeof *header || header->records_size > header->arrays - sizeof *header)
        return FTL_FAIL(error, FTL_CORRUPT, "the parts of the model file do not fit it");
    if (ftl_crc64(0, bytes + sizeof *header, size - sizeof *header) != header->checksum)
        return FTL_FAIL(error, FTL_CORRUPT, "the model file is damaged: its checksum differs");
    return FTL_OK;
}

ftl_status ftl_file_read(ftl_model *model, const void *bytes, size_t size, ftl_account *scratch,
                         ftl_error *error)
{
    ftl_file_header header;
    FTL_TRY(read_header(bytes, size, &header, error));
    FTL_TRY(check_sizes(&header, bytes, size, error));
    if ((uintptr_t)bytes % FTL_FILE_ALIGNMENT)
        return FTL_FAIL(error, FTL_INTERNAL, "the bytes of a model file are not aligned");
    reader r = {.arena = &model->arena,
                .account = scratch,
                .bytes = bytes,
                .at = sizeof header,
                .end = sizeof header + (size_t)header.records_size,
                .next_array = (size_t)header.arrays,
                .finish = size,
                .error = error};
    for (int m = 0; m < FTL_METHOD_COUNT; m++)
        ftl_error_clear(&model->method_error[m]); /* positions: none */
    ftl_status status = read_record(&r, ftl_model_record(), model, 0);
    ftl_free(scratch, r.known);
    if (status == FTL_OK && (r.at != r.end || r.next_array != r.finish))
        status = FTL_FAIL_AT(error, FTL_CORRUPT, r.at, "the model file holds more than its model");
    return status;
}
