/*
 * Documents that have their columns one after the other, as pandas' to_json writes them without
 * more ado. A row of them is all over the document, which is therefore held in memory, 64 MiB at
 * most. Reading walks along the wanted columns at once and makes rows that are arrays of them, so
 * that nobody behind knows the difference.
 */
#include "base/utf8.h"
#include "io/json.h"
#include "table/json.h"

#include <string.h>

enum { MOST_HELD = 64 << 20 };

typedef struct ftl_json_columns {
    uint8_t *doc;
    size_t size, room;
    bool labelled;  /* values have labels, as they do in objects */
    size_t *starts; /* of each column, behind its bracket */
    size_t *walked; /* columns */
    size_t *at;     /* of the walked ones: behind the last value */
    size_t n_walked;
    uint64_t rows;
    bool ended;
} ftl_json_columns;

static ftl_status hold_document(ftl_table *table, ftl_json_columns *columns, ftl_error *error)
{
    enum { PIECE = 64 << 10 };
    size_t most = table->max_record > MOST_HELD ? table->max_record : MOST_HELD;
    for (size_t got = 1; got;) {
        FTL_TRY(ftl_grow(table->account, &columns->doc, &columns->room, columns->size + PIECE, 1,
                         error));
        FTL_TRY(
            ftl_stream_read_some(table->stream, columns->doc + columns->size, PIECE, &got, error));
        columns->size += got;
        if (columns->size > most)
            return FTL_FAIL(error, FTL_LIMIT,
                            "the document has its columns one after the other and must be held in "
                            "memory, %zu MiB at most; write it with pandas' orient='records', or "
                            "as JSON lines",
                            most >> 20);
    }
    if (!ftl_utf8_valid((const char *)columns->doc, columns->size))
        return FTL_FAIL_OPTION(error, FTL_VALUE, FTL_REASON_BAD_CELL, "encoding",
                               "the document is not UTF-8; give its encoding with "
                               "options.encoding, such as 'latin-1' or 'cp1252'");
    return FTL_OK;
}

static size_t pass_space(const ftl_json_columns *columns, size_t at)
{
    while (at < columns->size && memchr(" \t\r\n", columns->doc[at], 4))
        at++;
    return at;
}

/* The character at `at`, 0 at the end. */
static char character(const ftl_json_columns *columns, size_t at)
{
    return at < columns->size ? (char)columns->doc[at] : 0;
}

static ftl_status broken(const ftl_json_columns *columns, size_t at, const char *what,
                         ftl_error *error)
{
    return FTL_FAIL_AT(error, FTL_CORRUPT, at, "the JSON is damaged at byte %zu: %s", at + 1,
                       at < columns->size ? what : "it ends too early");
}

/* The value at *at, which is moved behind it; its size is returned, 0: there is none. */
static size_t take_value(const ftl_json_columns *columns, size_t *at)
{
    ftl_json_scan scan = {0};
    char c = character(columns, *at);
    if (*at >= columns->size || strchr(",:]}", c) ||
        !ftl_json_scan_value(&scan, columns->doc + *at, columns->size - *at, true))
        return 0;
    *at += scan.at;
    return scan.at;
}

/* The key at *at and its colon; *at is moved to what follows. */
static ftl_status take_key(const ftl_json_columns *columns, size_t *at, const char **key,
                           size_t *size, ftl_error *error)
{
    size_t first = *at;
    if (character(columns, first) != '"' || (*size = take_value(columns, at)) < 2)
        return broken(columns, first, "the name of a member is missing", error);
    *key = (const char *)columns->doc + first;
    *at = pass_space(columns, *at);
    if (character(columns, *at) != ':')
        return broken(columns, *at, "there is no colon behind a name", error);
    *at = pass_space(columns, *at + 1);
    return FTL_OK;
}

