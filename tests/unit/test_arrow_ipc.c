/*
 * Arrow IPC data that is damaged or odd: every file of the fuzz corpus cut off everywhere and
 * changed at random, messages that no writer makes, allocations that fail. Runs with what the fuzz
 * target does; under the sanitizers it shows that nothing is read that is not there.
 */
#include "table_helper.h"

#include "../../fuzz/fuzz_arrow_ipc.c"

#include "io/flatbuf_build.h"

#include <dirent.h>
#include <stdio.h>

enum { MOST_BYTES = 1 << 16 };

typedef struct seed {
    uint8_t bytes[MOST_BYTES];
    size_t size;
} seed;

static const char corpus[] = FTL_TEST_DIR "/../fuzz/corpus/arrow_ipc";

static void read_seed(const char *name, seed *out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", corpus, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    out->size = fread(out->bytes, 1, sizeof out->bytes, f);
    assert_in_range(out->size, 10, sizeof out->bytes - 1);
    fclose(f);
}

static size_t for_all(void (*fn)(const seed *from))
{
    DIR *folder = opendir(corpus);
    size_t n = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        static seed from;
        if (entry->d_name[0] == '.')
            continue;
        read_seed(entry->d_name, &from);
        fn(&from);
        n++;
    }
    closedir(folder);
    return n;
}

/* A block of the very size, so that a byte too far is seen. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void cut_off(const seed *from)
{
    for (size_t size = 0; size <= from->size; size++)
        run(from->bytes, size);
}

static void test_cut_off_everywhere(void **state)
{
    (void)state;
    assert_true(for_all(cut_off) > 20);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void mutate(const seed *from)
{
    static const uint8_t odd[] = {0, 1, 2, 7, 8, 0x7f, 0x80, 0xfe, 0xff};
    static seed changed;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 1500; i++) {
        changed = *from;
        for (size_t n = 1 + next_random(&x) % 4; n > 0; n--) {
            size_t at = 1 + next_random(&x) % (from->size - 1);
            uint64_t how = next_random(&x);
            if (how % 4 == 0)
                changed.bytes[at] = (uint8_t)(how >> 8);
            else if (how % 4 == 1)
                changed.bytes[at] ^= (uint8_t)(1u << (how >> 8) % 8);
            else
                memset(changed.bytes + at, odd[(how >> 8) % sizeof odd],
                       at + 8 <= from->size && how % 4 == 2 ? 8 : 1);
        }
        changed.bytes[0] = (uint8_t)next_random(&x);
        run(changed.bytes, changed.size);
    }
}

static void test_changed_at_random(void **state)
{
    (void)state;
    assert_true(for_all(mutate) > 20);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static ftl_status read_whole(ftl_account *account, const seed *from, bool piped, ftl_error *error)
{
    piecewise source = {.data = (const char *)from->bytes + 1, .size = from->size - 1, .piece = 7};
    const ftl_table_options options = {.format = "arrow"};
    ftl_table *table = NULL;
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    ftl_stream *stream;
    if (piped)
        FTL_TRY(ftl_stream_create(account, &piecewise_ops, &source, 0, &stream, error));
    else
        FTL_TRY(ftl_stream_open_memory(account, from->bytes + 1, from->size - 1, &stream, error));
    ftl_status status = ftl_table_open(account, stream, &options, &table, error);
    if (status != FTL_OK) {
        ftl_stream_close(stream);
        return status;
    }
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t n = ftl_table_get_info(table)->n_columns;
    for (size_t i = 0; i < n; i++)
        requests[i] = (ftl_table_column_request){i, ftl_table_column_type(table, i), true};
    status = ftl_table_bind(table, requests, n, error);
    if (status == FTL_OK)
        status = ftl_table_block_create(table, &block, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(table, &batch, error);
    while (status == FTL_OK) {
        status = ftl_table_read(table, 3, block, error);
        if (status == FTL_OK)
            status = ftl_table_convert(table, block, batch, error);
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
    return status;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    static const char *const names[] = {"file_types", "stream_lz4", "file_zstd", "stream_deltas",
                                        "stream_replaced"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(names) * 2; i++) {
        static seed from;
        ftl_status status = FTL_NOMEM;
        read_seed(names[i / 2], &from);
        for (long n = 1; status == FTL_NOMEM && n < 100000; n++) {
            live_blocks = 0;
            fail_after = n;
            ftl_error error;
            status = read_whole(test_account(), &from, i % 2, &error);
            fail_after = 0;
            assert_int_equal(live_blocks, 0);
        }
        assert_int_equal(status, FTL_END);
    }
}

/* ---- Messages that no writer makes ----------------------------------------------------------- */

