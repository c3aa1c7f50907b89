/*
 * Texts: Unicode as Python has it, words found among many, tokens and n-grams counted, and what is
 * done with sparse matrices. What scikit-learn says of whole vectorizers is in the goldens.
 */
#include "unit.h"

#include "base/regex.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "plan/plan.h"
#include "plan/text_fold.h"
#include "plan/words.h"
#include "torture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Characters ------------------------------------------------------------------------------ */

static void test_utf8_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain text of more than eight bytes", true},
        {"na\xc3\xafve \xe6\x97\xa5 \xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xc3", false},             /* ends too early */
        {"12345678\xe6\x97", false}, /* behind a whole word of ASCII */
        {"\xc0\xaf", false},         /* longer than needed */
        {"\xe0\x80\xaf", false},
        {"\xed\xa0\x80", false}, /* half a surrogate pair */
        {"\xf4\x90\x80\x80", false},
        {"\x80", false},
        {"a\xff", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ftl_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
}

static void test_characters_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char text[4];
        size_t size = ftl_utf8_put(codes[i], text);
        const char *at = text;
        assert_int_equal(ftl_utf8_next(&at), codes[i]);
        assert_int_equal(at - text, size);
    }
}

static void test_classes_of_characters(void **state)
{
    (void)state;
    assert_true(ftl_unicode_info('a').flags & FTL_CHAR_WORD);
    assert_true(ftl_unicode_info('_').flags & FTL_CHAR_WORD);
    assert_true(ftl_unicode_info(0xbd).flags & FTL_CHAR_WORD);    /* one half is numeric */
    assert_true(ftl_unicode_info(0x65e5).flags & FTL_CHAR_WORD);  /* an ideograph */
    assert_false(ftl_unicode_info(0x301).flags & FTL_CHAR_WORD);  /* a combining accent is not */
    assert_false(ftl_unicode_info(0x203f).flags & FTL_CHAR_WORD); /* nor a connector */
    assert_true(ftl_unicode_info(0x1c).flags & FTL_CHAR_SPACE);   /* as Python's isspace() */
    assert_true(ftl_unicode_info(0x85).flags & FTL_CHAR_SPACE);
    assert_false(ftl_unicode_info(0x180e).flags & FTL_CHAR_SPACE); /* not since Unicode 6.3 */
    assert_int_equal(ftl_unicode_info(0x301).combining, 230);
    assert_int_equal(ftl_unicode_info(0x10ffff).flags, 0);
}

static void decomposes(uint32_t code, const char *expected)
{
    char buffer[9];
    const char *text = "";
    size_t size = 0;
    assert_true(ftl_unicode_decompose(code, buffer, &text, &size));
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
}

