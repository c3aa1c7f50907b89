#include "io/thrift.h"

void ftl_thrift_init(ftl_thrift *reader, const uint8_t *data, size_t size)
{
    *reader = (ftl_thrift){.data = data, .size = size};
}

ftl_status ftl_thrift_status(const ftl_thrift *reader, const char *what, uint64_t base,
                             ftl_error *error)
{
    if (!reader->failed)
        return FTL_OK;
    return FTL_FAIL_AT(error, FTL_CORRUPT, base + reader->failed_at, "%s is damaged: %s", what,
                       reader->failed);
}

void ftl_thrift_fail(ftl_thrift *reader, const char *why)
{
    if (reader->failed)
        return;
    reader->failed = why;
    reader->failed_at = reader->at;
}

static void fail_at_end(ftl_thrift *reader)
{
    reader->ended = !reader->failed;
    ftl_thrift_fail(reader, "it ends too early");
}

static uint8_t byte(ftl_thrift *reader)
{
    if (reader->failed)
        return 0;
    if (reader->at == reader->size) {
        fail_at_end(reader);
        return 0;
    }
    return reader->data[reader->at++];
}

/* Seven bits a byte, the lowest first; a set top bit says that more follow. */
static uint64_t varint(ftl_thrift *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = byte(reader);
        if (shift == 63 && b > 1)
            break;
        value |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return value;
    }
    ftl_thrift_fail(reader, "a number is longer than 64 bits");
    return 0;
}

static int64_t zigzag(ftl_thrift *reader)
{
    uint64_t value = varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

void ftl_thrift_begin(ftl_thrift *reader, ftl_thrift_struct *s)
{
    *s = (ftl_thrift_struct){0};
    if (reader->depth == FTL_THRIFT_DEPTH)
        ftl_thrift_fail(reader, "structs are nested too deeply");
    else
        reader->depth++;
}

bool ftl_thrift_next(ftl_thrift *reader, ftl_thrift_struct *s)
{
    uint8_t head = byte(reader);
    if (reader->failed)
        return false;
    s->type = (ftl_thrift_type)(head & 15);
    if (s->type == FTL_THRIFT_STOP) {
        reader->depth--;
        return false;
    }
    /* The field's number is a distance from the one before, or stands by itself. */
    int64_t field = head >> 4 ? s->field + (head >> 4) : zigzag(reader);
    if (field < INT16_MIN || field > INT16_MAX || s->type > FTL_THRIFT_UUID) {
        ftl_thrift_fail(reader, "a field has no number or type that there is");
        return false;
    }
    s->field = (int32_t)field;
    return !reader->failed;
}

static void wrong_type(ftl_thrift *reader)
{
    ftl_thrift_fail(reader, "a field has another type than the format says");
}

bool ftl_thrift_bool(ftl_thrift *reader, const ftl_thrift_struct *s)
{
    if (s->type != FTL_THRIFT_TRUE && s->type != FTL_THRIFT_FALSE)
        wrong_type(reader);
    return s->type == FTL_THRIFT_TRUE;
}

int64_t ftl_thrift_i64(ftl_thrift *reader, const ftl_thrift_struct *s)
{
    switch (s->type) {
    case FTL_THRIFT_I8:
        return (int8_t)byte(reader);
    case FTL_THRIFT_I16:
    case FTL_THRIFT_I32:
    case FTL_THRIFT_I64:
        return zigzag(reader);
    default:
        wrong_type(reader);
        return 0;
    }
}

int32_t ftl_thrift_i32(ftl_thrift *reader, const ftl_thrift_struct *s)
{
    int64_t value = ftl_thrift_i64(reader, s);
    if (value >= INT32_MIN && value <= INT32_MAX)
        return (int32_t)value;
    ftl_thrift_fail(reader, "a number is longer than 32 bits");
    return 0;
}

const uint8_t *ftl_thrift_binary(ftl_thrift *reader, const ftl_thrift_struct *s, uint32_t *size)
{
    static const uint8_t nothing[1];
    *size = 0;
    if (s->type != FTL_THRIFT_BINARY)
        wrong_type(reader);
    uint64_t length = varint(reader);
    if (length > reader->size - reader->at || length > UINT32_MAX)
        fail_at_end(reader);
    if (reader->failed)
        return nothing;
    const uint8_t *bytes = reader->data + reader->at;
    reader->at += (size_t)length;
    *size = (uint32_t)length;
    return bytes;
}

/* The head of a list or set: four bits of count, or 15 and a number; then the items' type. */
static ftl_thrift_items items_head(ftl_thrift *reader)
{
    uint8_t head = byte(reader);
    uint64_t count = head >> 4 == 15 ? varint(reader) : head >> 4;
    ftl_thrift_items items = {.item.type = (ftl_thrift_type)(head & 15)};
    if (count > reader->size - reader->at)
        fail_at_end(reader);
    if (count > UINT32_MAX)
        ftl_thrift_fail(reader, "a list is too long");
    if (count && (items.item.type == FTL_THRIFT_STOP || items.item.type > FTL_THRIFT_UUID))
        ftl_thrift_fail(reader, "a list holds no type that there is");
    items.count = reader->failed ? 0 : (uint32_t)count;
    return items;
}

ftl_thrift_items ftl_thrift_list(ftl_thrift *reader, const ftl_thrift_struct *s,
                                 ftl_thrift_type type)
{
    if (s->type != FTL_THRIFT_LIST && s->type != FTL_THRIFT_SET)
        wrong_type(reader);
    ftl_thrift_items items = items_head(reader);
    if (items.count && items.item.type != type)
        wrong_type(reader);
    if (reader->failed)
        items.count = 0;
    return items;
}

bool ftl_thrift_is_struct(ftl_thrift *reader, const ftl_thrift_struct *s)
{
    if (s->type != FTL_THRIFT_STRUCT)
        wrong_type(reader);
    return !reader->failed;
}

/* ---- Skipping -------------------------------------------------------------------------------- */

static void skip_bytes(ftl_thrift *reader, uint64_t size)
{
    if (size > reader->size - reader->at)
        fail_at_end(reader);
    else
        reader->at += (size_t)size;
}

/* in_list: a bool is a byte there, and in a field's head elsewhere. depth: of what holds it. */
static void skip_value(ftl_thrift *reader, ftl_thrift_type type, bool in_list, unsigned depth);

static void skip_items(ftl_thrift *reader, unsigned depth)
{
    ftl_thrift_items items = items_head(reader);
    for (uint32_t i = 0; i < items.count && !reader->failed; i++)
        skip_value(reader, items.item.type, true, depth);
}

static void skip_map(ftl_thrift *reader, unsigned depth)
{
    uint64_t count = varint(reader);
    uint8_t types = count ? byte(reader) : 0;
    if (count > reader->size - reader->at)
        fail_at_end(reader);
    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        skip_value(reader, (ftl_thrift_type)(types >> 4), true, depth);
        skip_value(reader, (ftl_thrift_type)(types & 15), true, depth);
    }
}

