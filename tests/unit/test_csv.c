/* CSV tables: dialects, cells, bad rows, and that neither blocks nor pieces of the stream change
 * what is read. */
#include "table_helper.h"

#include <math.h>
#include <stdio.h>

/* What a table holds, as text: "header|header\nline:cell|cell\n…"; <NA> marks missing strings, bad
 * rows get a "!" and a message. */
typedef struct dump {
    char text[65536];
    size_t size;
} dump;

static void put(dump *d, const char *format, ...) FTL_PRINTF(2, 3);
static void put(dump *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(d->text + d->size, sizeof d->text - d->size, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof d->text - d->size);
    d->size += (size_t)n;
}

static void dump_cell(dump *d, const ftl_column *column, size_t row)
{
    if (column->type == FTL_F64)
        put(d, "%.17g", ((const double *)column->values)[row]);
    else if (column->type == FTL_F32)
        put(d, "%.9gf", (double)((const float *)column->values)[row]);
    else if (column->validity[row / 8] >> row % 8 & 1)
        put(d, "%.*s", (int)(column->offsets[row + 1] - column->offsets[row]),
            (const char *)column->values + column->offsets[row]);
    else
        put(d, "<NA>");
}

static void dump_batch(dump *d, const ftl_table *table, const ftl_table_block *block,
                       ftl_row_batch *batch)
{
    ftl_row_view view;
    ftl_row_batch_view(batch, &view);
    size_t problem = 0;
    for (size_t row = 0; row < view.batch.rows; row++) {
        put(d, "%lld:", (long long)ftl_table_block_line(block, row));
        for (size_t i = 0; i < view.batch.n_columns; i++) {
            put(d, "%s", i ? "|" : "");
            dump_cell(d, &view.batch.columns[i], row);
        }
        if (view.bad[row]) {
            ftl_error error;
            size_t bad_row;
            ftl_row_batch_problem(table, block, batch, problem++, &bad_row, &error);
            assert_int_equal(bad_row, row);
            put(d, "!%s %lld %s", ftl_status_name(error.code), (long long)error.column,
                error.message);
        }
        put(d, "\n");
    }
    assert_int_equal(problem, view.n_bad);
}

/* types: one letter a column: f float64, g float32, s string, r raw string, - not bound. */
static ftl_status bind_types(ftl_table *table, const char *types, ftl_error *error)
{
    ftl_table_column_request requests[64];
    size_t n = 0;
    for (size_t i = 0; types[i]; i++) {
        if (types[i] == '-')
            continue;
        ftl_type type = types[i] == 'f' ? FTL_F64 : types[i] == 'g' ? FTL_F32 : FTL_STRING;
        requests[n++] = (ftl_table_column_request){
            .index = i, .type = type, .raw = types[i] == 'r'};
    }
    return ftl_table_bind(table, requests, n, error);
}

