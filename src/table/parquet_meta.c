#include "table/parquet_meta.h"

#include "base/checked.h"
#include "base/fixed_decimal.h"
#include "base/utf8.h"
#include "io/thrift.h"

#include <string.h>

enum {
    MAGIC_SIZE = 4,
    TAIL_SIZE = 8,                   /* the footer's size and the magic */
    FOOTER_LIMIT = 512 * 1024 * 1024 /* its places are kept in 32 bits */
};

static const uint8_t magic[MAGIC_SIZE] = {'P', 'A', 'R', '1'};
static const uint8_t magic_encrypted[MAGIC_SIZE] = {'P', 'A', 'R', 'E'};

/* As the format numbers them. */
enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

bool ftl_parquet_magic(const uint8_t *data, size_t size)
{
    return size >= MAGIC_SIZE &&
           (memcmp(data, magic, MAGIC_SIZE) == 0 || memcmp(data, magic_encrypted, MAGIC_SIZE) == 0);
}

/* ---- What a column holds --------------------------------------------------------------------- */

/* Logical types; the numbers are those of the fields of LogicalType. */
enum {
    LOGICAL_NONE = 0,
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTERVAL = 9,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11,
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_UUID = 14,
    LOGICAL_FLOAT16 = 15,
    LOGICAL_VARIANT = 16,
    LOGICAL_GEOMETRY = 17,
    LOGICAL_GEOGRAPHY = 18
};

/* A SchemaElement. */
typedef struct element {
    ftl_parquet_physical physical; /* GROUP: it has none */
    int32_t type_length;
    int32_t repetition;
    const char *name; /* in the footer, not terminated */
    uint32_t name_size;
    int32_t n_children;
    int32_t converted; /* -1: none */
    int32_t scale;
    int32_t logical;
    bool is_unsigned; /* LOGICAL_INTEGER */
} element;

/* What a ConvertedType, the older annotation, is among the logical types. */
static int32_t logical_of(const element *e, bool *is_unsigned)
{
    static const uint8_t table[] = {
        LOGICAL_STRING,    LOGICAL_MAP,     LOGICAL_MAP,     LOGICAL_LIST,    LOGICAL_ENUM,
        LOGICAL_DECIMAL,   LOGICAL_DATE,    LOGICAL_TIME,    LOGICAL_TIME,    LOGICAL_TIMESTAMP,
        LOGICAL_TIMESTAMP, LOGICAL_INTEGER, LOGICAL_INTEGER, /* unsigned: 11 to 14 */
        LOGICAL_INTEGER,   LOGICAL_INTEGER, LOGICAL_INTEGER, LOGICAL_INTEGER, LOGICAL_INTEGER,
        LOGICAL_INTEGER,   LOGICAL_JSON,    LOGICAL_BSON,    LOGICAL_INTERVAL};
    *is_unsigned = e->logical ? e->is_unsigned : e->converted >= 11 && e->converted <= 14;
    if (e->logical)
        return e->logical;
    if (e->converted < 0 || (size_t)e->converted >= FTL_ARRAY_LEN(table))
        return LOGICAL_NONE;
    return table[e->converted];
}

static void read_as(ftl_parquet_column *column, ftl_type type, bool fits)
{
    column->type = type;
    if (!fits)
        column->refused = "values whose annotation does not fit the way they are stored";
}

/* Without an annotation the stored form says what values are. */
static void classify_physical(ftl_parquet_column *column, bool is_unsigned)
{
    switch (column->physical) {
    case FTL_PARQUET_BOOLEAN:
        column->type = FTL_BOOL;
        break;
    case FTL_PARQUET_INT32:
        column->type = is_unsigned ? FTL_U32 : FTL_I32;
        break;
    case FTL_PARQUET_INT64:
        column->type = is_unsigned ? FTL_U64 : FTL_I64;
        break;
    case FTL_PARQUET_FLOAT:
        column->type = FTL_F32;
        break;
    case FTL_PARQUET_DOUBLE:
        column->type = FTL_F64;
        break;
    case FTL_PARQUET_INT96:
        column->refused = "timestamps";
        break;
    case FTL_PARQUET_BYTE_ARRAY:
    case FTL_PARQUET_FIXED:
        column->refused = "bytes that are not declared to be text";
        break;
    case FTL_PARQUET_GROUP:
        column->refused = "nested values";
        break;
    }
}

