/* Text in other encodings as UTF-8: names, characters across the ends of buffers, bytes that are no
 * text, and memory that runs out. */
#include "io/recode.h"
#include "torture.h"
#include "unit.h"

#include <string.h>

/* Reads all of a text in an encoding, `room` bytes at a time; the status that ends it. */
static ftl_status recode(ftl_account *account, const char *bytes, size_t size, const char *encoding,
                         size_t room, char *out, size_t *got, ftl_error *error)
{
    ftl_stream *stream = NULL;
    *got = 0;
    FTL_TRY(ftl_stream_open_memory(account, bytes, size, &stream, error));
    ftl_status status = ftl_recode(account, &stream, encoding, error);
    for (size_t n = 1; status == FTL_OK && n; *got += n)
        status = ftl_stream_read_some(stream, out + *got, room, &n, error);
    ftl_stream_close(stream);
    return status;
}

static void expect(const char *bytes, size_t size, const char *encoding, const char *wanted)
{
    for (size_t room = 1; room < 40; room += 7) {
        ftl_account account;
        ftl_account_init(&account, NULL, 0);
        char out[400];
        size_t got = 0;
        ftl_error error;
        ftl_error_clear(&error);
        ftl_status status = recode(&account, bytes, size, encoding, room, out, &got, &error);
        if (status != FTL_OK)
            fail_msg("%s: %s", encoding, error.message);
        assert_int_equal(got, strlen(wanted));
        assert_memory_equal(out, wanted, got);
        assert_int_equal(ftl_account_used(&account), 0);
    }
}

static void reads_encodings(void **unused)
{
    (void)unused;
    static const char *const latin[] = {"latin-1", "LATIN1", "iso_8859-1", "ISO8859-1", "l1"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(latin); i++)
        expect("Z\xfcrich", 6, latin[i], "Zürich");
    expect("\x80 \xfc", 3, "cp1252", "€ ü");
    expect("\xa4", 1, "iso-8859-15", "€");
    expect("Zürich", 7, "utf-8", "Zürich");
    expect("\xff\xfe"
           "a\0\xfc\0=\xd8\0\xde",
           10, "utf-16", "aü😀");
    expect("\xfe\xff\0a\0\xfc", 6, "utf-16", "aü");
    expect("a\0\xfc\0", 4, "utf-16-le", "aü");
    expect("\0a\0\xfc", 4, "utf_16_be", "aü");
    expect("\xff\xfe\0\0a\0\0\0", 8, "utf-32", "a");
    expect("", 0, "latin-1", "");
}

static void sees_marks(void **unused)
{
    (void)unused;
    assert_string_equal(ftl_recode_mark((const uint8_t *)"\xff\xfe"
                                                         "a",
                                        3),
                        "UTF-16");
    assert_string_equal(ftl_recode_mark((const uint8_t *)"\xfe\xff", 2), "UTF-16");
    assert_string_equal(ftl_recode_mark((const uint8_t *)"\xff\xfe\0\0", 4), "UTF-32");
    assert_string_equal(ftl_recode_mark((const uint8_t *)"\0\0\xfe\xff", 4), "UTF-32");
    assert_null(ftl_recode_mark((const uint8_t *)"\xef\xbb\xbf", 3));
    assert_null(ftl_recode_mark((const uint8_t *)"\xff", 1));
    assert_null(ftl_recode_mark((const uint8_t *)"", 0));
}

static void refuse(const char *bytes, size_t size, const char *encoding, ftl_status code,
                   const char *says)
{
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    char out[400];
    size_t got = 0;
    ftl_error error;
    ftl_error_clear(&error);
    assert_int_equal(recode(&account, bytes, size, encoding, 100, out, &got, &error), code);
    if (!strstr(error.message, says))
        fail_msg("'%s' where '%s' was expected", error.message, says);
    assert_string_equal(error.option, "encoding");
    assert_int_equal(ftl_account_used(&account), 0);
}

static void refuses_what_is_no_text(void **unused)
{
    (void)unused;
    refuse("a\nb\n\x81", 5, "cp1252", FTL_VALUE, "line 3: byte 0x81 at offset 4");
    refuse("a\0\xfc", 3, "utf-16-le", FTL_VALUE, "line 1: byte 0xfc at offset 2");
    refuse("\0\xd8"
           "a\0",
           4, "utf-16-le", FTL_VALUE, "line 1: byte 0x00 at offset 0");
    static const char *const unknown[] = {"klingon", "", "latin-1//TRANSLIT", "../../latin1",
                                          "a-name-that-is-much-longer-than-any-encoding-has"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(unknown); i++)
        refuse("a", 1, unknown[i], FTL_ARG, "is no encoding");
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    bool over = false;
    for (long n = 1; !over; n++) {
        torture t;
        ftl_account account;
        char out[400];
        size_t got = 0;
        torture_begin(&t, &account, n);
        ftl_status status = recode(&account, "Z\xfcrich", 6, "latin-1", 100, out, &got, NULL);
        over = torture_over(&t);
        assert_int_equal(status, over ? FTL_OK : FTL_NOMEM);
        assert_int_equal(t.held, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_encodings),
        cmocka_unit_test(sees_marks),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
