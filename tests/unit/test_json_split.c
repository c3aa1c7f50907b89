/*
 * Rows of JSON that are like the rows before are split by what was learned from those and by
 * kernels. Whatever they look like, on every instruction set the outcome is that of a row that
 * stands alone.
 */
#include "random_numbers.h"
#include "table_helper.h"

#include "base/cpu.h"
#include "base/number.h"
#include "kernels/kernels.h"
#include "table/json_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 9, ROW_ROOM = 4096, ROWS = 240000, LONG_FACTOR = 40 };

static const char *const keys[KEYS] = {
    "a",
    "f01",
    "twelve bytes",
    "k\\u0041\\n",
    "this_key_has_more_than_thirty-two_bytes",
    "\xc3\xa9t\xc3\xa9",
    "",
    "a key that is longer than everything that is kept of what stands before values",
    "id"};
/* The cell of each, -1: unwanted. */
static const int32_t cell_of[KEYS] = {0, 1, -1, 2, 3, 4, 5, 6, -1};
enum { CELLS = 7 };

static size_t times(size_t n)
{
    const char *profile = getenv("FTL_TEST_PROFILE");
    return profile && strcmp(profile, "long") == 0 ? n * LONG_FACTOR : n;
}

static int32_t find(const void *user, const char *key, size_t size)
{
    (void)user;
    for (size_t i = 0; i < KEYS; i++) {
        const char *name = i == 3 ? "kA\n" : keys[i];
        if (strlen(name) == size && memcmp(name, key, size) == 0)
            return cell_of[i];
    }
    return -1;
}

/* ---- Rows ------------------------------------------------------------------------------------- */

typedef struct text {
    char data[ROW_ROOM];
    size_t size;
} text;

static void add(text *t, const char *piece)
{
    assert_true(t->size + strlen(piece) < sizeof t->data);
    memcpy(t->data + t->size, piece, strlen(piece));
    t->size += strlen(piece);
}

static void add_number(text *t)
{
    uint32_t kind = random_below(16), n = 0, digits = 1 + random_below(kind < 12 ? 9 : 26);
    char number[64];
    if (kind == 0) {
        snprintf(number, sizeof number, "%.*g", (int)(1 + random_below(17)),
                 (double)(int64_t)random_bits() / 1e17);
    } else {
        if (random_below(3) == 0)
            number[n++] = '-';
        uint32_t point = random_below(digits + 2);
        for (uint32_t i = 0; i < digits; i++) {
            if (i == point && i)
                number[n++] = '.';
            /* a zero that may not be there, now and then */
            number[n++] = (char)('0' + random_below(kind == 1 ? 2 : 10));
        }
        number[n] = '\0';
    }
    add(t, number);
}

static void add_value(text *t)
{
    static const char *const values[] = {
        "\"\"", "\"x\"", "\"beta, with comma\"", "\"a text that is longer than thirty-two bytes\"",
        "\"q\\\"q\"", "\"\\\\\"", "\"\\u00e9\"", "\"\xc3\xa9\"", "\"\x7f\"", "null", "true",
        "false", "NaN", "Infinity", "-Infinity", "1e5", "-1.5E-7", "[1, {\"a\":2}]", "{}", "0",
        "-0", "0.0", "-0.0",
        /* none of these is one */
        "01", "-", "1.", ".5", "-.5", "+1", "1.2.3", "00", "-01", "--1", "\"\t\"", "\"\\x\"", "tru",
        "", "1 2", "\"a", "1]", "1}", "0x1", "1/2", "1:2"};
    enum { ALL = FTL_ARRAY_LEN(values), GOOD = 23 };
    if (random_below(8))
        add_number(t);
    else
        add(t, values[random_below(random_below(8) ? GOOD : ALL)]);
}

/* How the rows of a run are written. */
typedef struct style {
    const char *before, *colon, *comma, *after; /* white space at brackets, colons and commas */
    size_t order[KEYS], n;
    bool arrays;
} style;

