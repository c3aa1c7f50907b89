/* JSON tokens: what is read, what is refused, and that nothing is read behind the end. */
#include "unit.h"

#include "io/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tokens as text: {k:"a",1,t} … Returns the status of the first failure. */
static ftl_status tokens(const char *text, size_t size, unsigned options, char *out)
{
    char *copy = malloc(size ? size : 1); /* exact, so that AddressSanitizer sees a read behind */
    assert_non_null(copy);
    memcpy(copy, text, size);
    ftl_json json;
    ftl_json_init(&json, copy, size, options);
    ftl_json_token token = FTL_JSON_NULL;
    ftl_status status = FTL_OK;
    ftl_error error;
    *out = '\0';
    for (size_t i = 0; i < 10000 && status == FTL_OK; i++) {
        status = ftl_json_next(&json, &token, &error);
        if (status != FTL_OK || token == FTL_JSON_DONE)
            break;
        static const char *const names[] = {"", "{", "}", "[", "]", "k", "s", "n", "t", "f", "0"};
        out += snprintf(out, 8, "%s", names[token]);
        if (token == FTL_JSON_KEY || token == FTL_JSON_STRING || token == FTL_JSON_NUMBER)
            out += snprintf(out, 64, "<%.*s>", (int)json.text_size, json.text);
    }
    free(copy);
    return status;
}

static void test_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
        unsigned options;
    } good[] = {
        {"1", "n<1>", 0},
        {" -0.5e+3 ", "n<-0.5e+3>", 0},
        {"\"\"", "s<>", 0},
        {"null", "0", 0},
        {"[]", "[]", 0},
        {"{}", "{}", 0},
        {"[1, true,false , null]", "[n<1>tf0]", 0},
        {"{\"a\" : [ {\"b\":{}} , []], \"\\u0041\":2}", "{k<a>[{k<b>{}}[]]k<\\u0041>n<2>}", 0},
        {"\"\xc3\xa9\xf0\x9f\x98\x80\"", "s<\xc3\xa9\xf0\x9f\x98\x80>", 0},
        {"[NaN,Infinity,-Infinity]", "[n<NaN>n<Infinity>n<-Infinity>]", FTL_JSON_NONFINITE},
    };
    char out[4000];
    for (size_t i = 0; i < FTL_ARRAY_LEN(good); i++) {
        assert_int_equal(tokens(good[i].text, strlen(good[i].text), good[i].options, out), FTL_OK);
        assert_string_equal(out, good[i].expected);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{a:1}",
        "[1}",
        "{\"a\":1]",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "nul",
        "nulll",
        "truefalse",
        "1 1",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xc3\"",
        "'a'",
        "[1]]",
        "// a\n1",
    };
    char out[4000];
    for (size_t i = 0; i < FTL_ARRAY_LEN(bad); i++) {
        if (tokens(bad[i], strlen(bad[i]), 0, out) != FTL_CORRUPT)
            fail_msg("%s was taken", bad[i]);
    }
    assert_int_equal(tokens("-NaN", 4, FTL_JSON_NONFINITE, out), FTL_CORRUPT);
    assert_int_equal(tokens("1\0", 2, 0, out), FTL_CORRUPT);
}

static void test_every_prefix_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\\n\\u00e9\": [1.5e-3, {\"b\": null}, \"\xc3\xa9\"], \"c\": true}";
    char out[4000];
    for (size_t n = 0; n < sizeof whole - 1; n++)
        assert_int_equal(tokens(whole, n, 0, out), FTL_CORRUPT);
    assert_int_equal(tokens(whole, sizeof whole - 1, 0, out), FTL_OK);
}

static void test_depth(void **state)
{
    (void)state;
    char text[2 * FTL_JSON_MAX_DEPTH + 2], out[4000];
    for (size_t n = FTL_JSON_MAX_DEPTH; n <= FTL_JSON_MAX_DEPTH + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        assert_int_equal(tokens(text, 2 * n, 0, out), n > FTL_JSON_MAX_DEPTH ? FTL_LIMIT : FTL_OK);
    }
}

