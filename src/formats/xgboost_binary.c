#include "formats/xgboost_binary.h"

#include "base/number.h"

#include <string.h>

enum {
    learner_bytes = 136,
    gbtree_bytes = 160,
    gblinear_bytes = 136,
    tree_bytes = 148,
    node_bytes = 20,
    stat_bytes = 16
};

typedef struct cursor {
    const char *bytes;
    size_t size, at;
} cursor;

static ftl_status broken(const cursor *in, const char *what, ftl_error *error)
{
    return FTL_FAIL_AT(error, FTL_CORRUPT, in->at, "the XGBoost model is damaged: %s", what);
}

static const char *take(cursor *in, uint64_t n)
{
    if (n > in->size - in->at)
        return NULL;
    const char *at = in->bytes + in->at;
    in->at += (size_t)n;
    return at;
}

static int32_t int_at(const char *bytes, size_t i)
{
    int32_t value;
    memcpy(&value, bytes + i * sizeof value, sizeof value);
    return value;
}

static float float_at(const char *bytes, size_t i)
{
    float value;
    memcpy(&value, bytes + i * sizeof value, sizeof value);
    return value;
}

static bool take_size(cursor *in, uint64_t *out)
{
    const char *bytes = take(in, sizeof *out);
    if (bytes)
        memcpy(out, bytes, sizeof *out);
    return bytes != NULL;
}

static ftl_status take_text(cursor *in, ftl_arena *arena, const char **out, ftl_error *error)
{
    uint64_t n;
    const char *bytes = take_size(in, &n) ? take(in, n) : NULL;
    if (!bytes)
        return broken(in, "it ends too early", error);
    *out = ftl_arena_string(arena, bytes, (size_t)n);
    return *out ? FTL_OK : FTL_OOM(error);
}

static ftl_status take_floats(cursor *in, ftl_arena *arena, ftl_xgb_floats *out, ftl_error *error)
{
    uint64_t n;
    const char *bytes = take_size(in, &n) && n <= in->size / 4 ? take(in, n * 4) : NULL;
    float *data = bytes ? ftl_arena_array(arena, (size_t)n, sizeof *data) : NULL;
    if (!bytes)
        return broken(in, "it ends too early", error);
    if (!data)
        return FTL_OOM(error);
    memcpy(data, bytes, (size_t)n * 4);
    *out = (ftl_xgb_floats){data, (size_t)n};
    return FTL_OK;
}

/* Node: parent, left, right, column with the direction of missing values on top, number. */
static ftl_status read_tree(cursor *in, ftl_arena *arena, ftl_xgb_tree *tree, ftl_error *error)
{
    const char *param = take(in, tree_bytes);
    int32_t count = param ? int_at(param, 1) : 0;
    if (count <= 0)
        return broken(in, "a tree has no nodes", error);
    size_t n = (size_t)count;
    const char *nodes = take(in, (uint64_t)n * node_bytes),
               *stats = nodes ? take(in, (uint64_t)n * stat_bytes) : NULL;
    if (!stats)
        return broken(in, "a tree is longer than the file", error);
    int32_t *ints = ftl_arena_array(arena, n * 4, sizeof *ints);
    float *conditions = ftl_arena_array(arena, n, sizeof *conditions);
    if (!ints || !conditions)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++, nodes += node_bytes) {
        uint32_t column = (uint32_t)int_at(nodes, 3);
        ints[i] = int_at(nodes, 1);
        ints[n + i] = int_at(nodes, 2);
        ints[2 * n + i] = (int32_t)(column & INT32_MAX);
        ints[3 * n + i] = (int32_t)(column >> 31);
        conditions[i] = float_at(nodes, 4);
    }
    tree->left = (ftl_xgb_ints){ints, n};
    tree->right = (ftl_xgb_ints){ints + n, n};
    tree->feature = (ftl_xgb_ints){ints + 2 * n, n};
    tree->default_left = (ftl_xgb_ints){ints + 3 * n, n};
    tree->condition = (ftl_xgb_floats){conditions, n};
    return FTL_OK;
}

