/* The writer: walks the record of a model by its description. */
#include "model/file.h"

#include "base/checked.h"
#include "base/crc64.h"
#include "base/strbuf.h"
#include "model/describe.h"

#include <string.h>

typedef struct array {
    const void *data;
    size_t size;
} array;

typedef struct writer {
    ftl_account *account;
    ftl_strbuf records;
    array *arrays;
    size_t n_arrays, room_arrays;
    uint64_t arrays_size; /* the arrays so far with the gaps between */
    uint64_t arrays_at;   /* where the first begins; known in the second pass */
    /* Records behind pointers: numbers from 1 on by address, in open addressing. */
    struct {
        const void *record;
        uint32_t number;
    } *known;
    size_t known_room;
    uint32_t n_known;
} writer;

static ftl_status write_record(writer *w, const ftl_record *record, const void *self,
                               ftl_error *error);

static uint64_t align(uint64_t size)
{
    return (size + FTL_FILE_ALIGNMENT - 1) / FTL_FILE_ALIGNMENT * FTL_FILE_ALIGNMENT;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void put(writer *w, const void *data, size_t size)
{
    ftl_strbuf_append(&w->records, data, size);
}

static void put_u32(writer *w, uint32_t value) { put(w, &value, sizeof value); }
static void put_u64(writer *w, uint64_t value) { put(w, &value, sizeof value); }

static ftl_status put_text(writer *w, const char *text, ftl_error *error)
{
    size_t size = text ? strlen(text) : 0;
    if (size >= UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a text of the model is larger than 4 GB");
    put_u32(w, text ? (uint32_t)size : UINT32_MAX);
    if (text)
        put(w, text, size + 1);
    return FTL_OK;
}

static void put_cell(writer *w, const ftl_cell *cell)
{
    bool has_text = cell->tag == FTL_CELL_STRING || (cell->tag == FTL_CELL_MISSING && cell->size);
    put_u32(w, cell->tag);
    put_u32(w, has_text ? cell->size : 0);
    if (has_text) {
        put(w, cell->u.text, cell->size);
        put(w, "", 1);
    } else {
        put_u64(w, cell->tag == FTL_CELL_MISSING ? 0 : (uint64_t)cell->u.integer);
    }
}

static ftl_status put_value(writer *w, const ftl_field *field, const void *value, ftl_error *error)
{
    switch (field->element) {
    case FTL_ELEMENT_ENUM:
        put(w, value, sizeof(uint32_t));
        return FTL_OK;
    case FTL_ELEMENT_TEXT:
        return put_text(w, *(const char *const *)value, error);
    case FTL_ELEMENT_BUFFER:
        return put_text(w, value, error);
    case FTL_ELEMENT_CELL:
        put_cell(w, value);
        return FTL_OK;
    default:
        put(w, value, ftl_element_size(field->element));
        return FTL_OK;
    }
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

static ftl_status put_plain_array(writer *w, const ftl_field *field, const void *data, size_t n,
                                  ftl_error *error)
{
    size_t size;
    if (n == 0)
        return FTL_OK;
    if (!ftl_mul_size(n, ftl_element_size(field->element), &size))
        return FTL_FAIL(error, FTL_LIMIT, "an array of the model is too large");
    put_u64(w, w->arrays_at + w->arrays_size);
    FTL_TRY(ftl_grow(w->account, &w->arrays, &w->room_arrays, w->n_arrays + 1, sizeof *w->arrays,
                     error));
    w->arrays[w->n_arrays++] = (array){data, size};
    w->arrays_size += align(size);
    return FTL_OK;
}

static ftl_status put_array(writer *w, const ftl_field *field, const void *self, ftl_error *error)
{
    const unsigned char *data = ftl_field_pointer(field, self);
    size_t n = ftl_field_count(field, self);
    put_u64(w, data ? n : UINT64_MAX);
    if (!data)
        return n == 0 ? FTL_OK
                      : FTL_FAIL(error, FTL_INTERNAL, "%s of the model is missing", field->name);
    if (ftl_element_is_plain(field->element))
        return put_plain_array(w, field, data, n, error);
    size_t step = field->element == FTL_ELEMENT_RECORD ? field->record()->size
                                                       : ftl_element_size(field->element);
    for (size_t i = 0; i < n; i++, data += step)
        FTL_TRY(field->element == FTL_ELEMENT_RECORD ? write_record(w, field->record(), data, error)
                                                     : put_value(w, field, data, error));
    return FTL_OK;
}

/* ---- Records behind pointers ----------------------------------------------------------------- */

static size_t place_of(const writer *w, const void *record)
{
    size_t mask = w->known_room - 1;
    size_t at = (size_t)((uint64_t)(uintptr_t)record * 0x9e3779b97f4a7c15 >> 32) & mask;
    while (w->known[at].record && w->known[at].record != record)
        at = (at + 1) & mask;
    return at;
}

static ftl_status make_room(writer *w, ftl_error *error)
{
    if (w->known_room && w->n_known < w->known_room / 2)
        return FTL_OK;
    writer bigger = {.known_room = w->known_room ? 2 * w->known_room : 64};
    bigger.known = ftl_alloc_zero(w->account, bigger.known_room, sizeof *bigger.known);
    if (!bigger.known)
        return FTL_OOM(error);
    for (size_t i = 0; i < w->known_room; i++) {
        if (w->known[i].record)
            bigger.known[place_of(&bigger, w->known[i].record)] = w->known[i];
    }
    ftl_free(w->account, w->known);
    w->known = bigger.known;
    w->known_room = bigger.known_room;
    return FTL_OK;
}

static ftl_status put_pointer(writer *w, const ftl_record *record, const void *self,
                              ftl_error *error)
{
    if (!self) {
        put_u32(w, 0);
        return FTL_OK;
    }
    FTL_TRY(make_room(w, error));
    size_t at = place_of(w, self);
    if (w->known[at].record) {
        put_u32(w, w->known[at].number);
        return FTL_OK;
    }
    w->known[at].record = self;
    w->known[at].number = ++w->n_known;
    put_u32(w, w->n_known);
    return write_record(w, record, self, error);
}

static ftl_status put_pointers(writer *w, const ftl_field *field, const void *self,
                               ftl_error *error)
{
    const void *const *data = ftl_field_pointer(field, self);
    size_t n = ftl_field_count(field, self);
    put_u64(w, n);
    for (size_t i = 0; i < n; i++)
        FTL_TRY(put_pointer(w, field->record(), data[i], error));
    return FTL_OK;
}

/* ---- Records --------------------------------------------------------------------------------- */

static ftl_status put_field(writer *w, const ftl_field *field, const void *self, ftl_error *error)
{
    const unsigned char *value = ftl_field_at(field, self);
    switch (field->form) {
    case FTL_FORM_ARRAY:
        return put_array(w, field, self, error);
    case FTL_FORM_POINTER:
        return put_pointer(w, field->record(), ftl_field_pointer(field, self), error);
    case FTL_FORM_POINTERS:
        return put_pointers(w, field, self, error);
    case FTL_FORM_EACH:
        for (uint32_t i = 0; i < field->limit; i++, value += field->record()->size)
            FTL_TRY(write_record(w, field->record(), value, error));
        return FTL_OK;
    default:
        if (field->element != FTL_ELEMENT_RECORD)
            return put_value(w, field, value, error);
        const ftl_record *inner = ftl_field_record(field, self);
        return inner ? write_record(w, inner, value, error) : FTL_OK;
    }
}

static ftl_status write_record(writer *w, const ftl_record *record, const void *self,
                               ftl_error *error)
{
    for (size_t i = 0; i < record->n_fields; i++)
        FTL_TRY(put_field(w, &record->fields[i], self, error));
    if (w->records.failed)
        return FTL_FAIL(error, FTL_NOMEM, "the model's records do not fit in memory");
    return FTL_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void forget(writer *w)
{
    ftl_strbuf_clear(&w->records);
    w->n_arrays = 0;
    w->arrays_size = 0;
    w->n_known = 0;
    if (w->known)
        memset(w->known, 0, w->known_room * sizeof *w->known);
}

/* The records name offsets, which their own size moves: a first pass tells that. */
static ftl_status walk(writer *w, const ftl_model *model, ftl_error *error)
{
    FTL_TRY(write_record(w, ftl_model_record(), model, error));
    w->arrays_at = align(sizeof(ftl_file_header) + w->records.size);
    forget(w);
    return write_record(w, ftl_model_record(), model, error);
}

static const char padding[FTL_FILE_ALIGNMENT];

static ftl_status emit(ftl_file_sink sink, void *user, const void *data, size_t size,
                       ftl_error *error)
{
    if (size && !sink(user, data, size))
        return FTL_FAIL(error, FTL_CANCELLED, "writing the model was stopped");
    return FTL_OK;
}

static ftl_file_header header_of(const writer *w)
{
    ftl_file_header header = {.version = FTL_FILE_VERSION,
                              .byte_order = FTL_FILE_BYTE_ORDER,
                              .descriptions = ftl_description_digest(),
                              .size = w->arrays_at + w->arrays_size,
                              .arrays = w->arrays_at,
                              .records_size = w->records.size};
    memcpy(header.magic, FTL_FILE_MAGIC, sizeof header.magic);
    uint64_t crc = ftl_crc64(0, w->records.data, w->records.size);
    crc = ftl_crc64(crc, padding, w->arrays_at - sizeof header - w->records.size);
    for (size_t i = 0; i < w->n_arrays; i++) {
        crc = ftl_crc64(crc, w->arrays[i].data, w->arrays[i].size);
        crc = ftl_crc64(crc, padding, align(w->arrays[i].size) - w->arrays[i].size);
    }
    header.checksum = crc;
    header.header_checksum = ftl_crc64(0, &header, offsetof(ftl_file_header, header_checksum));
    return header;
}

static ftl_status send(const writer *w, ftl_file_sink sink, void *user, ftl_error *error)
{
    const ftl_file_header header = header_of(w);
    FTL_TRY(emit(sink, user, &header, sizeof header, error));
    FTL_TRY(emit(sink, user, w->records.data, w->records.size, error));
    FTL_TRY(emit(sink, user, padding, w->arrays_at - sizeof header - w->records.size, error));
    for (size_t i = 0; i < w->n_arrays; i++) {
        size_t size = w->arrays[i].size;
        FTL_TRY(emit(sink, user, w->arrays[i].data, size, error));
        FTL_TRY(emit(sink, user, padding, align(size) - size, error));
    }
    return FTL_OK;
}

ftl_status ftl_file_write(const ftl_model *model, ftl_file_sink sink, void *user,
                          ftl_account *scratch, ftl_error *error)
{
    if (model->open_width)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s does not say how many columns it takes: give it a width first",
                        model->class_name);
    writer w = {.account = scratch};
    ftl_strbuf_init(&w.records, scratch, 0);
    ftl_status status = walk(&w, model, error);
    if (status == FTL_OK)
        status = send(&w, sink, user, error);
    ftl_strbuf_free(&w.records);
    ftl_free(scratch, w.arrays);
    ftl_free(scratch, w.known);
    return status;
}
