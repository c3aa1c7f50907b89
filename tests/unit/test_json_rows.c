/* JSON tables: what is a row and what is none, the forms of documents, pieces of any size, files
 * that break off anywhere, failing memory. */
#include "table_helper.h"

#include "io/json.h"
#include "table/json_row.h"
#include "table/sink.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Everything that a run saw, as one text. */
typedef struct seen {
    char text[4096];
    size_t size;
    ftl_status status; /* END when all was read */
    ftl_error error;
} seen;

static void add(seen *s, const char *text, size_t size)
{
    assert_true(s->size + size < sizeof s->text);
    memcpy(s->text + s->size, text, size);
    s->size += size;
    s->text[s->size] = '\0';
}

static void add_row(seen *s, const ftl_row_view *view, size_t row)
{
    char number[40];
    for (size_t i = 0; i < view->batch.n_columns; i++) {
        const ftl_column *c = &view->batch.columns[i];
        if (i)
            add(s, ",", 1);
        if (c->type == FTL_F64) {
            double value = ((const double *)c->values)[row];
            add(s, number,
                (size_t)snprintf(number, sizeof number, isnan(value) ? "-" : "%g", value));
        } else if (c->validity[row / 8] >> row % 8 & 1) {
            add(s, "'", 1);
            add(s, (const char *)c->values + c->offsets[row],
                c->offsets[row + 1] - c->offsets[row]);
            add(s, "'", 1);
        } else {
            add(s, "-", 1);
        }
    }
    add(s, view->bad[row] ? "!;" : ";", view->bad[row] ? 2 : 1);
}