static void test_decompositions(void **state)
{
    (void)state;
    char buffer[9];
    const char *text;
    size_t size;
    decomposes(0xe9, "e\xcc\x81");
    decomposes(0xfb01, "fi");
    decomposes(0xac00, "\xe1\x84\x80\xe1\x85\xa1");             /* Hangul: two letters */
    decomposes(0xd55c, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"); /* and three */
    decomposes(0x1e69, "s\xcc\xa3\xcc\x87");                    /* in canonical order */
    assert_false(ftl_unicode_decompose('e', buffer, &text, &size));
    assert_false(ftl_unicode_decompose(0xabff, buffer, &text, &size));
    assert_false(
        ftl_unicode_decompose(0xd7a4, buffer, &text, &size)); /* behind the last syllable */
}

/* ---- Lower case and accents ------------------------------------------------------------------ */

static void lowers(const char *text, const char *expected)
{
    ftl_account account;
    ftl_error error;
    ftl_text_buffer out = {0};
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(ftl_text_lower(&account, text, strlen(text), &out, &error), FTL_OK);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    ftl_free(&account, out.data);
    assert_int_equal(ftl_account_used(&account), 0);
}

#define SIGMA "\xce\xa3"
#define SMALL "\xcf\x83"
#define FINAL "\xcf\x82"

static void test_lower_case(void **state)
{
    (void)state;
    lowers("", "");
    lowers("ABCxyz [@`{ 0123456789 Z", "abcxyz [@`{ 0123456789 z");
    lowers("\xc3\x89t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
    lowers("\xc4\xb0stanbul", "i\xcc\x87stanbul"); /* the one that becomes two */
    lowers("\xe1\xba\x9e", "\xc3\x9f");            /* capital sharp s */
    lowers("\xc8\xba\xc8\xba\xc8\xba", "\xe2\xb1\xa5\xe2\xb1\xa5\xe2\xb1\xa5"); /* grows */
    lowers("A" SIGMA, "a" FINAL);
    lowers("A" SIGMA "B", "a" SMALL "b");
    lowers(SIGMA, SMALL);
    lowers("a'" SIGMA "'.", "a'" FINAL "'."); /* what has no case is passed over */
    lowers("A." SIGMA ".B", "a." SMALL ".b");
    lowers("1" SIGMA, "1" SMALL);
    lowers("AAAAAAAA" SIGMA SIGMA, "aaaaaaaa" SMALL FINAL);
}

static void strips(ftl_accents accents, const char *text, const char *expected)
{
    ftl_account account;
    ftl_error error;
    ftl_text_buffer out = {0};
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(ftl_text_strip(&account, text, strlen(text), accents, &out, &error), FTL_OK);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    ftl_free(&account, out.data);
    assert_int_equal(ftl_account_used(&account), 0);
}

static void test_accents(void **state)
{
    (void)state;
    const char *cafe = "caf\xc3\xa9 \xc3\x9f \xef\xac\x81", *decomposed = "cafe\xcc\x81 \xc3\x9f";
    strips(FTL_ACCENTS_ASCII, cafe, "cafe  fi");
    strips(FTL_ACCENTS_UNICODE, cafe, "cafe \xc3\x9f fi");
    strips(FTL_ACCENTS_OLD_UNICODE, cafe, "cafe \xc3\x9f fi");
    strips(FTL_ACCENTS_UNICODE, decomposed, "cafe \xc3\x9f");
    strips(FTL_ACCENTS_OLD_UNICODE, decomposed, decomposed); /* left alone before 0.22 */
    /* marks in another order than NFKD's: the text changes, so that they go */
    strips(FTL_ACCENTS_OLD_UNICODE, "s\xcc\x87\xcc\xa3", "s");
    /* one character of three bytes becomes eighteen */
    strips(FTL_ACCENTS_ASCII, "\xef\xb7\xba\xef\xb7\xba", "      ");
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void test_words_are_found(void **state)
{
    (void)state;
    enum { n = 3000, longest = 40 };
    static char text[n * (longest + 1)];
    static uint32_t start[n + 1];
    uint32_t at = 0;
    for (uint32_t i = 0; i < n;
         i++) { /* lengths 0 (once) to 40; many share all but the last bytes */
        start[i] = at;
        char word[longest + 8];
        int size = i == 0 ? 0
                          : snprintf(word, sizeof word, "%0*u", (int)(4 + i % (longest - 3)), i);
        memcpy(text + at, word, (size_t)size);
        at += (uint32_t)size;
        text[at++] = '\0';
    }
    start[n] = at;
    const ftl_words words = {.count = n, .text = text, .start = start};
    ftl_account account;
    ftl_blob blob;
    ftl_word_table table;
    ftl_error error;
    ftl_account_init(&account, NULL, 0);
    ftl_blob_init(&blob, &account, 7);
    assert_int_equal(ftl_word_table_make(&blob, &words, &table, &error), FTL_OK);
    for (uint32_t i = 0; i < n; i++) {
        const char *word = text + start[i];
        size_t size = start[i + 1] - start[i] - 1;
        assert_int_equal(ftl_word_find(&table, word, size), i);
        assert_int_equal(
            ftl_word_find_hashed(&table, word, size, ftl_word_hash(&table, word, size)), i);
        if (size > 4) /* without its first byte, which is 0, it is no word */
            assert_int_not_equal(ftl_word_find(&table, word + 1, size - 1), i);
    }
    assert_int_equal(ftl_word_find(&table, "word", 4), FTL_WORD_NONE);
    assert_int_equal(ftl_word_find(&table, text, longest + 1), FTL_WORD_NONE);
    ftl_blob_free(&blob);
}

static void test_hashes(void **state)
{
    (void)state;
    /* sklearn.utils.murmurhash3_32(word, positive=True) */
    assert_int_equal(ftl_word_murmur3("", 0), 0u);
    assert_int_equal(ftl_word_murmur3("a", 1), 1009084850u);
    assert_int_equal(ftl_word_murmur3("ab", 2), 2613040991u);
    assert_int_equal(ftl_word_murmur3("abc", 3), 3017643002u);
    assert_int_equal(ftl_word_murmur3("abcd", 4), 1139631978u);
    assert_int_equal(ftl_word_murmur3("abcde", 5), 3902511862u);
    assert_int_equal(ftl_word_murmur3("text vectorizer", 15), 2242513458u);
}

static void test_no_words(void **state)
{
    (void)state;
    const ftl_words none = {0};
    ftl_word_table table;
    ftl_error error;
    ftl_account account;
    ftl_blob blob;
    ftl_account_init(&account, NULL, 0);
    ftl_blob_init(&blob, &account, 7);
    assert_int_equal(ftl_word_table_make(&blob, &none, &table, &error), FTL_OK);
    assert_int_equal(ftl_word_find(&table, "a", 1), FTL_WORD_NONE);
    ftl_blob_free(&blob);
}

/* ---- Regular expressions --------------------------------------------------------------------- */

#ifdef FTL_HAVE_PCRE2
static void test_a_pattern_has_limits(void **state)
{
    (void)state;
    ftl_account account;
    ftl_error error;
    ftl_regex *regex = NULL;
    size_t whole[2], part[2];
    char text[200];
    memset(text, 'a', sizeof text);
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(ftl_regex_create(&account, "(?:a+)+[bc]", &regex, &error), FTL_OK);
    assert_int_equal(ftl_regex_next(regex, text, sizeof text, 0, false, 0, whole, part), -1);
    ftl_regex_destroy(regex);
    assert_int_equal(ftl_regex_create(&account, "(a", &regex, &error), FTL_UNSUPPORTED);
    assert_int_equal(ftl_account_used(&account), 0);
}

/* Each place where a match may begin takes few steps, all together too many. */
static void test_the_steps_of_a_text_are_counted_together(void **state)
{
    (void)state;
    enum { run = 13, runs = 3000 };
    static const char *const patterns[] = {"(?:a|a)*[bc]", "(?:\\w{5000}|\\w{4000}|\\w{3000})[!?]"};
    ftl_account account;
    ftl_error error;
    size_t whole[2], part[2];
    char *text = malloc(run * runs);
    assert_non_null(text);
    ftl_account_init(&account, NULL, 0);
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        ftl_regex *regex = NULL;
        memset(text, 'a', run * runs);
        for (size_t i = 0; p == 0 && i < runs; i++)
            text[i * run] = ' ';
        assert_int_equal(ftl_regex_create(&account, patterns[p], &regex, &error), FTL_OK);
        ftl_regex_begin(regex, run * runs);
        assert_int_equal(ftl_regex_next(regex, text, run * runs, 0, false, 0, whole, part), -1);
        ftl_regex_begin(regex, run); /* the next text has its own */
        assert_int_equal(ftl_regex_next(regex, text, run, 0, false, 0, whole, part), 0);
        ftl_regex_destroy(regex);
    }
    free(text);
    assert_int_equal(ftl_account_used(&account), 0);
}

static void test_matches_follow_each_other(void **state)
{
    (void)state;
    ftl_account account;
    ftl_error error;
    ftl_regex *regex = NULL;
    size_t whole[2], part[2];
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(ftl_regex_create(&account, "x*(y)?", &regex, &error), FTL_OK);
    assert_int_equal(ftl_regex_next(regex, "xxay", 4, 0, false, 1, whole, part), 1);
    assert_true(whole[0] == 0 && whole[1] == 2 && part[0] == part[1]); /* the group took no part */
    assert_int_equal(ftl_regex_next(regex, "xxay", 4, 2, false, 1, whole, part), 1);
    assert_true(whole[0] == 2 && whole[1] == 2); /* empty, at once behind the first */
    assert_int_equal(ftl_regex_next(regex, "xxay", 4, 2, true, 1, whole, part), 1);
    assert_true(whole[0] == 3 && whole[1] == 4 && part[0] == 3 && part[1] == 4);
    assert_int_equal(ftl_regex_next(regex, "xxay", 4, 4, true, 1, whole, part), 0);
    ftl_regex_destroy(regex);
}
#endif

/* ---- Counting -------------------------------------------------------------------------------- */

enum { most_steps = 8, most_columns = 16, most_rows = 8 };

typedef struct graph {
    ftl_model model;
    ftl_op ops[most_steps];
    ftl_input_schema inputs[2];
    ftl_output outputs[most_columns];
} graph;

/* words separated by |: "a|bc|" is a, bc and the empty word */
static ftl_words make_words(const char *list, char *text, uint32_t *start)
{
    ftl_words words = {.text = text, .start = start};
    size_t size = strlen(list);
    memcpy(text, list, size + 1);
    start[0] = 0;
    for (size_t i = 0; i <= size; i++) {
        if (text[i] == '|' || text[i] == '\0') {
            text[i] = '\0';
            start[++words.count] = (uint32_t)i + 1;
        }
    }
    words.text_count = size + 1;
    words.start_count = (size_t)words.count + 1;
    return words;
}

static const ftl_segment from_text_input[1] = {{0, 0, 1}};

/* Column 0 is text, column 1 a number; step 2 counts the words. */
static void start_graph(graph *g, const char *vocabulary, ftl_text_op text)
{
    static char words[256];
    static uint32_t starts[64];
    memset(g, 0, sizeof *g);
    ftl_account_init(&g->model.account, NULL, 0);
    g->model.inputs = g->inputs;
    g->model.class_name = "test";
    g->model.graph = (ftl_graph){.n_ops = 3, .ops = g->ops, .n_inputs = 2};
    g->inputs[0] = (ftl_input_schema){.kind = FTL_KIND_STRING, .batch_type = FTL_STRING};
    g->inputs[1] = (ftl_input_schema){.kind = FTL_KIND_NUMERIC, .batch_type = FTL_F64};
    g->ops[0] = (ftl_op){.kind = FTL_OP_INPUT, .edge = FTL_EDGE_OBJECT, .width = 1, .path = ""};
    g->ops[1] = (ftl_op){.kind = FTL_OP_INPUT, .width = 1, .path = "", .u.input.column = 1};
    text.vocabulary = make_words(vocabulary, words, starts);
    text.estimator = "test";
    text.min_n = text.min_n ? text.min_n : 1;
    text.max_n = text.max_n ? text.max_n : text.min_n;
    text.min_token = text.min_token ? text.min_token : 1;
    g->ops[2] = (ftl_op){.kind = FTL_OP_TEXT,
                         .edge = FTL_EDGE_SPARSE,
                         .dtype = FTL_DTYPE_F64,
                         .width = text.vocabulary.count,
                         .n_segments = 1,
                         .segments = from_text_input,
                         .path = "steps[0]",
                         .u.text = text};
}

static ftl_op *add_op(graph *g, ftl_op_kind kind, ftl_edge_kind edge, uint32_t width,
                      const ftl_segment *segments, uint32_t n)
{
    ftl_op *op = &g->ops[g->model.graph.n_ops++];
    *op = (ftl_op){.kind = kind,
                   .edge = edge,
                   .width = width,
                   .segments = segments,
                   .n_segments = n,
                   .path = ""};
    return op;
}

/* Texts of a batch, NULL: missing. Returns the run's status; out: rows × width of the last op. */
static ftl_status run_graph(graph *g, ftl_account *account, const char *const *texts,
                            const double *numbers, uint32_t rows, double *out, uint32_t *n_bad)
{
    char bytes[4096];
    uint32_t offsets[most_rows + 1] = {0}, last = (uint32_t)g->model.graph.n_ops - 1;
    uint8_t validity = 0;
    for (uint32_t i = 0; i < rows; i++) {
        size_t size = texts[i] ? strlen(texts[i]) : 0;
        memcpy(bytes + offsets[i], texts[i] ? texts[i] : "", size);
        offsets[i + 1] = offsets[i] + (uint32_t)size;
        validity = (uint8_t)(validity | (texts[i] ? 1u << i : 0u));
    }
    const ftl_column columns[2] = {
        {.type = FTL_STRING, .values = bytes, .offsets = offsets, .validity = &validity},
        {.type = FTL_F64, .values = numbers}};
    const ftl_batch batch = {.rows = rows, .n_columns = 2, .columns = columns};
    for (uint32_t i = 0; i < g->ops[last].width; i++)
        g->outputs[i] = (ftl_output){.name = "p", .op = last, .column = i};
    g->model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = g->ops[last].width,
                                                               .outputs = g->outputs};
    ftl_error error;
    ftl_plan *plan = NULL;
    ftl_exec exec;
    FTL_TRY(ftl_graph_validate(&g->model.graph, account, &error));
    ftl_model_init_accounts(&g->model);
    ftl_status status = ftl_plan_create(&g->model, FTL_F64, 1u << FTL_PREDICT, 0, &plan, &error);
    if (status == FTL_OK)
        status = ftl_exec_init(&exec, plan, account, &error);
    if (status == FTL_OK) {
        ftl_exec_run(&exec, &batch, 0, rows, 1u << FTL_PREDICT);
        status = exec.status;
        *n_bad = exec.n_bad;
        if (status == FTL_OK)
            memcpy(out, ftl_slot(&plan->steps[last], &exec),
                   (size_t)rows * g->ops[last].width * sizeof *out);
        ftl_exec_free(&exec, account);
    }
    ftl_plan_destroy(plan);
    return status;
}

/* The counts of one text, as digits: "201". */
static void counts(const char *vocabulary, ftl_text_op text, const char *document,
                   const char *expected)
{
    graph g;
    double out[most_columns];
    char digits[most_columns + 1] = "";
    uint32_t bad = 0;
    const double number = 0;
    start_graph(&g, vocabulary, text);
    uint32_t width = g.ops[2].width;
    const ftl_segment all[1] = {{2, 0, width}};
    add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, width, all, 1);
    assert_int_equal(run_graph(&g, &g.model.account, &document, &number, 1, out, &bad), FTL_OK);
    assert_int_equal(bad, 0);
    for (uint32_t i = 0; i < width; i++)
        digits[i] = (char)('0' + (int)out[i]);
    assert_string_equal(digits, expected);
    assert_int_equal(ftl_account_used(&g.model.account), 0);
}