static ftl_status dump_rows(dump *d, ftl_table *table, const char *types, size_t max_rows,
                            ftl_error *error)
{
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    FTL_TRY(bind_types(table, types, error));
    ftl_status status = ftl_table_block_create(table, &block, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(table, &batch, error);
    while (status == FTL_OK) {
        status = ftl_table_read(table, max_rows, block, error);
        if (status == FTL_OK)
            status = ftl_table_convert(table, block, batch, error);
        if (status == FTL_OK)
            dump_batch(d, table, block, batch);
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    return status == FTL_END ? FTL_OK : status;
}

/* Opens, dumps and closes; an error ends the dump as "CODE message". */
static ftl_status dump_table(dump *d, ftl_account *account, ftl_stream *stream,
                             const ftl_table_options *options, const char *types, size_t max_rows)
{
    ftl_error error;
    ftl_table *table;
    d->size = 0;
    d->text[0] = '\0';
    ftl_status status = ftl_table_open(account, stream, options, &table, &error);
    if (status != FTL_OK) {
        ftl_stream_close(stream);
    } else {
        for (size_t i = 0;
             ftl_table_column_name(table, 0) && i < ftl_table_get_info(table)->n_columns; i++)
            put(d, "%s%s", i ? "|" : "", ftl_table_column_name(table, i));
        put(d, "\n");
        status = dump_rows(d, table, types, max_rows, &error);
        ftl_table_close(table);
    }
    if (status != FTL_OK)
        put(d, "%s %s", ftl_status_name(status), error.message);
    return status;
}

static void expect(const char *csv, size_t size, const ftl_table_options *options,
                   const char *types, const char *want)
{
    static dump d;
    static const size_t batches[] = {1, 2, 3, 1000};
    static const size_t pieces[] = {1, 2, 7, 100000};
    for (size_t i = 0; i < 4; i++) {
        ftl_account *account = test_account();
        piecewise state = {.data = csv, .size = size, .piece = pieces[i]};
        ftl_table_options with = options ? *options : (ftl_table_options){0};
        with.block_bytes = i == 1 ? 16 : 0; /* blocks of a record or two */
        ftl_stream *stream;
        assert_int_equal(ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, NULL),
                         FTL_OK);
        dump_table(&d, account, stream, &with, types, batches[i]);
        assert_string_equal(d.text, want);
        assert_int_equal(ftl_account_used(account), 0);
    }
}

static void expect_text(const char *csv, const char *types, const char *want)
{
    expect(csv, strlen(csv), NULL, types, want);
}

static void reads_plain_cells(void **unused)
{
    (void)unused;
    expect_text("a,b,c\n1,x,2.5\n-3e2,y z,inf\n", "fsf", "a|b|c\n2:1|x|2.5\n3:-300|y z|inf\n");
    expect_text("a,b\n1,2\n3,4", "fg", "a|b\n2:1|2f\n3:3|4f\n");
    expect_text("a,b\n0.1,0.1\n", "fg", "a|b\n2:0.10000000000000001|0.100000001f\n");
    expect_text("a,b,c\n1,2,3\n", "--f", "a|b|c\n2:3\n");
    expect_text("a,b,c\n1,2,3\n", "", "a|b|c\n2:\n");
    expect_text("a,b\n", "ff", "a|b\n");
    expect_text("a,b", "ff", "a|b\n");
    expect_text("a\n1\n2\n", "f", "a\n2:1\n3:2\n");
    expect_text("a,b\n 1 ,\t2\n  ,3\n", "ff", "a|b\n2:1|2\n3:nan|3\n");
    expect_text("a,b\nTrue,false\nFALSE,true\n", "ff", "a|b\n2:1|0\n3:0|1\n");
}

static void reads_line_ends(void **unused)
{
    (void)unused;
    expect_text("a,b\r\n1,2\r\n3,4\r\n", "ff", "a|b\n2:1|2\n3:3|4\n");
    expect_text("a,b\r1,2\r3,4", "ff", "a|b\n2:1|2\n3:3|4\n");
    expect_text("a,b\r\n1,2\n3,4\r5,6\r\n", "ff", "a|b\n2:1|2\n3:3|4\n4:5|6\n");
    expect_text("\n\na,b\n\n1,2\n   \n\t\n3,4\n\n\n", "ff", "a|b\n5:1|2\n8:3|4\n");
    expect_text("a,b\r\n\r\n1,2\r\n", "ff", "a|b\n3:1|2\n");
    expect_text("\xef\xbb\xbf"
                "a,b\n1,2\n",
                "ff", "a|b\n2:1|2\n");
    expect_text("\xef\xbb\xbf\"a\",b\n1,2\n", "ff", "a|b\n2:1|2\n");
}

static void reads_quotes(void **unused)
{
    (void)unused;
    expect_text("a,b\n\"x,y\",\"1\"\n", "sf", "a|b\n2:x,y|1\n");
    expect_text("a,b\n\"say \"\"hi\"\"\",2\n", "sf", "a|b\n2:say \"hi\"|2\n");
    expect_text("a,b\n\"two\nlines\",1\nx,2\n", "sf", "a|b\n2:two\nlines|1\n4:x|2\n");
    expect_text("a,b\n\"two\r\nlines\r\n\",1\nx,2\n", "sf", "a|b\n2:two\r\nlines\r\n|1\n5:x|2\n");
    expect_text("\"a\nb\",c\n1,2\n", "ff", "a\nb|c\n3:1|2\n");
    expect_text("a,b\n5\" pipe,1\nx\"y\"z,2\n", "sf", "a|b\n2:5\" pipe|1\n3:x\"y\"z|2\n");
    expect_text("a,b\n\"x\"tail,1\n\"x\" \"y\",2\n", "sf", "a|b\n2:xtail|1\n3:x \"y\"|2\n");
    expect_text("a,b\n\"\",1\n\"\"\"\",2\n", "rf", "a|b\n2:|1\n3:\"|2\n");
    expect_text("a,b\n\"NA\",\"NA\"\n", "sf", "a|b\n2:<NA>|nan\n");
    expect_text("a,b\n\"\",\"\"\n,\n", "sf", "a|b\n2:<NA>|nan\n3:<NA>|nan\n");
    expect_text("a,b\n1,\"\"\n", "fs", "a|b\n2:1|<NA>\n");
    expect_text("a,b\n1,\"open\n2,3\n", "fs",
                "a|b\nVALUE line 2: a quote opened in the record that begins here is never closed");
    expect_text(
        "a,b\n1,2\n\"open\n2,3\n", "fs",
        "a|b\n2:1|2\nVALUE line 3: a quote opened in the record that begins here is never closed");
    expect_text("a\n\"\"\n\" \"\n", "s", "a\n2:<NA>\n3: \n");
}

static void reads_missing_cells(void **unused)
{
    (void)unused;
    expect_text("a,b,c\n,,\nNA,NA,NA\n#N/A N/A,None,<NA>\n-1.#IND,1.#QNAN,nan\n", "fsr",
                "a|b|c\n2:nan|<NA>|\n3:nan|<NA>|NA\n4:nan|<NA>|<NA>\n5:nan|<NA>|nan\n");
    expect_text("a,b\nN,NAN\nnone,na\n", "ss", "a|b\n2:N|NAN\n3:none|na\n");
    static const char *const na[] = {"-999", "?"};
    static const ftl_table_options options = {.na_values = na, .n_na_values = 2};
    const char *csv = "a,b\n-999,-999\n-999.0,-999.0\n?,?\n,\n1,NA\n";
    expect(csv, strlen(csv), &options, "fs",
           "a|b\n2:nan|<NA>\n3:nan|-999.0\n4:nan|<NA>\n5:nan|<NA>\n6:1|NA\n");
}

static void reads_dialects(void **unused)
{
    (void)unused;
    expect_text("a;b\n1;x,y\n2;z\n", "fs", "a|b\n2:1|x,y\n3:2|z\n");
    expect_text("a\tb\tc\n1\tx, y\t3\n", "fsf", "a|b|c\n2:1|x, y|3\n");
    expect_text("a|b\n1|2\n", "ff", "a|b\n2:1|2\n");
    expect_text("a;b\n1,5;2\n", "sf", "a|b\n2:1,5|2\n");
    expect_text("one column\n1\n", "f", "one column\n2:1\n");
    expect_text("\"x;y;z\",b\n1,2\n", "ff", "x;y;z|b\n2:1|2\n");
    static const ftl_table_options comma = {.decimal = ',', .delimiter = ';'};
    const char *csv = "a;b\n1,5;-2,5e1\n1.5;2\n";
    expect(csv, strlen(csv), &comma, "ff",
           "a|b\n2:1.5|-25\n3:nan|nan!VALUE 0 line 3, column 'a': '1.5' is not a number; the "
           "decimal mark is set to ','\n");
    static const ftl_table_options bare = {.no_header = true};
    csv = "1,2\n3,x\n";
    expect(csv, strlen(csv), &bare, "ff",
           "\n1:1|2\n2:nan|nan!VALUE 1 line 2, cell 2: 'x' is not a number\n");
    static const ftl_table_options given = {.delimiter = ' '};
    csv = "a b\n1 2\n";
    expect(csv, strlen(csv), &given, "ff", "a|b\n2:1|2\n");
}

static void marks_bad_rows(void **unused)
{
    (void)unused;
    expect_text(
        "id,age,job\n1,12a,x\n2,5,y\n3,1;2,z\n", "rfs",
        "id|age|job\n2:1|nan|<NA>!VALUE 1 line 2, column 'age': '12a' is not a number\n3:2|5|y\n"
        "4:3|nan|<NA>!VALUE 1 line 4, column 'age': '1;2' is not a number\n");
    expect_text("id,a\n1\n2,3,4\n3,4\n", "rf",
                "id|a\n2:1|nan!SHAPE -1 line 2: 1 cell where the header has 2\n"
                "3:2|nan!SHAPE -1 line 3: 3 cells where the header has 2\n4:3|4\n");
    expect_text("a;b\n1,5;2\n3;4\n", "ff",
                "a|b\n2:nan|nan!VALUE 0 line 2, column 'a': '1,5' is not a number; for a decimal "
                "comma give options.decimal ','\n"
                "3:3|4\n");
    expect_text("a,b\n1,0123456789012345678901234567890123456789overlong\n", "ff",
                "a|b\n2:nan|nan!VALUE 1 line 2, column 'b': "
                "'0123456789012345678901234567890123456789...' is not a "
                "number\n");
    expect_text("a,b\n1,\"x\x1b[31m\n\"\n", "ff",
                "a|b\n2:nan|nan!VALUE 1 line 2, column 'b': 'x?[31m?' is not a number\n");
}

/* Bytes that are not UTF-8 in a text cell that somebody wants, and in no other. */
static void refuses_other_encodings(void **unused)
{
    (void)unused;
    expect_text("a,b,c\nZ\xfcrich,1,\xe4\nBern,2,\xe4\n", "sf",
                "a|b|c\n2:<NA>|nan!VALUE 0 line 2, column 'a': 'Z\\xfcrich' is not UTF-8; give the "
                "encoding of the file with options.encoding, such as 'latin-1' or 'cp1252'\n"
                "3:Bern|2\n");
    expect_text("a,b\n1\xa0,x\n", "fs",
                "a|b\n2:nan|<NA>!VALUE 0 line 2, column 'a': '1\\xa0' is not a number\n");
}

/* A quoted empty cell is missing, as pandas reads it, or a text without letters. */
static void reads_empty_quotes(void **unused)
{
    (void)unused;
    const char *csv = "a,b\n\"\",1\n,2\n\"x\",\"\"\n";
    expect_text(csv, "ss", "a|b\n2:<NA>|1\n3:<NA>|2\n4:x|<NA>\n");
    static const ftl_table_options text = {.empty_text = FTL_EMPTY_IS_TEXT};
    expect(csv, strlen(csv), &text, "ss", "a|b\n2:|1\n3:<NA>|2\n4:x|\n");
    static const ftl_table_options missing = {.empty_text = FTL_EMPTY_IS_MISSING};
    expect(csv, strlen(csv), &missing, "ss", "a|b\n2:<NA>|1\n3:<NA>|2\n4:x|<NA>\n");
}

static void refuses_what_is_no_table(void **unused)
{
    (void)unused;
    expect("", 0, NULL, "", "SCHEMA the table is empty: there is not even a header line");
    expect_text("\n  \n\n", "", "SCHEMA the table is empty: there is not even a header line");
    expect("a\0b,c\n", 6, NULL, "",
           "SCHEMA the header line has a zero byte: the input is no text table, or it is UTF-16; "
           "then give options.encoding 'utf-16-le' or 'utf-16-be'");
    expect("\xff\xfe"
           "a\0",
           4, NULL, "",
           "UNSUPPORTED the input is UTF-16 text; read it with options.encoding 'utf-16'");
    expect_text("a,gr\xf6\xdf"
                "e\n1,2\n",
                "",
                "SCHEMA line 1, the name of column 2: 'gr\\xf6\\xdfe' is not UTF-8; give the "
                "encoding of the file with options.encoding, such as 'latin-1' or 'cp1252'");
    static const ftl_table_options csv = {.format = "csv"};
    expect("PAR1xxxxxxxxxxxxxxxxxx", 22, &csv, "",
           "UNSUPPORTED the input is a Parquet file, which options.input_format calls CSV");
    expect_text("PK\3\4aaaaaaaaaaaaaa", "",
                "UNSUPPORTED the input is a zip file (.xlsx, .npz); save the table as CSV or .npy");
    static const ftl_table_options same = {.delimiter = ',', .decimal = ','};
    expect("a,b\n", 4, &same, "", "ARG the delimiter and the decimal mark are both ','");
    static const ftl_table_options quote = {.delimiter = '"'};
    expect("a,b\n", 4, &quote, "",
           "ARG the delimiter is one ASCII character, no digit, quote or line end");
}

static void caps_records(void **unused)
{
    (void)unused;
    static const ftl_table_options options = {.max_record_bytes = 20};
    const char *csv = "a,b\n1,2\n3,45678901234567890\n5,678901234567890123456\n7,8\n";
    expect(csv, strlen(csv), &options, "fs",
           "a|b\n2:1|2\n3:3|45678901234567890\nLIMIT line 4: the record that begins here is longer "
           "than 20 bytes; look for a quote "
           "that is not closed, or raise the limit with options.max_record_bytes");
    csv = "a,b\n1,\"2\n3,4\n5,6\n7,8\n9,0\n1,2\n3,4\n";
    expect(csv, strlen(csv), &options, "fs",
           "a|b\nLIMIT line 2: the record that begins here is longer than 20 bytes; look for a "
           "quote that is not closed, or "
           "raise the limit with options.max_record_bytes");
    csv = "a,b,012345678901234567890\n1,2,3\n";
    expect(csv, strlen(csv), &options, "fs",
           "LIMIT line 1: the record that begins here is longer than 20 bytes; look for a quote "
           "that is not closed, or "
           "raise the limit with options.max_record_bytes");
}

static void finds_columns(void **unused)
{
    (void)unused;
    static const char csv[] = ",a,b,a,\"b c\",\n1,2,3,4,5,6\n";
    ftl_table *table;
    assert_int_equal(open_table(test_account(), csv, sizeof csv - 1, NULL, &table, NULL), FTL_OK);
    size_t index = 99;
    assert_int_equal(ftl_table_find(table, "c", &index), 0);
    assert_int_equal(index, 99);
    assert_int_equal(ftl_table_find(table, "a", &index), 2);
    assert_int_equal(index, 1);
    assert_int_equal(ftl_table_find(table, "b c", &index), 1);
    assert_int_equal(index, 4);
    assert_int_equal(ftl_table_find(table, "Unnamed: 0", &index), 1);
    assert_int_equal(index, 0);
    assert_int_equal(ftl_table_find(table, "Unnamed: 5", &index), 1);
    assert_int_equal(index, 5);
    const ftl_table_info *info = ftl_table_get_info(table);
    assert_string_equal(info->format, "CSV");
    assert_int_equal(info->n_columns, 6);
    assert_int_equal(info->delimiter, ',');
    assert_int_equal(info->abilities, FTL_TABLE_CELLS | FTL_TABLE_RECORDS);
    assert_int_equal(ftl_table_column_type(table, 1), FTL_STRING);
    assert_string_equal(ftl_table_reject_format(table), "csv");
    assert_true(info->has_names);
    ftl_table_column_request beyond = {.index = 6};
    assert_int_equal(ftl_table_bind(table, &beyond, 1, NULL), FTL_ARG);
    ftl_table_close(table);
}

static void keeps_records(void **unused)
{
    (void)unused;
    static const char csv[] = "a,b\r\n\r\n\"x\ny\",2\r\n3,4\r\n";
    ftl_table *table;
    ftl_table_block *block;
    assert_int_equal(open_table(test_account(), csv, sizeof csv - 1, NULL, &table, NULL), FTL_OK);
    assert_int_equal(ftl_table_bind(table, NULL, 0, NULL), FTL_OK);
    assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
    assert_int_equal(ftl_table_block_rows(block), 2);
    ftl_strbuf rejected;
    ftl_strbuf_init(&rejected, test_account(), 0);
    assert_int_equal(ftl_table_block_reject(table, block, 0, "a \"b\"", &rejected, NULL), FTL_OK);
    assert_string_equal(ftl_strbuf_text(&rejected), "\"x\ny\",2,\"a \"\"b\"\"\"\n");
    ftl_strbuf_free(&rejected);
    assert_int_equal(ftl_table_block_line(block, 0), 3);
    assert_int_equal(ftl_table_block_line(block, 1), 5);
    assert_int_equal(ftl_table_block_first_row(block), 0);
    assert_int_equal(ftl_table_bytes_read(table), sizeof csv - 1);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_END);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_END);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
}

