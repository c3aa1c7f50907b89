#include "serving/score.h"

#include "base/number.h"
#include "serving/rows.h"

#include <stdio.h>
#include <string.h>

const srv_score_name srv_score_names[] = {
    {"method", true},         {"return_probabilities", false},
    {"proba", false},         {"keep", true},
    {"on_error", false},      {"input_format", false},
    {"output_format", false}, {"batch_size", false},
    {"chunk_size", false},    {"delimiter", false},
    {"decimal", false},       {"encoding", false},
    {"no_header", false},     {"features", true},
    {"limit", false},         {NULL, false},
};

void srv_score_init(srv_score *score, ftl_arena *arena)
{
    *score = (srv_score){.arena = arena, .options = {.struct_size = sizeof score->options}};
}

static ftl_status refuse(const char *name, const char *wanted, srv_text value, ftl_error *error)
{
    return FTL_FAIL(error, FTL_ARG, "%s takes %s, not '%.*s'", name, wanted,
                    (int)(value.size < 60 ? value.size : 60), value.data);
}

static ftl_status set_flag(const char *name, srv_text value, bool *out, ftl_error *error)
{
    bool yes = srv_text_is(value, "true") || srv_text_is(value, "1") || value.size == 0;
    if (!yes && !srv_text_is(value, "false") && !srv_text_is(value, "0"))
        return refuse(name, "true or false", value, error);
    *out = yes;
    return FTL_OK;
}

static ftl_status set_count(const char *name, srv_text value, uint64_t most, uint64_t *out,
                            ftl_error *error)
{
    int64_t number;
    if (!ftl_parse_i64(value.data, value.size, &number) || number < 1 || (uint64_t)number > most)
        return refuse(name, "a whole number above 0", value, error);
    *out = (uint64_t)number;
    return FTL_OK;
}

static ftl_status set_batch(srv_score *score, const char *name, srv_text value, ftl_error *error)
{
    enum { MOST_ROWS = 1000 * 1000 };
    uint64_t rows = 0;
    if (!srv_text_is(value, "auto"))
        FTL_TRY(set_count(name, value, MOST_ROWS, &rows, error));
    score->options.batch_rows = (uint32_t)rows;
    return FTL_OK;
}

static ftl_status set_char(const char *name, srv_text value, char *out, ftl_error *error)
{
    if (srv_text_is(value, "tab"))
        *out = '\t';
    else if (value.size == 1)
        *out = value.data[0];
    else
        return refuse(name, "one character", value, error);
    return FTL_OK;
}

static ftl_status set_text(srv_score *score, srv_text value, const char **out, ftl_error *error)
{
    char *copy = ftl_arena_string(score->arena, value.data ? value.data : "", value.size);
    if (!copy)
        return FTL_OOM(error);
    *out = copy;
    return FTL_OK;
}

static ftl_status add_method(srv_score *score, srv_text value, ftl_error *error)
{
    if (score->n_methods == FTL_METHOD_COUNT)
        return FTL_FAIL(error, FTL_ARG, "method names more methods than there are");
    FTL_TRY(srv_method_named(value, &score->methods[score->n_methods], error));
    score->n_methods++;
    return FTL_OK;
}

static ftl_status add_item(srv_score *score, const char *name, srv_text value, const char ***list,
                           size_t *n, ftl_error *error)
{
    if (!*list)
        *list = ftl_arena_array(score->arena, SRV_SCORE_LIST, sizeof **list);
    if (!*list)
        return FTL_OOM(error);
    if (*n == SRV_SCORE_LIST)
        return FTL_FAIL(error, FTL_ARG, "%s has more than %d items", name, SRV_SCORE_LIST);
    FTL_TRY(set_text(score, value, &(*list)[*n], error));
    ++*n;
    return FTL_OK;
}

static ftl_status set_on_error(srv_score *score, srv_text value, ftl_error *error)
{
    static const char *const words[] = {"fail", "skip", "null"};
    static const ftl_on_error values[] = {FTL_ON_ERROR_FAIL, FTL_ON_ERROR_SKIP, FTL_ON_ERROR_NULL};
    for (size_t i = 0; i < FTL_ARRAY_LEN(words); i++) {
        if (srv_text_is(value, words[i])) {
            score->options.on_error = values[i];
            return FTL_OK;
        }
    }
    return refuse("on_error", "fail, skip or null", value, error);
}