#define LONG "aa bb. aa bb aa bb aa bb aa bb aa bb aa bb aa bb aa bb aa bb aa bb aa bb aa"

static void test_tokens(void **state)
{
    (void)state;
    counts("a|bb|c_1", (ftl_text_op){0}, "bb, a c_1-bb", "121");
    counts("a|bb|c_1", (ftl_text_op){.min_token = 2}, "bb, a c_1-bb", "021");
    counts("a|bb", (ftl_text_op){.binary = true}, "bb bb a bb", "11");
    counts("a|A", (ftl_text_op){.lowercase = true}, "A a A", "30");
    counts("a|A", (ftl_text_op){0}, "A a A", "12");
    counts("\xc3\xa9|x", (ftl_text_op){.min_token = 1}, "x\xcc\x81 \xc3\xa9 x", "12");
    counts("\xc3\xa9\xc3\xa9|x", (ftl_text_op){.min_token = 2}, "\xc3\xa9 \xc3\xa9\xc3\xa9 x",
           "10");
    counts("a|b", (ftl_text_op){0}, "", "00");
    /* runs that end at, and go across, the 64 characters that are looked at together */
    counts("bb|b", (ftl_text_op){0},
           "0123456789012345678901234567890123456789012345678901234567 aa bb b", "11");
    counts("bb|b|aaa", (ftl_text_op){0},
           "012345678901234567890123456789012345678901234567890123456789 aaaaaa bb b", "110");
    counts("aaaaaa", (ftl_text_op){0},
           "012345678901234567890123456789012345678901234567890123456789 aaaaaa", "1");
}

