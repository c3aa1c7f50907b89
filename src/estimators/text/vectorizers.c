/*
 * CountVectorizer, TfidfVectorizer, HashingVectorizer and TfidfTransformer of
 * sklearn.feature_extraction.text.
 *
 * A vectorizer takes one column of texts and yields a sparse matrix as wide as its vocabulary.
 * Callables (tokenizer, preprocessor, analyzer) are code, which is not in the file: refused by
 * name. idf_ was kept as the diagonal of a sparse matrix, _idf_diag, until 1.4.
 */
#include "estimators/text/vectorizers.h"

#include "base/checked.h"
#include "base/utf8.h"
#include "build/transformer.h"
#include "estimators/families.h"

#include <stdlib.h>
#include <string.h>

enum { max_words = 1 << 24 };

/* ---- Lists of words -------------------------------------------------------------------------- */

static ftl_status word_at(const ftl_estimator *e, const char *attribute, const ftl_node *node,
                          ftl_node_string *out, ftl_error *error)
{
    if (!ftl_node_as_str(node, out) || !ftl_utf8_valid(out->data, out->size))
        return FTL_ATTR_FAIL(error, e, attribute, FTL_CORRUPT, "%s holds a word that is no text",
                             attribute);
    return FTL_OK;
}

/* words[i] → ftl_words, each with a NUL behind it. */
static ftl_status pack_words(ftl_build *build, const ftl_estimator *e, const char *attribute,
                             const ftl_node_string *words, size_t n, ftl_words *out,
                             ftl_error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (!ftl_add_size(bytes, words[i].size + 1, &bytes) || bytes > UINT32_MAX)
            return FTL_ATTR_FAIL(error, e, attribute, FTL_LIMIT, "%s is larger than 4 GB",
                                 attribute);
    }
    char *text = ftl_arena_alloc(build->arena, bytes + 1);
    uint32_t *start = ftl_arena_array(build->arena, n + 1, sizeof *start);
    if (!text || !start)
        return FTL_OOM(error);
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        start[i] = at;
        memcpy(text + at, words[i].data, words[i].size);
        at += (uint32_t)words[i].size;
        text[at++] = '\0';
    }
    start[n] = at;
    *out = (ftl_words){
        .count = (uint32_t)n, FTL_SIZED(text, text, at), FTL_SIZED(start, start, n ? n + 1 : 0)};
    return FTL_OK;
}

static ftl_status new_words(ftl_build *build, const ftl_estimator *e, const char *attribute,
                            size_t n, ftl_node_string **out, ftl_error *error)
{
    if (n > max_words)
        return FTL_ATTR_FAIL(error, e, attribute, FTL_LIMIT, "%s has more than %d words", attribute,
                             (int)max_words);
    *out = ftl_arena_zero_array(build->scratch, n, sizeof **out);
    return *out ? FTL_OK : FTL_OOM(error);
}

/* {word: column}: every column exactly once. */
static ftl_status words_of_dict(ftl_build *build, const ftl_estimator *e, const char *attribute,
                                const ftl_node_dict *dict, ftl_words *out, ftl_error *error)
{
    ftl_node_string *words, word;
    FTL_TRY(new_words(build, e, attribute, dict->size, &words, error));
    for (size_t i = 0; i < dict->size; i++) {
        int64_t column;
        FTL_TRY(word_at(e, attribute, dict->keys[i], &word, error));
        if (!ftl_node_as_int(dict->values[i], &column) || column < 0 ||
            column >= (int64_t)dict->size || words[column].data)
            return FTL_ATTR_FAIL(error, e, attribute, FTL_CORRUPT,
                                 "%s does not number its %zu words from 0 on, each once", attribute,
                                 dict->size);
        words[column] = word;
    }
    return pack_words(build, e, attribute, words, dict->size, out, error);
}

