/* What the scikit-learn wrapper that saved a file wrote about itself → ftl_xgb_wrapper. */
#include "formats/xgboost.h"

#include "formats/xgboost_binary.h"
#include "formats/xgboost_source.h"

#include <math.h>
#include <string.h>

static const char attribute[] = "scikit_learn";

/* ---- Its place in the file ------------------------------------------------------------------- */

/* Steps into the object that comes next, up to the member's value; *found = false: it has none. */
static ftl_status find_member(ftl_xgb_source *source, const char *name, bool *found,
                              ftl_error *error)
{
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_OBJECT, error));
    for (;;) {
        FTL_TRY(ftl_xgb_member(source, found, error));
        if (!*found || ftl_xgb_is(source, name))
            return FTL_OK;
        FTL_TRY(ftl_xgb_skip(source, error));
    }
}

static ftl_status find_text(ftl_xgb_source *source, const char **text, ftl_error *error)
{
    bool found = false;
    FTL_TRY(find_member(source, "learner", &found, error));
    if (found)
        FTL_TRY(find_member(source, "attributes", &found, error));
    if (found)
        FTL_TRY(find_member(source, attribute, &found, error));
    return found ? ftl_xgb_text(source, text, NULL, error) : FTL_OK;
}

/* The attribute's text, or NULL. Most files are not looked into further than by memmem. */
static ftl_status wrapper_text(ftl_arena *arena, ftl_account *account, const char *bytes,
                               size_t size, const char **text, ftl_error *error)
{
    *text = NULL;
    if (!memmem(bytes, size, attribute, sizeof attribute - 1))
        return FTL_OK;
    size_t space = strspn(bytes, " \n\r\t");
    if (space < size && bytes[space] == '{') {
        ftl_xgb_source source;
        ftl_xgb_source_init(&source, arena, account, bytes, size);
        ftl_status status = find_text(&source, text, error);
        ftl_xgb_source_free(&source);
        return status;
    }
    ftl_xgb_model model = {.objective = "", .num_target = 1, .best_iteration = -1};
    FTL_TRY(ftl_xgb_binary_read(arena, bytes, size, &model, error));
    *text = model.wrapper;
    return FTL_OK;
}

/* ---- What it says ---------------------------------------------------------------------------- */

typedef struct reader {
    ftl_json json;
    ftl_arena *arena;
    ftl_xgb_wrapper *out;
    bool has_classes;
    const char *kind, *type; /* "_estimator_type": "classifier"; "type": "XGBClassifier" */
} reader;

static ftl_status read_label(reader *in, ftl_cell *out, ftl_error *error)
{
    const char *text = NULL;
    size_t size = 0;
    switch (in->json.token) {
    case FTL_JSON_STRING:
        FTL_TRY(ftl_json_copy(&in->json, in->arena, &text, &size, error));
        *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)size, .u.text = text};
        return size <= UINT32_MAX ? FTL_OK : FTL_FAIL(error, FTL_LIMIT, "a class of 4 GiB");
    case FTL_JSON_NUMBER:
        *out = (ftl_cell){.tag = FTL_CELL_INT};
        if (ftl_json_i64(&in->json, &out->u.integer, NULL) == FTL_OK)
            return FTL_OK;
        out->tag = FTL_CELL_FLOAT;
        return ftl_json_f64(&in->json, &out->u.number, error);
    case FTL_JSON_TRUE:
    case FTL_JSON_FALSE:
        *out = (ftl_cell){.tag = FTL_CELL_BOOL, .u.integer = in->json.token == FTL_JSON_TRUE};
        return FTL_OK;
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "something stands where a class was expected");
    }
}

/* [label, …]: the list is open. Counted first, for which the tokenizer is copied. */
static ftl_status read_labels(reader *in, ftl_error *error)
{
    ftl_json ahead = in->json;
    ftl_json_token token;
    size_t n = 0;
    for (;; n++) {
        FTL_TRY(ftl_json_next(&ahead, &token, error));
        if (token == FTL_JSON_ARRAY_END)
            break;
        FTL_TRY(ftl_json_skip(&ahead, error));
    }
    ftl_cell *labels = ftl_arena_zero_array(in->arena, n, sizeof *labels);
    if (!labels)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(ftl_json_next(&in->json, &token, error));
        FTL_TRY(read_label(in, &labels[i], error));
    }
    if (n > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "the wrapper has %zu classes", n);
    in->out->labels = labels;
    in->out->n_labels = (uint32_t)n;
    return ftl_json_next(&in->json, &token, error);
}

