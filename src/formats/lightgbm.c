/* The header of LightGBM's text models, and the line reader. */
#include "formats/lightgbm.h"

#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

enum { max_features = 1 << 20, max_scores = 1 << 16, max_trees = 1 << 28 };

/* ---- Lines and words --------------------------------------------------------------------------- */

bool ftl_lightgbm_line(ftl_span *rest, ftl_span *line)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->at, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->at) : rest->size;
    *line = (ftl_span){rest->at, size};
    if (line->size > 0 && line->at[line->size - 1] == '\r')
        line->size--;
    size += end != NULL;
    rest->at += size;
    rest->size -= size;
    return true;
}

bool ftl_lightgbm_pair(ftl_span line, ftl_span *key, ftl_span *value)
{
    const char *equals = line.size ? memchr(line.at, '=', line.size) : NULL;
    if (!equals)
        return false;
    size_t n = (size_t)(equals - line.at);
    *key = (ftl_span){line.at, n};
    *value = (ftl_span){equals + 1, line.size - n - 1};
    return true;
}

bool ftl_lightgbm_word(ftl_span *rest, ftl_span *word)
{
    size_t i = 0, end;
    while (i < rest->size && rest->at[i] == ' ')
        i++;
    if (i == rest->size)
        return false;
    for (end = i; end < rest->size && rest->at[end] != ' ';)
        end++;
    *word = (ftl_span){rest->at + i, end - i};
    rest->at += end;
    rest->size -= end;
    return true;
}

bool ftl_span_is(ftl_span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

bool ftl_span_begins(ftl_span span, const char *text)
{
    size_t n = strlen(text);
    return span.size >= n && memcmp(span.at, text, n) == 0;
}

ftl_status ftl_lightgbm_unknown(ftl_span key, const char *what, ftl_error *error)
{
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "%s of the LightGBM model has the line '%.*s', which is not known and may "
                    "change what is predicted; it was written by a newer LightGBM, or by another "
                    "program",
                    what, (int)(key.size < 60 ? key.size : 60), key.at);
}

/* ---- The header -------------------------------------------------------------------------------- */

typedef struct header {
    ftl_span version, num_class, num_tree_per_iteration, max_feature_idx, objective, feature_names,
        feature_infos, tree_sizes;
    bool average;
} header;

static ftl_span *header_field(header *h, ftl_span key)
{
    const struct {
        const char *name;
        ftl_span *field;
    } fields[] = {
        {"version", &h->version},
        {"num_class", &h->num_class},
        {"num_tree_per_iteration", &h->num_tree_per_iteration},
        {"max_feature_idx", &h->max_feature_idx},
        {"objective", &h->objective},
        {"feature_names", &h->feature_names},
        {"feature_infos", &h->feature_infos},
        {"tree_sizes", &h->tree_sizes},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(fields); i++) {
        if (ftl_span_is(key, fields[i].name))
            return fields[i].field;
    }
    return NULL;
}

/* What predicting does not need. */
static bool is_unused(ftl_span key)
{
    return ftl_span_is(key, "label_index") || ftl_span_is(key, "monotone_constraints");
}

/* Up to the first tree, which *rest then begins with. */
static ftl_status read_header(ftl_span *rest, header *h, ftl_error *error)
{
    ftl_span line, before = *rest;
    while (ftl_lightgbm_line(rest, &line)) {
        if (ftl_span_begins(line, "Tree=") || ftl_span_is(line, "end of trees")) {
            *rest = before;
            return FTL_OK;
        }
        before = *rest;
        ftl_span key = line, value = {0}, *field;
        if (ftl_span_is(line, "average_output"))
            h->average = true;
        else if (ftl_lightgbm_pair(line, &key, &value) && (field = header_field(h, key)) != NULL)
            *field = value;
        else if (line.size && (!value.at || !is_unused(key)))
            return ftl_lightgbm_unknown(key, "the head", error);
    }
    return FTL_OK;
}

