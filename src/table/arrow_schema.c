#include "table/arrow_schema.h"

#include "base/utf8.h"
#include "table/arrow_format.h"

#include <stdlib.h>
#include <string.h>

/* The types of format/Schema.fbs, by their numbers in the union Type. */
typedef enum type_kind {
    KIND_NULL = 1,
    KIND_INT = 2,
    KIND_FLOAT = 3,
    KIND_UTF8 = 5,
    KIND_BOOL = 6,
    KIND_DECIMAL = 7,
    KIND_UNION = 14,
    KIND_LARGE_UTF8 = 20,
    KIND_RUN_END = 22,
    KIND_UTF8_VIEW = 24,
    KIND_COUNT = 27
} type_kind;

static const struct {
    uint8_t buffers;
    bool view;
    const char *refused;
} kinds[KIND_COUNT] = {
    [KIND_NULL] = {0},
    [KIND_INT] = {2},
    [KIND_FLOAT] = {2},
    [4] = {3, .refused = "bytes"},
    [KIND_UTF8] = {3},
    [KIND_BOOL] = {2},
    [KIND_DECIMAL] = {2},
    [8] = {2, .refused = "a date"},
    [9] = {2, .refused = "a time of day"},
    [10] = {2, .refused = "a timestamp"},
    [11] = {2, .refused = "an interval"},
    [12] = {2, .refused = "a list"},
    [13] = {1, .refused = "a struct"},
    [KIND_UNION] = {1, .refused = "a union"}, /* a dense one has another */
    [15] = {2, .refused = "bytes of a fixed size"},
    [16] = {1, .refused = "a list"},
    [17] = {2, .refused = "a map"},
    [18] = {2, .refused = "a duration"},
    [19] = {3, .refused = "large bytes"},
    [KIND_LARGE_UTF8] = {3},
    [21] = {2, .refused = "a list"},
    [KIND_RUN_END] = {0, .refused = "a run-end encoded array"},
    [23] = {2, .view = true, .refused = "a view of bytes"},
    [KIND_UTF8_VIEW] = {2, .view = true},
    [25] = {3, .refused = "a list view"},
    [26] = {3, .refused = "a list view"},
};

