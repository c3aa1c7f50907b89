/* CSV: RFC 4180 and what people have. docs/CSV.md says what is read how. */
#include "table/csv.h"
#include "base/utf8.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <string.h>

enum {
    SNIFF_BYTES = 16 * 1024,
    DEFAULT_BLOCK = 256 * 1024 /* a block, its index and its numbers stay in the cache */
};

static int csv_bid(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0; /* what no other format claims */
}

#define PICKLE "a pickle, such as a model or a data frame; save the table as CSV"
#define JSON "JSON, but is called CSV; read it with options.input_format 'json' or 'jsonl'"

/* Files that are no table of text but are offered in the place of one. */
static ftl_status refuse_foreign(const uint8_t *data, size_t size, ftl_error *error)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *what;
    } foreign[] = {
        {"\xff\xfe", 2, "UTF-16 text; read it with options.encoding 'utf-16'"},
        {"\xfe\xff", 2, "UTF-16 text; read it with options.encoding 'utf-16'"},
        {"PAR1", 4, "a Parquet file, which options.input_format calls CSV"},
        {"ARROW1", 6, "an Arrow file, which options.input_format calls CSV"},
        {"PK\3\4", 4, "a zip file (.xlsx, .npz); save the table as CSV or .npy"},
        {"\xd0\xcf\x11\xe0", 4, "an Excel file; save the table as CSV"},
        {"SQLite format 3", 15, "a SQLite database; export the table as CSV"},
        {"\x89HDF", 4, "an HDF5 file; save the table as CSV"},
        {"\x80\2", 2, PICKLE},
        {"\x80\3", 2, PICKLE},
        {"\x80\4", 2, PICKLE},
        {"\x80\5", 2, PICKLE},
        {"{\"", 2, JSON},
        {"{\n", 2, JSON},
        {"[{", 2, JSON},
        {"[\n", 2, JSON},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(foreign); i++) {
        if (size >= foreign[i].size && memcmp(data, foreign[i].magic, foreign[i].size) == 0)
            return FTL_FAIL(error, FTL_UNSUPPORTED, "the input is %s", foreign[i].what);
    }
    return FTL_OK;
}

static bool usable_delimiter(char c)
{
    return (c >= ' ' || c == '\t') && c != '"' && !(c >= '0' && c <= '9');
}

static ftl_status set_dialect(ftl_csv *csv, const ftl_table_options *options, ftl_error *error)
{
    csv->decimal = options->decimal ? options->decimal : '.';
    if (csv->decimal != '.' && csv->decimal != ',')
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "decimal",
                               "the decimal mark is '.' or ','");
    csv->empty_is_text = options->empty_text == FTL_EMPTY_IS_TEXT;
    csv->delimiter = options->delimiter;
    if (csv->delimiter && !usable_delimiter(csv->delimiter))
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "delimiter",
                               "the delimiter is one ASCII character, no digit, quote or line end");
    if (csv->delimiter == csv->decimal)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "delimiter",
                               "the delimiter and the decimal mark are both '%c'", csv->decimal);
    return FTL_OK;
}

/* The next record that is not blank, shown in the stream's buffer and not consumed; END when there
 * is none. */
static ftl_status peek_record(ftl_table *table, ftl_csv *csv, const uint8_t **record,
                              size_t *content, size_t *total, ftl_error *error)
{
    ftl_csv_scan scan = {0};
    for (size_t min = 1;;) {
        size_t size;
        FTL_TRY(ftl_stream_ahead(table->stream, min, record, &size, error));
        if (size == 0)
            return FTL_END;
        ftl_csv_found found = ftl_csv_scan_record(&scan, csv->delimiter, *record, size, size < min,
                                                  content, total);
        if (found == FTL_CSV_OPEN_QUOTE)
            return ftl_csv_open_quote(table, error);
        /* a CR at the end may be the beginning of its line end */
        size_t least = found != FTL_CSV_MORE ? *content : size - ((*record)[size - 1] == '\r');
        if (least > table->max_record)
            return ftl_csv_too_long(table, error);
        if (found == FTL_CSV_RECORD && !ftl_csv_is_blank(*record, *content, csv->delimiter))
            return FTL_OK;
        min = size + 1;
        if (found == FTL_CSV_RECORD) {
            ftl_stream_consume(table->stream, *total);
            csv->line++;
            scan = (ftl_csv_scan){0};
            min = 1;
        }
    }
}

