/* FlatBuffers: https://flatbuffers.dev/internals/ describes the layout. */
#include "io/flatbuf.h"

#include <string.h>

/* Bytes that vectors may show per byte of the buffer: writers share small vectors among tables. */
enum { show_ratio = 64, show_floor = 1 << 16 };

uint16_t ftl_le_u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

uint32_t ftl_le_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t ftl_le_u64(const uint8_t *at)
{
    return (uint64_t)ftl_le_u32(at) | (uint64_t)ftl_le_u32(at + 4) << 32;
}

float ftl_le_f32(const uint8_t *at)
{
    uint32_t bits = ftl_le_u32(at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double ftl_le_f64(const uint8_t *at)
{
    uint64_t bits = ftl_le_u64(at);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void ftl_fb_init(ftl_flatbuf *buffer, const uint8_t *data, size_t size)
{
    *buffer = (ftl_flatbuf){
        .data = data, .size = size, .budget = (uint64_t)size * show_ratio + show_floor};
}

ftl_status ftl_fb_status(const ftl_flatbuf *buffer, const char *what, ftl_error *error)
{
    if (!buffer->failed && buffer->unknown)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s has a field that is not known and may change what is predicted: number "
                        "%u of %s; it was written by a newer version, or by another program",
                        what, buffer->unknown_field, buffer->unknown);
    if (!buffer->failed)
        return FTL_OK;
    return FTL_FAIL(error, FTL_CORRUPT, "%s is damaged: %s at byte %zu", what, buffer->failed,
                    buffer->failed_at);
}

static void fail(ftl_flatbuf *buffer, const char *what, size_t at)
{
    if (buffer->failed)
        return;
    buffer->failed = what;
    buffer->failed_at = at;
}

static bool inside(const ftl_flatbuf *buffer, size_t at, size_t size)
{
    return at <= buffer->size && size <= buffer->size - at;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static ftl_fb_table table_here(ftl_flatbuf *buffer, size_t at)
{
    const ftl_fb_table none = {0};
    if (buffer->failed)
        return none;
    if (!inside(buffer, at, 4)) {
        fail(buffer, "a table lies outside", at);
        return none;
    }
    /* a signed distance back from the table to its vtable */
    int64_t vtable = (int64_t)at - (int32_t)ftl_le_u32(buffer->data + at);
    if (vtable < 0 || !inside(buffer, (size_t)vtable, 4)) {
        fail(buffer, "a table has no layout", at);
        return none;
    }
    uint16_t bytes = ftl_le_u16(buffer->data + vtable);
    uint16_t size = ftl_le_u16(buffer->data + vtable + 2);
    if (bytes < 4 || bytes % 2 || !inside(buffer, (size_t)vtable, bytes) ||
        !inside(buffer, at, size)) {
        fail(buffer, "a table's layout is cut off", (size_t)vtable);
        return none;
    }
    return (ftl_fb_table){.buffer = buffer,
                          .at = at,
                          .vtable = (size_t)vtable,
                          .n_fields = (bytes - 4u) / 2,
                          .size = size};
}

ftl_fb_table ftl_fb_root(ftl_flatbuf *buffer)
{
    if (!inside(buffer, 0, 4)) {
        fail(buffer, "it is too short", 0);
        return (ftl_fb_table){0};
    }
    return table_here(buffer, ftl_le_u32(buffer->data));
}

/* The place of a field of that size; 0: absent (no field begins at byte 0). */
static size_t field_at(const ftl_fb_table *table, uint32_t field, uint32_t size)
{
    if (!table->buffer || table->buffer->failed || field >= table->n_fields)
        return 0;
    uint16_t offset = ftl_le_u16(table->buffer->data + table->vtable + 4 + 2 * (size_t)field);
    if (offset == 0)
        return 0;
    if (offset < 4 || offset + size > table->size) {
        fail(table->buffer, "a field lies outside its table", table->at);
        return 0;
    }
    return table->at + offset;
}

void ftl_fb_expect(const ftl_fb_table *table, uint32_t n, const char *name)
{
    for (uint32_t i = n; i < table->n_fields && !table->buffer->unknown; i++) {
        if (field_at(table, i, 0)) {
            table->buffer->unknown = name;
            table->buffer->unknown_field = i;
        }
    }
}

int16_t ftl_fb_i16(const ftl_fb_table *table, uint32_t field, int16_t fallback)
{
    size_t at = field_at(table, field, 2);
    return at ? (int16_t)ftl_le_u16(table->buffer->data + at) : fallback;
}

int64_t ftl_fb_i64(const ftl_fb_table *table, uint32_t field, int64_t fallback)
{
    size_t at = field_at(table, field, 8);
    return at ? (int64_t)ftl_le_u64(table->buffer->data + at) : fallback;
}

int32_t ftl_fb_i32(const ftl_fb_table *table, uint32_t field, int32_t fallback)
{
    size_t at = field_at(table, field, 4);
    return at ? (int32_t)ftl_le_u32(table->buffer->data + at) : fallback;
}

uint8_t ftl_fb_u8(const ftl_fb_table *table, uint32_t field, uint8_t fallback)
{
    size_t at = field_at(table, field, 1);
    return at ? table->buffer->data[at] : fallback;
}

float ftl_fb_f32(const ftl_fb_table *table, uint32_t field, float fallback)
{
    size_t at = field_at(table, field, 4);
    return at ? ftl_le_f32(table->buffer->data + at) : fallback;
}

double ftl_fb_f64(const ftl_fb_table *table, uint32_t field, double fallback)
{
    size_t at = field_at(table, field, 8);
    return at ? ftl_le_f64(table->buffer->data + at) : fallback;
}

/* Where the offset at `at` points to: offsets are unsigned and count from themselves. */
static size_t follow(ftl_flatbuf *buffer, size_t at) { return at + ftl_le_u32(buffer->data + at); }

ftl_fb_table ftl_fb_child(const ftl_fb_table *table, uint32_t field)
{
    size_t at = field_at(table, field, 4);
    return at ? table_here(table->buffer, follow(table->buffer, at)) : (ftl_fb_table){0};
}

/* ---- Vectors and strings --------------------------------------------------------------------- */

static ftl_fb_vector vector_here(ftl_flatbuf *buffer, size_t at, uint32_t item_size)
{
    ftl_fb_vector vector = {.buffer = buffer, .item_size = item_size};
    if (!inside(buffer, at, 4)) {
        fail(buffer, "a vector lies outside", at);
        return vector;
    }
    uint32_t count = ftl_le_u32(buffer->data + at);
    uint64_t bytes = (uint64_t)count * item_size;
    if (bytes > buffer->size - at - 4) {
        fail(buffer, "a vector is cut off", at);
        return vector;
    }
    if (bytes > buffer->budget) {
        fail(buffer, "the same bytes are used again and again", at);
        return vector;
    }
    buffer->budget -= bytes;
    vector.data = buffer->data + at + 4;
    vector.count = count;
    return vector;
}

ftl_fb_vector ftl_fb_items(const ftl_fb_table *table, uint32_t field, uint32_t item_size)
{
    size_t at = field_at(table, field, 4);
    if (!at)
        return (ftl_fb_vector){.buffer = table->buffer, .item_size = item_size};
    return vector_here(table->buffer, follow(table->buffer, at), item_size);
}

static ftl_fb_text text_of(const ftl_fb_vector *vector)
{
    return vector->data ? (ftl_fb_text){(const char *)vector->data, vector->count}
                        : (ftl_fb_text){"", 0};
}

ftl_fb_text ftl_fb_string(const ftl_fb_table *table, uint32_t field)
{
    ftl_fb_vector bytes = ftl_fb_items(table, field, 1);
    return text_of(&bytes);
}

ftl_fb_table ftl_fb_table_at(const ftl_fb_vector *vector, uint32_t i)
{
    if (vector->buffer->failed)
        return (ftl_fb_table){0};
    size_t at = (size_t)(vector->data - vector->buffer->data) + 4 * (size_t)i;
    return table_here(vector->buffer, follow(vector->buffer, at));
}

ftl_fb_text ftl_fb_string_at(const ftl_fb_vector *vector, uint32_t i)
{
    if (vector->buffer->failed)
        return (ftl_fb_text){"", 0};
    size_t at = (size_t)(vector->data - vector->buffer->data) + 4 * (size_t)i;
    ftl_fb_vector bytes = vector_here(vector->buffer, follow(vector->buffer, at), 1);
    return text_of(&bytes);
}

int32_t ftl_fb_i32_at(const ftl_fb_vector *vector, uint32_t i)
{
    return (int32_t)ftl_le_u32(vector->data + 4 * (size_t)i);
}

int64_t ftl_fb_i64_within(const ftl_fb_vector *vector, uint32_t i, uint32_t offset)
{
    return (int64_t)ftl_le_u64(vector->data + (size_t)vector->item_size * i + offset);
}