static void put_message(ftl_strbuf *out, const ftl_strbuf *message)
{
    size_t size = (message->size + 7) / 8 * 8;
    ftl_strbuf_append(out, "\xff\xff\xff\xff", 4);
    ftl_strbuf_append(out, (const char *)&(uint32_t){(uint32_t)size}, 4);
    ftl_strbuf_append(out, message->data, message->size);
    for (size_t i = message->size; i < size; i++)
        ftl_strbuf_putc(out, 0);
}

/* A stream whose schema has one column x of a kind of Schema.fbs. */
static void put_schema(ftl_strbuf *out, int64_t version, int64_t endianness, int64_t kind)
{
    ftl_strbuf message;
    ftl_strbuf_init(&message, out->account, 0);
    ftl_fb_builder b = ftl_fb_build(&message);
    size_t root = ftl_fb_put_table(&b, (const ftl_fb_slot[]){{2, version}, {1, 1}, {4, 0}}, 3);
    ftl_fb_refer(&b, 0, root);
    size_t schema = ftl_fb_put_table(&b, (const ftl_fb_slot[]){{2, endianness}, {4, 0}}, 2);
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, root, 2), schema);
    size_t fields = ftl_fb_put_vector(&b, NULL, 1, 4, 4);
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, schema, 1), fields);
    size_t field = ftl_fb_put_table(
        &b, (const ftl_fb_slot[]){{4, 0}, {0, 0}, {1, kind}, {4, 0}, {0, 0}, {4, 0}}, 6);
    ftl_fb_refer(&b, ftl_fb_item_of(fields, 0, 4), field);
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, field, 0), ftl_fb_put_text(&b, "x"));
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, field, 3), ftl_fb_put_table(&b, NULL, 0));
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, field, 5), ftl_fb_put_vector(&b, NULL, 0, 4, 4));
    put_message(out, &message);
    ftl_strbuf_free(&message);
}

/* A record batch of the column, with two buffers that its body has not. */
static void put_batch(ftl_strbuf *out, int64_t rows, int64_t node_rows, int64_t nulls,
                      const int64_t buffers[4], int64_t body_size)
{
    ftl_strbuf message;
    ftl_strbuf_init(&message, out->account, 0);
    ftl_fb_builder b = ftl_fb_build(&message);
    size_t root = ftl_fb_put_table(
        &b, (const ftl_fb_slot[]){{2, 4}, {1, 3}, {4, 0}, {8, body_size}}, 4);
    ftl_fb_refer(&b, 0, root);
    size_t batch = ftl_fb_put_table(&b, (const ftl_fb_slot[]){{8, rows}, {4, 0}, {4, 0}}, 3);
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, root, 2), batch);
    const int64_t node[2] = {node_rows, nulls};
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, batch, 1), ftl_fb_put_vector(&b, node, 1, 16, 8));
    ftl_fb_refer(&b, ftl_fb_slot_of(&b, batch, 2), ftl_fb_put_vector(&b, buffers, 2, 16, 8));
    put_message(out, &message);
    for (int64_t i = 0; i < body_size && i < 4096; i++)
        ftl_strbuf_putc(out, 1);
    ftl_strbuf_free(&message);
}

static void refused(const ftl_strbuf *data, ftl_status status, const char *words)
{
    static seed from;
    for (int piped = 0; piped < 2; piped++) {
        ftl_error error;
        ftl_error_clear(&error);
        memcpy(from.bytes + 1, data->data, data->size);
        from.size = data->size + 1;
        assert_int_equal(read_whole(test_account(), &from, piped, &error), status);
        if (!strstr(error.message, words))
            fail_msg("'%s' is not in '%s'", words, error.message);
    }
}