static ftl_json first(const char *text, ftl_json_token expected)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, text, strlen(text), FTL_JSON_NONFINITE);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    assert_int_equal(token, expected);
    return json;
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } texts[] = {
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u00e9\\u20AC\"", "\xc3\xa9\xe2\x82\xac"},
        {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"},
        {"\"\\ud83dx\"", "\xef\xbf\xbdx"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd\x41"},
        {"\"\\ude00\"", "\xef\xbf\xbd"},
    };
    ftl_account account;
    ftl_arena arena;
    ftl_account_init(&account, NULL, 0);
    ftl_arena_init(&arena, &account);
    for (size_t i = 0; i < FTL_ARRAY_LEN(texts); i++) {
        ftl_json json = first(texts[i].json, FTL_JSON_STRING);
        const char *text = NULL;
        size_t size = 0;
        assert_int_equal(ftl_json_copy(&json, &arena, &text, &size, NULL), FTL_OK);
        assert_int_equal(size, strlen(texts[i].text));
        assert_string_equal(text, texts[i].text);
        assert_true(ftl_json_is(&json, texts[i].text));
        assert_false(ftl_json_is(&json, "other"));
        assert_false(ftl_json_is(&json, ""));
    }
    ftl_json number = first("1", FTL_JSON_NUMBER);
    assert_false(ftl_json_is(&number, "1"));
    const char *text;
    assert_int_equal(ftl_json_copy(&number, &arena, &text, NULL, NULL), FTL_CORRUPT);
    ftl_arena_free(&arena);
    assert_int_equal(ftl_account_used(&account), 0);
}

static void test_numbers(void **state)
{
    (void)state;
    double value = 0;
    int64_t integer = 0;
    ftl_json json = first("-1.25E2", FTL_JSON_NUMBER);
    assert_int_equal(ftl_json_f64(&json, &value, NULL), FTL_OK);
    assert_true(value == -125.0);
    assert_int_equal(ftl_json_i64(&json, &integer, NULL), FTL_CORRUPT);
    json = first("-9223372036854775808", FTL_JSON_NUMBER);
    assert_int_equal(ftl_json_i64(&json, &integer, NULL), FTL_OK);
    assert_true(integer == INT64_MIN);
    json = first("NaN", FTL_JSON_NUMBER);
    assert_int_equal(ftl_json_f64(&json, &value, NULL), FTL_OK);
    assert_true(value != value);
    json = first("\"1\"", FTL_JSON_STRING);
    assert_int_equal(ftl_json_f64(&json, &value, NULL), FTL_CORRUPT);
}

/* What the short cut reads, and then token by token, is what strtod reads, wherever it stops. */
static void check_array(const char *text, bool whole)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, text, strlen(text), 0);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    const char *at = text + 1;
    for (size_t n = 0;; n++) {
        double got[3], wanted;
        size_t read = ftl_json_numbers(&json, whole, got, 1 + n % 3);
        if (read == 0) {
            assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
            if (token == FTL_JSON_ARRAY_END)
                break;
            assert_int_equal(ftl_json_f64(&json, &got[0], NULL), FTL_OK);
            read = 1;
        }
        for (size_t i = 0; i < read; i++) {
            char *behind;
            wanted = strtod(at, &behind);
            assert_memory_equal(&got[i], &wanted, sizeof wanted);
            at = behind + strcspn(behind, ",]") + 1;
        }
    }
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    assert_int_equal(token, FTL_JSON_DONE);
}

static void test_numbers_at_once(void **state)
{
    (void)state;
    char text[4096];
    uint32_t random = 1;
    check_array("[]", false);
    check_array("[0,-0,-0.0,1,9007199254740993,9007199254740992,123456789012345678,1e22,1e23,1E-22,"
                "1e-23,12345678.9e-5,4.25E-1,5e-324,0.1,0.30000000000000004,1e+3,-7]",
                false);
    check_array(
        "[1e308,1.7976931348623157e308,1e309,1e999,4.9e-324,2e-324,1e-400,9999999999999999999,"
        "18446744073709551616,0.9999999999999999999,1.234567890123456789,"
        "0.1234567890123456789,12345678901234567e-40,9007199254740993e200,-0e999,0.0e-999]",
        false);
    check_array("[1, -2.25, 0.30000000000000004, 1e5,  7, \t8]", false);
    check_array("[9007199254740993,9007199254740991, 12]", true);
    check_array("[1,2.5,3,-4,1e3,123456789012345678901,5]", true);
    check_array("[1, 2,3 ,4\n,5]", false);
    for (int round = 0; round < 2000; round++) {
        size_t used = 0;
        text[used++] = '[';
        for (int i = 0; i < 40; i++) {
            random = random * 1664525u + 1013904223u;
            double value = (double)(int32_t)random / (double)(1 + (random >> 7 & 0xffff));
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     random & 64   ? "%.9g, "
                                     : random & 32 ? "%.17g,"
                                                   : "%.7E,",
                                     random & 128 ? value : value * 1e-9);
        }
        used -= text[used - 1] == ' ';
        text[used - 1] = ']';
        text[used] = '\0';
        check_array(text, false);
    }
}