static ftl_status read_count(ftl_span value, const char *name, int64_t low, int64_t high,
                             int64_t *out, ftl_error *error)
{
    if (!value.at)
        return FTL_FAIL(error, FTL_CORRUPT, "the LightGBM model does not say its %s", name);
    if (!ftl_parse_i64(value.at, value.size, out) || *out < low || *out > high)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the LightGBM model says %s=%.*s, which is not between %lld and %lld", name,
                        (int)(value.size < 40 ? value.size : 40), value.at, (long long)low,
                        (long long)high);
    return FTL_OK;
}

/* ---- Objectives -------------------------------------------------------------------------------- */

/* Names and aliases of ObjectiveFunction::CreateObjectiveFunction and ParseObjectiveAlias. */
static const struct {
    const char *name;
    ftl_lightgbm_output output;
} objectives[] = {
    {"regression", FTL_LIGHTGBM_RAW},
    {"regression_l2", FTL_LIGHTGBM_RAW},
    {"mean_squared_error", FTL_LIGHTGBM_RAW},
    {"mse", FTL_LIGHTGBM_RAW},
    {"l2", FTL_LIGHTGBM_RAW},
    {"l2_root", FTL_LIGHTGBM_RAW},
    {"root_mean_squared_error", FTL_LIGHTGBM_RAW},
    {"rmse", FTL_LIGHTGBM_RAW},
    {"regression_l1", FTL_LIGHTGBM_RAW},
    {"mean_absolute_error", FTL_LIGHTGBM_RAW},
    {"l1", FTL_LIGHTGBM_RAW},
    {"mae", FTL_LIGHTGBM_RAW},
    {"huber", FTL_LIGHTGBM_RAW},
    {"fair", FTL_LIGHTGBM_RAW},
    {"quantile", FTL_LIGHTGBM_RAW},
    {"mape", FTL_LIGHTGBM_RAW},
    {"mean_absolute_percentage_error", FTL_LIGHTGBM_RAW},
    {"poisson", FTL_LIGHTGBM_EXP},
    {"gamma", FTL_LIGHTGBM_EXP},
    {"tweedie", FTL_LIGHTGBM_EXP},
    {"binary", FTL_LIGHTGBM_SIGMOID},
    {"multiclass", FTL_LIGHTGBM_SOFTMAX},
    {"softmax", FTL_LIGHTGBM_SOFTMAX},
    {"multiclassova", FTL_LIGHTGBM_SIGMOID},
    {"multiclass_ova", FTL_LIGHTGBM_SIGMOID},
    {"ova", FTL_LIGHTGBM_SIGMOID},
    {"ovr", FTL_LIGHTGBM_SIGMOID},
    {"cross_entropy", FTL_LIGHTGBM_SIGMOID},
    {"xentropy", FTL_LIGHTGBM_SIGMOID},
    {"cross_entropy_lambda", FTL_LIGHTGBM_LOG1P_EXP},
    {"xentlambda", FTL_LIGHTGBM_LOG1P_EXP},
    {"lambdarank", FTL_LIGHTGBM_RAW},
    {"rank_xendcg", FTL_LIGHTGBM_RAW},
    {"xendcg", FTL_LIGHTGBM_RAW},
    {"xe_ndcg", FTL_LIGHTGBM_RAW},
    {"xe_ndcg_mart", FTL_LIGHTGBM_RAW},
    {"xendcg_mart", FTL_LIGHTGBM_RAW},
    {"custom", FTL_LIGHTGBM_RAW},
    {"none", FTL_LIGHTGBM_RAW},
    {"null", FTL_LIGHTGBM_RAW},
    {"na", FTL_LIGHTGBM_RAW},
};