static ftl_status read_all(ftl_table *table, size_t max_rows, seen *s)
{
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    ftl_status status = ftl_table_block_create(table, &block, &s->error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(table, &batch, &s->error);
    while (status == FTL_OK &&
           (status = ftl_table_read(table, max_rows, block, &s->error)) == FTL_OK) {
        ftl_row_view view;
        status = ftl_table_convert(table, block, batch, &s->error);
        ftl_row_batch_view(batch, &view);
        for (size_t row = 0; status == FTL_OK && row < view.batch.rows; row++)
            add_row(s, &view, row);
        for (size_t i = 0; status == FTL_OK && i < view.n_bad; i++)
            ftl_row_batch_problem(table, block, batch, i, NULL, &s->error);
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    return status;
}

/* types: n for numbers, t for texts, r for raw texts, - for a column that is not asked for. piece
 * 0: all at once. */
static void see(ftl_account *account, const char *format, const char *data, size_t size,
                const char *types, size_t piece, seen *s)
{
    static const ftl_table_options defaults;
    ftl_table_options options = defaults;
    options.format = format;
    piecewise state = {.data = data, .size = size, .piece = piece ? piece : size + 1};
    ftl_stream *stream = NULL;
    ftl_table *table = NULL;
    *s = (seen){.size = 0};
    ftl_error_clear(&s->error);
    s->status = ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, &s->error);
    if (s->status == FTL_OK)
        s->status = ftl_table_open(account, stream, &options, &table, &s->error);
    if (s->status != FTL_OK) {
        ftl_stream_close(stream);
        return;
    }
    ftl_table_column_request requests[8];
    size_t n = 0;
    for (size_t i = 0; types[i] && i < ftl_table_get_info(table)->n_columns; i++) {
        if (types[i] != '-')
            requests[n++] = (ftl_table_column_request){
                .index = i, .type = types[i] == 'n' ? FTL_F64 : FTL_STRING, .raw = types[i] == 'r'};
    }
    s->status = ftl_table_bind(table, requests, n, &s->error);
    if (s->status == FTL_OK)
        s->status = read_all(table, piece ? 1 : 1000, s);
    ftl_table_close(table);
}

/* The same however it is cut. */
static void expect(const char *format, const char *data, const char *types, const char *wanted)
{
    static const size_t piece_sizes[] = {0, 1, 2, 3, 7};
    for (size_t i = 0; i < FTL_ARRAY_LEN(piece_sizes); i++) {
        static seen s;
        ftl_account *account = test_account();
        see(account, format, data, strlen(data), types, piece_sizes[i], &s);
        if (s.status != FTL_END)
            fail_msg("%s: %s", data, s.error.message);
        assert_string_equal(s.text, wanted);
        assert_int_equal(ftl_account_used(account), 0);
    }
}

static void expect_error(const char *format, const char *data, ftl_status code, const char *says)
{
    for (size_t piece = 0; piece < 3; piece++) {
        static seen s;
        ftl_account *account = test_account();
        see(account, format, data, strlen(data), "nnnn", piece, &s);
        assert_int_equal(s.status, code);
        if (!strstr(s.error.message, says))
            fail_msg("%s: %s", data, s.error.message);
        assert_int_equal(ftl_account_used(account), 0);
    }
}

static const char wanted[] = "1,'x',-;2,'y','True';";

static void reads_every_form(void **unused)
{
    (void)unused;
    static const char *const documents[] = {
        "[{\"a\":1,\"b\":\"x\",\"c\":null},{\"c\":true,\"a\":2,\"b\":\"y\"}]",
        " [ { \"a\" : 1 ,\n \"b\" : \"x\" } ,\r\n\t{\"c\":true,\"a\":2,\"b\":\"y\"} ] \n",
        "{\"a\":1,\"b\":\"x\",\"c\":null}\n{\"c\":true,\"a\":2,\"b\":\"y\"}",
        "{\"a\":1,\n\"b\":\"x\"}\n{\"c\":true,\"a\":2,\"b\":\"y\"}\n",
        "{\"columns\":[\"a\",\"b\",\"c\"],\"index\":[0,1],\"data\":[[1,\"x\",null],[2,\"y\",true]]"
        "}",
        "{\"index\":[0,1],\"columns\":[\"a\",\"b\",\"c\"],\"data\":[[1,\"x\",null],[2,\"y\",true]]"
        "}",
        "{\"schema\":{\"fields\":[{}]},\"data\":[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\",\"c\":"
        "true}]}",
        "{\"rows\":[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\",\"c\":true}],\"n\":{\"m\":[2]}}",
        "{\"0\":{\"a\":1,\"b\":\"x\"},\"1\":{\"a\":2,\"b\":\"y\",\"c\":true}}",
        "{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":\"x\",\"1\":\"y\"},\"c\":{\"0\":null,\"1\":true}}",
        "{\"a\":[1,2],\"b\":[\"x\",\"y\"],\"c\":[null,true]}",
        "\xef\xbb\xbf[{\"a\":1,\"b\":\"x\",\"c\":null},{\"a\":2,\"b\":\"y\",\"c\":true}]",
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(documents); i++)
        expect("json", documents[i], "ntt", wanted);
    expect("json", "[[1,\"x\",null],[2,\"y\",true]]", "ntt", wanted);
    expect("json", "[1,\"x\",null]\n[2,\"y\",true]\n", "ntt", wanted);
    expect("json", "{\"a\":1,\"b\":\"x\"}", "nt", "1,'x';");
    expect("jsonl",
           "\n \r\n{\"a\":1,\"b\":\"x\",\"c\":null}\r\n\n{\"c\":true,\"a\":2,\"b\":\"y\"}\n\n",
           "ntt", wanted);
    expect("jsonl", "[1,\"x\",null]\n[2,\"y\",true]", "ntt", wanted);
    expect("jsonl", "{\"t\":[1],\"a\":1}\n{\"t\":[2],\"a\":2}", "-n", "1;2;");
}

static void reads_cells(void **unused)
{
    (void)unused;
    expect("jsonl",
           "{\"a\":1.5e3,\"b\":\"\"}\n{\"a\":\" 2 \",\"b\":\"NA\"}\n{\"a\":\"NA\",\"b\":NaN}\n"
           "{\"a\":true,\"b\":false}\n{\"a\":-Infinity,\"b\":Infinity}\n{}\n",
           "nt", "1500,'';2,'NA';-,-;1,'False';-inf,'inf';-,-;");
    expect("jsonl", "{\"a\":123456789012345678901}\n{\"a\":1.50}\n{\"a\":[1, {\"b\":2}]}\n", "r",
           "'123456789012345678901';'1.50';'[1, {\"b\":2}]';");
    expect("jsonl",
           "{\"a\":\"\\u00e9\\ud83d\\ude00\\n\"}\n{\"\\u0061\":\"\\ud800\"}\n{\"a\":\"\\/\"}\n",
           "t", "'\xc3\xa9\xf0\x9f\x98\x80\n';'\xef\xbf\xbd';'/';");
    /* keys in another order, other keys, one twice, one with escapes */
    expect("jsonl",
           "{\"a\":1,\"b\":2}\n{\"b\":3,\"a\":4}\n{\"c\":0,\"ab\":1,\"a\":5}\n{\"a\":1,\"a\":2}\n"
           "{\"x\":1,\"x\":2,\"b\":6}\n{\"\\u0062\":7}\n",
           "nn", "1,2;4,3;5,-;-,-!;-,6;-,7;");
    /* rows that are bad are not others' fault; the raw cells of one are kept */
    expect("jsonl",
           "{\"a\":1,\"b\":2}\n{\"a\":\"z\",\"b\":2}\n{\"a\":[],\"b\":3}\n[1,2]\n7\n{\"a\":1\n{"
           "\"a\":4}\n",
           "nr", "1,'2';-,'2'!;-,'3'!;-,-!;-,-!;-,-!;4,-;");
    expect("json", "[[1,2],[3],[4,5,6],[7,8]]", "nn", "1,2;-,-!;-,-!;7,8;");
    expect("jsonl", "{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n{\"a\":\"y\"}\n", "t", "'x';-!;'y';");
}

static void names_what_is_wrong(void **unused)
{
    (void)unused;
    static const char *const empty[] = {"", " \n", "[]", "{}", "[{}]", "{\"a\":[1,2]", "[[]]"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(empty); i++) {
        static seen s;
        see(test_account(), "json", empty[i], strlen(empty[i]), "n", 0, &s);
        assert_true(s.status == FTL_SCHEMA || s.status == FTL_CORRUPT);
    }
    expect_error("json", "[1,2,3]", FTL_SCHEMA, "single values");
    expect_error("json", "{\"a\":{\"x\":1},\"b\":{\"x\":2}}", FTL_UNSUPPORTED, "rows from columns");
    expect_error("json", "{\"0\":{\"1\":1}}", FTL_UNSUPPORTED, "rows from columns");
    expect_error("json", "{\"data\":[[1]],\"columns\":[\"a\"]}", FTL_SCHEMA, "before \"data\"");
    expect_error("json", "{\"columns\":[\"a\"],\"index\":[0]}", FTL_SCHEMA, "no array \"data\"");
    expect_error("json", "{\"a\":[1,2],\"b\":[1]}", FTL_SHAPE, "fewer values than");
    expect_error("json", "{\"a\":[1],\"b\":[1,2]}", FTL_SHAPE, "more values than");
    expect_error("json", "{\"a\":[1],\"b\":2}", FTL_SCHEMA, "not all arrays");
    expect_error("json", "{\"a\":[1],\"a\":[2]}", FTL_SCHEMA, "twice");
    expect_error("json", "{\"a\":{\"0\":1,\"1\":2},\"b\":{\"1\":1,\"0\":2}}", FTL_SHAPE,
                 "another label");
    expect_error("json", "[{\"a\":1} {\"a\":2}]", FTL_CORRUPT, "comma");
    expect_error("json", "[{\"a\":1},]", FTL_CORRUPT, "row is missing");
    expect_error("json", "[{\"a\":1}", FTL_CORRUPT, "too early");
    expect_error("json", "[{\"a\":1}] 5", FTL_CORRUPT, "follows its end");
    expect_error("json", "{\"rows\":[{\"a\":1}],\"n\":}", FTL_CORRUPT, "value is missing");
    expect_error("jsonl", "{\"a\":\"\xff\"}\n", FTL_VALUE, "options.encoding");
    expect_error("jsonl", "{\"a\":1,}\n", FTL_CORRUPT, "line 1, the first row");
}

static void tells_why_a_row_is_bad(void **unused)
{
    (void)unused;
    static const struct {
        const char *data, *says;
    } cases[] = {
        {"{\"a\":1}\n\n{\"a\":\"zz\"}", "line 3, column 'a': 'zz' is not a number"},
        {"{\"a\":1}\n{\"a\":\"1,5\"}", "options.decimal ','"},
        {"{\"a\":1}\n{\"a\":{\"b\":1}}", "line 2, column 'a': '{\"b\":1}' is no single value"},
        {"{\"a\":1}\n{\"a\":1,\"a\":1}", "line 2, column 'a': the row has it twice"},
        {"{\"a\":1}\n{\"a\":tru}", "line 2, byte 6 of the row: the JSON is damaged"},
        {"{\"a\":1}\n[1]", "line 2: '[1]' is no object"},
        {"{\"a\":1}\n{\"a\":\"\xe9\"}", "line 2: '{\"a\":\"\\xe9\"}' is not UTF-8"},
        {"[1]\n[1,2]", "line 2: 2 values where there are 1 columns"},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        static seen s;
        see(test_account(), "jsonl", cases[i].data, strlen(cases[i].data), "n", 0, &s);
        assert_int_equal(s.status, FTL_END);
        if (!strstr(s.error.message, cases[i].says))
            fail_msg("%s: %s", cases[i].data, s.error.message);
        assert_int_equal(s.error.row, 1);
    }
}

/* RFC 8259, section by section: what a value may be, and what looks like one. */
static void knows_the_grammar(void **unused)
{
    (void)unused;
    static const char *const good[] = {
        "0",
        "-0",
        "1",
        "-12.5",
        "1e5",
        "1E+5",
        "1.0e-05",
        "0.0",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\uD83d\\ude00\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1, 2 ,3]",
        "{\"a\" :1 , \"b\":[ ]}",
        "[[[[]]]]",
        "NaN",
        "Infinity",
        "-Infinity",
        "\"\x7f\"",
        "\"\xc3\xa9\"",
        "1e999",
        "12345678901234567890",
    };
    static const char *const bad[] = {
        "",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "--1",
        "-01",
        "1.e5",
        "True",
        "nul",
        "nulll",
        "'a'",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\t\"",
        "\"a",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "[1}",
        "{\"a\":1]",
        "1 2",
        "nan",
        "infinity",
        "+Infinity",
        "-NaN",
        "/**/1",
        "1//",
        "\\u0031",
        "\"\\\"",
    };
    ftl_account *account = test_account();
    for (size_t i = 0; i < FTL_ARRAY_LEN(good) + FTL_ARRAY_LEN(bad); i++) {
        bool is_good = i < FTL_ARRAY_LEN(good);
        const char *value = is_good ? good[i] : bad[i - FTL_ARRAY_LEN(good)];
        char row[128];
        int32_t first = 0;
        for (int form = 0; form < 2; form++) {
            ftl_json_split split = {.columns = &first, .n_columns = 1};
            ftl_json_fault fault;
            assert_int_equal(ftl_json_split_init(&split, account, 1, NULL), FTL_OK);
            int n = snprintf(row, sizeof row, form ? "[[%s]]" : "[%s]", value);
            assert_int_equal(ftl_json_split_row(&split, row, (size_t)n, (size_t)n, &fault, NULL),
                             FTL_OK);
            bool sound = fault != FTL_JSON_BROKEN && (form || value[0] || fault == FTL_JSON_COUNT);
            if (value[0] && sound != is_good)
                fail_msg("%s is %s", row, sound ? "taken" : "refused");
            ftl_json_split_free(&split);
        }
    }
    assert_int_equal(ftl_account_used(account), 0);
}