static int by_code_point(const void *a, const void *b)
{
    /* The order of UTF-8 bytes is that of code points, which is Python's. */
    const ftl_node_string *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static ftl_status words_of_sequence(ftl_build *build, const ftl_estimator *e, const char *attribute,
                                    const ftl_node_sequence *items, bool sorted, ftl_words *out,
                                    ftl_error *error)
{
    ftl_node_string *words;
    FTL_TRY(new_words(build, e, attribute, items->size, &words, error));
    for (size_t i = 0; i < items->size; i++)
        FTL_TRY(word_at(e, attribute, items->items[i], &words[i], error));
    if (sorted && items->size > 1)
        qsort(words, items->size, sizeof *words, by_code_point);
    return pack_words(build, e, attribute, words, items->size, out, error);
}

/*
 * vocabulary_; a vectorizer that was given its vocabulary and never fitted has only the parameter:
 * a dict, a list in order, or a set, which the library sorts.
 */
static ftl_status read_vocabulary(ftl_build *build, const ftl_estimator *e, ftl_words *out,
                                  ftl_error *error)
{
    const char *name = ftl_attr(e, "vocabulary_") ? "vocabulary_" : "vocabulary";
    const ftl_node *node = ftl_attr(e, name);
    if (ftl_node_is_none(node))
        return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_CORRUPT,
                             "the vectorizer has no vocabulary; it was never fitted");
    if (node->kind == FTL_NODE_DICT)
        FTL_TRY(words_of_dict(build, e, name, &node->u.dict, out, error));
    else if (node->kind == FTL_NODE_SET)
        FTL_TRY(words_of_sequence(build, e, name, &node->u.seq, true, out, error));
    else if (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE)
        FTL_TRY(words_of_sequence(build, e, name, &node->u.seq, false, out, error));
    else
        return FTL_ATTR_FAIL(error, e, name, FTL_UNSUPPORTED,
                             "%s is neither a dict nor a list of words", name);
    if (out->count == 0)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is empty", name);
    return FTL_OK;
}

static ftl_status english_words(ftl_build *build, const ftl_estimator *e, ftl_words *out,
                                ftl_error *error)
{
    ftl_node_string *words;
    FTL_TRY(new_words(build, e, "stop_words", ftl_english_stop_word_count, &words, error));
    const char *at = ftl_english_stop_words;
    for (uint32_t i = 0; i < ftl_english_stop_word_count; i++) {
        words[i] = (ftl_node_string){at, strlen(at)};
        at += words[i].size + 1;
    }
    return pack_words(build, e, "stop_words", words, ftl_english_stop_word_count, out, error);
}

static ftl_status read_stop_words(ftl_build *build, const ftl_estimator *e, ftl_words *out,
                                  ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "stop_words");
    *out = (ftl_words){0};
    if (ftl_node_is_none(node))
        return FTL_OK;
    if (ftl_node_str_equal(node, "english"))
        return english_words(build, e, out, error);
    if (node->kind == FTL_NODE_SET || node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE)
        return words_of_sequence(build, e, "stop_words", &node->u.seq, false, out, error);
    return FTL_ATTR_FAIL(error, e, "stop_words", FTL_UNSUPPORTED,
                         "stop_words is neither 'english' nor a list of words");
}

/* ---- Options --------------------------------------------------------------------------------- */

static ftl_status no_callable(const ftl_estimator *e, const char *name, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, name);
    char about[160];
    if (ftl_node_is_none(node))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, name, FTL_UNSUPPORTED,
                         "%s with %s=%s: a function's code is not in the file; express it with "
                         "token_pattern, lowercase and strip_accents",
                         e->cls->name, name, ftl_node_describe(node, about, sizeof about));
}

static ftl_status read_accents(const ftl_estimator *e, ftl_accents *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "strip_accents");
    bool truth = true;
    *out = FTL_ACCENTS_KEEP;
    if (ftl_node_is_none(node) || (ftl_node_as_bool(node, &truth) && !truth) ||
        ftl_node_str_equal(node, ""))
        return FTL_OK;
    if (ftl_node_str_equal(node, "ascii"))
        *out = FTL_ACCENTS_ASCII;
    else if (ftl_node_str_equal(node, "unicode"))
        *out = e->version < FTL_SKLEARN(0, 22) ? FTL_ACCENTS_OLD_UNICODE : FTL_ACCENTS_UNICODE;
    else
        return FTL_ATTR_FAIL(error, e, "strip_accents", FTL_UNSUPPORTED,
                             "strip_accents is neither None, 'ascii' nor 'unicode'");
    return FTL_OK;
}

static ftl_status read_ngrams(const ftl_estimator *e, ftl_text_op *op, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    int64_t low = 1, high = 1;
    if (ftl_attr(e, "ngram_range"))
        FTL_TRY(ftl_attr_items(e, "ngram_range", &items, &n, error));
    if (items && (n != 2 || !ftl_node_as_int(items[0], &low) || !ftl_node_as_int(items[1], &high) ||
                  low < 1 || high < low))
        return FTL_ATTR_FAIL(error, e, "ngram_range", FTL_CORRUPT,
                             "ngram_range is not a pair of growing numbers from 1 on");
    op->min_n = (uint32_t)(low < 1 << 30 ? low : 1 << 30);
    op->max_n = (uint32_t)(high < 1 << 30 ? high : 1 << 30);
    return FTL_OK;
}