static void test_ngrams(void **state)
{
    (void)state;
    ftl_text_op pairs = {.min_n = 1, .max_n = 2};
    char text[8];
    uint32_t start[3];
    counts("a|a b|b a|b c", pairs, "a, b  a", "2110");
    pairs.stop_words = make_words("b", text, start);
    counts("a|a b|b a|a a", pairs, "a b a",
           "2001"); /* those beside a stop word become neighbours */
    counts("a a a", (ftl_text_op){.min_n = 3}, "a a a a a", "3");
    counts("a|a b|b", (ftl_text_op){.min_n = 1, .max_n = INT32_MAX}, "a b a", "211");
    counts("aa bb|bb aa", (ftl_text_op){.min_n = 2}, LONG, "<<"); /* 12: digits go on with : ; < */
}

static void test_characters(void **state)
{
    (void)state;
    const ftl_text_op two = {.analyzer = FTL_ANALYZER_CHAR, .min_n = 2};
    counts("ab|b |a\t| a", two, "ab \n ab", "2101");
    counts("a\t|\ta", two, "a\ta", "11"); /* one white space stays what it is */
    counts("\xc3\xa9x|a", (ftl_text_op){.analyzer = FTL_ANALYZER_CHAR, .min_n = 1, .max_n = 2},
           "\xc3\xa9xa", "11");
    const ftl_text_op words = {.analyzer = FTL_ANALYZER_CHAR_WB, .min_n = 3, .max_n = 5};
    counts(" a | ab|ab | ab |abc", words, "a ab",
           "1111"
           "0");
    counts(" a ", words, "a", "1"); /* shorter than four: once, not three times */
    counts("a b", words, "a b", "0");
    /* a word shorter than any n counts as a whole, however long the words of the vocabulary are */
    counts(" a ", (ftl_text_op){.analyzer = FTL_ANALYZER_CHAR_WB, .min_n = 9, .max_n = INT32_MAX},
           "a a", "2");
}

