#include "engine/cache_key.h"

#include "base/checked.h"
#include "base/hash.h"
#include "base/options.h"

#include <string.h>

/*
 * A field that is not compared would make two models one: a new one belongs into is_plain,
 * ftl_cache_options_equal and ftl_cache_request_copy.
 */
_Static_assert(sizeof(void *) != 8 || sizeof(ftl_model_options) == 88, "a field is not compared");
_Static_assert(sizeof(void *) != 8 || sizeof(ftl_plan_options) == 24, "a field is not compared");

static bool is_plain(const ftl_model_options *o)
{
    return !o->max_bytes && !o->max_objects && !o->max_depth && !o->iterations && !o->select &&
           !o->only_plan && !o->n_then && !o->labels && !o->threshold_set && !o->inverse &&
           !o->classes;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return text ? ftl_hash_bytes(hash, text, strlen(text)) : hash;
}

/* Requests that differ elsewhere alone are rare, and compared. */
static void set_hash(ftl_cache_request *request)
{
    uint64_t hash = ftl_hash_bytes(ftl_hash_seed(), request->path, request->path_size);
    if (!request->plain) {
        const ftl_model_options *o = &request->options;
        hash = hash_text(hash_text(hash, o->select), o->labels);
        hash = ftl_hash_number(hash, (uint64_t)o->iterations << 32 | request->plan.methods);
        hash = ftl_hash_number(hash, o->max_bytes);
    }
    request->hash = hash;
}

static ftl_status read_options(ftl_cache_request *out, const ftl_model_options *options,
                               ftl_error *error)
{
    FTL_TRY(
        ftl_options_read(&out->options, sizeof out->options, options, "ftl_model_options", error));
    const ftl_model_options *o = &out->options;
    if (o->n_then && !o->then)
        return FTL_FAIL(error, FTL_ARG, "options.n_then is set, but options.then is not");
    for (size_t i = 0; i < o->n_then; i++) {
        if (!o->then[i])
            return FTL_FAIL(error, FTL_ARG, "options.then[%zu] is NULL", i);
    }
    if (o->only_plan)
        FTL_TRY(ftl_options_read(&out->plan, sizeof out->plan, o->only_plan, "ftl_plan_options",
                                 error));
    out->plain = is_plain(o);
    if (out->plain)
        out->options = (ftl_model_options){0};
    return FTL_OK;
}

ftl_status ftl_cache_request_read(ftl_cache_request *out, const char *path,
                                  const ftl_model_options *options, ftl_error *error)
{
    *out = (ftl_cache_request){.path = path, .path_size = strlen(path), .plain = !options};
    if (options)
        FTL_TRY(read_options(out, options, error));
    set_hash(out);
    return FTL_OK;
}

static bool texts_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool plans_equal(const ftl_cache_request *a, const ftl_cache_request *b)
{
    if (!a->options.only_plan || !b->options.only_plan)
        return !a->options.only_plan && !b->options.only_plan;
    return a->plan.input_dtype == b->plan.input_dtype && a->plan.methods == b->plan.methods &&
           a->plan.block_rows == b->plan.block_rows;
}

static bool threshold_equal(const ftl_model_options *a, const ftl_model_options *b)
{
    return a->threshold_set == b->threshold_set &&
           (!a->threshold_set || memcmp(&a->threshold, &b->threshold, sizeof a->threshold) == 0);
}

static bool then_equal(const ftl_model_options *a, const ftl_model_options *b)
{
    bool equal = a->n_then == b->n_then;
    for (size_t i = 0; equal && i < a->n_then; i++)
        equal = strcmp(a->then[i], b->then[i]) == 0;
    return equal;
}

bool ftl_cache_options_equal(const ftl_cache_request *a, const ftl_cache_request *b)
{
    const ftl_model_options *x = &a->options, *y = &b->options;
    if (a->plain || b->plain)
        return a->plain == b->plain;
    return x->max_bytes == y->max_bytes && x->max_objects == y->max_objects &&
           x->max_depth == y->max_depth && x->iterations == y->iterations &&
           x->inverse == y->inverse && x->classes == y->classes &&
           texts_equal(x->select, y->select) && texts_equal(x->labels, y->labels) &&
           threshold_equal(x, y) && then_equal(x, y) && plans_equal(a, b);
}

bool ftl_cache_request_equal(const ftl_cache_request *a, const ftl_cache_request *b)
{
    return a->hash == b->hash && a->path_size == b->path_size &&
           memcmp(a->path, b->path, a->path_size) == 0 && ftl_cache_options_equal(a, b);
}

void ftl_cache_request_select(const ftl_cache_request *request, const char *path,
                              const char *select, ftl_cache_request *out)
{
    *out = *request;
    out->path = path;
    out->path_size = strlen(path);
    if (select) {
        out->options.select = select;
        out->plain = false;
    }
    set_hash(out);
}

ftl_model_options ftl_cache_request_options(const ftl_cache_request *request)
{
    ftl_model_options options = request->options; /* zero when plain */
    options.struct_size = sizeof options;
    if (options.only_plan)
        options.only_plan = &request->plan;
    return options;
}

/* ---- Copies ----------------------------------------------------------------------------------- */

/* A text behind those before it; at NULL only *used counts. */
static const char *place(char *at, size_t *used, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1, offset = *used;
    *used += size;
    return at ? memcpy(at + offset, text, size) : text;
}

/* The texts of the request, put at `at`; returns what they take. then: where the list goes. */
static size_t place_all(ftl_cache_request *request, char *at, const char **then)
{
    size_t used = 0;
    ftl_model_options *o = &request->options;
    request->path = place(at, &used, request->path);
    if (request->plain)
        return used;
    o->select = place(at, &used, o->select);
    o->labels = place(at, &used, o->labels);
    for (size_t i = 0; i < o->n_then; i++) {
        const char *text = place(at, &used, o->then[i]);
        if (then)
            then[i] = text;
    }
    return used;
}

ftl_cache_request *ftl_cache_request_copy(ftl_account *account, const ftl_cache_request *request)
{
    ftl_cache_request measured = *request;
    size_t texts = place_all(&measured, NULL, NULL), list = 0, size;
    if (!request->plain && !ftl_mul_size(request->options.n_then, sizeof(char *), &list))
        return NULL;
    if (!ftl_add_size(sizeof *request, list, &size) || !ftl_add_size(size, texts, &size))
        return NULL;
    ftl_cache_request *copy = ftl_alloc(account, size);
    if (!copy)
        return NULL;
    const char **then = (const char **)(void *)(copy + 1);
    *copy = *request;
    (void)place_all(copy, (char *)(copy + 1) + list, then);
    if (list)
        copy->options.then = then;
    if (!copy->plain && copy->options.only_plan)
        copy->options.only_plan = &copy->plan;
    return copy;
}