static void classify_decimal(const element *e, ftl_parquet_column *column)
{
    bool stored = column->physical == FTL_PARQUET_INT32 || column->physical == FTL_PARQUET_INT64 ||
                  column->physical == FTL_PARQUET_BYTE_ARRAY ||
                  column->physical == FTL_PARQUET_FIXED;
    read_as(column, FTL_F64,
            stored && e->scale >= 0 && e->scale <= FTL_FIXED_DECIMAL_SCALE &&
                column->width <= FTL_FIXED_DECIMAL_BYTES);
    column->decimal = true;
    column->scale = e->scale;
}

static void classify(const element *e, ftl_parquet_column *column)
{
    static const char *const no_input[] = {[LOGICAL_MAP] = "maps",
                                           [LOGICAL_LIST] = "lists",
                                           [LOGICAL_DATE] = "dates",
                                           [LOGICAL_TIME] = "times",
                                           [LOGICAL_INTERVAL] = "intervals",
                                           [LOGICAL_TIMESTAMP] = "timestamps",
                                           [LOGICAL_BSON] = "BSON",
                                           [LOGICAL_UUID] = "UUIDs",
                                           [LOGICAL_VARIANT] = "variants",
                                           [LOGICAL_GEOMETRY] = "geometries",
                                           [LOGICAL_GEOGRAPHY] = "geographies"};
    bool is_unsigned,
        bytes = column->physical == FTL_PARQUET_BYTE_ARRAY || column->physical == FTL_PARQUET_FIXED;
    int32_t logical = logical_of(e, &is_unsigned);
    switch (logical) {
    case LOGICAL_STRING:
    case LOGICAL_ENUM:
    case LOGICAL_JSON:
        read_as(column, FTL_STRING, bytes);
        break;
    case LOGICAL_DECIMAL:
        classify_decimal(e, column);
        break;
    case LOGICAL_INTEGER:
        read_as(column, FTL_I64,
                column->physical == FTL_PARQUET_INT32 || column->physical == FTL_PARQUET_INT64);
        if (!column->refused)
            classify_physical(column, is_unsigned);
        break;
    case LOGICAL_FLOAT16:
        read_as(column, FTL_F16, column->physical == FTL_PARQUET_FIXED && column->width == 2);
        break;
    case LOGICAL_UNKNOWN: /* all rows are null */
        column->type = FTL_NULL;
        break;
    default: /* later annotations, too: readers go by the stored form then */
        if (logical > 0 && (size_t)logical < FTL_ARRAY_LEN(no_input) && no_input[logical])
            column->refused = no_input[logical];
        else
            classify_physical(column, false);
    }
    if (e->repetition == REPEATED)
        column->refused = "lists";
    else if (column->physical == FTL_PARQUET_GROUP && logical == LOGICAL_NONE)
        column->refused = "structs";
    else if (column->physical == FTL_PARQUET_GROUP && !column->refused)
        column->refused = "nested values";
}

/* ---- Schema ---------------------------------------------------------------------------------- */

static void read_decimal(ftl_thrift *in, element *e)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 1)
            e->scale = ftl_thrift_i32(in, &s);
        else
            ftl_thrift_skip(in, &s);
    }
}

static void read_integer(ftl_thrift *in, element *e)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 2)
            e->is_unsigned = !ftl_thrift_bool(in, &s);
        else
            ftl_thrift_skip(in, &s);
    }
}

static void read_logical(ftl_thrift *in, element *e)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        e->logical = s.field;
        if (s.field == LOGICAL_DECIMAL && ftl_thrift_is_struct(in, &s))
            read_decimal(in, e);
        else if (s.field == LOGICAL_INTEGER && ftl_thrift_is_struct(in, &s))
            read_integer(in, e);
        else
            ftl_thrift_skip(in, &s);
    }
}