static void test_what_is_no_text_is_a_bad_row(void **state)
{
    (void)state;
    graph g;
    double out[most_columns];
    const double numbers[4] = {0};
    const char *const texts[] = {"a", NULL, "a\xff", "a a"};
    uint32_t bad = 0;
    start_graph(&g, "a", (ftl_text_op){0});
    const ftl_segment all[1] = {{2, 0, 1}};
    add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, 1, all, 1);
    assert_int_equal(run_graph(&g, &g.model.account, texts, numbers, 4, out, &bad), FTL_OK);
    assert_int_equal(bad, 2);
    assert_true(out[0] == 1 && out[3] == 2);
}

/* ---- Sparse matrices ------------------------------------------------------------------------- */

static const char *const documents[] = {"a b b", "c", "", "d c b a"};
static const double beside[] = {0.5, 0, -2, 1};

static void test_columns_are_picked(void **state)
{
    (void)state;
    graph g;
    double out[4 * 6];
    uint32_t bad = 0;
    start_graph(&g, "a|b|c|d", (ftl_text_op){0});
    /* d, then b and c, then the number, then a: sparse again, and spread */
    const ftl_segment picked[4] = {{2, 3, 1}, {2, 1, 2}, {1, 0, 1}, {2, 0, 1}},
                      all[1] = {{3, 0, 5}};
    add_op(&g, FTL_OP_GATHER_SPARSE, FTL_EDGE_SPARSE, 5, picked, 4);
    add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, 5, all, 1);
    assert_int_equal(run_graph(&g, &g.model.account, documents, beside, 4, out, &bad), FTL_OK);
    const double expected[] = {0, 2, 0, 0.5, 1, 0, 0, 1, 0, 0, 0, 0, 0, -2, 0, 1, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(out[i] == expected[i]);
}

