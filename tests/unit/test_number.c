/*
 * Exact numbers: parsing against strtod bit for bit, printing against printf's correctly rounded
 * digits. The random streams are fixed, so a failure repeats.
 */
#include "unit.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static uint64_t random64(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void expect_strtod(const char *text)
{
    double got = -1, want = strtod(text, NULL);
    /* An exact-size copy lets AddressSanitizer see a read past the end. */
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    bool ok = ftl_parse_f64(copy, size, '.', &got);
    free(copy);
    if (!ok || bits_of(got) != bits_of(want))
        fail_msg("%.120s: got %a, strtod says %a", text, got, want);
}

static void parses_forms(void **unused)
{
    (void)unused;
    static const char *const good[] = {
        "0",
        "-0",
        "+0",
        "0.0",
        "-0.0",
        "1",
        "-1",
        "+1",
        "1.",
        ".5",
        "-.5",
        "1e5",
        "1.e5",
        "1E+5",
        "1e-5",
        ".5e1",
        "00012",
        "0.1",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "8.5e22",
        "9007199254740993",
        "9007199254740992.5",
        "1e-22",
        "inf",
        "-inf",
        "+inf",
        "Infinity",
        "-INFINITY",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "-1e400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e999999999999",
        "0.000000e-999999999",
        "4.9e-324",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.2250738585072014e-308",
        "123456789012345678901234567890",
        "0.00000000000000000000000000000000000000000000000000000000000000012345678901234567890123",
        "1234567890123456789",
        "12345678901234567890",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "1e0000000000000000005",
        "6929495644600919.5",
        "3.518437208883201171875e13",
        "62.5364939768271845828",
        "8.10109172351e-10",
        "1.50000000000000011102230246251565",
        "1.5000000000000001110223024625156540423631668090820312500001",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042879.99",
        "2.47032822920623272088284396434110686182e-324",
        "7."
        "410984687618698162648531893023320585475897039214871466383785237510132609053131277979497545"
        "424539885696948470431685765963899850655339096945981621940161728171894510697854671067917687"
        "257517734731555330779540854980960845750095811137303474765809687100959097544227100475730780"
        "971111893578483867565399878350301522805593404659373979179073872386829939581848166016912201"
        "9456499931289798411362062484498678713572218170434503001231e-324"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        expect_strtod(good[i]);

    static const char *const bad[] = {"",      "+",     "-",     ".",     "-.",  "e5",   ".e5",
                                      "1e",    "1e+",   "1e-",   "1.2.3", "1,5", "0x10", "1 ",
                                      " 1",    "1f",    "infin", "nano",  "na",  "--1",  "+-1",
                                      "1e5.5", "1_000", "i",     "in",    "१"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 7;
        if (ftl_parse_f64(bad[i], strlen(bad[i]), '.', &value) || bits_of(value) != bits_of(7))
            fail_msg("'%s' was taken for a number or changed the output", bad[i]);
    }
    double value = 0;
    assert_true(ftl_parse_f64("nan", 3, '.', &value) && isnan(value));
    assert_true(ftl_parse_f64("-NaN", 4, '.', &value) && isnan(value));
    assert_true(ftl_parse_f64("1,5", 3, ',', &value) && bits_of(value) == bits_of(1.5));
    assert_false(ftl_parse_f64("1.5", 3, ',', &value));
}

static void parses_printed_bit_patterns(void **unused)
{
    (void)unused;
    static const char *const formats[] = {"%.17g", "%.16g", "%.15g", "%.6g",
                                          "%.3f",  "%.25e", "%.40g"};
    for (int i = 0; i < 400000; i++) {
        double value = double_of(random64());
        if (!isfinite(value))
            continue;
        char text[512];
        const char *format = formats[(unsigned)i % 7];
        if (strcmp(format, "%.3f") == 0)
            value = ldexp(value, -ilogb(value) + (int)(random64() % 80));
        snprintf(text, sizeof text, format, value);
        expect_strtod(text);
    }
}

/* Digits and exponents without regard to any double: all lengths, separators anywhere. */
static void parses_random_text(void **unused)
{
    (void)unused;
    for (int i = 0; i < 600000; i++) {
        char text[128];
        size_t n = 0, digits = 1 + random64() % (i % 10 ? 22 : 60),
               separator = random64() % (digits + 1);
        if (random64() % 3 == 0)
            text[n++] = '-';
        for (size_t k = 0; k < digits; k++) {
            if (k == separator)
                text[n++] = '.';
            text[n++] = (char)('0' + (random64() % 4 ? random64() % 10 : 0));
        }
        text[n] = '\0';
        if (random64() % 4) {
            int exponent = (int)(random64() % 700) - 360;
            snprintf(text + n, sizeof text - n, "%c%d", i % 2 ? 'e' : 'E',
                     i % 3 ? exponent % 30 : exponent);
        }
        expect_strtod(text);
    }
}

/* The midpoint of two doubles in full (up to 768 digits), just under and just over it. */
static void parses_halfway_cases(void **unused)
{
    (void)unused;
    static char text[2048];
    for (int i = 0; i < 6000; i++) {
        uint64_t bits = random64() & INT64_MAX;
        if (i % 4 == 0)
            bits &= (UINT64_C(1) << (random64() % 55)) - 1; /* subnormal and small ones */
        else if (i % 4 == 1)
            bits = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(1000 + random64() % 120) << 52;
        double low = double_of(bits), high = double_of(bits + 1);
        if (!isfinite(high))
            continue;
        /* long double holds the midpoint of two doubles exactly. */
        long double middle = ((long double)low + (long double)high) / 2;
        int n = snprintf(text, sizeof text - 8, "%.1100Le", middle);
        expect_strtod(text);
        char *e = strchr(text, 'e');
        char exponent[16];
        snprintf(exponent, sizeof exponent, "%s", e);
        *e = '1'; /* a non-zero digit far behind */
        snprintf(e + 1, sizeof text - (size_t)(e + 1 - text), "%s", exponent);
        expect_strtod(text);
        snprintf(text, sizeof text, "%.*Le", 18 + i % 30, middle);
        expect_strtod(text);
        assert_true(n > 0);
    }
}

static void parses_long_input(void **unused)
{
    (void)unused;
    enum { size = 20000 };
    static char text[size + 16];
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < size; k++)
            text[k] = (char)('0' + random64() % 10);
        text[random64() % size] = '.';
        text[size] = '\0';
        expect_strtod(text); /* mostly infinity */
        memcpy(text, "0.", 2);
        memset(text + 2, '0',
               (size_t)(random64() % 1000)); /* the separator may be lost: then an integer */
        char *extra = strchr(text + 2, '.');
        if (extra)
            *extra = '7';
        text[800 + 20 * i] = '\0';
        expect_strtod(text);
    }
    /* A thousand zeros against an exponent of a thousand. */
    memcpy(text, "0.", 2);
    memset(text + 2, '0', 1000);
    memcpy(text + 1002, "123e1001", 9);
    expect_strtod(text);
    text[0] = '1';
    memset(text + 1, '0', 1000);
    memcpy(text + 1001, "e-1000", 7);
    expect_strtod(text);
}