/* Adds a column whose values begin behind the bracket at `at`. */
static ftl_status add_column(ftl_table *table, ftl_json_columns *columns, ftl_json_names *names,
                             size_t *room, const char *key, size_t size, size_t at,
                             ftl_error *error)
{
    ftl_arena arena;
    ftl_json json;
    ftl_json_token token;
    const char *name;
    size_t length;
    bool added = true;
    ftl_arena_init(&arena, table->account);
    ftl_json_init(&json, key, size, 0);
    ftl_status status = ftl_json_next(&json, &token, error);
    if (status == FTL_OK)
        status = ftl_json_copy(&json, &arena, &name, &length, error);
    bool usable = status == FTL_OK && !memchr(name, 0, length);
    if (usable)
        status = ftl_json_add_name(names, &table->arena, name, length, &added, error);
    if (status == FTL_OK && !added)
        status = FTL_FAIL(error, FTL_SCHEMA, "the document has the column '%.80s' twice", name);
    ftl_arena_free(&arena);
    FTL_TRY(status);
    if (!usable) /* no name of a column holds a NUL */
        return FTL_OK;
    FTL_TRY(
        ftl_grow(table->account, &columns->starts, room, names->n, sizeof *columns->starts, error));
    columns->starts[names->n - 1] = at + 1;
    return FTL_OK;
}

static ftl_status find_columns(ftl_table *table, ftl_json_columns *columns, ftl_json_names *names,
                               ftl_error *error)
{
    size_t room = 0, at = pass_space(columns, 0);
    char open = columns->labelled ? '{' : '[';
    at = pass_space(columns, at + 1); /* behind the brace, which was seen */
    for (;;) {
        const char *key;
        size_t size;
        FTL_TRY(take_key(columns, &at, &key, &size, error));
        if (character(columns, at) != open)
            return FTL_FAIL_AT(
                error, FTL_SCHEMA, at, "the document's columns are not all %s; see %.*s",
                columns->labelled ? "objects" : "arrays", size > 80 ? 80 : (int)size, key);
        FTL_TRY(add_column(table, columns, names, &room, key, size, at, error));
        if (take_value(columns, &at) == 0)
            return broken(columns, columns->size, "", error);
        at = pass_space(columns, at);
        char c = character(columns, at);
        if (c == '}')
            break;
        if (c != ',')
            return broken(columns, at, "a comma is missing", error);
        at = pass_space(columns, at + 1);
    }
    at = pass_space(columns, at + 1);
    return at == columns->size ? FTL_OK : broken(columns, at, "something follows its end", error);
}

ftl_status ftl_json_columns_open(ftl_table *table, bool labelled, ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_columns *columns = FTL_ARENA_NEW(&table->arena, ftl_json_columns);
    if (!columns)
        return FTL_OOM(error);
    json->layout = FTL_JSON_COLUMNS;
    json->objects = false;
    json->columns = columns;
    columns->labelled = labelled;
    FTL_TRY(hold_document(table, columns, error));
    ftl_json_names names = {.account = table->account};
    ftl_status status = find_columns(table, columns, &names, error);
    if (status == FTL_OK)
        status = ftl_json_set_names(&names, table, error);
    ftl_json_names_free(&names);
    if (status == FTL_OK && table->info.n_columns == 0)
        return FTL_FAIL(error, FTL_SCHEMA, "the table has no columns");
    return status;
}

ftl_status ftl_json_columns_bind(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_columns *columns = json->columns;
    size_t n = json->n_wanted ? json->n_wanted : 1; /* one says how many rows there are */
    columns->walked = ftl_arena_zero_array(&table->arena, n, sizeof *columns->walked);
    columns->at = ftl_arena_array(&table->arena, n, sizeof *columns->at);
    json->element_cells = ftl_arena_array(&table->arena, n, sizeof *json->element_cells);
    if (!columns->walked || !columns->at || !json->element_cells)
        return FTL_OOM(error);
    columns->n_walked = n;
    json->n_elements = json->n_wanted;
    for (size_t i = 0; i < table->info.n_columns; i++) {
        if (json->wanted_of[i] >= 0)
            columns->walked[json->wanted_of[i]] = i;
    }
    for (size_t i = 0; i < n; i++) {
        json->element_cells[i] = (int32_t)i;
        columns->at[i] = columns->starts[columns->walked[i]];
    }
    return FTL_OK;
}

/* One row of a column is to be read. */
typedef struct taken {
    const uint8_t *value;
    const char *label;
    size_t size, label_size;
} taken;