size_t ftl_arrow_buffers_of(ftl_type type)
{
    if (type == FTL_NULL)
        return 0;
    return type == FTL_STRING || type == FTL_LARGE_STRING ? 3 : 2;
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* Numbers of fields in the tables of format/Schema.fbs. */
enum { INT_WIDTH = 0, INT_SIGNED = 1, FLOAT_PRECISION = 0, UNION_MODE = 0 };
enum { DECIMAL_SCALE = 1, DECIMAL_WIDTH = 2 };
enum { FIELD_NAME = 0, FIELD_KIND = 2, FIELD_TYPE = 3, FIELD_DICTIONARY = 4, FIELD_CHILDREN = 5 };
enum { DICTIONARY_ID = 0, DICTIONARY_INDEX = 1 };

static bool int_type(const ftl_fb_table *table, ftl_type *out)
{
    bool is_signed = ftl_fb_u8(table, INT_SIGNED, 0);
    switch (ftl_fb_i32(table, INT_WIDTH, 0)) {
    case 8:
        *out = is_signed ? FTL_I8 : FTL_U8;
        return true;
    case 16:
        *out = is_signed ? FTL_I16 : FTL_U16;
        return true;
    case 32:
        *out = is_signed ? FTL_I32 : FTL_U32;
        return true;
    case 64:
        *out = is_signed ? FTL_I64 : FTL_U64;
        return true;
    default:
        return false;
    }
}

static bool float_type(const ftl_fb_table *table, ftl_type *out)
{
    static const ftl_type types[] = {FTL_F16, FTL_F32, FTL_F64};
    int16_t precision = ftl_fb_i16(table, FLOAT_PRECISION, 0);
    if (precision < 0 || precision > 2)
        return false;
    *out = types[precision];
    return true;
}

/* The type of a field's values; false: there is no such type. */
static bool value_type(const ftl_fb_table *field, unsigned kind, ftl_type *out, int32_t *scale)
{
    const ftl_fb_table type = ftl_fb_child(field, FIELD_TYPE);
    switch (kind) {
    case KIND_INT:
        return int_type(&type, out);
    case KIND_FLOAT:
        return float_type(&type, out);
    case KIND_DECIMAL:
        *scale = ftl_fb_i32(&type, DECIMAL_SCALE, 0);
        return ftl_arrow_decimal_type(ftl_fb_i32(&type, DECIMAL_WIDTH, 128), *scale, out);
    case KIND_BOOL:
        *out = FTL_BIT;
        return true;
    case KIND_UTF8:
        *out = FTL_STRING;
        return true;
    case KIND_LARGE_UTF8:
        *out = FTL_LARGE_STRING;
        return true;
    case KIND_UTF8_VIEW:
        *out = FTL_STRING_VIEW;
        return true;
    default: /* of those that are refused nobody asks the type */
        *out = FTL_NULL;
        return true;
    }
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static ftl_status unknown_type(const char *name, ftl_error *error)
{
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "column '%.120s' is of a type that is none of Arrow's 1.4, or has a part of "
                    "one; write the table without it",
                    name);
}

/* Adds what the field and the fields within it take. name: of the column. */
static ftl_status count_share(const ftl_fb_table *field, const char *name, unsigned depth,
                              ftl_arrow_share *share, ftl_error *error)
{
    enum { MOST_DEPTH = 64 };
    unsigned kind = ftl_fb_u8(field, FIELD_KIND, 0);
    if (depth > MOST_DEPTH)
        return FTL_FAIL(error, FTL_LIMIT, "column '%.120s' is nested more than %d deep", name,
                        MOST_DEPTH);
    share->nodes++;
    if (ftl_fb_child(field, FIELD_DICTIONARY).buffer) {
        share->buffers += 2; /* integers: what they count lies elsewhere */
        return FTL_OK;
    }
    if (kind == 0 || kind >= KIND_COUNT)
        return unknown_type(name, error);
    share->buffers += kinds[kind].buffers;
    share->views += kinds[kind].view;
    share->once_valid += kind == KIND_UNION || kind == KIND_RUN_END;
    if (kind == KIND_UNION) {
        const ftl_fb_table type = ftl_fb_child(field, FIELD_TYPE);
        share->buffers += ftl_fb_i16(&type, UNION_MODE, 0) == 1;
    }
    const ftl_fb_vector children = ftl_fb_items(field, FIELD_CHILDREN, 4);
    for (uint32_t i = 0; i < children.count; i++) {
        const ftl_fb_table child = ftl_fb_table_at(&children, i);
        if (!child.buffer)
            break; /* the buffer is bad: the caller asks for that */
        FTL_TRY(count_share(&child, name, depth + 1, share, error));
    }
    return FTL_OK;
}

/* A column and the id of its dictionary. */
typedef struct dictionary_user {
    int64_t id;
    size_t field;
} dictionary_user;

static int by_id(const void *a, const void *b)
{
    const dictionary_user *x = a, *y = b;
    int order = (x->id > y->id) - (x->id < y->id);
    return order ? order : (x->field > y->field) - (x->field < y->field);
}

/* Makes the list of dictionaries, in the order of their ids. users: sorted by these. */
static ftl_status list_dictionaries(ftl_arrow_schema *schema, const dictionary_user *users,
                                    size_t n, ftl_error *error)
{
    for (size_t i = 0; i < n; i++) {
        ftl_arrow_field *field = &schema->fields[users[i].field];
        if (i == 0 || users[i].id != users[i - 1].id)
            schema->dictionaries[schema->n_dictionaries++] = (ftl_arrow_dictionary_field){
                users[i].id, field->value_type, field->scale, field->refused, field->name};
        const ftl_arrow_dictionary_field *dictionary =
            &schema->dictionaries[schema->n_dictionaries - 1];
        if (dictionary->type != field->value_type || dictionary->scale != field->scale ||
            dictionary->refused != field->refused)
            return FTL_FAIL(error, FTL_CORRUPT,
                            "columns '%.120s' and '%.120s' share dictionary %lld and differ in "
                            "type",
                            dictionary->name, field->name, (long long)users[i].id);
        field->dictionary = schema->n_dictionaries - 1;
    }
    return FTL_OK;
}

static ftl_status parse_name(const ftl_fb_table *table, size_t i, ftl_arena *arena,
                             const char **out, ftl_error *error)
{
    const ftl_fb_text name = ftl_fb_string(table, FIELD_NAME);
    if (memchr(name.text, 0, name.size) || !ftl_utf8_valid(name.text, name.size))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the name of column %zu is not UTF-8, or has a zero byte", i);
    *out = ftl_arena_string(arena, name.text, name.size);
    return *out ? FTL_OK : FTL_OOM(error);
}

/* users, *n_users: columns with dictionaries, to which this one is added. */
static ftl_status parse_field(const ftl_fb_table *table, size_t i, ftl_arena *arena,
                              ftl_arrow_field *field, dictionary_user *users, size_t *n_users,
                              ftl_error *error)
{
    FTL_TRY(parse_name(table, i, arena, &field->name, error));
    FTL_TRY(count_share(table, field->name, 0, &field->share, error));
    unsigned kind = ftl_fb_u8(table, FIELD_KIND, 0);
    if (kind == 0 || kind >= KIND_COUNT || !value_type(table, kind, &field->type, &field->scale))
        return unknown_type(field->name, error);
    field->refused = kinds[kind].refused;
    const ftl_fb_table dictionary = ftl_fb_child(table, FIELD_DICTIONARY);
    if (!dictionary.buffer)
        return FTL_OK;
    field->value_type = field->type;
    field->type = FTL_DICTIONARY;
    field->index_type = FTL_I32; /* when nothing is said */
    const ftl_fb_table index = ftl_fb_child(&dictionary, DICTIONARY_INDEX);
    if (index.buffer && !int_type(&index, &field->index_type))
        return unknown_type(field->name, error);
    users[(*n_users)++] = (dictionary_user){ftl_fb_i64(&dictionary, DICTIONARY_ID, 0), i};
    return FTL_OK;
}

ftl_status ftl_arrow_schema_parse(const ftl_fb_table *table, ftl_arena *arena,
                                  ftl_arrow_schema *out, ftl_error *error)
{
    enum { ENDIANNESS = 0, FIELDS = 1 };
    bool big = ftl_fb_i16(table, ENDIANNESS, 0) != 0;
    if (big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "its numbers are %s-endian, which is not read on this machine; write it "
                        "on a %s-endian one",
                        big ? "big" : "little", big ? "little" : "big");
    const ftl_fb_vector fields = ftl_fb_items(table, FIELDS, 4);
    ftl_arrow_schema schema = {.n_fields = fields.count};
    schema.fields = ftl_arena_zero_array(arena, fields.count, sizeof *schema.fields);
    schema.dictionaries = ftl_arena_zero_array(arena, fields.count, sizeof *schema.dictionaries);
    dictionary_user *users = ftl_arena_array(arena, fields.count, sizeof *users);
    size_t n_users = 0;
    if (!schema.fields || !schema.dictionaries || !users)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < fields.count; i++) {
        const ftl_fb_table field = ftl_fb_table_at(&fields, i);
        if (!field.buffer)
            break;
        FTL_TRY(parse_field(&field, i, arena, &schema.fields[i], users, &n_users, error));
    }
    qsort(users, n_users, sizeof *users, by_id);
    FTL_TRY(list_dictionaries(&schema, users, n_users, error));
    FTL_TRY(ftl_fb_status(table->buffer, "the Arrow schema", error));
    *out = schema;
    return FTL_OK;
}
