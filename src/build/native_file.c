/*
 * A booster's own file is the booster object that a pickle holds, with the file's bytes where the
 * pickle has them: both take the same way from here. A file that a scikit-learn wrapper of XGBoost
 * saved is that wrapper around such a booster.
 */
#include "build/native_file.h"

#include "formats/xgboost.h"

#include <string.h>

static const struct {
    const char *module, *name, *attribute;
} booster_classes[] = {
    [FTL_FILE_XGBOOST] = {"xgboost.core", "Booster", "handle"},
    [FTL_FILE_LIGHTGBM] = {"lightgbm.basic", "Booster", "handle"},
    [FTL_FILE_CATBOOST] = {"catboost.core", "CatBoost", "__model"},
};

enum { max_attributes = 8 };

/* An object under construction: room for its attributes. */
typedef struct made_object {
    ftl_node object, state, key_nodes[max_attributes], value_nodes[max_attributes];
    ftl_node *keys[max_attributes], *values[max_attributes];
    ftl_node_object body;
} made_object;

static made_object *new_object(ftl_arena *arena, const char *module, const char *name)
{
    made_object *made = ftl_arena_zero_array(arena, 1, sizeof *made);
    if (!made)
        return NULL;
    made->state = (ftl_node){
        .kind = FTL_NODE_DICT,
        .u.dict = {.keys = made->keys, .values = made->values, .size = 0, .room = max_attributes}};
    made->body.module = module;
    made->body.name = name;
    made->body.state = &made->state;
    made->object = (ftl_node){.kind = FTL_NODE_OBJECT, .u.object = &made->body};
    return made;
}

static void set(made_object *made, const char *name, ftl_node value)
{
    size_t at = made->state.u.dict.size++;
    made->key_nodes[at] = (ftl_node){.kind = FTL_NODE_STR, .u.str = {name, strlen(name)}};
    made->value_nodes[at] = value;
    made->keys[at] = &made->key_nodes[at];
    made->values[at] = &made->value_nodes[at];
}

static ftl_node text_node(const char *text, size_t size)
{
    return (ftl_node){.kind = FTL_NODE_STR, .u.str = {text, size}};
}

static ftl_node cell_node(const ftl_cell *cell)
{
    switch (cell->tag) {
    case FTL_CELL_STRING:
        return text_node(cell->u.text, cell->size);
    case FTL_CELL_INT:
        return (ftl_node){.kind = FTL_NODE_INT, .u.integer = cell->u.integer};
    case FTL_CELL_BOOL:
        return (ftl_node){.kind = FTL_NODE_BOOL, .u.boolean = cell->u.integer != 0};
    default:
        return (ftl_node){.kind = FTL_NODE_FLOAT, .u.number = cell->u.number};
    }
}

/* A label encoder whose classes_ is a list. */
static ftl_status encoder_of(ftl_arena *arena, const ftl_xgb_wrapper *wrapper, made_object **out,
                             ftl_error *error)
{
    size_t n = wrapper->n_labels;
    made_object *made = new_object(arena, "xgboost.compat", "XGBoostLabelEncoder");
    ftl_node *items = ftl_arena_zero_array(arena, n, sizeof *items);
    ftl_node **list = ftl_arena_array(arena, n, sizeof(ftl_node *));
    if (!made || !items || !list)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        items[i] = cell_node(&wrapper->labels[i]);
        list[i] = &items[i];
    }
    set(made, "classes_", (ftl_node){.kind = FTL_NODE_LIST, .u.seq = {list, n, n}});
    *out = made;
    return FTL_OK;
}

static ftl_status wrap(ftl_arena *arena, const ftl_xgb_wrapper *wrapper, made_object *booster,
                       ftl_node **root, ftl_error *error)
{
    made_object *made = new_object(arena, "xgboost.sklearn", wrapper->class_name), *encoder = NULL;
    if (!made)
        return FTL_OOM(error);
    set(made, "_Booster", booster->object);
    set(made, "missing", (ftl_node){.kind = FTL_NODE_FLOAT, .u.number = wrapper->missing});
    set(made, "best_ntree_limit",
        (ftl_node){.kind = FTL_NODE_INT, .u.integer = wrapper->best_ntree_limit});
    set(made, "enable_categorical",
        (ftl_node){.kind = FTL_NODE_BOOL, .u.boolean = wrapper->enable_categorical});
    if (wrapper->predictor)
        set(made, "predictor", text_node(wrapper->predictor, strlen(wrapper->predictor)));
    if (wrapper->n_labels) {
        FTL_TRY(encoder_of(arena, wrapper, &encoder, error));
        set(made, "_le", encoder->object);
    }
    *root = &made->object;
    return FTL_OK;
}

ftl_status ftl_native_root(ftl_arena *arena, ftl_account *account, ftl_file_kind kind,
                           const char *bytes, size_t size, ftl_node **root, ftl_error *error)
{
    ftl_xgb_wrapper wrapper = {0};
    made_object *made = new_object(arena, booster_classes[kind].module, booster_classes[kind].name);
    if (!made)
        return FTL_OOM(error);
    set(made, booster_classes[kind].attribute,
        (ftl_node){.kind = FTL_NODE_BYTES, .u.str = {bytes, size}});
    if (kind == FTL_FILE_XGBOOST)
        FTL_TRY(ftl_xgb_read_wrapper(arena, account, bytes, size, &wrapper, error));
    if (wrapper.class_name)
        return wrap(arena, &wrapper, made, root, error);
    *root = &made->object;
    return FTL_OK;
}
