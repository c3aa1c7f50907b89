/*
 * CSV kernels: on every instruction set the ends and lines that a reading byte by byte gives, and
 * the numbers that strtod gives, bit for bit.
 */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "base/number.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 700, TEXTS = 120000, NUMBERS = 1500000, LONG_FACTOR = 40 };

static size_t times(size_t n)
{
    const char *profile = getenv("FTL_TEST_PROFILE");
    return profile && strcmp(profile, "long") == 0 ? n * LONG_FACTOR : n;
}

static const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};

static const ftl_csv_kernels *kernels_of(size_t set)
{
    bool has = (ftl_cpu_flags() & sets[set]) == sets[set];
    return &ftl_kernels_for(has ? sets[set] : 0)->csv;
}

/* ---- The index ------------------------------------------------------------------------------- */

/* The rules, byte by byte. odd: where the first quote opens that does not begin a cell. */
typedef struct plain {
    uint32_t ends[MOST];
    ftl_csv_line lines[MOST];
    size_t n_ends, n_lines, odd;
    uint32_t quoted_lines;
    bool quoted;
} plain;

static void read_plainly(const char *text, size_t size, char delimiter, plain *out)
{
    enum { START, TEXT, QUOTED, QUOTE } state = START;
    *out = (plain){.odd = size};
    for (size_t i = 0; i < size && out->odd == size; i++) {
        char c = text[i];
        bool line = c == '\r' || (c == '\n' && (i == 0 || text[i - 1] != '\r'));
        if (state == QUOTED) {
            out->quoted_lines += line;
            state = c == '"' ? QUOTE : QUOTED;
        } else if (c == '"') {
            if (state == TEXT)
                out->odd = i;
            state = QUOTED;
        } else if (c == delimiter || line) {
            out->ends[out->n_ends++] = (uint32_t)i;
            if (line)
                out->lines[out->n_lines++] = (ftl_csv_line){(uint32_t)out->n_ends,
                                                            out->quoted_lines};
            state = START;
        } else {
            state = c == '\n' ? START : TEXT;
        }
    }
    out->quoted = state == QUOTED;
}

static void check_index(const char *text, size_t size, size_t from, size_t step, size_t set)
{
    static plain want;
    read_plainly(text, size, ',', &want);
    /* exact room, so that AddressSanitizer sees what is written or read beyond */
    uint8_t *data = malloc(size + 1);
    uint32_t *ends = malloc((size + FTL_CSV_ROOM) * sizeof *ends);
    ftl_csv_line *lines = malloc((size + FTL_CSV_ROOM) * sizeof *lines);
    assert_true(data && ends && lines);
    memcpy(data, text, size);
    uint8_t *exact = realloc(data, size ? size : 1);
    ftl_csv_index index = {.ends = ends, .lines = lines};
    size_t at = 0, to = from < size ? from : size;
    for (;; to = to + step < size ? to + step : size) {
        at = kernels_of(set)->index(exact, at, to, ',', &index);
        if (at < to || to == size)
            break;
    }
    if (want.odd < size) {
        assert_in_range(at, want.odd > 63 ? want.odd - 63 : 0, want.odd);
        assert_true(index.n_ends <= want.n_ends);
    } else {
        assert_int_equal(at, size);
        assert_int_equal(index.n_ends, want.n_ends);
        assert_int_equal(index.n_lines, want.n_lines);
        assert_int_equal(index.quoted_lines, want.quoted_lines);
        assert_int_equal(index.quoted, want.quoted);
    }
    assert_memory_equal(ends, want.ends, index.n_ends * sizeof *ends);
    assert_memory_equal(lines, want.lines, index.n_lines * sizeof *lines);
    free(exact);
    free(ends);
    free(lines);
}

