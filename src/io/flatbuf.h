/*
 * Reading FlatBuffers (flatbuffers.dev/internals): tables of optional fields found through a
 * vtable, vectors and strings, all reached by offsets inside one buffer of any alignment,
 * little-endian.
 *
 * The first access outside the buffer makes the buffer bad and gives an absent value, as do all
 * later ones: a reader reads on as if fields were absent and asks ftl_fb_status once. Offsets may
 * point at the same bytes many times; what is read through vectors is charged to a budget, so that
 * a small file cannot unfold.
 */
#ifndef FTL_IO_FLATBUF_H
#define FTL_IO_FLATBUF_H

#include "base/status.h"

typedef struct ftl_flatbuf {
    const uint8_t *data;
    size_t size;
    uint64_t budget;    /* bytes that vectors and strings may still show */
    const char *failed; /* what was wrong first; NULL: nothing */
    size_t failed_at;
    const char *unknown; /* a table with a field that its reader does not know; NULL: none */
    uint32_t unknown_field;
} ftl_flatbuf;

/* buffer NULL: the table is absent, and so are its fields. */
typedef struct ftl_fb_table {
    ftl_flatbuf *buffer;
    size_t at;
    size_t vtable;
    uint32_t n_fields; /* of the vtable */
    uint32_t size;     /* of the table's inline part */
} ftl_fb_table;

/* count items of item_size bytes, unaligned; data NULL: absent. */
typedef struct ftl_fb_vector {
    ftl_flatbuf *buffer;
    const uint8_t *data;
    uint32_t count;
    uint32_t item_size;
} ftl_fb_vector;

typedef struct ftl_fb_text {
    const char *text; /* not NUL-terminated as far as anyone checked; "" when absent */
    uint32_t size;
} ftl_fb_text;

/* data is borrowed. */
void ftl_fb_init(ftl_flatbuf *buffer, const uint8_t *data, size_t size);
ftl_fb_table ftl_fb_root(ftl_flatbuf *buffer);
/*
 * UNSUPPORTED when ftl_fb_expect found an unknown field, CORRUPT when something was outside the
 * buffer; what: "the CatBoost model".
 */
FTL_MUST_USE ftl_status ftl_fb_status(const ftl_flatbuf *buffer, const char *what,
                                      ftl_error *error);

/* The table's reader knows the first n fields of the schema: none behind them may be there. name:
 * of the table, static, for the error. */
void ftl_fb_expect(const ftl_fb_table *table, uint32_t n, const char *name);

/* Fields by their number in the schema. An absent field is its default. */
int16_t ftl_fb_i16(const ftl_fb_table *table, uint32_t field, int16_t fallback);
int32_t ftl_fb_i32(const ftl_fb_table *table, uint32_t field, int32_t fallback);
int64_t ftl_fb_i64(const ftl_fb_table *table, uint32_t field, int64_t fallback);
uint8_t ftl_fb_u8(const ftl_fb_table *table, uint32_t field, uint8_t fallback);
float ftl_fb_f32(const ftl_fb_table *table, uint32_t field, float fallback);
double ftl_fb_f64(const ftl_fb_table *table, uint32_t field, double fallback);
ftl_fb_table ftl_fb_child(const ftl_fb_table *table, uint32_t field);
ftl_fb_text ftl_fb_string(const ftl_fb_table *table, uint32_t field);
/* item_size: of the schema's item; 4 for tables and strings. */
ftl_fb_vector ftl_fb_items(const ftl_fb_table *table, uint32_t field, uint32_t item_size);

/* Items, i < count. */
ftl_fb_table ftl_fb_table_at(const ftl_fb_vector *vector, uint32_t i);
ftl_fb_text ftl_fb_string_at(const ftl_fb_vector *vector, uint32_t i);
int32_t ftl_fb_i32_at(const ftl_fb_vector *vector, uint32_t i);
/* A number of 64 bits at an offset within item i, for vectors of structs of such. */
int64_t ftl_fb_i64_within(const ftl_fb_vector *vector, uint32_t i, uint32_t offset);

/* Little-endian numbers at any address. */
uint16_t ftl_le_u16(const uint8_t *at);
uint32_t ftl_le_u32(const uint8_t *at);
uint64_t ftl_le_u64(const uint8_t *at);
float ftl_le_f32(const uint8_t *at);
double ftl_le_f64(const uint8_t *at);

#endif