static style random_style(void)
{
    static const char *const spaces[] = {"", "", "", " ", "\t", "\n    ", "  "};
    style s = {.before = spaces[random_below(7)],
               .colon = spaces[random_below(7)],
               .comma = spaces[random_below(7)],
               .after = spaces[random_below(7)],
               .n = 1 + random_below(2 * KEYS) % KEYS,
               .arrays = random_below(4) == 0};
    for (size_t i = 0; i < KEYS; i++) {
        size_t k = random_below((uint32_t)i + 1);
        s.order[i] = s.order[k];
        s.order[k] = i;
    }
    return s;
}

static void add_row(text *t, const style *s)
{
    size_t start = t->size;
    add(t, s->arrays ? "[" : "{");
    add(t, s->before);
    for (size_t i = 0; i < s->n; i++) {
        if (random_below(60) == 0)
            continue;
        size_t key = s->order[random_below(60) ? i : random_below(KEYS)];
        if (t->size > start + 1 + strlen(s->before)) {
            add(t, ",");
            add(t, s->comma);
        }
        if (!s->arrays) {
            add(t, "\"");
            add(t, keys[key]);
            add(t, "\":");
            add(t, s->colon);
        }
        add_value(t);
        if (random_below(100) == 0)
            add(t, " ");
    }
    add(t, s->after);
    add(t, s->arrays ? "]" : "}");
    if (random_below(10) == 0 && t->size > start) {
        uint32_t at = (uint32_t)start + random_below((uint32_t)(t->size - start));
        if (random_below(4) == 0)
            t->size = at;
        else
            t->data[at] = "{}[]\",: \n\\01-.ea\x01\x7f"[random_below(19)];
    }
}

/* ---- Comparing -------------------------------------------------------------------------------- */

static double value_of(const ftl_json_cell *cell)
{
    double value = cell->value;
    if (!cell->known)
        assert_true(ftl_parse_f64(cell->text, cell->size, '.', &value));
    return value;
}

static void expect_same(const ftl_json_split *got, ftl_json_fault got_fault,
                        const ftl_json_split *want, ftl_json_fault want_fault, const char *row,
                        size_t size)
{
    if (got_fault != want_fault)
        fail_msg("%.*s: fault %d, alone %d", (int)size, row, (int)got_fault, (int)want_fault);
    if (got_fault == FTL_JSON_TWICE)
        assert_int_equal(got->fault_at, want->fault_at);
    if (got_fault == FTL_JSON_COUNT)
        assert_int_equal(got->n_elements, want->n_elements);
    for (size_t i = 0; got_fault != FTL_JSON_BROKEN && i < CELLS; i++) {
        const ftl_json_cell *a = &got->cells[i], *b = &want->cells[i];
        if (a->kind != b->kind)
            fail_msg("%.*s: cell %zu is %d, alone %d", (int)size, row, i, (int)a->kind,
                     (int)b->kind);
        if (a->kind == FTL_JSON_ABSENT)
            continue;
        assert_ptr_equal(a->text, b->text);
        assert_int_equal(a->size, b->size);
        if (a->kind != FTL_JSON_FINITE)
            continue;
        double x = value_of(a), y = value_of(b);
        if (memcmp(&x, &y, sizeof x) != 0)
            fail_msg("%.*s: cell %zu is %a, alone %a", (int)size, row, i, x, y);
    }
}

static void make(ftl_json_split *split, ftl_account *account, const style *s,
                 ftl_json_values_fn *values)
{
    *split = (ftl_json_split){.find = find, .values = values};
    if (s->arrays) {
        split->columns = cell_of;
        split->n_columns = s->n;
    }
    assert_int_equal(ftl_json_split_init(split, account, CELLS, NULL), FTL_OK);
}

/* A row among the others, and alone. There is as much behind it as the next rows give. */
static void check_row(ftl_json_split *learned, ftl_account *account, const style *s,
                      const char *row, size_t size, size_t room)
{
    ftl_json_split alone;
    ftl_json_fault fault, want;
    make(&alone, account, s, NULL);
    assert_int_equal(ftl_json_split_row(&alone, row, size, size, &want, NULL), FTL_OK);
    assert_int_equal(ftl_json_split_row(learned, row, size, room, &fault, NULL), FTL_OK);
    expect_same(learned, fault, &alone, want, row, size);
    ftl_json_split_free(&alone);
}