static void read_physical(ftl_thrift *in, const ftl_thrift_struct *s, element *e)
{
    int32_t type = ftl_thrift_i32(in, s);
    if (type < 0 || type > FTL_PARQUET_FIXED)
        ftl_thrift_fail(in, "a column is stored in no way that there is");
    else
        e->physical = (ftl_parquet_physical)type;
}

static element read_element(ftl_thrift *in)
{
    element e = {.physical = FTL_PARQUET_GROUP, .converted = -1};
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        switch (s.field) {
        case 1:
            read_physical(in, &s, &e);
            break;
        case 2:
            e.type_length = ftl_thrift_i32(in, &s);
            break;
        case 3:
            e.repetition = ftl_thrift_i32(in, &s);
            break;
        case 4:
            e.name = (const char *)ftl_thrift_binary(in, &s, &e.name_size);
            break;
        case 5:
            e.n_children = ftl_thrift_i32(in, &s);
            break;
        case 6:
            e.converted = ftl_thrift_i32(in, &s);
            break;
        case 7:
            e.scale = ftl_thrift_i32(in, &s);
            break;
        case 10:
            if (ftl_thrift_is_struct(in, &s))
                read_logical(in, &e);
            break;
        default:
            ftl_thrift_skip(in, &s);
        }
    }
    if (!e.name)
        ftl_thrift_fail(in, "a column has no name");
    if (e.repetition < REQUIRED || e.repetition > REPEATED)
        ftl_thrift_fail(in, "a column has no repetition that there is");
    if (e.n_children < 0 || (e.physical != FTL_PARQUET_GROUP && e.n_children > 0))
        ftl_thrift_fail(in, "a column has children that it cannot have");
    return e;
}

static ftl_status make_column(const element *e, uint32_t leaf, ftl_arena *arena,
                              ftl_parquet_column *column, ftl_error *error)
{
    static const uint8_t widths[] = {
        [FTL_PARQUET_INT32] = 4, [FTL_PARQUET_INT64] = 8,  [FTL_PARQUET_INT96] = 12,
        [FTL_PARQUET_FLOAT] = 4, [FTL_PARQUET_DOUBLE] = 8, [FTL_PARQUET_GROUP] = 0};
    if (!ftl_utf8_valid(e->name, e->name_size) || memchr(e->name, 0, e->name_size))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Parquet file is damaged: the name of column %u is not UTF-8, or "
                        "has a zero byte",
                        leaf);
    *column = (ftl_parquet_column){.leaf = leaf,
                                   .physical = e->physical,
                                   .width = widths[e->physical],
                                   .optional = e->repetition == OPTIONAL};
    column->name = ftl_arena_string(arena, e->name, e->name_size);
    if (!column->name)
        return FTL_OOM(error);
    if (e->physical == FTL_PARQUET_FIXED && e->type_length <= 0)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Parquet file is damaged: column '%.120s' holds values of %d bytes",
                        column->name, e->type_length);
    if (e->physical == FTL_PARQUET_FIXED)
        column->width = (uint32_t)e->type_length;
    classify(e, column);
    return FTL_OK;
}

/* Everything below a group, whose children were counted; the number of columns there. */
static uint32_t skip_subtree(ftl_thrift *in, uint64_t pending, uint32_t *left)
{
    uint32_t leaves = 0;
    while (pending && !in->failed) {
        if (*left == 0) {
            ftl_thrift_fail(in, "the schema has fewer columns than its groups claim");
            break;
        }
        element e = read_element(in);
        --*left;
        pending += (uint64_t)e.n_children - 1;
        leaves += e.physical != FTL_PARQUET_GROUP;
    }
    return leaves;
}