static ftl_status read_analyzer(ftl_build *build, const ftl_estimator *e, ftl_text_op *op,
                                ftl_error *error)
{
    ftl_token_pattern pattern;
    if (ftl_attr_is(e, "analyzer", "char") || ftl_attr_is(e, "analyzer", "char_wb")) {
        op->analyzer = ftl_attr_is(e, "analyzer", "char") ? FTL_ANALYZER_CHAR
                                                          : FTL_ANALYZER_CHAR_WB;
        return FTL_OK;
    }
    if (!ftl_attr_is(e, "analyzer", "word"))
        return no_callable(e, "analyzer", error);
    op->analyzer = FTL_ANALYZER_WORD;
    FTL_TRY(no_callable(e, "tokenizer", error));
    FTL_TRY(read_stop_words(build, e, &op->stop_words, error));
    FTL_TRY(ftl_token_pattern_read(build, e, &pattern, error));
    op->min_token = pattern.min_token;
    op->pattern = pattern.pattern;
    return FTL_OK;
}

static ftl_status read_vectorizer(ftl_build *build, const ftl_estimator *e, ftl_text_op *op,
                                  ftl_error *error)
{
    if (ftl_attr(e, "input") && !ftl_attr_is(e, "input", "content"))
        return FTL_ATTR_FAIL(error, e, "input", FTL_UNSUPPORTED,
                             "%s that reads files (input='filename' or 'file'); only "
                             "input='content' runs",
                             e->cls->name);
    *op = (ftl_text_op){.estimator = e->cls->name};
    FTL_TRY(no_callable(e, "preprocessor", error));
    FTL_TRY(read_accents(e, &op->accents, error));
    FTL_TRY(ftl_attr_bool(e, "lowercase", true, &op->lowercase, error));
    FTL_TRY(ftl_attr_bool(e, "binary", false, &op->binary, error));
    FTL_TRY(read_ngrams(e, op, error));
    return read_analyzer(build, e, op, error);
}

/* ---- CountVectorizer ------------------------------------------------------------------------- */

/* Columns of a sparse op, called by the words. */
static ftl_status frame_of_words(ftl_build *build, uint32_t id, const ftl_words *words, ftl_as as,
                                 ftl_frame *out, ftl_error *error)
{
    const char **names = ftl_arena_array(build->scratch, words->count, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < words->count; i++)
        names[i] = words->text + words->start[i];
    FTL_TRY(ftl_frame_of_op(build, id, names, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = as;
    out->sparse = true;
    return FTL_OK;
}

static ftl_status check_ngrams(const ftl_estimator *e, const ftl_text_op *op, ftl_error *error)
{
    if (ftl_text_ngrams_fit(op))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, "ngram_range", FTL_LIMIT,
                         "ngram_range asks for n-grams of more than %d", (int)FTL_MOST_NGRAM);
}

/* The TEXT step on the one column of `in`. */
static ftl_status add_text(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                           ftl_text_op text, ftl_number_type type, uint32_t *id, ftl_error *error)
{
    uint32_t source, width = text.n_hashes ? text.n_hashes : text.vocabulary.count;
    ftl_op *op = NULL;
    FTL_TRY(check_ngrams(e, &text, error));
    FTL_TRY(ftl_build_objects(build, e, in, &source, error));
    ftl_build_missing(build, &in->columns[0], FTL_MISSING_REFUSED);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TEXT, source, width, id, &op, error));
    text.column = in->columns[0].name;
    /* A file of one column cannot tell the empty text from a missing cell. */
    text.empty_is_text = build->n_inputs == 1;
    op->edge = FTL_EDGE_SPARSE;
    op->dtype = type.dtype;
    op->u.text = text;
    return FTL_OK;
}

static ftl_status emit_counts(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    ftl_text_op text;
    ftl_number_type type;
    uint32_t id;
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(read_vectorizer(build, e, &text, error));
    FTL_TRY(read_vocabulary(build, e, &text.vocabulary, error));
    FTL_TRY(ftl_attr_number_type(e, "dtype", &type, error));
    FTL_TRY(add_text(build, e, in, text, type, &id, error));
    return frame_of_words(build, id, &text.vocabulary, type.as, out, error);
}

