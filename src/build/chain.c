/* Several estimators as the steps of one chain: the object that the pipeline family builds. */
#include "build/build.h"

#include <string.h>

static ftl_node text_node(const char *text)
{
    return (ftl_node){.kind = FTL_NODE_STR, .u.str = {text, strlen(text)}};
}

/* A step: the pair of its name and its estimator. */
typedef struct step {
    ftl_node pair, name, *items[2];
} step;

const ftl_node *ftl_chain_node(ftl_arena *arena, const char *const *names,
                               const ftl_node *const *nodes, size_t n, bool guessed)
{
    struct {
        ftl_node object, state, key[2], list, guessed, *keys[2], *values[2];
        ftl_node_object body;
    } *made = ftl_arena_zero_array(arena, 1, sizeof *made);
    step *steps = ftl_arena_zero_array(arena, n, sizeof *steps);
    ftl_node **items = ftl_arena_zero_array(arena, n, sizeof *items);
    if (!made || !steps || !items)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        steps[i].name = text_node(names[i]);
        steps[i].items[0] = &steps[i].name;
        steps[i].items[1] = (ftl_node *)(uintptr_t)
            nodes[i]; /* sequences hold what nobody changes */
        steps[i].pair = (ftl_node){.kind = FTL_NODE_TUPLE, .u.seq = {steps[i].items, 2, 2}};
        items[i] = &steps[i].pair;
    }
    made->list = (ftl_node){.kind = FTL_NODE_LIST, .u.seq = {items, n, n}};
    made->guessed = (ftl_node){.kind = FTL_NODE_BOOL, .u.boolean = guessed};
    made->key[0] = text_node("steps");
    made->key[1] = text_node("guessed");
    for (int i = 0; i < 2; i++)
        made->keys[i] = &made->key[i];
    made->values[0] = &made->list;
    made->values[1] = &made->guessed;
    made->state = (ftl_node){.kind = FTL_NODE_DICT,
                             .u.dict = {made->keys, made->values, .size = 2, .room = 2}};
    made->body = (ftl_node_object){.module = "foretell", .name = "Chain", .state = &made->state};
    made->object = (ftl_node){.kind = FTL_NODE_OBJECT, .u.object = &made->body};
    return &made->object;
}