/* The elements are the tree's nodes, parents before their children. */
static ftl_status read_schema(ftl_thrift *in, const ftl_thrift_struct *s, ftl_arena *arena,
                              ftl_parquet_meta *meta, ftl_error *error)
{
    ftl_thrift_items items = ftl_thrift_list(in, s, FTL_THRIFT_STRUCT);
    uint32_t left = items.count;
    if (left == 0)
        ftl_thrift_fail(in, "the schema is empty");
    else
        left--;
    if (meta->columns)
        ftl_thrift_fail(in, "there are two schemas");
    element root = in->failed ? (element){0} : read_element(in);
    if (root.n_children > 0 && (uint32_t)root.n_children > left)
        ftl_thrift_fail(in, "the schema has fewer columns than its groups claim");
    size_t n = in->failed ? 0 : (size_t)root.n_children;
    ftl_parquet_column *columns = ftl_arena_zero_array(arena, n + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        if (left == 0)
            ftl_thrift_fail(in, "the schema has fewer columns than its groups claim");
        element e = in->failed ? (element){0} : read_element(in);
        if (in->failed)
            return FTL_OK; /* the reader keeps the reason */
        left--;
        FTL_TRY(make_column(&e, meta->n_leaves, arena, &columns[i], error));
        meta->n_leaves += e.physical == FTL_PARQUET_GROUP
                              ? skip_subtree(in, (uint64_t)e.n_children, &left)
                              : 1;
    }
    if (left)
        ftl_thrift_fail(in, "the schema has more columns than its groups claim");
    meta->columns = columns;
    meta->n_columns = n;
    return FTL_OK;
}

/* ---- Row groups ------------------------------------------------------------------------------ */

static ftl_parquet_group read_group(ftl_thrift *in)
{
    ftl_parquet_group group = {.at = (uint32_t)in->at};
    int64_t rows = -1;
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 3)
            rows = ftl_thrift_i64(in, &s);
        else
            ftl_thrift_skip(in, &s);
    }
    if (rows < 0)
        ftl_thrift_fail(in, "a row group has no number of rows");
    group.rows = (uint64_t)rows;
    return group;
}

static ftl_status read_groups(ftl_thrift *in, const ftl_thrift_struct *s, ftl_arena *arena,
                              ftl_parquet_meta *meta, ftl_error *error)
{
    ftl_thrift_items items = ftl_thrift_list(in, s, FTL_THRIFT_STRUCT);
    if (meta->groups)
        ftl_thrift_fail(in, "there are two lists of row groups");
    ftl_parquet_group *groups = ftl_arena_array(arena, (size_t)items.count + 1, sizeof *groups);
    if (!groups)
        return FTL_OOM(error);
    meta->groups = groups;
    for (uint32_t i = 0; i < items.count && !in->failed; i++) {
        groups[i] = read_group(in);
        if (!in->failed &&
            (!ftl_add_u64(meta->rows, groups[i].rows, &meta->rows) || meta->rows > INT64_MAX))
            ftl_thrift_fail(in, "it claims more rows than can be counted");
        meta->n_groups = i + 1;
    }
    return FTL_OK;
}

/* ---- Footer ---------------------------------------------------------------------------------- */

static ftl_status no_parquet(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "the Parquet file is truncated or damaged: it does not end as one; get it "
                    "again");
}

static ftl_status encrypted(ftl_error *error)
{
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "the Parquet file is encrypted; write it without encryption");
}

/* At the file's end: the footer, its size in 4 bytes, and the magic again. */
static ftl_status load_footer(const ftl_stream *source, ftl_arena *arena, ftl_parquet_meta *meta,
                              ftl_error *error)
{
    uint8_t tail[TAIL_SIZE];
    uint64_t extent;
    if (!ftl_stream_extent(source, &extent))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a Parquet file is read at many places at once, so it must be a plain "
                        "file: no pipe, and not compressed as a whole; unpack it, or copy it to a "
                        "file");
    if (extent < MAGIC_SIZE + TAIL_SIZE)
        return no_parquet(error);
    FTL_TRY(ftl_stream_read_at(source, extent - TAIL_SIZE, tail, TAIL_SIZE, error));
    if (memcmp(tail + 4, magic_encrypted, MAGIC_SIZE) == 0)
        return encrypted(error);
    if (memcmp(tail + 4, magic, MAGIC_SIZE) != 0)
        return no_parquet(error);
    uint64_t size = (uint64_t)tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 |
                    (uint64_t)tail[3] << 24;
    if (size > extent - MAGIC_SIZE - TAIL_SIZE)
        return FTL_FAIL_AT(error, FTL_CORRUPT, extent - TAIL_SIZE,
                           "the Parquet file is truncated or damaged: its footer of %llu bytes is "
                           "longer than the file; get it again",
                           (unsigned long long)size);
    if (size > FOOTER_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT,
                        "the Parquet file's footer has %llu bytes, the most is %d; write larger "
                        "row groups",
                        (unsigned long long)size, FOOTER_LIMIT);
    meta->footer_size = (size_t)size;
    meta->footer_at = extent - TAIL_SIZE - size;
    meta->footer = ftl_arena_alloc(arena, meta->footer_size + 1);
    if (!meta->footer)
        return FTL_OOM(error);
    return ftl_stream_read_at(source, meta->footer_at, meta->footer, meta->footer_size, error);
}