static void check_set(uint32_t flags, size_t *taken)
{
    enum { RUN = 12 };
    ftl_account *account = test_account();
    bool has = (ftl_cpu_flags() & flags) == flags;
    ftl_json_values_fn *values = ftl_kernels_for(has ? flags : 0)->json.values;
    for (size_t n = 0; n < times(ROWS) / RUN; n++) {
        static text t;
        size_t begin[RUN + 1];
        style s = random_style();
        ftl_json_split learned;
        make(&learned, account, &s, values);
        t.size = 0;
        for (size_t i = 0; i < RUN && t.size < ROW_ROOM - 1024; i++) {
            begin[i] = t.size;
            add_row(&t, &s);
            begin[i + 1] = t.size;
            /* exact room, so that AddressSanitizer sees what is read beyond */
            size_t behind = random_below(3) ? random_below(200) : 0;
            size_t shown = i && random_below(2) ? i - 1 : i;
            size_t room = begin[i + 1] - begin[shown];
            char *copy = malloc(room + behind + 1);
            assert_non_null(copy);
            memcpy(copy, t.data + begin[shown], room);
            for (size_t k = 0; k < behind; k++)
                copy[room + k] = "0123456789,}]\":. "[random_below(17)];
            char *exact = realloc(copy, room + behind ? room + behind : 1);
            size_t size = begin[shown + 1] - begin[shown];
            check_row(&learned, account, &s, exact, size, room + behind);
            *taken += learned.n_leads;
            free(exact);
        }
        ftl_json_split_free(&learned);
    }
    assert_int_equal(ftl_account_used(account), 0);
}

static void splits_as_if_alone(void **unused)
{
    (void)unused;
    static const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};
    size_t taken = 0;
    for (size_t i = 0; i < FTL_ARRAY_LEN(sets); i++)
        check_set(sets[i], &taken);
    assert_true(taken > ROWS);
}

/* The kernels do take what is plain, and nothing where the row ends. */
static void takes_plain_values(void **unused)
{
    (void)unused;
    static const char row[] = "{\"a\":1.5,\"b\":\"x\",\"c\":-0.25,\"d\":12345678.123456789}";
    static const struct {
        const char *lead;
        double value;
    } members[] = {
        {"{\"a\":", 1.5}, {",\"b\":", 0}, {",\"c\":", -0.25}, {",\"d\":", 12345678.123456789}};
    char data[256] = {0};
    memcpy(data, row, sizeof row);
    for (uint32_t flags = FTL_CPU_AVX2;; flags |= FTL_CPU_AVX512) {
        ftl_json_values_fn *values = ftl_kernels_for(flags & ftl_cpu_flags())->json.values;
        for (size_t size = 0; values && size < sizeof row; size++) {
            ftl_json_lead leads[4] = {{0}};
            ftl_json_cell cells[4] = {{0}};
            const char *at = data;
            size_t want = 0;
            for (int32_t i = 0; i < 4; i++) {
                leads[i].size = (uint32_t)strlen(members[i].lead);
                leads[i].wanted = i;
                memcpy(leads[i].text, members[i].lead, leads[i].size);
            }
            static const size_t behind[] = {8, 16, 26, 49};
            while (want < 4 && behind[want] < size)
                want++;
            assert_int_equal(values(leads, 4, &at, data + size, data + sizeof data, cells), want);
            assert_ptr_equal(at, want ? data + behind[want - 1] : data);
            for (size_t i = 0; i < 4; i++) {
                assert_int_equal(cells[i].kind, i >= want ? FTL_JSON_ABSENT
                                                : i == 1  ? FTL_JSON_PLAIN
                                                          : FTL_JSON_FINITE);
                assert_true(i >= want || i == 1 || cells[i].value == members[i].value);
            }
        }
        if (flags & FTL_CPU_AVX512)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_as_if_alone),
        cmocka_unit_test(takes_plain_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