/* The first cell of the rows that are left, in batches of so many rows. */
static size_t read_first_cells(ftl_table *table, size_t rows_at_once, double *out)
{
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_row_view view;
    size_t n = 0;
    assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
    assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
    while (ftl_table_read(table, rows_at_once, block, NULL) == FTL_OK) {
        assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
        ftl_row_batch_view(batch, &view);
        for (size_t row = 0; row < view.batch.rows; row++)
            out[n++] = ((const double *)view.batch.columns[0].values)[row];
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    return n;
}

/* From every place where a table stood, a new one goes on with the same rows and lines. */
static void goes_on_where_it_stood(void **unused)
{
    (void)unused;
    static const char csv[] = "a,b\n1,x\n\n2,\"y\nz\"\r\n3,x\n4,x\n5,\"\"\n6,x";
    static const ftl_table_column_request request = {.index = 0, .type = FTL_F64};
    enum { rows = 6 };
    for (size_t before = 1; before <= rows; before++) {
        for (int piped = 0; piped < 2; piped++) {
            ftl_account *account = test_account();
            ftl_table *table;
            ftl_table_block *block;
            ftl_table_position at;
            double values[rows];
            assert_int_equal(open_table(account, csv, sizeof csv - 1, NULL, &table, NULL), FTL_OK);
            assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
            assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
            assert_int_equal(ftl_table_read(table, before, block, NULL), FTL_OK);
            ftl_table_tell(table, &at);
            assert_int_equal(at.rows, before);
            ftl_table_block_destroy(block);
            ftl_table_close(table);
            piecewise state = {.data = csv, .size = sizeof csv - 1, .piece = 7};
            ftl_stream *stream;
            if (piped)
                assert_int_equal(
                    ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, NULL), FTL_OK);
            else
                assert_int_equal(
                    ftl_stream_open_memory(account, csv, sizeof csv - 1, &stream, NULL), FTL_OK);
            assert_int_equal(ftl_table_open(account, stream, NULL, &table, NULL), FTL_OK);
            assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
            assert_int_equal(ftl_table_seek(table, &at, NULL), FTL_OK);
            assert_int_equal(read_first_cells(table, 2, values), rows - before);
            for (size_t i = before; i < rows; i++)
                assert_true(values[i - before] == (double)(i + 1));
            ftl_table_position end;
            ftl_table_tell(table, &end);
            assert_int_equal(end.rows, rows);
            ftl_table_close(table);
            assert_int_equal(ftl_account_used(account), 0);
        }
    }
}