/* The name of a header cell; an empty one gets pandas' name, which is what models of such files
 * have. */
static const char *cell_name(ftl_table *table, size_t column, const uint8_t *cell, size_t size)
{
    if (size && cell[0] == '"') {
        char *text = ftl_arena_alloc(&table->arena, size);
        if (!text)
            return NULL;
        size = ftl_csv_unquote(cell, size, text);
        cell = (const uint8_t *)text;
    }
    if (size == 0)
        return ftl_arena_printf(&table->arena, "Unnamed: %zu", column);
    return ftl_arena_string(&table->arena, (const char *)cell, size);
}

/* Names are UTF-8: a file in another encoding shows itself in its header, or in its cells. */
static ftl_status check_names(const ftl_table *table, int64_t line, ftl_error *error)
{
    for (size_t i = 0; i < table->info.n_columns; i++) {
        if (ftl_utf8_valid(table->names[i], strlen(table->names[i])))
            continue;
        char shown[FTL_CSV_SHOWN];
        ftl_csv_show(table->names[i], strlen(table->names[i]), shown);
        ftl_error_set(error, FTL_SCHEMA,
                      "line %lld, the name of column %zu: '%s' is not UTF-8; give the encoding of "
                      "the file with options.encoding, such as 'latin-1' or 'cp1252'",
                      (long long)line, i + 1, shown);
        ftl_error_because(error, FTL_REASON_BAD_CELL, "encoding");
        if (error) {
            error->line = line;
            error->column = (int64_t)i;
        }
        return FTL_SCHEMA;
    }
    return FTL_OK;
}

static ftl_status read_header(ftl_table *table, const ftl_csv *csv, const uint8_t *record,
                              size_t size, ftl_error *error)
{
    if (memchr(record, '\0', size))
        return FTL_FAIL(error, FTL_SCHEMA,
                        "the header line has a zero byte: the input is no text table, or it is "
                        "UTF-16; then give options.encoding 'utf-16-le' or 'utf-16-be'");
    uint32_t *ends = ftl_arena_array(&table->arena, table->info.n_columns, sizeof *ends);
    table->names = ftl_arena_zero_array(&table->arena, table->info.n_columns, sizeof *table->names);
    if (!ends || !table->names)
        return FTL_OOM(error);
    ftl_csv_split(record, size, csv->delimiter, ends, table->info.n_columns);
    for (size_t i = 0, begin = 0; i < table->info.n_columns; begin = ends[i++] + (size_t)1) {
        table->names[i] = cell_name(table, i, record + begin, ends[i] - begin);
        if (!table->names[i])
            return FTL_OOM(error);
    }
    return check_names(table, csv->line, error);
}

/* What is looked at to find out how cells are told apart: the first line where rows are awaited. */
static ftl_status show_beginning(ftl_table *table, const uint8_t **data, size_t *size, bool *final,
                                 ftl_error *error)
{
    size_t min = table->flush_early ? 1 : SNIFF_BYTES;
    for (size_t seen = 0;;) {
        FTL_TRY(ftl_stream_ahead(table->stream, min, data, size, error));
        *final = *size < min;
        if (!table->flush_early || *final || *size >= SNIFF_BYTES)
            return FTL_OK;
        const uint8_t *end = memchr(*data + seen, '\n', *size - seen);
        if (end) {
            *size = (size_t)(end - *data) + 1;
            return FTL_OK;
        }
        seen = *size;
        min = seen + 1;
    }
}