static void finds_ends_and_lines(void **unused)
{
    (void)unused;
    /* from nothing but what is special to hardly anything */
    static const char *const alphabets[] = {",\"\n\r",
                                            "a,\"\"\n\r",
                                            "ab,,,\"\n",
                                            "0123456789,\n",
                                            "abcdefghijk,\r\n",
                                            "xyz,,\"\"\",\n",
                                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","};
    char text[MOST];
    for (size_t n = 0; n < times(TEXTS); n++) {
        const char *letters = alphabets[random_below(7)];
        uint32_t size = random_below(n % 16 ? 200 : MOST), count = (uint32_t)strlen(letters);
        for (uint32_t i = 0; i < size;) {
            /* now and then a piece that keeps the quotes regular */
            static const char *const pieces[] = {",\"x,\ny\"", "\n\"\"\"\",", ",\"\",", "\r\n"};
            const char *piece = pieces[random_below(4)];
            if (n % 3 == 0 && random_below(4) == 0 && i + strlen(piece) < size) {
                memcpy(text + i, piece, strlen(piece));
                i += (uint32_t)strlen(piece);
            } else {
                text[i++] = letters[random_below(count)];
            }
        }
        for (size_t set = 0; set < 3; set++)
            check_index(text, size, random_below(130), 1 + random_below(n % 2 ? 300 : 20), set);
    }
}

/* ---- Numbers --------------------------------------------------------------------------------- */

enum { CELLS = 64, CELL_ROOM = 48 };

/* Cells one below the other, a separator between them, and the margin before. */
typedef struct column {
    uint8_t data[FTL_CSV_MARGIN + CELLS * CELL_ROOM];
    uint32_t ends[CELLS * 2];
    ftl_csv_row rows[CELLS];
    char texts[CELLS][CELL_ROOM];
    size_t n, size;
} column;

static void add_cell(column *c, const char *text)
{
    ftl_csv_row row = {.start = (uint32_t)c->size, .first = (uint32_t)(2 * c->n), .cells = 2};
    uint8_t *data = c->data + FTL_CSV_MARGIN;
    data[c->size++] = '7'; /* the first column */
    c->ends[row.first] = (uint32_t)c->size;
    data[c->size++] = ',';
    memcpy(data + c->size, text, strlen(text));
    c->size += strlen(text);
    c->ends[row.first + 1] = (uint32_t)c->size;
    data[c->size++] = '\n';
    snprintf(c->texts[c->n], CELL_ROOM, "%s", text);
    c->rows[c->n++] = row;
}

/* The cell as a number; false where it is none. */
static bool expect_number(const char *text, char decimal, double *out)
{
    size_t size = strlen(text);
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
    }
    *out = (double)NAN;
    if (size == 0)
        return true;
    if (!ftl_parse_f64(text, size, decimal, out))
        return false;
    if (decimal == '.' && *out == *out)
        assert_true(strtod(text, NULL) == *out);
    return true;
}

static void check_column(column *c, char decimal)
{
    for (size_t set = 0; set < 3; set++) {
        double out[CELLS], first[CELLS], want;
        uint32_t left[CELLS];
        ftl_csv_cells cells = {c->data + FTL_CSV_MARGIN, c->ends, c->rows, c->n};
        assert_int_equal(kernels_of(set)->numbers(&cells, 0, decimal, first, left), 0);
        size_t n_left = kernels_of(set)->numbers(&cells, 1, decimal, out, left), at = 0;
        for (size_t i = 0; i < c->n; i++) {
            bool number = expect_number(c->texts[i], decimal, &want);
            bool listed = at < n_left && left[at] == i;
            at += listed;
            if (number == listed || (number && memcmp(&want, &out[i], sizeof want) != 0))
                fail_msg("'%s': got %a, want %a", c->texts[i], out[i], want);
            assert_true(first[i] == 7);
        }
        assert_int_equal(at, n_left);
    }
    c->n = c->size = 0;
}

