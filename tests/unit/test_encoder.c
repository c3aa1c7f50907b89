/* Encoders: what they write is read again by the codecs, in pieces of any size; failures of memory
 * and of who takes the bytes. */
#include "table_helper.h"

#include "io/codec.h"
#include "io/encoder.h"

#include <stdio.h>

static const ftl_encoding *const encodings[] = {&ftl_encoding_gzip, &ftl_encoding_bzip2,
                                                &ftl_encoding_xz, &ftl_encoding_lz4,
                                                &ftl_encoding_zstd};

#define EACH_ENCODING(e)                                              \
    for (size_t e##_i = 0; e##_i < FTL_ARRAY_LEN(encodings); e##_i++) \
        for (const ftl_encoding *e = encodings[e##_i]; e && e->start; e = NULL)

typedef struct taken {
    uint8_t *data;
    size_t size, room;
    size_t fail_at; /* bytes after which emit fails; 0: never */
} taken;

static ftl_status take(void *user, const void *data, size_t size, ftl_error *error)
{
    taken *t = user;
    if (t->fail_at && t->size + size > t->fail_at)
        return FTL_FAIL(error, FTL_IO, "full");
    if (t->size + size > t->room) {
        t->room = 2 * (t->size + size);
        t->data = realloc(t->data, t->room);
        assert_non_null(t->data);
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    return FTL_OK;
}

/* noise: bytes that no compression makes smaller. */
static uint8_t *make_plain(size_t size, bool noise)
{
    uint8_t *plain = malloc(size + 1);
    assert_non_null(plain);
    uint32_t seed = 12345;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        plain[i] = noise || i % 7 == 0 ? (uint8_t)(seed >> 24) : (uint8_t)(i / 64);
    }
    return plain;
}

static ftl_status encode(ftl_account *account, const ftl_encoding *encoding, const uint8_t *data,
                         size_t size, size_t piece, taken *out, ftl_error *error)
{
    ftl_encoder *encoder = NULL;
    FTL_TRY(ftl_encoder_create(account, encoding, take, out, &encoder, error));
    ftl_status status = FTL_OK;
    for (size_t at = 0; at < size && status == FTL_OK; at += piece)
        status = ftl_encoder_write(encoder, data + at, piece < size - at ? piece : size - at,
                                   error);
    if (status == FTL_OK)
        status = ftl_encoder_finish(encoder, error);
    ftl_encoder_destroy(encoder);
    return status;
}

static void expect_decoded(const ftl_encoding *encoding, const taken *packed, const uint8_t *plain,
                           size_t size)
{
    ftl_account *account = test_account();
    ftl_stream *stream = NULL;
    char names[64];
    uint8_t *out = malloc(size + 1);
    assert_non_null(out);
    assert_int_equal(ftl_stream_open_memory(account, packed->data, packed->size, &stream, NULL),
                     FTL_OK);
    assert_int_equal(ftl_codec_decode(account, &stream, 0, names, sizeof names, NULL), FTL_OK);
    assert_string_equal(names, encoding->name);
    size_t got = 0, n = 1;
    while (n && got < size + 1) {
        assert_int_equal(ftl_stream_read_some(stream, out + got, size + 1 - got, &n, NULL), FTL_OK);
        got += n;
    }
    assert_int_equal(got, size);
    assert_memory_equal(out, plain, size);
    ftl_stream_close(stream);
    free(out);
}

static void round_trips(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, 100, 65536, 1000003};
    EACH_ENCODING(e)
    {
        for (size_t s = 0; s < 2 * FTL_ARRAY_LEN(sizes); s++) {
            size_t size = sizes[s / 2];
            uint8_t *plain = make_plain(size, s % 2);
            static const size_t pieces[] = {SIZE_MAX / 2, 777, 1};
            for (size_t p = 0; p < (size <= 100 ? 3 : 2); p++) {
                ftl_account *account = test_account();
                taken packed = {0};
                assert_int_equal(encode(account, e, plain, size, pieces[p], &packed, NULL), FTL_OK);
                assert_int_equal(ftl_account_used(account), 0);
                expect_decoded(e, &packed, plain, size);
                free(packed.data);
            }
            free(plain);
        }
    }
}

/* Writes parts of `part` bytes from `from` on; of what stands before, another one has written it.
 */
static void encode_parts(const ftl_encoding *encoding, const uint8_t *plain, size_t from,
                         size_t size, size_t part, taken *out)
{
    ftl_account *account = test_account();
    ftl_encoder *encoder = NULL;
    assert_int_equal(ftl_encoder_create(account, encoding, take, out, &encoder, NULL), FTL_OK);
    if (from)
        assert_int_equal(ftl_encoder_go_on(encoder, NULL), FTL_OK);
    for (size_t at = from; at < size; at += part) {
        size_t n = part < size - at ? part : size - at;
        assert_int_equal(ftl_encoder_write(encoder, plain + at, n, NULL), FTL_OK);
        if (n == part)
            assert_int_equal(ftl_encoder_part(encoder, NULL), FTL_OK);
    }
    if (size % part || ftl_encoder_has_end(encoder))
        assert_int_equal(ftl_encoder_finish(encoder, NULL), FTL_OK);
    ftl_encoder_destroy(encoder);
    assert_int_equal(ftl_account_used(account), 0);
}

/*
 * Parts are one to who reads them, whatever the encoding; and who goes on behind any of them writes
 * the bytes that the first one would have written.
 */
static void writes_parts(void **unused)
{
    (void)unused;
    enum { SIZE = 600000, PART = 150000 };
    uint8_t *plain = make_plain(SIZE, false);
    EACH_ENCODING(whole)
    {
        const ftl_encoding *e = ftl_encoding_in_parts(whole);
        for (size_t size = SIZE - 777; size <= SIZE; size += 777) {
            taken packed = {0};
            encode_parts(e, plain, 0, size, PART, &packed);
            expect_decoded(e, &packed, plain, size);
            for (size_t from = PART; from < size; from += PART) {
                taken rest = {0};
                encode_parts(e, plain, from, size, PART, &rest);
                assert_true(rest.size && rest.size < packed.size);
                assert_memory_equal(rest.data, packed.data + (packed.size - rest.size), rest.size);
                free(rest.data);
            }
            free(packed.data);
        }
    }
    free(plain);
}

static void goes_by_endings(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *encoding;
        size_t before;
    } cases[] = {
        {"o.csv.gz", "gzip", 5}, {"o.BZ2", "bzip2", 1}, {"o.tsv.xz", "xz", 5}, {"o.lz4", "lz4", 1},
        {"a/b.Zst", "zstd", 3},  {"o.csv", NULL, 5},    {".gz", NULL, 3},      {"gz", NULL, 2},
        {"o.gzip", NULL, 6},     {"", NULL, 0},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        size_t size = strlen(cases[i].name);
        const ftl_encoding *found = ftl_encoding_of_name(cases[i].name, &size);
        assert_int_equal(found != NULL, cases[i].encoding != NULL);
        assert_int_equal(size, cases[i].before);
        if (found)
            assert_string_equal(found->name, cases[i].encoding);
    }
}

static void passes_failures_on(void **unused)
{
    (void)unused;
    uint8_t *plain = make_plain(300000, true);
    EACH_ENCODING(e)
    {
        for (size_t fail_at = 1; fail_at < 250000; fail_at = fail_at * 8) {
            ftl_account *account = test_account();
            ftl_error error;
            taken packed = {.fail_at = fail_at};
            assert_int_equal(encode(account, e, plain, 300000, 1000, &packed, &error), FTL_IO);
            assert_string_equal(error.message, "full");
            assert_int_equal(ftl_account_used(account), 0);
            free(packed.data);
        }
        ftl_status status = FTL_NOMEM;
        for (long n = 1; status != FTL_OK; n++) {
            ftl_account *account = test_account();
            taken packed = {0};
            fail_after = n;
            status = encode(account, e, plain, 10000, 1000, &packed, NULL);
            fail_after = 0;
            assert_true(status == FTL_OK || status == FTL_NOMEM);
            assert_int_equal(ftl_account_used(account), 0);
            assert_true(n < 100);
            free(packed.data);
        }
    }
    free(plain);
}

/* An encoding that was not compiled in is an error that names the switch. */
static void names_what_is_missing(void **unused)
{
    (void)unused;
    ftl_encoding missing = ftl_encoding_zstd;
    missing.start = NULL;
    missing.step = NULL;
    missing.stop = NULL;
    ftl_encoder *encoder = NULL;
    ftl_error error;
    taken packed = {0};
    assert_int_equal(ftl_encoder_create(test_account(), &missing, take, &packed, &encoder, &error),
                     FTL_UNSUPPORTED);
    assert_non_null(strstr(error.message, "zstd"));
    assert_non_null(strstr(error.message, "-DFTL_WITH_ZSTD=ON"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),           cmocka_unit_test(writes_parts),
        cmocka_unit_test(goes_by_endings),       cmocka_unit_test(passes_failures_on),
        cmocka_unit_test(names_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
