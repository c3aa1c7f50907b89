/*
 * Token patterns and the analysis of texts: two bytes of options, then, each ended by 0xff (which
 * is in no UTF-8), a token_pattern, words a line, and texts. They become a vectorizer in a pickle:
 * without words one that hashes. A text's result depends on no text beside it, and runs of word
 * characters are the same with and without a regular expression.
 */
#include <foretell/foretell.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_require(x) ((x) ? (void)0 : abort())

enum { most_texts = 3, few_columns = 32, block = 2 };

typedef struct slice {
    const char *data;
    size_t size;
} slice;

typedef struct input {
    unsigned options, more;
    slice pattern, words, texts[most_texts];
    size_t n_texts;
} input;

static slice next_slice(slice *rest)
{
    const char *end = rest->size ? memchr(rest->data, 0xff, rest->size) : NULL;
    slice out = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = out.size + (end ? 1 : 0);
    rest->data = used ? rest->data + used : rest->data;
    rest->size -= used;
    return out;
}

static input read_input(const uint8_t *data, size_t size)
{
    input in = {.options = data[0], .more = data[1]};
    slice rest = {(const char *)data + 2, size - 2};
    in.pattern = next_slice(&rest);
    in.words = next_slice(&rest);
    while (rest.size && in.n_texts < most_texts)
        in.texts[in.n_texts++] = next_slice(&rest);
    if (in.n_texts == 0)
        in.texts[in.n_texts++] = (slice){"", 0};
    return in;
}

/* ---- The model ------------------------------------------------------------------------------- */

typedef struct pickle {
    char *data;
    size_t size, room;
} pickle;