/* "_le": {"classes_": […]}: the label encoder; its object is open. */
static ftl_status read_encoder(reader *in, ftl_error *error)
{
    ftl_json_token token;
    for (;;) {
        FTL_TRY(ftl_json_next(&in->json, &token, error));
        if (token == FTL_JSON_OBJECT_END)
            return FTL_OK;
        bool classes = ftl_json_is(&in->json, "classes_");
        FTL_TRY(ftl_json_next(&in->json, &token, error));
        FTL_TRY(classes && token == FTL_JSON_ARRAY ? read_labels(in, error)
                                                   : ftl_json_skip(&in->json, error));
    }
}

/* One member's value, whose first token was read; what is of another type is left out. */
static ftl_status read_value(reader *in, const char *key, ftl_json_token token, ftl_error *error)
{
    const char **text = strcmp(key, "type") == 0              ? &in->type
                        : strcmp(key, "_estimator_type") == 0 ? &in->kind
                        : strcmp(key, "predictor") == 0       ? &in->out->predictor
                                                              : NULL;
    if (text && token == FTL_JSON_STRING)
        return ftl_json_copy(&in->json, in->arena, text, NULL, error);
    if (strcmp(key, "_le") == 0 && token == FTL_JSON_OBJECT)
        return read_encoder(in, error);
    if (strcmp(key, "missing") == 0 && token == FTL_JSON_NUMBER)
        return ftl_json_f64(&in->json, &in->out->missing, error);
    if (strcmp(key, "best_ntree_limit") == 0 && token == FTL_JSON_NUMBER)
        return ftl_json_i64(&in->json, &in->out->best_ntree_limit, error);
    if (strcmp(key, "enable_categorical") == 0)
        in->out->enable_categorical = token == FTL_JSON_TRUE;
    in->has_classes |= strcmp(key, "classes_") == 0 || strcmp(key, "n_classes_") == 0;
    return ftl_json_skip(&in->json, error);
}

static ftl_status read_members(reader *in, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(&in->json, &token, error));
    if (token != FTL_JSON_OBJECT)
        return FTL_FAIL(error, FTL_CORRUPT, "it is no object");
    for (;;) {
        const char *key = NULL;
        FTL_TRY(ftl_json_next(&in->json, &token, error));
        if (token == FTL_JSON_OBJECT_END)
            return ftl_json_next(&in->json, &token, error);
        FTL_TRY(ftl_json_copy(&in->json, in->arena, &key, NULL, error));
        FTL_TRY(ftl_json_next(&in->json, &token, error));
        FTL_TRY(read_value(in, key, token, error));
    }
}

/* The class: named by itself, or by its kind; a class of one's own is told by what it knows. */
static const char *class_of(const reader *in)
{
    static const char *const classes[] = {"XGBClassifier",   "XGBRegressor",   "XGBRanker",
                                          "XGBRFClassifier", "XGBRFRegressor", NULL};
    for (const char *const *name = classes; in->type && *name; name++) {
        if (strcmp(in->type, *name) == 0)
            return *name;
    }
    if (in->kind && strcmp(in->kind, "ranker") == 0)
        return "XGBRanker";
    bool classifier = in->kind ? strcmp(in->kind, "classifier") == 0 : in->has_classes;
    return classifier ? "XGBClassifier" : "XGBRegressor";
}

ftl_status ftl_xgb_read_wrapper(ftl_arena *arena, ftl_account *account, const char *bytes,
                                size_t size, ftl_xgb_wrapper *out, ftl_error *error)
{
    ftl_xgb_wrapper made = {.missing = (double)NAN};
    const char *text = NULL;
    *out = made;
    FTL_TRY(wrapper_text(arena, account, bytes, size, &text, error));
    if (!text)
        return FTL_OK;
    reader in = {.arena = arena, .out = &made};
    ftl_json_init(&in.json, text, strlen(text), FTL_JSON_NONFINITE);
    ftl_error why;
    ftl_status status = read_members(&in, &why);
    if (status == FTL_CORRUPT)
        return FTL_FAIL(error, status, "the attribute scikit_learn is damaged: %.200s",
                        why.message);
    if (status != FTL_OK) {
        if (error)
            *error = why;
        return status;
    }
    made.class_name = class_of(&in);
    *out = made;
    return FTL_OK;
}