/* "binary sigmoid:0.5", "regression sqrt", "multiclass num_class:3". No line: a custom one. */
static ftl_status read_objective(ftl_arena *arena, ftl_span text, ftl_lightgbm *out,
                                 ftl_error *error)
{
    ftl_span name = {"", 0}, word;
    size_t i = 0;
    bool square_root = false;
    out->output = FTL_LIGHTGBM_RAW;
    out->sigmoid = 1.0;
    if (text.at && ftl_lightgbm_word(&text, &name)) {
        while (i < FTL_ARRAY_LEN(objectives) && !ftl_span_is(name, objectives[i].name))
            i++;
        if (i == FTL_ARRAY_LEN(objectives))
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "LightGBM's objective '%.*s' is not known; save the model with one "
                            "that LightGBM has",
                            (int)(name.size < 60 ? name.size : 60), name.at);
        out->output = objectives[i].output;
    }
    while (text.at && ftl_lightgbm_word(&text, &word)) {
        square_root |= ftl_span_is(word, "sqrt");
        if (ftl_span_begins(word, "sigmoid:") &&
            (!ftl_parse_f64(word.at + 8, word.size - 8, '.', &out->sigmoid) ||
             !isfinite(out->sigmoid)))
            return FTL_FAIL(error, FTL_CORRUPT, "the objective's sigmoid is not a number");
    }
    /* Huber's loss and those with a link of their own drop the square root. */
    if (square_root && out->output == FTL_LIGHTGBM_RAW && !ftl_span_is(name, "huber"))
        out->output = FTL_LIGHTGBM_SIGNED_SQUARE;
    out->objective = ftl_arena_string(arena, name.at, name.size);
    return out->objective ? FTL_OK : FTL_OOM(error);
}

/* ---- Columns ----------------------------------------------------------------------------------- */

static bool is_default_name(ftl_span word, size_t i)
{
    int64_t number;
    return ftl_span_begins(word, "Column_") && ftl_parse_i64(word.at + 7, word.size - 7, &number) &&
           number == (int64_t)i;
}