/* What is no number, or malformed, stays for the next token to refuse. */
static void test_numbers_stop(void **state)
{
    (void)state;
    static const char *const bad[] = {"[01]", "[1.]", "[.5]", "[1e]", "[-]",
                                      "[1",   "[1,",  "[1,]", "[1 2]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ftl_json json;
        ftl_json_token token;
        double out[4];
        ftl_json_init(&json, bad[i], strlen(bad[i]), 0);
        assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
        (void)ftl_json_numbers(&json, false, out, 4);
        ftl_status status = FTL_OK;
        while (status == FTL_OK && (status = ftl_json_next(&json, &token, NULL)) == FTL_OK)
            assert_int_not_equal(token, FTL_JSON_DONE);
        assert_int_equal(status, FTL_CORRUPT);
    }
}

/* Integers that are no exact doubles are for who wants all of their digits. */
static void test_large_integers_are_left(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {{"[9007199254740991]", 1},     {"[9007199254740993]", 0},
                 {"[-9223372036854775807]", 0}, {"[1,9007199254740993]", 1},
                 {"[9007199254740993.0]", 1},   {"[9007199254740993e0]", 1}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        ftl_json json;
        ftl_json_token token;
        double out[4];
        ftl_json_init(&json, cases[i].text, strlen(cases[i].text), 0);
        assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
        assert_int_equal(ftl_json_numbers(&json, false, out, 4), cases[i].n);
    }
}

static void test_skip(void **state)
{
    (void)state;
    static const char text[] = "[[1,{\"a\":[2]}],\"x\",3]";
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, text, sizeof text - 1, 0);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
        assert_int_equal(ftl_json_skip(&json, NULL), FTL_OK);
    }
    assert_int_equal(token, FTL_JSON_NUMBER);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    assert_int_equal(token, FTL_JSON_ARRAY_END);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    assert_int_equal(token, FTL_JSON_DONE);
    ftl_json_init(&json, "[[1", 3, 0);
    assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
    assert_int_equal(ftl_json_skip(&json, NULL), FTL_CORRUPT);
}

/* Passing a value ends where skipping it does, wherever in the wide steps its brackets lie. */
static void test_pass(void **state)
{
    (void)state;
    static const char *const values[] = {"[1,{\"a\":[2]}]", "{\"]}\":\"\\\\\",\"b\\\"]\":[[],{}]}",
                                         "[]", "{\"k\":\"\\\\\\\"}\"}",
                                         "[\"[{\",\"\\u005d\",{\"x\":[\"]\"]}]"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(values); i++) {
        for (int gap = 0; gap < 150; gap++) {
            char text[400];
            int size = snprintf(text, sizeof text, "[%*s%s%*s,7]", gap, "", values[i], gap % 7, "");
            ftl_json skipped, passed;
            ftl_json_token token;
            ftl_json_init(&skipped, text, (size_t)size, 0);
            for (int k = 0; k < 2; k++)
                assert_int_equal(ftl_json_next(&skipped, &token, NULL), FTL_OK);
            passed = skipped;
            assert_int_equal(ftl_json_skip(&skipped, NULL), FTL_OK);
            assert_int_equal(ftl_json_pass(&passed, NULL), FTL_OK);
            assert_int_equal(passed.at, skipped.at);
            assert_int_equal(passed.depth, skipped.depth);
            assert_int_equal(passed.token, skipped.token);
            assert_int_equal(ftl_json_next(&passed, &token, NULL), FTL_OK);
            assert_int_equal(token, FTL_JSON_NUMBER);
            assert_int_equal(ftl_json_next(&passed, &token, NULL), FTL_OK);
            assert_int_equal(token, FTL_JSON_ARRAY_END);
        }
    }
    static const char *const open[] = {"[", "[[1", "{\"a", "[\"]\\\"]", "{\"a\":[}"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(open); i++) {
        ftl_json json;
        ftl_json_token token;
        size_t size = strlen(open[i]);
        char *copy = memcpy(malloc(size), open[i], size);
        ftl_json_init(&json, copy, size, 0);
        assert_int_equal(ftl_json_next(&json, &token, NULL), FTL_OK);
        assert_int_equal(ftl_json_pass(&json, NULL), FTL_CORRUPT);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_at_once),
        cmocka_unit_test(test_numbers_stop),
        cmocka_unit_test(test_large_integers_are_left),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