static ftl_status emit_count_vectorizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                        const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    FTL_TRY(ftl_expect_transform(e, method, error));
    return emit_counts(build, e, in, out, error);
}

static const char *words_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *node = ftl_attr(e, "vocabulary_");
    size_t n = node && node->kind == FTL_NODE_DICT ? node->u.dict.size : 0;
    const char *analyzer = ftl_attr_is(e, "analyzer", "char")      ? ", of characters"
                           : ftl_attr_is(e, "analyzer", "char_wb") ? ", of characters in words"
                                                                   : "";
    return n ? ftl_arena_printf(build->arena, "vocabulary of %zu%s", n, analyzer) : "";
}

/* ---- TfidfTransformer ------------------------------------------------------------------------ */

/* idf_, or the diagonal of _idf_diag: a csr matrix, in very old files a dia matrix. */
static ftl_status read_idf(ftl_build *build, const ftl_estimator *e, size_t n, ftl_array2 *out,
                           ftl_error *error)
{
    const ftl_node *diagonal = ftl_attr(e, "_idf_diag");
    ftl_array2 array = {0};
    if (ftl_attr(e, "idf_"))
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("idf_"), &array, error));
    else if (diagonal && diagonal->kind == FTL_NODE_SPARSE) {
        const ftl_node_sparse *sparse = diagonal->u.sparse;
        bool square = sparse->rows == n && sparse->columns == n &&
                      ftl_node_length(sparse->data) == n;
        if (!square)
            return FTL_ATTR_FAIL(error, e, "_idf_diag", FTL_CORRUPT,
                                 "_idf_diag is not a diagonal of %zu numbers", n);
        FTL_TRY(ftl_node_matrix(build, sparse->data, &array, error));
    } else if (diagonal && ftl_node_attr(diagonal, "data")) {
        FTL_TRY(ftl_node_matrix(build, ftl_node_attr(diagonal, "data"), &array, error));
    }
    if (array.rows != 1 || array.columns != n)
        return FTL_ATTR_FAIL(error, e, "idf_", FTL_CORRUPT, "idf_ does not hold %zu numbers", n);
    *out = array;
    return FTL_OK;
}

static ftl_status read_norm(const ftl_estimator *e, ftl_tfidf_op *op, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "norm");
    bool truth = true;
    op->normalize = !(ftl_node_is_none(node) || (ftl_node_as_bool(node, &truth) && !truth));
    if (!op->normalize || ftl_node_str_equal(node, "l2"))
        op->norm = FTL_NORM_L2;
    else if (ftl_node_str_equal(node, "l1"))
        op->norm = FTL_NORM_L1;
    else if (ftl_node_str_equal(node, "max"))
        op->norm = e->version < FTL_SKLEARN(0, 23) ? FTL_NORM_MAX_SIGNED : FTL_NORM_MAX;
    else
        return FTL_ATTR_FAIL(error, e, "norm", FTL_CORRUPT, "norm is none of l1, l2, max and None");
    return FTL_OK;
}

static ftl_status emit_weights(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_tfidf_op tfidf = {0};
    bool use_idf;
    ftl_array2 idf = {0};
    uint32_t source, id;
    ftl_op *op = NULL;
    if (in->n_columns == 0)
        return FTL_ATTR_FAIL(error, e, "idf_", FTL_CORRUPT, "there are no words to weigh");
    FTL_TRY(read_norm(e, &tfidf, error));
    FTL_TRY(ftl_attr_bool(e, "sublinear_tf", false, &tfidf.sublinear, error));
    FTL_TRY(ftl_attr_bool(e, "use_idf", true, &use_idf, error));
    if (use_idf)
        FTL_TRY(read_idf(build, e, in->n_columns, &idf, error));
    tfidf.idf = idf.data;
    tfidf.idf_count = idf.rows * idf.columns;
    FTL_TRY(ftl_build_sparse(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TFIDF, source, in->n_columns, &id, &op, error));
    op->edge = FTL_EDGE_SPARSE;
    op->u.tfidf = tfidf;
    /*
     * Counts are integers: what is not float32 becomes float64. Until 1.4, so does a dense matrix,
     * and the product of float32 counts with float64 weights.
     */
    bool wide = in->columns[0].as != FTL_AS_FLOAT;
    if (e->version < FTL_SKLEARN(1, 5))
        wide = wide || !in->sparse || (idf.data && !idf.was_f32);
    op->dtype = wide ? FTL_DTYPE_F64 : FTL_DTYPE_SAME;
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_FLOAT;
    out->sparse = true;
    out->csc = false;
    return FTL_OK;
}

