/*
 * Records of CSV texts: however a text is cut into pieces and blocks, and on every instruction set,
 * rows, lines, cells and errors are those that the scanner of csv_scan.h finds, record by record.
 */
#include "random_numbers.h"
#include "table_helper.h"

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "table/csv.h"

#include <stdio.h>

enum { MOST = 900, TEXTS = 60000, LONG_FACTOR = 60 };

static const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};

static const ftl_csv_kernels *kernels_of(size_t set)
{
    bool has = (ftl_cpu_flags() & sets[set]) == sets[set];
    return &ftl_kernels_for(has ? sets[set] : 0)->csv;
}

static size_t times(size_t n)
{
    const char *profile = getenv("FTL_TEST_PROFILE");
    return profile && strcmp(profile, "long") == 0 ? n * LONG_FACTOR : n;
}

typedef struct want {
    size_t start, size;
    int64_t line;
} want;

/* What the text holds; how it ends, and on which line. */
typedef struct wanted {
    want rows[MOST];
    size_t n;
    ftl_status status;
    int64_t line;
} wanted;

static void scan_text(const uint8_t *text, size_t size, size_t max_record, wanted *out)
{
    *out = (wanted){.status = FTL_END, .line = 1};
    for (size_t at = 0; at < size;) {
        ftl_csv_scan scan = {0};
        size_t content = 0, total = 0;
        ftl_csv_found found = ftl_csv_scan_record(&scan, ',', text + at, size - at, true, &content,
                                                  &total);
        if (found != FTL_CSV_RECORD)
            content = size - at;
        if (found != FTL_CSV_RECORD || content > max_record) {
            out->status = content > max_record ? FTL_LIMIT : FTL_VALUE;
            return;
        }
        if (!ftl_csv_is_blank(text + at, content, ','))
            out->rows[out->n++] = (want){at, content, out->line};
        out->line += 1 + (int64_t)ftl_csv_count_lines(text + at, content);
        at += total;
    }
}

/* The block's rows are the next ones that are wanted. */
static void check_block(const ftl_csv_block *block, size_t n_columns, const uint8_t *text,
                        const wanted *w, size_t first)
{
    uint32_t ends[MOST];
    bool ragged = false;
    for (size_t row = 0; row < block->block.rows; row++) {
        assert_true(first + row < w->n);
        const want *r = &w->rows[first + row];
        size_t size;
        const char *record = ftl_csv_record(block, row, &size);
        assert_int_equal(size, r->size);
        assert_memory_equal(record, text + r->start, size);
        assert_int_equal(ftl_table_block_line(&block->block, row), r->line);
        size_t cells = ftl_csv_split(text + r->start, r->size, ',', ends, MOST);
        const ftl_csv_row *got = &block->rows[row];
        assert_int_equal(got->cells, cells);
        ragged |= cells != n_columns;
        for (size_t i = 0; i < cells; i++)
            assert_int_equal(block->index.ends[got->first + i] - got->start, ends[i]);
    }
    assert_true(block->ragged == ragged);
}

static void check_text(const uint8_t *text, size_t size, size_t set)
{
    static wanted w;
    size_t max_record = random_below(4) ? 2000 : 1 + random_below(60), seen = 0;
    const ftl_table_options options = {.no_header = true,
                                       .delimiter = ',',
                                       .max_record_bytes = max_record,
                                       .block_bytes = 1 + random_below(random_below(2) ? 40 : 900)};
    piecewise state = {.data = (const char *)text,
                       .size = size,
                       .piece = 1 + random_below(random_below(2) ? 5 : 400)};
    size_t max_rows = 1 + random_below(random_below(2) ? 3 : 50);
    ftl_stream *stream;
    ftl_table *table;
    ftl_table_block *block;
    ftl_error error;
    ftl_account *account = test_account();
    assert_int_equal(ftl_stream_create(account, &piecewise_ops, &state, 0, &stream, NULL), FTL_OK);
    ftl_status status = ftl_table_open(account, stream, &options, &table, &error);
    scan_text(text, size, max_record, &w);
    if (status != FTL_OK) { /* there is no first record */
        assert_int_equal(w.n, 0);
        ftl_stream_close(stream);
        return;
    }
    ((ftl_csv *)table->state)->kernels = kernels_of(set);
    assert_int_equal(ftl_table_bind(table, NULL, 0, NULL), FTL_OK);
    assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
    while ((status = ftl_table_read(table, max_rows, block, &error)) == FTL_OK) {
        assert_in_range(ftl_table_block_rows(block), 1, max_rows);
        check_block((const ftl_csv_block *)block, ftl_table_get_info(table)->n_columns, text, &w,
                    seen);
        seen += ftl_table_block_rows(block);
    }
    assert_int_equal(seen, w.n);
    assert_int_equal(status, w.status);
    if (status != FTL_END)
        assert_int_equal(error.line, w.line);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
    assert_int_equal(live_blocks, 0);
}

/* Letters of which some are special, and pieces that keep to the rules or break them. */
static size_t random_text(uint8_t *text, size_t turn)
{
    static const char *const alphabets[] = {
        ",\"\n\r",          "a,\"\"\n\r",     "ab,,,\"\n ",        "0123456789,\n",
        "abcdefghijk,\r\n", "xyz,,\"\"\",\n", "aaaaaaaaa\t \n,\"", "aaaaaaaaaaaaaaa\","};
    static const char *const pieces[] = {",\"x,\ny\"",  "\n\"\"\"\",", ",\"\",",  "\r\n",
                                         "\r\n\"a\"\n", "5\" x,",      "\"a\"b,", "\"a\" \"b\"\n",
                                         "\n  \t\n",    "\"\r\n\""};
    const char *letters = alphabets[random_below(8)];
    size_t size = random_below(turn % 16 ? 200 : MOST), i = 0;
    while (i < size) {
        const char *piece = pieces[random_below(10)];
        if (turn % 3 == 0 && random_below(4) == 0 && i + strlen(piece) < size) {
            memcpy(text + i, piece, strlen(piece));
            i += strlen(piece);
        } else {
            text[i++] = (uint8_t)letters[random_below((uint32_t)strlen(letters))];
        }
    }
    return size;
}

static void reads_what_the_scanner_reads(void **unused)
{
    (void)unused;
    static uint8_t text[MOST];
    for (size_t n = 0; n < times(TEXTS); n++) {
        size_t size = random_text(text, n);
        for (size_t set = 0; set < 3; set++)
            check_text(text, size, set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_the_scanner_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