static ftl_status read_trees(cursor *in, ftl_arena *arena, ftl_xgb_model *model, ftl_error *error)
{
    const char *param = take(in, gbtree_bytes);
    int32_t count = param ? int_at(param, 0) : -1;
    if (count < 0 || (uint64_t)count > in->size / tree_bytes)
        return broken(in, "it has no trees", error);
    size_t n = (size_t)count;
    if (model->version >= 10600) /* it was the number of roots before */
        model->parallel_trees = int_at(param, 1);
    ftl_xgb_tree *trees = ftl_arena_zero_array(arena, n, sizeof *trees);
    int32_t *outputs = ftl_arena_array(arena, n, sizeof *outputs);
    if (!trees || !outputs)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        FTL_TRY(read_tree(in, arena, &trees[i], error));
    const char *info = take(in, (uint64_t)n * 4);
    if (!info)
        return broken(in, "it ends too early", error);
    memcpy(outputs, info, n * 4);
    model->trees = trees;
    model->n_trees = (uint32_t)n;
    model->tree_output = (ftl_xgb_ints){outputs, n};
    if (model->booster == FTL_XGB_DART && n)
        FTL_TRY(take_floats(in, arena, &model->drop_weights, error));
    return FTL_OK;
}

static ftl_status read_attributes(cursor *in, ftl_arena *arena, ftl_xgb_model *model,
                                  ftl_error *error)
{
    uint64_t n;
    if (!take_size(in, &n) || n > in->size / 16)
        return broken(in, "its attributes are missing", error);
    for (uint64_t i = 0; i < n; i++) {
        const char *key = NULL, *value = NULL;
        FTL_TRY(take_text(in, arena, &key, error));
        FTL_TRY(take_text(in, arena, &value, error));
        if (strcmp(key, "best_iteration") == 0 &&
            !ftl_parse_i64(value, strlen(value), &model->best_iteration))
            model->best_iteration = -1;
        if (strcmp(key, "scikit_learn") == 0)
            model->wrapper = value;
    }
    return FTL_OK;
}

/*
 * learner parameters: base_score, num_feature, num_class, has attributes, has metrics, major, minor
 */
static ftl_status read_learner(cursor *in, ftl_arena *arena, const char *param,
                               ftl_xgb_model *model, ftl_error *error)
{
    float *base = ftl_arena_alloc(arena, sizeof *base);
    const char *booster = NULL;
    if (!base)
        return FTL_OOM(error);
    *base = float_at(param, 0);
    int32_t major = int_at(param, 5), minor = int_at(param, 6);
    if (major < 0 || major > 99 || minor < 0 || minor > 99)
        return broken(in, "it has no version", error);
    model->base_score = (ftl_xgb_floats){base, 1};
    model->num_feature = int_at(param, 1);
    model->num_class = int_at(param, 2);
    model->version = major * 10000 + minor * 100;
    model->base_is_margin = major < 1;
    FTL_TRY(take_text(in, arena, &model->objective, error));
    FTL_TRY(take_text(in, arena, &booster, error));
    if (strcmp(booster, "gblinear") == 0) {
        model->booster = FTL_XGB_LINEAR;
        if (!take(in, gblinear_bytes))
            return broken(in, "it ends too early", error);
        FTL_TRY(take_floats(in, arena, &model->linear, error));
    } else if (strcmp(booster, "gbtree") == 0 || strcmp(booster, "dart") == 0) {
        model->booster = booster[0] == 'd' ? FTL_XGB_DART : FTL_XGB_TREES;
        FTL_TRY(read_trees(in, arena, model, error));
    } else
        return broken(in, "it is not of a known booster", error);
    return int_at(param, 3) ? read_attributes(in, arena, model, error) : FTL_OK;
}

ftl_status ftl_xgb_binary_read(ftl_arena *arena, const char *bytes, size_t size,
                               ftl_xgb_model *model, ftl_error *error)
{
    cursor in = {.bytes = bytes, .size = size};
    if (size >= 4 && memcmp(bytes, "binf", 4) == 0)
        in.at = 4;
    const char *param = take(&in, learner_bytes);
    if (!param)
        return broken(&in, "it ends too early", error);
    return read_learner(&in, arena, param, model, error);
}