enum { KIND_BOOL = 6, KIND_NULL = 1, V5 = 4 };

static void refuse_schema(int64_t version, int64_t endianness, int64_t kind, ftl_status status,
                          const char *words)
{
    ftl_strbuf out;
    ftl_strbuf_init(&out, test_account(), 0);
    put_schema(&out, version, endianness, kind);
    refused(&out, status, words);
    ftl_strbuf_free(&out);
}

static void refuse_batch(int64_t kind, int64_t rows, int64_t node_rows, int64_t nulls,
                         const int64_t buffers[4], int64_t body, ftl_status status,
                         const char *words)
{
    ftl_strbuf out;
    ftl_strbuf_init(&out, test_account(), 0);
    put_schema(&out, V5, 0, kind);
    put_batch(&out, rows, node_rows, nulls, buffers, body);
    refused(&out, status, words);
    ftl_strbuf_free(&out);
}

static void test_odd_schemas(void **state)
{
    (void)state;
    refuse_schema(V5, 0, KIND_BOOL, FTL_END, "");
    refuse_schema(V5, 1, KIND_BOOL, FTL_UNSUPPORTED, "big-endian");
    refuse_schema(V5, 0, 27, FTL_UNSUPPORTED, "column 'x' is of a type that is none");
    refuse_schema(V5, 0, 2, FTL_UNSUPPORTED, "column 'x' is of a type that is none"); /* int0 */
    refuse_schema(2, 0, KIND_BOOL, FTL_UNSUPPORTED, "metadata version 3");
}

static void test_odd_batches(void **state)
{
    (void)state;
    const int64_t good[4] = {0, 8, 8, 8}, far[4] = {0, 8, 8, INT64_MAX}, before[4] = {-8, 8, 0, 8};
    const int64_t none[4] = {0, 0, 8, 8};
    refuse_batch(KIND_BOOL, 64, 64, 3, good, 16, FTL_END, "");
    refuse_batch(KIND_BOOL, 65, 65, 3, good, 16, FTL_CORRUPT, "record batch 0, column 'x': its");
    refuse_batch(KIND_BOOL, 64, 63, 3, good, 16, FTL_CORRUPT, "it has 63 rows, 3 nulls among them");
    refuse_batch(KIND_BOOL, 64, 64, 65, good, 16, FTL_CORRUPT, "65 nulls among them, of 64");
    refuse_batch(KIND_BOOL, 64, 64, -1, good, 16, FTL_CORRUPT, "-1 nulls");
    refuse_batch(KIND_BOOL, 64, 64, 1, none, 16, FTL_CORRUPT,
                 "it counts nulls and has no validity");
    refuse_batch(KIND_BOOL, -1, -1, 0, good, 16, FTL_CORRUPT, "says that it has -1 rows");
    refuse_batch(KIND_BOOL, INT64_MAX, INT64_MAX, 0, good, 16, FTL_LIMIT, "says that it has 9223");
    refuse_batch(KIND_BOOL, 1, 1, 0, far, 16, FTL_CORRUPT, "buffer 1 of 9223372036854775807 bytes");
    refuse_batch(KIND_BOOL, 1, 1, 0, before, 16, FTL_CORRUPT, "at -8 lies outside of the body");
    refuse_batch(KIND_BOOL, 1, 1, 0, good, 8, FTL_CORRUPT, "lies outside of the body of 8");
    refuse_batch(KIND_BOOL, 1, 1, 0, good, -8, FTL_CORRUPT, "a body of -8 bytes");
    refuse_batch(KIND_BOOL, 1, 1, 0, good, (int64_t)1 << 20, FTL_CORRUPT, "truncated");
    refuse_batch(KIND_NULL, 1, 1, 1, good, 0, FTL_END, "");
    refuse_batch(KIND_NULL, (int64_t)1 << 40, (int64_t)1 << 40, 0, good, 0, FTL_LIMIT,
                 "says that it has 1099511627776 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off_everywhere),  cmocka_unit_test(test_changed_at_random),
        cmocka_unit_test(test_failing_allocations), cmocka_unit_test(test_odd_schemas),
        cmocka_unit_test(test_odd_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
