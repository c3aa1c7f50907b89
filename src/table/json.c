/* JSON and JSON lines. docs/JSON.md says what is read how. */
#include "table/json.h"

#include "io/json.h"

#include <stdio.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

static size_t skip_space(const uint8_t *data, size_t at, size_t size)
{
    while (at < size && memchr(" \t\r\n", data[at], 4))
        at++;
    return at;
}

/* What begins with a bracket and what may follow one. A line of a CSV file may begin so as well, so
 * that a name that says CSV weighs more. */
static int json_bid(const uint8_t *data, size_t size)
{
    enum { LOOKED_AT = 16 }; /* whatever else is shown: the answer does not depend on it */
    size = size < LOOKED_AT ? size : LOOKED_AT;
    size_t at = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    at = skip_space(data, at, size);
    if (at == size)
        return 0;
    uint8_t open = data[at];
    if (open != '{' && open != '[')
        return -1;
    at = skip_space(data, at + 1, size);
    if (at == size)
        return 4;
    const char *first = open == '{' ? "\"}" : "[{]\"-0123456789tfnNI";
    return strchr(first, data[at]) && data[at] ? 8 : -1;
}

/* Without a name JSON is told first; it sees when there is a row on each line. */
static int lines_bid(const uint8_t *data, size_t size)
{
    int bid = json_bid(data, size);
    return bid > 0 ? bid - 1 : bid;
}

static ftl_status set_options(ftl_json_table *json, ftl_arena *arena,
                              const ftl_table_options *options, ftl_error *error)
{
    json->decimal = options->decimal ? options->decimal : '.';
    if (json->decimal != '.' && json->decimal != ',')
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "decimal",
                               "the decimal mark is '.' or ','");
    if (options->no_header)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "no_header",
                               "options.no_header is for CSV; a JSON file has no header line");
    if (options->delimiter)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "delimiter",
                               "options.delimiter is for CSV; the input is JSON");
    json->na_given = options->n_na_values > 0;
    json->empty_is_missing = options->empty_text == FTL_EMPTY_IS_MISSING;
    return ftl_na_values_init(&json->na, arena, options->na_values, options->n_na_values,
                              json->decimal, error);
}

static ftl_status open_as(ftl_table *table, const ftl_table_options *options, bool lines,
                          ftl_error *error)
{
    ftl_json_table *json = FTL_ARENA_NEW(&table->arena, ftl_json_table);
    if (!json)
        return FTL_OOM(error);
    table->state = json;
    json->cut.line = 1;
    snprintf(table->info.encoding, sizeof table->info.encoding, "%s",
             options->encoding ? options->encoding : "UTF-8");
    FTL_TRY(set_options(json, &table->arena, options, error));
    FTL_TRY(ftl_json_begin(table, lines, error));
    if (json->layout == FTL_JSON_LINES)
        table->format = &ftl_table_jsonl;
    return FTL_OK;
}

static ftl_status json_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    return open_as(table, options, false, error);
}

static ftl_status lines_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    return open_as(table, options, true, error);
}

static void json_close(ftl_table *table)
{
    if (table->state)
        ftl_json_columns_close(table);
}