static void parses_integers(void **unused)
{
    (void)unused;
    int64_t value = 5;
    assert_true(ftl_parse_i64("9223372036854775807", 19, &value) && value == INT64_MAX);
    assert_true(ftl_parse_i64("-9223372036854775808", 20, &value) && value == INT64_MIN);
    assert_true(ftl_parse_i64("+12", 3, &value) && value == 12);
    value = 5;
    static const char *const bad[] = {
        "", "-", "+", "9223372036854775808", "-9223372036854775809", "1.0", "1e3", " 1", "12a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ftl_parse_i64(bad[i], strlen(bad[i]), &value));
    assert_int_equal(value, 5);
}

/* The significant digits of a printed number, without separator, exponent and surrounding zeros. */
static size_t significant(const char *text, size_t size, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < size && text[i] != 'e'; i++) {
        if (text[i] >= '0' && text[i] <= '9' && (n || text[i] != '0'))
            out[n++] = text[i];
    }
    while (n && out[n - 1] == '0')
        n--;
    return n;
}

/* Fewest digits of printf that read back; *digits receives them. */
static size_t reference_f64(double value, char *digits)
{
    char text[64];
    for (int precision = 0; precision < 17; precision++) {
        int n = snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value)
            return significant(text, (size_t)n, digits);
    }
    fail_msg("%a does not read back", value);
    return 0;
}

static size_t reference_f32(float value, char *digits)
{
    char text[64];
    for (int precision = 0; precision < 10; precision++) {
        int n = snprintf(text, sizeof text, "%.*e", precision, (double)value);
        if (strtof(text, NULL) == value)
            return significant(text, (size_t)n, digits);
    }
    fail_msg("%a does not read back", (double)value);
    return 0;
}

/*
 * Never longer than printf's shortest, and the same digits when as long. Shorter only for powers of
 * two, where the nearest n-digit number may lie outside the (lopsided) interval while another lies
 * inside.
 */
static void expect_digits(const char *text, size_t size, const char *want, size_t want_size,
                          bool power_of_two)
{
    char got[64];
    size_t n = significant(text, size, got);
    bool same = n == want_size && memcmp(got, want, n) == 0;
    if (!same && !(power_of_two && n <= want_size))
        fail_msg("printed %.*s, shortest is %.*s", (int)size, text, (int)want_size, want);
}