static void test_linear_takes_columns_where_they_are(void **state)
{
    (void)state;
    graph g;
    double out[4 * 2];
    uint32_t bad = 0;
    start_graph(&g, "a|b|c|d", (ftl_text_op){0});
    /* d, a, b, the number, b again: two passes over the entries and one column */
    const ftl_segment picked[4] = {{2, 3, 1}, {2, 0, 2}, {1, 0, 1}, {2, 1, 1}};
    const double coef[] = {1, 10, 100, 1000, 10000, -1, -2, -3, -4, -5}, intercept[] = {0.25, 0};
    ftl_op *linear = add_op(&g, FTL_OP_LINEAR, FTL_EDGE_NUM, 2, picked, 4);
    linear->dtype = FTL_DTYPE_F64;
    linear->u.linear = (ftl_linear_op){FTL_WHOLE(coef, coef), FTL_WHOLE(intercept, intercept)};
    assert_int_equal(run_graph(&g, &g.model.account, documents, beside, 4, out, &bad), FTL_OK);
    const double expected[] = {20710.25, -20, 0.25, 0, -1999.75, 8, 11111.25, -15};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(out[i] == expected[i]);
}

static void test_weights_and_norms(void **state)
{
    (void)state;
    graph g;
    double out[4 * 4];
    uint32_t bad = 0;
    start_graph(&g, "a|b|c|d", (ftl_text_op){0});
    const double idf[] = {1, 2, 4, 8};
    const ftl_segment counted[1] = {{2, 0, 4}}, weighed[1] = {{3, 0, 4}};
    ftl_op *tfidf = add_op(&g, FTL_OP_TFIDF, FTL_EDGE_SPARSE, 4, counted, 1);
    tfidf->u.tfidf = (ftl_tfidf_op){
        .sublinear = true, .normalize = true, .norm = FTL_NORM_L1, FTL_WHOLE(idf, idf)};
    add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, 4, weighed, 1);
    assert_int_equal(run_graph(&g, &g.model.account, documents, beside, 4, out, &bad), FTL_OK);
    const double b = (log(2.0) + 1) * 2;
    assert_true(out[0] == 1 / (1 + b) && out[1] == b / (1 + b) && out[2] == 0);
    assert_true(out[4 + 2] == 1);
    assert_true(out[8] == 0 && out[11] == 0); /* a row without words has norm 0 and stays */
    assert_true(out[12] == 1.0 / 15 && out[15] == 8.0 / 15);
}