ftl_status srv_score_set(srv_score *score, const char *name, srv_text value, ftl_error *error)
{
    ftl_score_options *options = &score->options;
    if (strcmp(name, "method") == 0)
        return add_method(score, value, error);
    if (strcmp(name, "return_probabilities") == 0 || strcmp(name, "proba") == 0)
        return set_flag(name, value, &options->proba, error);
    if (strcmp(name, "keep") == 0)
        return add_item(score, name, value, &score->keep, &options->n_keep, error);
    if (strcmp(name, "features") == 0)
        return add_item(score, name, value, &score->features, &options->n_features, error);
    if (strcmp(name, "on_error") == 0)
        return set_on_error(score, value, error);
    if (strcmp(name, "input_format") == 0)
        return set_text(score, value, &options->input_format, error);
    if (strcmp(name, "output_format") == 0)
        return set_text(score, value, &options->output_format, error);
    if (strcmp(name, "batch_size") == 0 || strcmp(name, "chunk_size") == 0)
        return set_batch(score, name, value, error);
    if (strcmp(name, "delimiter") == 0)
        return set_char(name, value, &options->delimiter, error);
    if (strcmp(name, "decimal") == 0)
        return set_char(name, value, &options->decimal, error);
    if (strcmp(name, "encoding") == 0)
        return set_text(score, value, &options->encoding, error);
    if (strcmp(name, "no_header") == 0)
        return set_flag(name, value, &options->no_header, error);
    if (strcmp(name, "limit") == 0)
        return set_count(name, value, INT64_MAX, &options->limit, error);
    return FTL_FAIL(error, FTL_ARG, "there is no option %s", name);
}

void srv_score_finish(srv_score *score)
{
    ftl_score_options *options = &score->options;
    options->keep = score->keep;
    options->features = score->features;
    options->method_set = score->n_methods > 0;
    options->method = score->methods[0];
    options->more_methods = score->methods + 1;
    options->n_more_methods = score->n_methods > 1 ? score->n_methods - 1 : 0;
    if (options->proba && !options->method_set) { /* transformers, say, then refuse them */
        options->method_set = true;
        options->method = FTL_PREDICT;
    }
}

/* ---- Queries --------------------------------------------------------------------------------- */

bool srv_query_text(srv_request *request, const char *name, ftl_arena *arena, srv_text *out,
                    srv_result *result)
{
    srv_text value = srv_request_query(request, name);
    *out = (srv_text){0};
    if (!value.data)
        return true;
    char *copy = ftl_arena_string(arena, value.data, value.size);
    size_t size = value.size;
    if (!copy) {
        *result = srv_reply_error(request, 503, "out of memory");
        return false;
    }
    for (char *plus = copy; (plus = memchr(plus, '+', size - (size_t)(plus - copy))) != NULL;)
        *plus = ' ';
    if (!srv_percent_decode(copy, &size)) {
        *result = srv_reply_error(request, 400, "the parameter %s is not encoded as URLs are",
                                  name);
        return false;
    }
    copy[size] = '\0';
    *out = (srv_text){copy, size};
    return true;
}

static ftl_status set_items(srv_score *score, const srv_score_name *name, srv_text text,
                            ftl_error *error)
{
    const char *at = text.data, *end = at + text.size;
    while (name->is_list) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        FTL_TRY(srv_score_set(score, name->name, (srv_text){at, (size_t)(stop - at)}, error));
        if (!comma)
            return FTL_OK;
        at = comma + 1;
    }
    return srv_score_set(score, name->name, text, error);
}

bool srv_score_read_query(srv_score *score, srv_request *request, srv_result *result)
{
    ftl_error error;
    ftl_error_clear(&error);
    for (const srv_score_name *name = srv_score_names; name->name; name++) {
        srv_text text;
        if (!srv_query_text(request, name->name, score->arena, &text, result))
            return false;
        if (text.data && set_items(score, name, text, &error) != FTL_OK) {
            srv_error_for_client(&error);
            *result = srv_reply_error(request, error.code == FTL_NOMEM ? 503 : 422, "%s",
                                      error.message);
            return false;
        }
    }
    srv_score_finish(score);
    return true;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

void srv_error_replace(ftl_error *error, const char *from, const char *to)
{
    char message[sizeof error->message];
    size_t size = strlen(from), skip = strlen(to);
    if (size == 0)
        return;
    for (char *at = error->message; (at = strstr(at, from)) != NULL;) {
        size_t before = (size_t)(at - error->message);
        snprintf(message, sizeof message, "%.*s%s%s", (int)before, error->message, to, at + size);
        memcpy(error->message, message, sizeof message);
        if (before + skip >= sizeof message)
            return;
        at = error->message + before + skip;
    }
}

void srv_error_for_client(ftl_error *error)
{
    srv_error_replace(error, "options.batch_rows", "batch_size");
    srv_error_replace(error, "options.proba", "return_probabilities");
    srv_error_replace(error, "options.", "");
}