static void check_f64(double value)
{
    char text[FTL_F64_TEXT_SIZE + 1], digits[64];
    size_t n = ftl_print_f64(value, text);
    assert_in_range(n, 3, FTL_F64_TEXT_SIZE);
    text[n] = '\0';
    double back = 0;
    if (bits_of(strtod(text, NULL)) != bits_of(value) || !ftl_parse_f64(text, n, '.', &back) ||
        bits_of(back) != bits_of(value))
        fail_msg("%s does not read back to %a", text, value);
    size_t want = value == 0 ? 0 : reference_f64(value, digits);
    expect_digits(text, n, digits, want, (bits_of(value) & ((UINT64_C(1) << 52) - 1)) == 0);
}

static void check_f32(float value)
{
    char text[FTL_F64_TEXT_SIZE + 1], digits[64];
    size_t n = ftl_print_f32(value, text);
    assert_in_range(n, 3, FTL_F64_TEXT_SIZE);
    text[n] = '\0';
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (strtof(text, NULL) != value)
        fail_msg("%s does not read back to %a", text, (double)value);
    size_t want = value == 0 ? 0 : reference_f32(value, digits);
    expect_digits(text, n, digits, want, (bits & ((UINT32_C(1) << 23) - 1)) == 0);
}

static void prints_shortest_f64(void **unused)
{
    (void)unused;
    for (int i = 0; i < 150000; i++) {
        double value = double_of(random64());
        if (isfinite(value))
            check_f64(value);
    }
    for (int i = 0; i < 60000; i++) /* what data looks like */
        check_f64((double)(int64_t)(random64() % 2000001 - 1000000) / (i % 3 ? 1000.0 : 7.0));
    for (uint64_t exponent = 0; exponent < 2047; exponent++) { /* the edges of every binade */
        check_f64(double_of(exponent << 52));
        check_f64(double_of((exponent << 52) + 1));
        check_f64(double_of((exponent << 52 | ((UINT64_C(1) << 52) - 1))));
    }
    for (int k = 0; k < 2000; k++)
        check_f64(double_of((uint64_t)k)); /* smallest subnormals */
}

static void prints_shortest_f32(void **unused)
{
    (void)unused;
    for (uint64_t bits = 0; bits < UINT64_C(0x7f800000);
         bits += 7919 + (bits < 4096 ? 0 : random64() % 4096)) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        check_f32(value);
    }
    for (uint32_t exponent = 0; exponent < 255; exponent++) {
        for (uint32_t low = 0; low < 3; low++) {
            uint32_t bits = (exponent << 23) + low - (exponent && low == 2 ? 3 : 0);
            float value;
            memcpy(&value, &bits, sizeof value);
            check_f32(value);
        }
    }
}

static void prints_pythons_layout(void **unused)
{
    (void)unused;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {-0.0, "-0.0"},
                 {1, "1.0"},
                 {-1, "-1.0"},
                 {0.1, "0.1"},
                 {100, "100.0"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {1e-7, "1e-07"},
                 {1.5e-7, "1.5e-07"},
                 {1e15, "1000000000000000.0"},
                 {1e16, "1e+16"},
                 {9999999999999998, "9999999999999998.0"},
                 {12345678901234567.0, "1.2345678901234568e+16"},
                 {1e22, "1e+22"},
                 {1e100, "1e+100"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {2.2250738585072014e-308, "2.2250738585072014e-308"},
                 {-1.7976931348623157e308, "-1.7976931348623157e+308"},
                 {9007199254740992, "9007199254740992.0"},
                 {9007199254740993.0, "9007199254740992.0"},
                 {2e-323, "2e-323"},
                 {1.0 / 3, "0.3333333333333333"},
                 {123456.789, "123456.789"}};
    char text[FTL_F64_TEXT_SIZE + 1];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text[ftl_print_f64(cases[i].value, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
    text[ftl_print_f64((double)NAN, text)] = '\0';
    assert_string_equal(text, "nan");
    text[ftl_print_f64(-(double)INFINITY, text)] = '\0';
    assert_string_equal(text, "-inf");
    text[ftl_print_f32(0.1f, text)] = '\0';
    assert_string_equal(text, "0.1");
    text[ftl_print_f32(16777216.0f, text)] = '\0';
    assert_string_equal(text, "16777216.0");
    text[ftl_print_f32(3.4028235e38f, text)] = '\0';
    assert_string_equal(text, "3.4028235e+38");
    text[ftl_print_i64(INT64_MIN, text)] = '\0';
    assert_string_equal(text, "-9223372036854775808");
    text[ftl_print_i64(0, text)] = '\0';
    assert_string_equal(text, "0");
    text[ftl_print_i64(INT64_MAX, text)] = '\0';
    assert_string_equal(text, "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_forms),          cmocka_unit_test(parses_printed_bit_patterns),
        cmocka_unit_test(parses_random_text),    cmocka_unit_test(parses_halfway_cases),
        cmocka_unit_test(parses_long_input),     cmocka_unit_test(parses_integers),
        cmocka_unit_test(prints_shortest_f64),   cmocka_unit_test(prints_shortest_f32),
        cmocka_unit_test(prints_pythons_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