static void test_numbers_in_a_sparse_matrix_are_checked(void **state)
{
    (void)state;
    graph g;
    double out[4 * 2];
    uint32_t bad = 0;
    const double numbers[] = {1, NAN, INFINITY, 0};
    start_graph(&g, "a", (ftl_text_op){0});
    const ftl_segment both[2] = {{2, 0, 1}, {1, 0, 1}}, all[1] = {{3, 0, 2}},
                      checked[1] = {{4, 0, 2}};
    add_op(&g, FTL_OP_GATHER_SPARSE, FTL_EDGE_SPARSE, 2, both, 2);
    ftl_op *check = add_op(&g, FTL_OP_CHECK, FTL_EDGE_SPARSE, 2, all, 1);
    check->u.check = (ftl_check_op){.refuse = FTL_CHECK_NAN, .estimator = "test"};
    add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, 2, checked, 1);
    assert_int_equal(run_graph(&g, &g.model.account, documents, numbers, 4, out, &bad), FTL_OK);
    assert_int_equal(bad, 1);
    check->u.check.refuse |= FTL_CHECK_INF;
    assert_int_equal(run_graph(&g, &g.model.account, documents, numbers, 4, out, &bad), FTL_OK);
    assert_int_equal(bad, 2);
    assert_true(out[0] == 1 && out[1] == 1);
}