/* A document that breaks off is no shorter document: it is an error, but for white space at its
 * end.
 */
static void breaks_off_anywhere(void **unused)
{
    (void)unused;
    static const char *const documents[] = {
        "[{\"a\":1,\"b\":\"x\"},{\"a\":22,\"b\":\"\\u0041\"}]",
        "{\"columns\":[\"a\",\"b\"],\"index\":[0,1],\"data\":[[1,\"x\"],[2,\"y\"]],\"n\":1}",
        "{\"0\":{\"a\":1},\"1\":{\"a\":2}}",
        "{\"a\":[1,2],\"b\":[3,4]}",
        "{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":1,\"1\":2}}",
    };
    for (size_t d = 0; d < FTL_ARRAY_LEN(documents); d++) {
        for (size_t size = 0; size < strlen(documents[d]); size++) {
            static seen s;
            ftl_account *account = test_account();
            see(account, "json", documents[d], size, "nn", size % 3, &s);
            if (s.status == FTL_END)
                fail_msg("%.*s is taken", (int)size, documents[d]);
            assert_int_equal(ftl_account_used(account), 0);
        }
    }
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    static const char *const documents[] = {
        "[{\"a\":1,\"b\":\"\\u0041\"},{\"\\u0061\":2,\"b\":\"yy\"}]",
        "{\"columns\":[\"a\",\"b\"],\"data\":[[1,\"x\"],[2,\"y\"]]}",
        "{\"a\":[1,2],\"b\":[\"x\",\"y\"]}",
    };
    for (size_t d = 0; d < FTL_ARRAY_LEN(documents); d++) {
        ftl_status status = FTL_NOMEM;
        for (long n = 1; status != FTL_END; n++) {
            static seen s;
            ftl_account *account = test_account();
            fail_after = n;
            see(account, "json", documents[d], strlen(documents[d]), "nt", 0, &s);
            fail_after = 0;
            status = s.status;
            assert_true(status == FTL_END || status == FTL_NOMEM);
            assert_int_equal(ftl_account_used(account), 0);
            assert_true(n < 1000);
        }
    }
}