/* 200,000 rows hold no more memory than 2,000. */
static void memory_stays_constant(void **unused)
{
    (void)unused;
    enum { rows = 200000, line = 16 };
    char *csv = malloc(rows * line + 64);
    assert_non_null(csv);
    size_t size = (size_t)snprintf(csv, rows * line, "a,b,c\n");
    for (int i = 0; i < rows; i++)
        size += (size_t)snprintf(csv + size, 64, "%d,x%d,%d\n", i % 997, i % 89, i % 7);
    uint64_t peak[2] = {0, 0};
    for (int half = 0; half < 2; half++) {
        ftl_account *account = test_account();
        ftl_table *table;
        ftl_table_block *block;
        ftl_row_batch *batch;
        const char *end = csv;
        for (int i = 0; i < 2001; i++)
            end = strchr(end, '\n') + 1;
        assert_int_equal(
            open_table(account, csv, half ? size : (size_t)(end - csv), NULL, &table, NULL),
            FTL_OK);
        assert_int_equal(bind_types(table, "fsr", NULL), FTL_OK);
        assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
        uint64_t seen = 0;
        while (ftl_table_read(table, 500, block, NULL) == FTL_OK) {
            assert_int_equal(ftl_table_block_first_row(block), seen);
            assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
            seen += ftl_table_block_rows(block);
            if (ftl_account_used(account) > peak[half])
                peak[half] = ftl_account_used(account);
        }
        assert_int_equal(seen, half ? rows : 2000);
        ftl_row_batch_destroy(batch);
        ftl_table_block_destroy(block);
        ftl_table_close(table);
    }
    free(csv);
    assert_in_range(peak[1], 1, peak[0] + peak[0] / 2);
}