ftl_status ftl_parquet_meta_read(const ftl_stream *source, ftl_arena *arena, ftl_parquet_meta *out,
                                 ftl_error *error)
{
    ftl_parquet_meta meta = {0};
    ftl_thrift in;
    ftl_thrift_struct s;
    int64_t rows = 0;
    bool is_encrypted = false;
    FTL_TRY(load_footer(source, arena, &meta, error));
    ftl_thrift_init(&in, meta.footer, meta.footer_size);
    ftl_thrift_begin(&in, &s);
    while (ftl_thrift_next(&in, &s)) {
        switch (s.field) {
        case 2:
            FTL_TRY(read_schema(&in, &s, arena, &meta, error));
            break;
        case 3:
            rows = ftl_thrift_i64(&in, &s);
            break;
        case 4:
            FTL_TRY(read_groups(&in, &s, arena, &meta, error));
            break;
        case 8: /* columns are encrypted, the footer is not */
            is_encrypted = true;
            ftl_thrift_skip(&in, &s);
            break;
        default:
            ftl_thrift_skip(&in, &s);
        }
    }
    if (!in.failed && !meta.columns)
        ftl_thrift_fail(&in, "there is no schema");
    FTL_TRY(ftl_thrift_status(&in, "the Parquet file's footer", meta.footer_at, error));
    if (is_encrypted)
        return encrypted(error);
    /* Row groups are what is read; some writers say 0 for all of them together. */
    if (rows && (uint64_t)rows != meta.rows)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Parquet file is damaged: it claims %lld rows and its row groups %llu",
                        (long long)rows, (unsigned long long)meta.rows);
    *out = meta;
    return FTL_OK;
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

/* What a ColumnChunk and its ColumnMetaData say. */
typedef struct chunk_facts {
    bool elsewhere, has_meta;
    int32_t physical, codec;
    int64_t values, size, data_page, dictionary_page;
} chunk_facts;

/* One component that is the column's name; paths of groups are of no interest. */
static void check_path(ftl_thrift *in, const ftl_thrift_struct *s, const ftl_parquet_column *column)
{
    ftl_thrift_items items = ftl_thrift_list(in, s, FTL_THRIFT_BINARY);
    for (uint32_t i = 0; i < items.count; i++) {
        uint32_t size;
        const uint8_t *name = ftl_thrift_binary(in, &items.item, &size);
        if (items.count != 1 || size != strlen(column->name) ||
            memcmp(name, column->name, size) != 0)
            ftl_thrift_fail(in, "a row group's columns are not those of the schema");
    }
}

static void read_column_meta(ftl_thrift *in, const ftl_parquet_column *column, chunk_facts *facts)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    facts->has_meta = true;
    while (ftl_thrift_next(in, &s)) {
        switch (s.field) {
        case 1:
            facts->physical = ftl_thrift_i32(in, &s);
            break;
        case 3:
            check_path(in, &s, column);
            break;
        case 4:
            facts->codec = ftl_thrift_i32(in, &s);
            break;
        case 5:
            facts->values = ftl_thrift_i64(in, &s);
            break;
        case 7:
            facts->size = ftl_thrift_i64(in, &s);
            break;
        case 9:
            facts->data_page = ftl_thrift_i64(in, &s);
            break;
        case 11:
            facts->dictionary_page = ftl_thrift_i64(in, &s);
            break;
        default:
            ftl_thrift_skip(in, &s);
        }
    }
}