/* Rows, and the document of the other layout, are bounded by max_record_bytes. */
static void bounds_rows(void **unused)
{
    (void)unused;
    const ftl_table_options small = {.format = "jsonl", .max_record_bytes = 20};
    static const char data[] = "{\"a\":1}\n{\"a\":\"12345678901234567890\"}\n";
    ftl_table *table;
    ftl_error error;
    static seen s;
    s.size = 0;
    const ftl_table_column_request request = {.index = 0, .type = FTL_STRING};
    assert_int_equal(open_table(test_account(), data, sizeof data - 1, &small, &table, &error),
                     FTL_OK);
    assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
    assert_int_equal(read_all(table, 10, &s), FTL_LIMIT);
    assert_string_equal(s.text, "'1';");
    assert_non_null(strstr(s.error.message, "line 2"));
    assert_non_null(strstr(s.error.message, "options.max_record_bytes"));
    ftl_table_close(table);
}

static void writes_what_it_reads(void **unused)
{
    (void)unused;
    static const double numbers[] = {0.1, (double)NAN, (double)INFINITY, -1e300};
    static const char text[] = "a\"\\b\n\x01\xc3\xa9";
    static const uint32_t offsets[] = {0, 1, 1, 8, 8};
    static const uint8_t valid = 0x7;
    static const uint8_t flags[] = {1, 0, 1, 0};
    const ftl_sink_column names[] = {{.name = "n\"", .type = FTL_F64},
                                     {.name = "t", .type = FTL_STRING},
                                     {.name = "b", .type = FTL_BOOL}};
    const ftl_column columns[] = {
        {.type = FTL_F64, .values = numbers},
        {.type = FTL_STRING, .values = text, .offsets = offsets, .validity = &valid},
        {.type = FTL_BOOL, .values = flags}};
    const ftl_batch batch = {.rows = 4, .n_columns = 3, .columns = columns};
    static const char *const written[] = {
        "[\n{\"n\\\"\":0.1,\"t\":\"a\",\"b\":true},\n{\"n\\\"\":null,\"t\":\"\",\"b\":false},\n"
        "{\"n\\\"\":1e999,\"t\":\"\\\"\\\\b\\u000a\\u0001\xc3\xa9\",\"b\":true},\n"
        "{\"n\\\"\":-1e+300,\"t\":null,\"b\":false}\n]\n",
        "{\"n\\\"\":0.1,\"t\":\"a\",\"b\":true}\n{\"n\\\"\":null,\"t\":\"\",\"b\":false}\n"
        "{\"n\\\"\":1e999,\"t\":\"\\\"\\\\b\\u000a\\u0001\xc3\xa9\",\"b\":true}\n"
        "{\"n\\\"\":-1e+300,\"t\":null,\"b\":false}\n"};
    for (int lines = 0; lines < 2; lines++) {
        char path[64], got[512];
        snprintf(path, sizeof path, "/tmp/test_json_rows_%ld.%s", (long)getpid(),
                 lines ? "ndjson" : "JSON");
        const ftl_sink_options options = {.path = path, .columns = names, .n_columns = 3};
        ftl_account *account = test_account();
        ftl_sink *sink = NULL;
        ftl_strbuf piece;
        ftl_strbuf_init(&piece, account, 0);
        assert_int_equal(ftl_sink_open(account, &options, &sink, NULL), FTL_OK);
        assert_int_equal(ftl_sink_append(sink, "", 0, 0, NULL), FTL_OK);
        assert_int_equal(ftl_sink_format(sink, &batch, NULL, &piece, NULL), FTL_OK);
        assert_int_equal(ftl_sink_append(sink, piece.data, piece.size, 4, NULL), FTL_OK);
        assert_int_equal(ftl_sink_commit(sink, NULL, NULL), FTL_OK);
        ftl_strbuf_free(&piece);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(got, 1, sizeof got - 1, file);
        got[size] = '\0';
        fclose(file);
        unlink(path);
        assert_string_equal(got, written[lines]);
        expect(lines ? "jsonl" : "json", got, "nrr",
               "0.1,'a','True';-,'','False';inf,'\"\\b\n\x01\xc3\xa9','True';-1e+300,-,'False';");
        assert_int_equal(ftl_account_used(account), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(reads_cells),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(tells_why_a_row_is_bad),
        cmocka_unit_test(knows_the_grammar),
        cmocka_unit_test(breaks_off_anywhere),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(bounds_rows),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