static void skip_struct(ftl_thrift *reader, unsigned depth)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(reader, &s);
    while (ftl_thrift_next(reader, &s))
        skip_value(reader, s.type, false, depth);
}

static void skip_value(ftl_thrift *reader, ftl_thrift_type type, bool in_list, unsigned depth)
{
    if (depth == FTL_THRIFT_DEPTH) {
        ftl_thrift_fail(reader, "values are nested too deeply");
        return;
    }
    switch (type) {
    case FTL_THRIFT_TRUE:
    case FTL_THRIFT_FALSE:
        if (in_list)
            byte(reader);
        return;
    case FTL_THRIFT_I8:
        byte(reader);
        return;
    case FTL_THRIFT_I16:
    case FTL_THRIFT_I32:
    case FTL_THRIFT_I64:
        varint(reader);
        return;
    case FTL_THRIFT_DOUBLE:
        skip_bytes(reader, 8);
        return;
    case FTL_THRIFT_UUID:
        skip_bytes(reader, 16);
        return;
    case FTL_THRIFT_BINARY:
        skip_bytes(reader, varint(reader));
        return;
    case FTL_THRIFT_LIST:
    case FTL_THRIFT_SET:
        skip_items(reader, depth + 1);
        return;
    case FTL_THRIFT_MAP:
        skip_map(reader, depth + 1);
        return;
    case FTL_THRIFT_STRUCT:
        skip_struct(reader, depth + 1);
        return;
    case FTL_THRIFT_STOP:
        break;
    }
    wrong_type(reader);
}

void ftl_thrift_skip(ftl_thrift *reader, const ftl_thrift_struct *s)
{
    skip_value(reader, s->type, false, 0);
}