ftl_status ftl_json_bind(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    size_t n = table->info.n_columns;
    json->give_json = table->give_json;
    json->wanted_of = ftl_arena_array(&table->arena, n, sizeof *json->wanted_of);
    json->cell_of = ftl_arena_array(&table->arena, table->n_requests + 1, sizeof *json->cell_of);
    if (!json->wanted_of || !json->cell_of)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        json->wanted_of[i] = -1;
    for (size_t i = 0; i < table->n_requests; i++) {
        int32_t *wanted = &json->wanted_of[table->requests[i].index];
        if (*wanted < 0)
            *wanted = (int32_t)json->n_wanted++;
        json->cell_of[i] = (uint32_t)*wanted;
    }
    json->element_cells = json->wanted_of;
    json->n_elements = n;
    return json->layout == FTL_JSON_COLUMNS ? ftl_json_columns_bind(table, error) : FTL_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status row_too_long(const ftl_table *table, const ftl_json_table *json, ftl_error *error)
{
    ftl_error_set(error, FTL_LIMIT,
                  "line %lld: the row that begins here is longer than %zu bytes; look for a quote "
                  "or a bracket that is not closed, or raise the limit with "
                  "options.max_record_bytes",
                  (long long)json->cut.line, table->max_record);
    ftl_error_because(error, FTL_REASON_RECORD_SIZE, "max_record_bytes");
    if (error)
        error->line = json->cut.line;
    return FTL_LIMIT;
}

/* Behind the last row of a document: the other members of its object, and nothing more. */
static ftl_status finish(ftl_table *table, ftl_json_table *json, ftl_error *error)
{
    char c;
    json->finished = true;
    if (json->layout == FTL_JSON_LINES || json->layout == FTL_JSON_SEQUENCE)
        return FTL_OK;
    FTL_TRY(ftl_json_peek(table, &c, error));
    while (json->wrapped && c != '}') {
        FTL_TRY(ftl_json_expect(table, ',', "a comma is missing behind the rows", error));
        FTL_TRY(ftl_json_peek(table, &c, error));
        if (c != '"')
            return ftl_json_damaged(json, "the name of a member is missing", error);
        FTL_TRY(ftl_json_pass_value(table, error));
        FTL_TRY(ftl_json_expect(table, ':', "there is no colon behind a name", error));
        FTL_TRY(ftl_json_peek(table, &c, error));
        FTL_TRY(ftl_json_pass_value(table, error));
        FTL_TRY(ftl_json_peek(table, &c, error));
    }
    if (json->wrapped)
        FTL_TRY(ftl_json_expect(table, '}', "a brace is missing", error));
    FTL_TRY(ftl_json_peek(table, &c, error));
    return c ? ftl_json_damaged(json, "something follows its end", error) : FTL_OK;
}

/* Rows in data[0..size), as far as wanted: their records are listed; cut->at moves behind the last.
 */
static ftl_json_found cut_rows(const ftl_table *table, ftl_json_table *json, ftl_json_block *block,
                               const uint8_t *data, size_t size, bool final, size_t max_rows,
                               const char **what)
{
    ftl_json_found found = FTL_JSON_ROW;
    size_t base = block->bytes.size, wanted = table->block_bytes - base;
    while (block->block.rows < max_rows && block->block.rows < block->records_room &&
           json->cut.at < wanted) {
        ftl_json_span row;
        ftl_json_cut before = json->cut;
        found = ftl_json_cut_row(&json->cut, json->layout, data, size, final, &row, what);
        if (found != FTL_JSON_ROW)
            break;
        if (row.size > table->max_record) {
            json->cut = before;
            return FTL_JSON_MORE; /* the caller sees that it is too long */
        }
        block->records[block->block.rows++] = (ftl_json_record){
            .start = (uint32_t)(base + row.start), .size = (uint32_t)row.size, .line = row.line};
    }
    return found;
}

static ftl_status read_rows(ftl_table *table, ftl_json_table *json, size_t max_rows,
                            ftl_json_block *block, ftl_error *error)
{
    for (size_t min = 1; !json->finished && block->block.rows < max_rows &&
                         block->bytes.size < table->block_bytes;) {
        const uint8_t *data;
        const char *what = NULL;
        size_t size, complete = block->block.rows; /* rows whose bytes are in the block */
        FTL_TRY(ftl_stream_ahead(table->stream, min, &data, &size, error));
        FTL_TRY(ftl_grow(table->account, &block->records, &block->records_room, complete + 1,
                         sizeof *block->records, error));
        ftl_json_found found = cut_rows(table, json, block, data, size, size < min, max_rows,
                                        &what);
        size_t used = json->cut.at;
        /* what stands before the first row is dropped */
        if (block->block.rows) {
            ftl_status status = ftl_block_bytes_reserve(table->account, &block->bytes,
                                                        block->bytes.size + used, error);
            if (status != FTL_OK) {
                block->block.rows = complete;
                return status;
            }
            memcpy(block->bytes.data + block->bytes.size, data, used);
            block->bytes.size += used;
        }
        ftl_stream_consume(table->stream, used);
        json->cut.at = 0;
        if (found == FTL_JSON_DAMAGE)
            return ftl_json_damaged(json, what, error);
        if (found == FTL_JSON_END)
            FTL_TRY(finish(table, json, error));
        if (found == FTL_JSON_MORE && size - used > table->max_record)
            return row_too_long(table, json, error);
        min = found == FTL_JSON_MORE ? size - used + 1 : 1;
        if (block->block.rows && table->flush_early && ftl_stream_waits(table->stream, min))
            break;
    }
    return block->block.rows ? FTL_OK : FTL_END;
}

static ftl_status json_read(ftl_table *table, size_t max_rows, ftl_table_block *into,
                            ftl_error *error)
{
    ftl_json_block *block = (ftl_json_block *)into;
    ftl_json_table *json = table->state;
    block->bytes.size = 0;
    if (json->layout == FTL_JSON_COLUMNS)
        return ftl_json_columns_read(table, max_rows, block, error);
    return read_rows(table, json, max_rows, block, error);
}

static void json_block_free(ftl_table_block *block)
{
    ftl_json_block *json = (ftl_json_block *)block;
    ftl_free(block->account, json->bytes.data);
    ftl_free(block->account, json->records);
}

static int64_t json_line(const ftl_table_block *block, size_t row)
{
    return ((const ftl_json_block *)block)->records[row].line;
}

/* ---- Rejected rows ---------------------------------------------------------------------------- */

/* On one line: line ends of sound JSON are white space. */
static void put_line(ftl_strbuf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ftl_strbuf_putc(out, text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]);
}