static ftl_status emit_tfidf(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    FTL_TRY(ftl_expect_transform(e, method, error));
    return emit_weights(build, e, in, out, error);
}

static ftl_status tfidf_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    const ftl_node *diagonal = ftl_attr(e, "_idf_diag");
    if (diagonal && diagonal->kind == FTL_NODE_SPARSE && diagonal->u.sparse->columns <= max_words) {
        *out = (ftl_inputs){.count = (int64_t)diagonal->u.sparse->columns};
        return FTL_OK;
    }
    return ftl_inputs_by_length(build, e, FTL_NAMES("idf_"), out, error);
}

/* ---- TfidfVectorizer ------------------------------------------------------------------------- */

static ftl_status emit_tfidf_vectorizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                        const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame counts;
    ftl_estimator weights;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(emit_counts(build, e, in, &counts, error));
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "_tfidf"), e, ftl_child_path(build, e, "_tfidf"),
                             &weights, error));
    return ftl_emit(build, &weights, FTL_TRANSFORM, &counts, out, error);
}

/* ---- HashingVectorizer ----------------------------------------------------------------------- */

static ftl_status read_hashes(const ftl_estimator *e, ftl_text_op *op, ftl_error *error)
{
    int64_t n = 0;
    FTL_TRY(ftl_attr_int(e, "n_features", 1 << 20, &n, error));
    if (n < 1)
        return FTL_ATTR_FAIL(error, e, "n_features", FTL_CORRUPT, "there are no columns");
    if (n > max_words)
        return FTL_ATTR_FAIL(error, e, "n_features", FTL_LIMIT, "more than %d columns",
                             (int)max_words);
    op->n_hashes = (uint32_t)n;
    FTL_TRY(ftl_attr_bool(e, "alternate_sign", true, &op->signs, error));
    return ftl_attr_bool(e, "non_negative", false, &op->absolute, error); /* until 0.20 */
}

/* The columns have no names in the library; those that can be seen are numbered. */
static ftl_status number_columns(ftl_build *build, ftl_frame *frame, ftl_error *error)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        frame->columns[i].name = frame->n_columns > FTL_WIDEST_TEXT_OUTPUT
                                     ? "hash"
                                     : ftl_arena_printf(build->arena, "x%u", i);
        if (!frame->columns[i].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status emit_hashes(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_text_op text;
    ftl_number_type type;
    ftl_tfidf_op norm = {0};
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(read_vectorizer(build, e, &text, error));
    FTL_TRY(read_hashes(e, &text, error));
    FTL_TRY(read_norm(e, &norm, error));
    FTL_TRY(ftl_attr_number_type(e, "dtype", &type, error));
    FTL_TRY(add_text(build, e, in, text, type, &id, error));
    if (norm.normalize) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_NORMALIZE, id, text.n_hashes, &id, &op, error));
        op->edge = FTL_EDGE_SPARSE;
        op->u.normalize = (ftl_normalize_op){.norm = norm.norm};
    }
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = norm.normalize ? FTL_AS_FLOAT : type.as;
    out->sparse = true;
    return number_columns(build, out, error);
}

static const char *hashes_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_text_op op = {0};
    if (read_hashes(e, &op, NULL) != FTL_OK)
        return "";
    return ftl_arena_printf(build->arena, "%u columns", op.n_hashes);
}

#define TEXT(name_, emit_, inputs_, detail_)                                               \
    FTL_PLAIN_TRANSFORMER("sklearn.feature_extraction", name_, emit_, .inputs = (inputs_), \
                          .detail = (detail_))

const ftl_estimator_class ftl_text_classes[] = {
    TEXT("CountVectorizer", emit_count_vectorizer, ftl_inputs_one, words_detail),
    TEXT("TfidfVectorizer", emit_tfidf_vectorizer, ftl_inputs_one, words_detail),
    TEXT("HashingVectorizer", emit_hashes, ftl_inputs_one, hashes_detail),
    TEXT("TfidfTransformer", emit_tfidf, tfidf_inputs, NULL),
    {0},
};