static void reads_forms(void **unused)
{
    (void)unused;
    static column c;
    static const char *const forms[] = {"",
                                        "0",
                                        "-0",
                                        "-",
                                        ".",
                                        "-.",
                                        "5.",
                                        ".5",
                                        "-.5",
                                        "+1",
                                        "1.2.3",
                                        "1..2",
                                        "--1",
                                        "-1-",
                                        "1-2",
                                        "1e5",
                                        "1E-7",
                                        "1.5e+300",
                                        "nan",
                                        "-inf",
                                        "Infinity",
                                        "NA",
                                        "1,5",
                                        "\"1.5\"",
                                        "\"\"",
                                        "\"",
                                        "\"-12\"",
                                        "\"1\"\"2\"",
                                        " 1",
                                        "1 ",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9999999999999999",
                                        "12345678.12345678",
                                        "123456789012345",
                                        "1234567890123456",
                                        "12345678901234567",
                                        "1234567890123456789",
                                        "9999999999999999999",
                                        "12345678901234567890",
                                        "99999999999999999999999",
                                        "0.00000000000000000001",
                                        "-0.1234567890123456789",
                                        "0.30000000000000004",
                                        "-0.30000000000000004",
                                        "000000000000000000000001",
                                        "0000000000000000000000001",
                                        "1.7976931348623157",
                                        "\"0.38219535410934535\"",
                                        "123456789.123456789",
                                        "9007199254740993.5",
                                        "\xff\xff",
                                        "1\xb0",
                                        "::",
                                        "1:2",
                                        "1/2"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        add_cell(&c, forms[i]);
        if (c.n == CELLS || i % 7 == 0)
            check_column(&c, i % 2 ? '.' : ',');
        if (i % 7 == 0) {
            add_cell(&c, forms[i]);
            check_column(&c, '.');
        }
    }
    check_column(&c, '.');
}

/* Cells are read some at once: one that is odd among plain ones, at every place. */
static void reads_odd_cells_among_plain_ones(void **unused)
{
    (void)unused;
    static const char *const odd[] = {"",
                                      "-",
                                      ".",
                                      "-.",
                                      "1.2.3.4.5.6.7.8.",
                                      "................",
                                      "................................",
                                      "-123456789012.45",
                                      "123456789012345.",
                                      ".123456789012345",
                                      "-.12345678901234",
                                      "9007199254740991",
                                      "9007199254740992",
                                      "-9007199254740993",
                                      "0000000000000000",
                                      "-0",
                                      "-0.0",
                                      "1e5",
                                      "nan",
                                      "x",
                                      "\"12.5\"",
                                      "0.12345678901234567",
                                      "1.7976931348623157e308",
                                      "a text of more than thirty-two bytes"};
    static column c;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        for (size_t at = 0; at < 16; at++) {
            for (size_t k = 0; k < 19; k++)
                add_cell(&c, k == at || k == at + i % 5 ? odd[i] : k % 2 ? "-12.375" : "40960.1");
            check_column(&c, '.');
        }
    }
}

/* Numbers of all lengths, a separator anywhere; now and then a byte that spoils them. */
static void random_cell(char text[CELL_ROOM])
{
    uint32_t kind = random_below(20), n = 0, digits = 1 + random_below(kind < 14 ? 17 : 26);
    if (kind == 0) {
        double value = (double)random_bits() / (double)(1 + random_bits() % 1000000);
        snprintf(text, CELL_ROOM, "%.*g", (int)(1 + random_below(17)), value);
        return;
    }
    if (kind == 1) {
        uint64_t bits = random_bits();
        double value;
        memcpy(&value, &bits, sizeof value);
        snprintf(text, CELL_ROOM, "%.*g", (int)(15 + random_below(3)), value);
        return;
    }
    if (random_below(3) == 0)
        text[n++] = '-';
    uint32_t separator = random_below(digits + 2);
    for (uint32_t i = 0; i < digits; i++) {
        if (i == separator)
            text[n++] = '.';
        text[n++] = (char)('0' + (kind == 2 ? 9 : random_below(10)));
    }
    text[n] = '\0';
    if (kind == 3)
        text[random_below(n)] = "-+.,/:e \"\x80\xff"[random_below(11)];
}

static void reads_numbers(void **unused)
{
    (void)unused;
    static column c;
    char text[CELL_ROOM];
    for (size_t n = 0; n < times(NUMBERS); n++) {
        random_cell(text);
        add_cell(&c, text);
        if (c.n == CELLS)
            check_column(&c, '.');
    }
    check_column(&c, '.');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_ends_and_lines),
        cmocka_unit_test(reads_forms),
        cmocka_unit_test(reads_odd_cells_among_plain_ones),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