static void test_every_failing_allocation_ends_the_run(void **state)
{
    (void)state;
    for (long fail_at = 1;; fail_at++) {
        graph g;
        torture t;
        double out[4 * 4];
        uint32_t bad = 0;
        start_graph(&g, "a|b|a b|d c", (ftl_text_op){.min_n = 1, .max_n = 2, .lowercase = true});
        const ftl_segment counted[1] = {{2, 0, 4}}, weighed[1] = {{3, 0, 4}};
        add_op(&g, FTL_OP_TFIDF, FTL_EDGE_SPARSE, 4, counted, 1);
        add_op(&g, FTL_OP_GATHER, FTL_EDGE_NUM, 4, weighed, 1);
        torture_begin(&t, &g.model.account, fail_at);
        ftl_status status = run_graph(&g, &g.model.account, documents, beside, 4, out, &bad);
        assert_int_equal(t.held, 0);
        if (torture_over(&t)) {
            assert_int_equal(status, FTL_OK);
            assert_true(fail_at > 5);
            break;
        }
        assert_int_equal(status, FTL_NOMEM);
    }
}

static void test_damaged_text_steps_are_refused(void **state)
{
    (void)state;
    graph g;
    ftl_error error;
    const ftl_text_op plain = {0};
    start_graph(&g, "a|b", plain);
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_OK);
    g.ops[2].width = 3; /* not the vocabulary's */
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_CORRUPT);
    start_graph(&g, "a|b", (ftl_text_op){.min_n = 2, .max_n = 1});
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_CORRUPT);
    start_graph(&g, "a|b", plain);
    g.ops[2].dtype = FTL_DTYPE_SAME;
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_CORRUPT);
    start_graph(&g, "a|b", plain);
    static const uint32_t falling[] = {0, 4, 2};
    g.ops[2].u.text.vocabulary.start = falling;
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_CORRUPT);
    start_graph(&g, "a|b", plain);
    const ftl_segment all[1] = {{2, 0, 2}};
    const double shift[] = {1, 1};
    const ftl_affine_step step = {.kind = FTL_AFFINE_ADD, FTL_WHOLE(vector, shift)};
    ftl_op *affine = add_op(&g, FTL_OP_AFFINE, FTL_EDGE_SPARSE, 2, all, 1);
    affine->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, &step, 1)};
    assert_int_equal(ftl_graph_validate(&g.model.graph, &g.model.account, &error), FTL_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_is_read_strictly),
        cmocka_unit_test(test_characters_are_written_as_they_are_read),
        cmocka_unit_test(test_classes_of_characters),
        cmocka_unit_test(test_decompositions),
        cmocka_unit_test(test_lower_case),
        cmocka_unit_test(test_accents),
        cmocka_unit_test(test_words_are_found),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_no_words),
#ifdef FTL_HAVE_PCRE2
        cmocka_unit_test(test_a_pattern_has_limits),
        cmocka_unit_test(test_the_steps_of_a_text_are_counted_together),
        cmocka_unit_test(test_matches_follow_each_other),
#endif
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_ngrams),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_what_is_no_text_is_a_bad_row),
        cmocka_unit_test(test_columns_are_picked),
        cmocka_unit_test(test_linear_takes_columns_where_they_are),
        cmocka_unit_test(test_weights_and_norms),
        cmocka_unit_test(test_numbers_in_a_sparse_matrix_are_checked),
        cmocka_unit_test(test_every_failing_allocation_ends_the_run),
        cmocka_unit_test(test_damaged_text_steps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
