#include "io/thrift_write.h"

/* Types as they stand in the bytes. */
enum {
    TYPE_TRUE = 1,
    TYPE_FALSE = 2,
    TYPE_I8 = 3,
    TYPE_I16 = 4,
    TYPE_I32 = 5,
    TYPE_I64 = 6,
    TYPE_BINARY = 8,
    TYPE_LIST = 9,
    TYPE_STRUCT = 12
};

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_varint(ftl_strbuf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        ftl_strbuf_putc(out, (char)(value | 0x80));
    ftl_strbuf_putc(out, (char)value);
}

/* Small numbers of either sign are short: 0, -1, 1, -2, … */
static void put_zigzag(ftl_strbuf *out, int64_t value)
{
    put_varint(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* A field's number stands as the distance from the one before where that fits four bits. */
static void put_field(ftl_thrift_writer *writer, int32_t field, unsigned type)
{
    int32_t *last = &writer->fields[writer->depth - 1];
    int32_t step = field - *last;
    *last = field;
    if (step >= 1 && step <= 15) {
        ftl_strbuf_putc(writer->out, (char)((unsigned)step << 4 | type));
        return;
    }
    ftl_strbuf_putc(writer->out, (char)type);
    put_zigzag(writer->out, field);
}

static void begin_struct(ftl_thrift_writer *writer)
{
    if (writer->depth == FTL_THRIFT_WRITE_DEPTH) {
        writer->out->failed = true;
        return;
    }
    writer->fields[writer->depth++] = 0;
}

static void put_list(ftl_thrift_writer *writer, int32_t field, unsigned type, size_t count)
{
    put_field(writer, field, TYPE_LIST);
    ftl_strbuf_putc(writer->out, (char)((count < 15 ? (unsigned)count : 15u) << 4 | type));
    if (count >= 15)
        put_varint(writer->out, count);
}

static void put_bytes(ftl_thrift_writer *writer, const void *data, size_t size)
{
    put_varint(writer->out, size);
    ftl_strbuf_append(writer->out, data, size);
}

void ftl_thrift_begin_write(ftl_thrift_writer *writer, ftl_strbuf *out)
{
    *writer = (ftl_thrift_writer){.out = out};
    begin_struct(writer);
}

void ftl_thrift_put_end(ftl_thrift_writer *writer)
{
    ftl_strbuf_putc(writer->out, 0);
    writer->depth--;
}

void ftl_thrift_put_bool(ftl_thrift_writer *writer, int32_t field, bool value)
{
    put_field(writer, field, value ? TYPE_TRUE : TYPE_FALSE);
}

void ftl_thrift_put_i8(ftl_thrift_writer *writer, int32_t field, int8_t value)
{
    put_field(writer, field, TYPE_I8);
    ftl_strbuf_putc(writer->out, (char)value);
}

void ftl_thrift_put_i16(ftl_thrift_writer *writer, int32_t field, int16_t value)
{
    put_field(writer, field, TYPE_I16);
    put_zigzag(writer->out, value);
}

void ftl_thrift_put_i32(ftl_thrift_writer *writer, int32_t field, int32_t value)
{
    put_field(writer, field, TYPE_I32);
    put_zigzag(writer->out, value);
}

void ftl_thrift_put_i64(ftl_thrift_writer *writer, int32_t field, int64_t value)
{
    put_field(writer, field, TYPE_I64);
    put_zigzag(writer->out, value);
}

void ftl_thrift_put_text(ftl_thrift_writer *writer, int32_t field, const void *data, size_t size)
{
    put_field(writer, field, TYPE_BINARY);
    put_bytes(writer, data, size);
}

void ftl_thrift_put_struct(ftl_thrift_writer *writer, int32_t field)
{
    put_field(writer, field, TYPE_STRUCT);
    begin_struct(writer);
}

void ftl_thrift_put_structs(ftl_thrift_writer *writer, int32_t field, size_t count)
{
    put_list(writer, field, TYPE_STRUCT, count);
}

void ftl_thrift_put_item(ftl_thrift_writer *writer) { begin_struct(writer); }

void ftl_thrift_put_i32s(ftl_thrift_writer *writer, int32_t field, const int32_t *values,
                         size_t count)
{
    put_list(writer, field, TYPE_I32, count);
    for (size_t i = 0; i < count; i++)
        put_zigzag(writer->out, values[i]);
}

void ftl_thrift_put_lone_text(ftl_thrift_writer *writer, int32_t field, const void *data,
                              size_t size)
{
    put_list(writer, field, TYPE_BINARY, 1);
    put_bytes(writer, data, size);
}