static chunk_facts read_chunk(ftl_thrift *in, const ftl_parquet_column *column)
{
    chunk_facts facts = {.values = -1, .size = -1, .data_page = -1};
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 1) {
            uint32_t size;
            ftl_thrift_binary(in, &s, &size);
            facts.elsewhere = size > 0;
        } else if (s.field == 3 && ftl_thrift_is_struct(in, &s)) {
            read_column_meta(in, column, &facts);
        } else {
            ftl_thrift_skip(in, &s);
        }
    }
    return facts;
}

static ftl_status place_chunk(const ftl_parquet_meta *meta, size_t group,
                              const ftl_parquet_column *column, const chunk_facts *facts,
                              ftl_parquet_chunk *chunk, ftl_error *error)
{
    if (facts->elsewhere)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "column '%.120s' of the Parquet file lies in another file; give that one",
                        column->name);
    if (!facts->has_meta || facts->physical != (int32_t)column->physical)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Parquet file is damaged: row group %zu does not hold column '%.120s' "
                        "as the schema says",
                        group, column->name);
    if (facts->values < 0 || (uint64_t)facts->values != meta->groups[group].rows)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Parquet file is damaged: column '%.120s' has %lld values in row group "
                        "%zu of %llu rows",
                        column->name, (long long)facts->values, group,
                        (unsigned long long)meta->groups[group].rows);
    /* Some writers say 0 for a dictionary that there is not. */
    int64_t begin = facts->dictionary_page > 0 && facts->dictionary_page < facts->data_page
                        ? facts->dictionary_page
                        : facts->data_page;
    if (begin < MAGIC_SIZE || (uint64_t)begin > meta->footer_at || facts->size < 0 ||
        (uint64_t)facts->size > meta->footer_at - (uint64_t)begin)
        return FTL_FAIL(
            error, FTL_CORRUPT,
            "the Parquet file is damaged: column '%.120s' of row group %zu lies outside "
            "of it (%lld bytes at %lld)",
            column->name, group, (long long)facts->size, (long long)begin);
    *chunk = (ftl_parquet_chunk){
        .begin = (uint64_t)begin, .end = (uint64_t)(begin + facts->size), .codec = facts->codec};
    return FTL_OK;
}

static ftl_status read_chunks(ftl_thrift *in, const ftl_thrift_struct *s,
                              const ftl_parquet_meta *meta, size_t group,
                              const ftl_parquet_column *const *wanted, size_t n,
                              ftl_parquet_chunk *chunks, ftl_error *error)
{
    const ftl_thrift_struct item = {.type = FTL_THRIFT_STRUCT};
    ftl_thrift_items items = ftl_thrift_list(in, s, FTL_THRIFT_STRUCT);
    if (items.count != meta->n_leaves)
        ftl_thrift_fail(in, "a row group's columns are not those of the schema");
    size_t next = 0;
    for (uint32_t leaf = 0; leaf < items.count && next < n && !in->failed; leaf++) {
        if (leaf != wanted[next]->leaf) {
            ftl_thrift_skip(in, &item);
            continue;
        }
        chunk_facts facts = read_chunk(in, wanted[next]);
        if (in->failed)
            break;
        FTL_TRY(place_chunk(meta, group, wanted[next], &facts, &chunks[next], error));
        next++;
    }
    if (!in->failed && next < n)
        ftl_thrift_fail(in, "a row group lacks columns");
    return FTL_OK;
}

ftl_status ftl_parquet_chunks(const ftl_parquet_meta *meta, size_t group,
                              const ftl_parquet_column *const *wanted, size_t n,
                              ftl_parquet_chunk *chunks, ftl_error *error)
{
    ftl_thrift in;
    ftl_thrift_struct s;
    bool found = false;
    ftl_thrift_init(&in, meta->footer, meta->footer_size);
    in.at = meta->groups[group].at;
    ftl_thrift_begin(&in, &s);
    while (!found && ftl_thrift_next(&in, &s)) {
        found = s.field == 1;
        if (found)
            FTL_TRY(read_chunks(&in, &s, meta, group, wanted, n, chunks, error));
        else
            ftl_thrift_skip(&in, &s);
    }
    if (!found)
        ftl_thrift_fail(&in, "a row group lacks columns");
    return ftl_thrift_status(&in, "the Parquet file's footer", meta->footer_at, error);
}