static ftl_status other_rows(const ftl_table *table, const ftl_json_columns *columns, size_t i,
                             const char *what, ftl_error *error)
{
    return FTL_FAIL(error, FTL_SHAPE, "row %llu: column '%.80s' %s column '%.80s'",
                    (unsigned long long)columns->rows + 1, table->names[columns->walked[i]], what,
                    table->names[columns->walked[0]]);
}

/* The next value of a walked column; value NULL: it has no more. */
static ftl_status step(const ftl_json_columns *columns, size_t i, taken *out, ftl_error *error)
{
    size_t at = pass_space(columns, columns->at[i]);
    char c = character(columns, at);
    *out = (taken){.label_size = 0};
    if (c == (columns->labelled ? '}' : ']'))
        return FTL_OK;
    if (columns->rows) {
        if (c != ',')
            return broken(columns, at, "a comma is missing", error);
        at = pass_space(columns, at + 1);
    }
    if (columns->labelled)
        FTL_TRY(take_key(columns, &at, &out->label, &out->label_size, error));
    size_t first = at;
    out->size = take_value(columns, &at);
    if (out->size == 0)
        return broken(columns, first, "a value is missing", error);
    out->value = columns->doc + first;
    columns->at[i] = at;
    return FTL_OK;
}

static ftl_status append(ftl_account *account, ftl_block_bytes *bytes, const void *data,
                         size_t size, ftl_error *error)
{
    FTL_TRY(ftl_block_bytes_reserve(account, bytes, bytes->size + size, error));
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return FTL_OK;
}

/* A row behind the others of the block: an array of the wanted values. END when there is none. */
static ftl_status add_row(ftl_table *table, ftl_json_columns *columns, ftl_json_block *block,
                          ftl_error *error)
{
    const ftl_json_table *json = table->state;
    taken first = {0};
    size_t start = block->bytes.size;
    FTL_TRY(append(table->account, &block->bytes, "[", 1, error));
    for (size_t i = 0; i < columns->n_walked; i++) {
        taken value;
        FTL_TRY(step(columns, i, &value, error));
        if (i == 0)
            first = value;
        if (!value.value != !first.value)
            return other_rows(table, columns, i,
                              value.value ? "has more values than" : "has fewer values than",
                              error);
        if (value.label_size != first.label_size ||
            (value.label_size && memcmp(value.label, first.label, value.label_size) != 0))
            return other_rows(table, columns, i, "has another label than", error);
        if (!value.value || json->n_wanted == 0)
            continue;
        if (i)
            FTL_TRY(append(table->account, &block->bytes, ",", 1, error));
        FTL_TRY(append(table->account, &block->bytes, value.value, value.size, error));
        if (block->bytes.size - start > table->max_record)
            return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
                                   "row %llu is longer than %zu bytes; raise the limit with "
                                   "options.max_record_bytes",
                                   (unsigned long long)columns->rows + 1, table->max_record);
    }
    if (!first.value)
        return FTL_END;
    FTL_TRY(append(table->account, &block->bytes, "]", 1, error));
    FTL_TRY(ftl_grow(table->account, &block->records, &block->records_room, block->block.rows + 1,
                     sizeof *block->records, error));
    block->records[block->block.rows++] = (ftl_json_record){
        .start = (uint32_t)start, .size = (uint32_t)(block->bytes.size - start), .line = -1};
    columns->rows++;
    return FTL_OK;
}

ftl_status ftl_json_columns_read(ftl_table *table, size_t max_rows, ftl_json_block *block,
                                 ftl_error *error)
{
    ftl_json_columns *columns = ((ftl_json_table *)table->state)->columns;
    while (!columns->ended && block->block.rows < max_rows &&
           block->bytes.size < table->block_bytes) {
        size_t complete = block->bytes.size;
        ftl_status status = add_row(table, columns, block, error);
        if (status != FTL_OK)
            block->bytes.size = complete;
        columns->ended = status != FTL_OK;
        if (status != FTL_OK && status != FTL_END)
            return status;
    }
    return block->block.rows ? FTL_OK : FTL_END;
}

void ftl_json_columns_close(ftl_table *table)
{
    ftl_json_columns *columns = ((ftl_json_table *)table->state)->columns;
    if (!columns)
        return;
    ftl_free(table->account, columns->doc);
    ftl_free(table->account, columns->starts);
}
