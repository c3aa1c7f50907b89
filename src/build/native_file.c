/*
 * A booster's own file is the booster object that a pickle holds, with the file's bytes where the
 * pickle has them: both take the same way from here.
 */
#include "build/native_file.h"

#include <string.h>

static const struct {
    const char *module, *name, *attribute;
} booster_classes[] = {
    [FTL_FILE_XGBOOST] = {"xgboost.core", "Booster", "handle"},
    [FTL_FILE_LIGHTGBM] = {"lightgbm.basic", "Booster", "handle"},
    [FTL_FILE_CATBOOST] = {"catboost.core", "CatBoost", "__model"},
};

ftl_status ftl_native_root(ftl_arena *arena, ftl_file_kind kind, const char *bytes, size_t size,
                           ftl_node **root, ftl_error *error)
{
    struct {
        ftl_node object, state, key, value, *keys[1], *values[1];
        ftl_node_object body;
    } *made = ftl_arena_zero_array(arena, 1, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    const char *attribute = booster_classes[kind].attribute;
    made->key = (ftl_node){.kind = FTL_NODE_STR, .u.str = {attribute, strlen(attribute)}};
    made->value = (ftl_node){.kind = FTL_NODE_BYTES, .u.str = {bytes, size}};
    made->keys[0] = &made->key;
    made->values[0] = &made->value;
    made->state = (ftl_node){
        .kind = FTL_NODE_DICT,
        .u.dict = {.keys = made->keys, .values = made->values, .size = 1, .room = 1}};
    made->body.module = booster_classes[kind].module;
    made->body.name = booster_classes[kind].name;
    made->body.state = &made->state;
    made->object = (ftl_node){.kind = FTL_NODE_OBJECT, .u.object = &made->body};
    *root = &made->object;
    return FTL_OK;
}