/* Whether the text is one object or array, and whether it holds nothing. */
static bool is_sound(const char *text, size_t size, bool *empty)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, text, size, FTL_JSON_NONFINITE);
    if (ftl_json_next(&json, &token, NULL) != FTL_OK ||
        (token != FTL_JSON_OBJECT && token != FTL_JSON_ARRAY))
        return false;
    for (size_t n = 0; token != FTL_JSON_DONE; n++) {
        if (ftl_json_next(&json, &token, NULL) != FTL_OK)
            return false;
        if (n == 0)
            *empty = token == FTL_JSON_OBJECT_END || token == FTL_JSON_ARRAY_END;
    }
    return true;
}

/* The row with the reason as one more member; a row that is no JSON becomes a text. */
static ftl_status json_reject(const ftl_table *table, const ftl_table_block *block, size_t row,
                              const char *reason, ftl_strbuf *out, ftl_error *error)
{
    (void)table;
    const ftl_json_block *from = (const ftl_json_block *)block;
    const char *text = (const char *)from->bytes.data + from->records[row].start;
    size_t size = from->records[row].size, length = strlen(reason);
    bool empty = false;
    while (size && memchr(" \t\r\n", *text, 4)) {
        text++;
        size--;
    }
    if (is_sound(text, size, &empty)) {
        bool object = text[0] == '{';
        put_line(out, text, size - 1);
        ftl_strbuf_puts(out, empty ? "" : ", ");
        ftl_strbuf_puts(out, object ? "\"error\": " : "");
        ftl_strbuf_json_string(out, reason, length);
        ftl_strbuf_puts(out, object ? "}\n" : "]\n");
    } else {
        ftl_strbuf_puts(out, "{\"record\": ");
        ftl_strbuf_json_string(out, text, size);
        ftl_strbuf_puts(out, ", \"error\": ");
        ftl_strbuf_json_string(out, reason, length);
        ftl_strbuf_puts(out, "}\n");
    }
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static const char *const json_endings[] = {".json", NULL};
static const char *const lines_endings[] = {".jsonl", ".ndjson", NULL};

const ftl_table_format ftl_table_json = {
    .name = "JSON",
    .keyword = "json",
    .endings = json_endings,
    .abilities = FTL_TABLE_CELLS | FTL_TABLE_RECORDS | FTL_TABLE_JSON,
    .reject_format = "jsonl",
    .bid = json_bid,
    .open = json_open,
    .close = json_close,
    .bind = ftl_json_bind,
    .block_size = sizeof(ftl_json_block),
    .block_free = json_block_free,
    .read = json_read,
    .line = json_line,
    .batch_size = sizeof(ftl_json_scratch),
    .batch_free = ftl_json_batch_free,
    .convert = ftl_json_convert,
    .explain = ftl_json_explain,
    .reject = json_reject,
};

const ftl_table_format ftl_table_jsonl = {
    .name = "JSON lines",
    .keyword = "jsonl",
    .endings = lines_endings,
    .abilities = FTL_TABLE_CELLS | FTL_TABLE_RECORDS | FTL_TABLE_JSON,
    .reject_format = "jsonl",
    .bid = lines_bid,
    .open = lines_open,
    .close = json_close,
    .bind = ftl_json_bind,
    .block_size = sizeof(ftl_json_block),
    .block_free = json_block_free,
    .read = json_read,
    .line = json_line,
    .batch_size = sizeof(ftl_json_scratch),
    .batch_free = ftl_json_batch_free,
    .convert = ftl_json_convert,
    .explain = ftl_json_explain,
    .reject = json_reject,
};