static ftl_status read_names(ftl_arena *arena, ftl_span text, ftl_lightgbm *out, ftl_error *error)
{
    ftl_span word;
    size_t n = 0;
    bool named = false;
    if (out->n_features > text.size / 2 + 1)
        return FTL_FAIL(error, FTL_CORRUPT, "feature_names holds fewer than %u names",
                        out->n_features);
    const char **names = ftl_arena_zero_array(arena, out->n_features, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    while (ftl_lightgbm_word(&text, &word)) {
        if (n == out->n_features)
            return FTL_FAIL(error, FTL_CORRUPT, "feature_names holds more than %u names",
                            out->n_features);
        if (!ftl_utf8_valid(word.at, word.size))
            return FTL_FAIL(error, FTL_CORRUPT, "feature_names holds a name that is not UTF-8");
        named |= !is_default_name(word, n);
        names[n] = ftl_arena_string(arena, word.at, word.size);
        if (!names[n++])
            return FTL_OOM(error);
    }
    if (n != out->n_features)
        return FTL_FAIL(error, FTL_CORRUPT, "feature_names holds %zu names where %u were expected",
                        n, out->n_features);
    out->names = named ? names : NULL;
    return FTL_OK;
}

/* "none", "[low:high]", or categories "3:1:2". */
static bool read_info(ftl_span word, ftl_lightgbm_feature *out)
{
    if (ftl_span_is(word, "none"))
        return true;
    bool numeric = word.size >= 2 && word.at[0] == '[' && word.at[word.size - 1] == ']';
    out->kind = numeric ? FTL_LIGHTGBM_NUMERIC : FTL_LIGHTGBM_CATEGORICAL;
    if (numeric)
        word = (ftl_span){word.at + 1, word.size - 2};
    for (bool first = true; word.size > 0; first = false) {
        const char *colon = memchr(word.at, ':', word.size);
        size_t n = colon ? (size_t)(colon - word.at) : word.size;
        double value;
        if (!ftl_parse_f64(word.at, n, '.', &value))
            return false;
        out->low = first || value < out->low ? value : out->low;
        out->high = first || value > out->high ? value : out->high;
        n += colon != NULL;
        word.at += n;
        word.size -= n;
    }
    return true;
}

static ftl_status read_infos(ftl_arena *arena, ftl_span text, ftl_lightgbm *out, ftl_error *error)
{
    ftl_lightgbm_feature *features = ftl_arena_zero_array(arena, out->n_features, sizeof *features);
    ftl_span word;
    size_t n = 0;
    if (!features)
        return FTL_OOM(error);
    for (; ftl_lightgbm_word(&text, &word); n++) {
        if (n == out->n_features || !read_info(word, &features[n]))
            return FTL_FAIL(error, FTL_CORRUPT, "feature_infos is damaged at column %zu", n);
    }
    if (n != out->n_features)
        return FTL_FAIL(error, FTL_CORRUPT, "feature_infos tells of %zu columns where %u exist", n,
                        out->n_features);
    out->features = features;
    return FTL_OK;
}

/* ---- All together ------------------------------------------------------------------------------ */

/* The last line that is not empty, where the library looks for it too. */
static void find_categories(ftl_span rest, ftl_lightgbm *out)
{
    static const char key[] = "pandas_categorical:";
    while (rest.size > 0 && memchr(" \r\n", rest.at[rest.size - 1], 3))
        rest.size--;
    const char *end = rest.size ? memrchr(rest.at, '\n', rest.size) : NULL;
    size_t skip = end ? (size_t)(end + 1 - rest.at) : 0;
    ftl_span line = {rest.at + skip, rest.size - skip};
    if (!ftl_span_begins(line, key))
        return;
    out->categories = line.at + sizeof key - 1;
    out->categories_size = line.size - (sizeof key - 1);
    if (out->categories_size == 4 && memcmp(out->categories, "null", 4) == 0)
        out->categories = NULL;
}

static ftl_status count_trees(const header *h, ftl_lightgbm *out, ftl_error *error)
{
    ftl_span rest = h->tree_sizes, word;
    out->n_trees = UINT32_MAX;
    if (!rest.at)
        return FTL_OK;
    for (out->n_trees = 0; ftl_lightgbm_word(&rest, &word); out->n_trees++) {
        if (out->n_trees == max_trees)
            return FTL_FAIL(error, FTL_LIMIT, "the LightGBM model has more than %d trees",
                            (int)max_trees);
    }
    return FTL_OK;
}

ftl_status ftl_lightgbm_read(ftl_arena *arena, const char *text, size_t size, ftl_lightgbm *out,
                             ftl_error *error)
{
    ftl_span rest = {text, size}, line;
    header h = {0};
    ftl_lightgbm made = {0};
    int64_t n, scores;
    if (!ftl_lightgbm_line(&rest, &line) || !ftl_span_is(line, "tree"))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the text does not begin as a LightGBM model does (tree)");
    FTL_TRY(read_header(&rest, &h, error));
    if (!ftl_span_is(h.version, "v2") && !ftl_span_is(h.version, "v3") &&
        !ftl_span_is(h.version, "v4"))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the LightGBM model has version '%.*s'; v2 to v4 are read (LightGBM 2.1 "
                        "to 4)",
                        (int)(h.version.size < 20 ? h.version.size : 20),
                        h.version.at ? h.version.at : "");
    made.version = ftl_arena_string(arena, h.version.at, h.version.size);
    if (!made.version)
        return FTL_OOM(error);
    made.has_end = !ftl_span_is(h.version, "v2");
    made.average = h.average;
    FTL_TRY(read_count(h.max_feature_idx, "max_feature_idx", 0, max_features - 1, &n, error));
    made.n_features = (uint32_t)n + 1;
    ftl_span per_iteration = h.num_tree_per_iteration.at ? h.num_tree_per_iteration : h.num_class;
    FTL_TRY(read_count(per_iteration, "num_tree_per_iteration", 1, max_scores, &scores, error));
    made.n_scores = (uint32_t)scores;
    FTL_TRY(read_objective(arena, h.objective, &made, error));
    FTL_TRY(read_names(arena, h.feature_names, &made, error));
    FTL_TRY(read_infos(arena, h.feature_infos, &made, error));
    FTL_TRY(count_trees(&h, &made, error));
    made.trees = rest.at;
    made.trees_size = rest.size;
    find_categories(rest, &made);
    *out = made;
    return FTL_OK;
}