static const char torture_csv[] =
    "id,\"a\nb\",c,Unnamed\n1,\"x\"\"y\",2,z\n\n2,NA,bad,long text in a cell\n3,4\n5,6,7,8\n";

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    static dump d;
    ftl_status status = FTL_NOMEM;
    for (long n = 1; status != FTL_OK; n++) {
        ftl_account *account = test_account();
        piecewise state = {.data = torture_csv, .size = sizeof torture_csv - 1, .piece = 11};
        ftl_stream *stream;
        fail_after = n;
        status = ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, NULL);
        if (status == FTL_OK)
            status = dump_table(&d, account, stream, NULL, "rsfs", 2);
        fail_after = 0;
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        assert_int_equal(ftl_account_used(account), 0);
        assert_int_equal(live_blocks, 0);
        assert_true(n < 1000);
    }
}

/* Memory that was short while a block was read and is there again: its rows have their bytes. */
static void rows_that_memory_was_short_for_are_not_given(void **unused)
{
    (void)unused;
    static const ftl_table_column_request request = {1, FTL_F64, false};
    static const char csv[] = "a,b\n1,2\n3,4\n";
    int failed = 0;
    for (long n = 1; n < 7; n++) {
        ftl_account *account = test_account();
        ftl_table *table;
        ftl_table_block *block;
        ftl_row_batch *batch;
        ftl_row_view view;
        assert_int_equal(open_table(account, csv, sizeof csv - 1, NULL, &table, NULL), FTL_OK);
        assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
        assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
        fail_after = n;
        ftl_status status = ftl_table_read(table, 10, block, NULL);
        fail_after = 0;
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        failed += status == FTL_NOMEM;
        assert_int_equal(ftl_table_block_rows(block), status == FTL_OK ? 2 : 0);
        assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
        ftl_row_batch_view(batch, &view);
        assert_int_equal(view.batch.rows, status == FTL_OK ? 2 : 0);
        ftl_row_batch_destroy(batch);
        ftl_table_block_destroy(block);
        ftl_table_close(table);
    }
    assert_int_equal(failed, 4); /* the bytes, the cells' and the lines' ends, the rows */
    assert_int_equal(live_blocks, 0);
}

