#include "build/pick_entry.h"

#include "build/build.h"

#include <stdio.h>
#include <string.h>

enum { max_listed = 1000, max_select_depth = 8, listed_depth = 2, max_seen = 1 << 16 };

static bool is_sequence(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE);
}

static bool is_container(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_DICT || is_sequence(node));
}

static const char *container_name(const ftl_node *node)
{
    return node->kind == FTL_NODE_DICT ? "dict" : node->kind == FTL_NODE_LIST ? "list" : "tuple";
}

/* NULL when the node is no model. */
static const ftl_estimator_class *class_of(const ftl_registry *registry, const ftl_node *node)
{
    if (!node || node->kind != FTL_NODE_OBJECT)
        return NULL;
    return ftl_registry_find(registry, node->u.object->module, node->u.object->name);
}

/* ---- Entries --------------------------------------------------------------------------------- */

static size_t entry_count(const ftl_node *container)
{
    return container->kind == FTL_NODE_DICT ? container->u.dict.size : container->u.seq.size;
}

static const ftl_node *entry_at(const ftl_node *container, size_t i)
{
    return container->kind == FTL_NODE_DICT ? container->u.dict.values[i]
                                            : container->u.seq.items[i];
}

/* A dict's key or a number; false for keys that nobody could type. */
static bool entry_key(const ftl_node *container, size_t i, char *out, size_t room)
{
    int n = -1;
    if (container->kind == FTL_NODE_DICT) {
        const ftl_node *key = container->u.dict.keys[i];
        ftl_node_string text;
        int64_t number;
        if (ftl_node_as_str(key, &text))
            n = memchr(text.data, 0, text.size) ? -1 : snprintf(out, room, "%s", text.data);
        else if (ftl_node_as_int(key, &number))
            n = snprintf(out, room, "%lld", (long long)number);
    } else
        n = snprintf(out, room, "%zu", i);
    return n > 0 && (size_t)n < room;
}

static const ftl_node *find_entry(const ftl_node *container, const char *text, size_t size)
{
    char key[512];
    for (size_t i = 0; i < entry_count(container); i++) {
        if (entry_key(container, i, key, sizeof key) && strlen(key) == size &&
            memcmp(key, text, size) == 0)
            return entry_at(container, i);
    }
    return NULL;
}

/* Keys may hold dots: the longest one that leads somewhere wins. */
static const ftl_node *find(const ftl_node *node, const char *text, unsigned depth)
{
    if (depth >= max_select_depth || !is_container(node))
        return NULL;
    for (size_t end = strlen(text); end > 0; end--) {
        if (text[end] != '\0' && text[end] != '.')
            continue;
        const ftl_node *entry = find_entry(node, text, end);
        if (entry && text[end] == '.')
            entry = find(entry, text + end + 1, depth + 1);
        if (entry)
            return entry;
    }
    return NULL;
}

/* ---- All models of a file -------------------------------------------------------------------- */

typedef struct listing {
    const ftl_registry *registry;
    ftl_arena *arena;
    ftl_step_info *steps; /* [max_listed]; the path is what selects the entry */
    const ftl_node *first;
    size_t n, seen;
    bool failed; /* out of memory */
} listing;

static void scrub(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static void add_model(listing *list, const ftl_node *node, const ftl_estimator_class *cls,
                      const char *path)
{
    char *copy = ftl_arena_string(list->arena, path, strlen(path));
    const char *name = ftl_arena_printf(list->arena, "%s.%s", cls->package, cls->name);
    if (!copy || !name) {
        list->failed = true;
        return;
    }
    scrub(copy);
    if (list->n == 0)
        list->first = node;
    if (list->n < max_listed)
        list->steps[list->n++] = (ftl_step_info){.path = copy, .class_name = name, .detail = ""};
}

static void list_models(listing *list, const ftl_node *container, const char *prefix,
                        unsigned depth)
{
    for (size_t i = 0; i < entry_count(container) && list->seen++ < max_seen; i++) {
        char key[256], path[520];
        const ftl_node *entry = entry_at(container, i);
        if (!entry_key(container, i, key, sizeof key))
            continue;
        int n = snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] ? "." : "", key);
        if (n < 0 || (size_t)n >= sizeof path)
            continue;
        const ftl_estimator_class *cls = class_of(list->registry, entry);
        if (cls)
            add_model(list, entry, cls, path);
        else if (is_container(entry) && depth + 1 < listed_depth)
            list_models(list, entry, path, depth + 1);
    }
}

/* A model without methods: what inspect shows, and what every method answers. */
static ftl_status list_choices(ftl_model *model, const ftl_node *root, const listing *list,
                               ftl_error *error)
{
    char names[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < list->n; i++) {
        int n = snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                         list->steps[i].path);
        if (n < 0 || (size_t)n >= sizeof names - used) {
            (void)snprintf(names + (used < sizeof names - 6 ? used : sizeof names - 6), 6, ", ...");
            break;
        }
        used += (size_t)n;
    }
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_error_clear(&model->method_error[m]);
        ftl_error_set(&model->method_error[m], FTL_UNSUPPORTED,
                      "the file holds a %s with %zu models; choose one with options.select: %s",
                      container_name(root), list->n, names);
        ftl_error_because(&model->method_error[m], FTL_REASON_NEEDS_OPTION, "select");
    }
    model->class_name = container_name(root);
    model->library = "Python";
    model->library_version = "";
    model->kind = FTL_OTHER_MODEL;
    model->default_method = FTL_PREDICT;
    model->steps = ftl_arena_copy(&model->arena, list->steps, list->n * sizeof *list->steps);
    model->n_steps = list->n;
    return model->steps ? FTL_OK : FTL_OOM(error);
}

static ftl_status choose(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                         const ftl_node **chosen, ftl_error *error)
{
    listing list = {.registry = registry,
                    .arena = &model->arena,
                    .steps = ftl_arena_array(&model->objects, max_listed, sizeof *list.steps)};
    if (!list.steps)
        return FTL_OOM(error);
    list_models(&list, root, "", 0);
    if (list.failed)
        return FTL_OOM(error);
    if (list.n > 1) {
        *chosen = NULL;
        return list_choices(model, root, &list, error);
    }
    *chosen = list.n == 1 ? list.first : root;
    model->selected = list.n == 1 ? list.steps[0].path : NULL;
    return FTL_OK;
}

ftl_status ftl_select(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                      const char *select, const ftl_node **chosen, ftl_error *error)
{
    char text[200];
    if (!select) {
        *chosen = root;
        return is_container(root) ? choose(model, registry, root, chosen, error) : FTL_OK;
    }
    if (!is_container(root))
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
            "options.select is for files that hold a dict, list or tuple; this one holds %s",
            ftl_node_describe(root, text, sizeof text));
    const ftl_node *found = find(root, select, 0);
    if (!found)
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
            "the file's %s has no entry '%.100s'; foretell inspect lists its models",
            container_name(root), select);
    char *copy = ftl_arena_string(&model->arena, select, strlen(select));
    if (!copy)
        return FTL_OOM(error);
    scrub(copy);
    model->selected = copy;
    *chosen = found;
    return FTL_OK;
}