static void put(pickle *out, const void *bytes, size_t size)
{
    if (out->size + size > out->room) {
        out->room = 2 * (out->size + size);
        out->data = realloc(out->data, out->room);
        fuzz_require(out->data);
    }
    if (size)
        memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

static void put_opcodes(pickle *out, const char *opcodes) { put(out, opcodes, strlen(opcodes)); }

static void put_text(pickle *out, slice text)
{
    const uint32_t size = (uint32_t)text.size;
    const char head[] = {'X', (char)size, (char)(size >> 8), (char)(size >> 16),
                         (char)(size >> 24)};
    put(out, head, sizeof head);
    put(out, text.data, text.size);
}

static void put_name(pickle *out, const char *text) { put_text(out, (slice){text, strlen(text)}); }

static void put_bool(pickle *out, const char *name, bool value)
{
    put_name(out, name);
    put_opcodes(out, value ? "\x88" : "\x89");
}

static void put_words(pickle *out, const char *name, slice lines)
{
    put_name(out, name);
    put_opcodes(out, "](");
    while (lines.size) {
        const char *end = memchr(lines.data, '\n', lines.size);
        slice line = {lines.data, end ? (size_t)(end - lines.data) : lines.size};
        put_text(out, line);
        lines.data += line.size + (end ? 1 : 0);
        lines.size -= line.size + (end ? 1 : 0);
    }
    put_opcodes(out, "e");
}

static void put_tokens(pickle *out, const input *in, slice pattern)
{
    static const char *const analyzers[] = {"word", "word", "char", "char_wb"};
    static const char *const accents[] = {NULL, "ascii", "unicode", "unicode"};
    const char *strip = accents[in->options >> 2 & 3];
    put_name(out, "analyzer");
    put_name(out, analyzers[in->options & 3]);
    put_name(out, "token_pattern");
    put_text(out, pattern);
    put_name(out, "strip_accents");
    if (strip)
        put_name(out, strip);
    else
        put_opcodes(out, "N");
    if (in->options & 0x40)
        put_words(out, "stop_words", in->words);
    else if (in->options & 0x80) {
        put_name(out, "stop_words");
        put_name(out, "english");
    }
    put_bool(out, "lowercase", in->options & 0x10);
    put_bool(out, "binary", in->options & 0x20);
}

static pickle write_model(const input *in, slice pattern)
{
    pickle out = {0};
    const bool hashes = in->words.size == 0 || in->more & 0x80;
    const unsigned least = 1 + (in->more & 3), most = least + (in->more >> 2 & 3);
    const char low = (char)least, high = (char)(in->more & 0x20 ? 100 : most);
    const char range[] = {'K', low, 'K', high, (char)0x86};
    put_opcodes(&out, "\x80\x02"
                      "csklearn.feature_extraction.text\n");
    put_opcodes(&out, hashes ? "HashingVectorizer\n" : "CountVectorizer\n");
    put_opcodes(&out, ")\x81}(");
    put_tokens(&out, in, pattern);
    put_name(&out, "ngram_range");
    put(&out, range, sizeof range);
    if (hashes) {
        put_bool(&out, "alternate_sign", in->more & 0x10);
        put_name(&out, "norm");
        put_opcodes(&out, "N");
        put_name(&out, "n_features");
        put(&out, (const char[]){'K', in->more & 0x40 ? 1 : few_columns}, 2);
    } else {
        put_words(&out, "vocabulary", in->words);
    }
    put_name(&out, "_sklearn_version");
    put_name(&out, (in->options & 0xc) == 0xc ? "0.21.3" : "1.5.0");
    put_opcodes(&out, "ub.");
    return out;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The results of all texts, 0 where a text is bad, in columns. */
typedef struct result {
    ftl_status status;
    size_t columns;
    double *values; /* [columns][texts] */
    bool bad[most_texts];
} result;

/* Texts from `first` on go into places from `first` on. */
static void predict(ftl_session *session, const slice *texts, size_t first, size_t n, size_t all,
                    result *out)
{
    uint32_t offsets[most_texts + 1] = {0};
    ftl_batch got;
    ftl_error error;
    for (size_t i = 0; i < n; i++)
        offsets[i + 1] = offsets[i] + (uint32_t)texts[first + i].size;
    char *bytes = malloc(offsets[n] ? offsets[n] : 1); /* the end of the text ends the block */
    fuzz_require(bytes);
    for (size_t i = 0; i < n; i++)
        if (texts[first + i].size)
            memcpy(bytes + offsets[i], texts[first + i].data, texts[first + i].size);
    const ftl_column column = {.type = FTL_STRING, .values = bytes, .offsets = offsets};
    const ftl_batch in = {.rows = n, .n_columns = 1, .columns = &column};
    out->status = ftl_predict(session, FTL_TRANSFORM, &in, &got, &error);
    fuzz_require(out->status == FTL_OK || (error.code == out->status && error.message[0]));
    fuzz_require(out->status != FTL_INTERNAL && out->status != FTL_CORRUPT);
    for (size_t c = 0; out->status == FTL_OK && c < out->columns; c++) {
        const ftl_column *from = &got.columns[c];
        size_t stride = from->stride ? (size_t)from->stride : 8;
        fuzz_require(from->type == FTL_F64 || from->type == FTL_I64);
        for (size_t i = 0; i < n; i++) {
            const char *at = (const char *)from->values + i * stride;
            int64_t integer = 0;
            double number = 0;
            memcpy(from->type == FTL_F64 ? (void *)&number : (void *)&integer, at, 8);
            out->bad[first + i] = from->validity && !(from->validity[i / 8] >> i % 8 & 1);
            out->values[c * all + first + i] = out->bad[first + i] ? 0 : number + (double)integer;
        }
    }
    free(bytes);
}

static void use_model(ftl_model *model, const input *in, bool together, result *out)
{
    const ftl_session_options options = {.struct_size = sizeof options,
                                         .input_dtype = FTL_F64,
                                         .block_rows = block,
                                         .on_error = FTL_ON_ERROR_NULL};
    ftl_session *session = NULL;
    ftl_error error;
    out->status = ftl_session_create(model, &options, &session, &error);
    if (out->status != FTL_OK)
        return;
    out->columns = ftl_model_output_count(model, FTL_TRANSFORM);
    out->values = calloc(out->columns * in->n_texts, sizeof *out->values);
    fuzz_require(out->values);
    if (together)
        predict(session, in->texts, 0, in->n_texts, in->n_texts, out);
    for (size_t i = in->n_texts; !together && out->status == FTL_OK && i-- > 0;)
        predict(session, in->texts, i, 1, in->n_texts, out);
    ftl_session_destroy(session);
}

static result run(const input *in, slice pattern, bool together)
{
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = (uint64_t)64 << 20, .threads = 1};
    pickle file = write_model(in, pattern);
    result out = {0};
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    ftl_error error;
    fuzz_require(ftl_context_create(&options, &context, NULL) == FTL_OK);
    out.status = ftl_model_open_memory(context, file.data, file.size, NULL, &model, &error);
    if (out.status == FTL_OK)
        use_model(model, in, together, &out);
    else
        fuzz_require(error.code == out.status && error.message[0]);
    ftl_model_release(model);
    fuzz_require(ftl_context_memory_used(context) <= 4096);
    ftl_context_destroy(context);
    free(file.data);
    return out;
}

static void same_values(const input *in, const result *a, const result *b, size_t text)
{
    for (size_t c = 0; c < a->columns; c++) {
        double x = a->values[c * in->n_texts + text], y = b->values[c * in->n_texts + text];
        fuzz_require(!(x < y) && !(x > y));
    }
}

/*
 * A group of nothing behind a pattern makes a regular expression of it. Characters up to U+0FFF:
 * PCRE2's Unicode may be older or newer than ours, which shows elsewhere.
 */
static void check_runs(const input *in, const result *plain)
{
    char longer[256];
    if (in->pattern.size > 200 || !in->pattern.size)
        return;
    for (size_t i = 0; i < in->n_texts; i++)
        for (size_t k = 0; k < in->texts[i].size; k++)
            if ((unsigned char)in->texts[i].data[k] >= 0xe1)
                return;
    memcpy(longer, in->pattern.data, in->pattern.size);
    if (!memchr("+}b", longer[in->pattern.size - 1], 3))
        return;
    memcpy(longer + in->pattern.size, "(?:)", 4);
    result other = run(in, (slice){longer, in->pattern.size + 4}, true);
    /* either may be too large, or take too many steps, by those of the group */
    for (size_t i = 0; other.status == FTL_OK && i < in->n_texts; i++)
        if (!plain->bad[i] && !other.bad[i])
            same_values(in, plain, &other, i);
    free(other.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const input in = read_input(data, size);
    result together = run(&in, in.pattern, true);
    if (together.status == FTL_OK) {
        result alone = run(&in, in.pattern, false);
        fuzz_require(alone.status == FTL_OK || alone.status == FTL_NOMEM);
        for (size_t i = 0; alone.status == FTL_OK && i < in.n_texts; i++) {
            fuzz_require(together.bad[i] == alone.bad[i]);
            same_values(&in, &together, &alone, i);
        }
        free(alone.values);
        check_runs(&in, &together);
    }
    free(together.values);
    return 0;
}