static void survives_failing_reads(void **unused)
{
    (void)unused;
    static dump d;
    ftl_status status = FTL_IO;
    for (long n = 1; status != FTL_OK; n++) {
        ftl_account *account = test_account();
        piecewise state = {
            .data = torture_csv, .size = sizeof torture_csv - 1, .piece = 11, .fail_read = n};
        ftl_stream *stream;
        assert_int_equal(ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, NULL),
                         FTL_OK);
        status = dump_table(&d, account, stream, NULL, "rsfs", 2);
        assert_true(status == FTL_OK || status == FTL_IO);
        assert_int_equal(live_blocks, 0);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_cells),
        cmocka_unit_test(reads_line_ends),
        cmocka_unit_test(reads_quotes),
        cmocka_unit_test(reads_missing_cells),
        cmocka_unit_test(reads_dialects),
        cmocka_unit_test(marks_bad_rows),
        cmocka_unit_test(refuses_other_encodings),
        cmocka_unit_test(reads_empty_quotes),
        cmocka_unit_test(refuses_what_is_no_table),
        cmocka_unit_test(caps_records),
        cmocka_unit_test(finds_columns),
        cmocka_unit_test(keeps_records),
        cmocka_unit_test(goes_on_where_it_stood),
        cmocka_unit_test(memory_stays_constant),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(rows_that_memory_was_short_for_are_not_given),
        cmocka_unit_test(survives_failing_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