static ftl_status begin(ftl_table *table, ftl_csv *csv, const ftl_table_options *options,
                        ftl_error *error)
{
    const uint8_t *data;
    size_t size, content = 0, total = 0;
    bool final;
    FTL_TRY(show_beginning(table, &data, &size, &final, error));
    FTL_TRY(refuse_foreign(data, size, error));
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        ftl_stream_consume(table->stream, 3);
        data += 3;
        size -= 3;
    }
    if (!csv->delimiter)
        csv->delimiter = ftl_csv_sniff(data, size, final, csv->decimal);
    table->info.delimiter = csv->delimiter;
    ftl_status status = peek_record(table, csv, &data, &content, &total, error);
    if (status == FTL_END)
        return FTL_FAIL(error, FTL_SCHEMA, "the table is empty: there is not even a header line");
    FTL_TRY(status);
    table->info.n_columns = ftl_csv_split(data, content, csv->delimiter, NULL, 0);
    if (options->no_header)
        return FTL_OK;
    FTL_TRY(read_header(table, csv, data, content, error));
    csv->line += 1 + (int64_t)ftl_csv_count_lines(data, content);
    ftl_stream_consume(table->stream, total);
    return FTL_OK;
}

static ftl_status csv_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    ftl_csv *csv = FTL_ARENA_NEW(&table->arena, ftl_csv);
    if (!csv)
        return FTL_OOM(error);
    table->state = csv;
    csv->line = 1;
    csv->kernels = &ftl_kernels_get()->csv;
    if (!options->block_bytes)
        table->block_bytes = DEFAULT_BLOCK;
    snprintf(table->info.encoding, sizeof table->info.encoding, "%s",
             options->encoding ? options->encoding : "UTF-8");
    FTL_TRY(set_dialect(csv, options, error));
    FTL_TRY(ftl_na_values_init(&csv->na, &table->arena, options->na_values, options->n_na_values,
                               csv->decimal, error));
    return begin(table, csv, options, error);
}

static void csv_close(ftl_table *table)
{
    ftl_csv *csv = table->state;
    if (csv)
        ftl_free(table->account, csv->rest);
}

static void csv_tell(const ftl_table *table, ftl_table_position *out)
{
    const ftl_csv *csv = table->state;
    out->offset = ftl_stream_offset(table->stream) - csv->rest_size;
    out->line = csv->line;
}

static ftl_status csv_seek(ftl_table *table, const ftl_table_position *to, ftl_error *error)
{
    ftl_csv *csv = table->state;
    csv->rest_size = 0;
    csv->line = to->line;
    return ftl_stream_seek(table->stream, to->offset, error);
}

static int64_t csv_line(const ftl_table_block *block, size_t row)
{
    const ftl_csv_block *csv = (const ftl_csv_block *)block;
    return csv->line + csv->rows[row].line;
}

/* The record as it came, then the reason as one more cell. */
static ftl_status csv_reject(const ftl_table *table, const ftl_table_block *block, size_t row,
                             const char *reason, ftl_strbuf *out, ftl_error *error)
{
    const ftl_csv *csv = table->state;
    size_t size;
    const char *record = ftl_csv_record((const ftl_csv_block *)block, row, &size);
    ftl_strbuf_append(out, record, size);
    ftl_strbuf_putc(out, csv->delimiter);
    ftl_strbuf_putc(out, '"');
    for (const char *c = reason; *c; c++) {
        if (*c == '"')
            ftl_strbuf_putc(out, '"');
        ftl_strbuf_putc(out, *c);
    }
    ftl_strbuf_puts(out, "\"\n");
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static void csv_batch_free(ftl_row_batch *batch)
{
    ftl_csv_scratch *scratch = batch->state;
    ftl_free(batch->account, scratch->text);
}

static const char *const csv_endings[] = {".csv", ".tsv", ".tab", ".txt", NULL};

const ftl_table_format ftl_table_csv = {
    .name = "CSV",
    .keyword = "csv",
    .endings = csv_endings,
    .abilities = FTL_TABLE_CELLS | FTL_TABLE_RECORDS,
    .bid = csv_bid,
    .open = csv_open,
    .close = csv_close,
    .tell = csv_tell,
    .seek = csv_seek,
    .block_size = sizeof(ftl_csv_block),
    .block_free = ftl_csv_block_free,
    .read = ftl_csv_read,
    .line = csv_line,
    .batch_size = sizeof(ftl_csv_scratch),
    .batch_free = csv_batch_free,
    .convert = ftl_csv_convert,
    .explain = ftl_csv_explain,
    .reject_format = "csv",
    .reject = csv_reject,
};
