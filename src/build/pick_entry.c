#include "build/pick_entry.h"

#include "base/utf8.h"
#include "build/parts.h"
#include "foretell/experimental.h"

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
    ftl_part *parts;      /* [max_listed]; the path is what selects the entry */
    size_t n, more, seen; /* more: models that are not listed */
    bool failed;          /* out of memory */
} listing;

static void scrub(char *text) { ftl_utf8_make_printable(text, strlen(text), false); }

static void add_model(listing *list, const ftl_node *node, const ftl_estimator_class *cls,
                      const char *path, unsigned depth)
{
    if (list->n == max_listed) {
        list->more++;
        return;
    }
    char *copy = ftl_arena_string(list->arena, path, strlen(path));
    if (!copy) {
        list->failed = true;
        return;
    }
    scrub(copy);
    list->parts[list->n++] = (ftl_part){
        .path = copy, .node = node, .cls = cls, .nested = depth > 0};
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
            add_model(list, entry, cls, path, depth);
        else if (is_container(entry) && depth + 1 < listed_depth)
            list_models(list, entry, path, depth + 1);
    }
}

static ftl_status read_listing(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                               listing *out, ftl_error *error)
{
    *out = (listing){.registry = registry,
                     .arena = &model->arena,
                     .parts = ftl_arena_array(&model->objects, max_listed, sizeof *out->parts)};
    if (!out->parts)
        return FTL_OOM(error);
    list_models(out, root, "", 0);
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static void join_paths(const listing *list, char *names, size_t room)
{
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        int n = snprintf(names + used, room - used, "%s%s", i ? ", " : "", list->parts[i].path);
        if (n < 0 || (size_t)n >= room - used) {
            (void)snprintf(names + (used < room - 6 ? used : room - 6), 6, ", ...");
            break;
        }
        used += (size_t)n;
    }
}

static ftl_status steps_of(ftl_model *model, const listing *list, ftl_error *error)
{
    ftl_step_info *steps = ftl_arena_zero_array(&model->arena, list->n + 1, sizeof *steps);
    if (!steps)
        return FTL_OOM(error);
    for (size_t i = 0; i < list->n; i++) {
        const ftl_estimator_class *cls = list->parts[i].cls;
        const char *name = ftl_arena_printf(&model->arena, "%s.%s", cls->package, cls->name);
        if (!name)
            return FTL_OOM(error);
        steps[i] = (ftl_step_info){.path = list->parts[i].path, .class_name = name, .detail = ""};
    }
    model->steps = steps;
    model->n_steps = list->n;
    model->more_listed = list->more;
    return FTL_OK;
}

/* A model without methods: what inspect shows, and what every method answers. */
static ftl_status list_choices(ftl_model *model, const ftl_node *root, const listing *list,
                               ftl_error *error)
{
    char names[160];
    join_paths(list, names, sizeof names);
    model->graph = (ftl_graph){0};
    model->inputs = NULL;
    model->n_classes = model->n_problems = 0;
    model->open_width = model->has_input_names = false;
    model->selected = NULL;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_error_clear(&model->method_error[m]);
        ftl_error_set(&model->method_error[m], FTL_UNSUPPORTED,
                      "the file holds a %s with %s%zu models; choose one with options.select: %s; "
                      "several, such as a,b, run one after another",
                      container_name(root), list->seen < max_seen ? "" : "more than ",
                      list->n + list->more, names);
        ftl_error_because(&model->method_error[m], FTL_REASON_NEEDS_OPTION, "select");
    }
    model->class_name = container_name(root);
    model->library = "Python";
    model->library_version = "";
    model->kind = FTL_OTHER_MODEL;
    model->default_method = FTL_PREDICT;
    return steps_of(model, list, error);
}

ftl_status ftl_list_models(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                           ftl_error *error)
{
    listing list;
    FTL_TRY(read_listing(model, registry, root, &list, error));
    return list_choices(model, root, &list, error);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static ftl_status choose(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                         ftl_choice *out, ftl_error *error)
{
    listing list;
    FTL_TRY(read_listing(model, registry, root, &list, error));
    if (list.n == 0) {
        out->node = root;
        return FTL_OK;
    }
    FTL_TRY(ftl_parts_arrange(model, registry, list.parts, list.n, out, error));
    return out->node ? FTL_OK : list_choices(model, root, &list, error);
}

/* All that could be typed for an entry, for who typed something else. */
typedef struct entry_names {
    ftl_arena *arena;
    const char *names[max_listed];
    size_t n, seen;
} entry_names;

static void list_names(entry_names *list, const ftl_node *container, const char *prefix,
                       unsigned depth)
{
    for (size_t i = 0; i < entry_count(container) && list->seen++ < max_seen; i++) {
        char key[256];
        if (list->n == max_listed || !entry_key(container, i, key, sizeof key))
            continue;
        const char *path = ftl_arena_printf(list->arena, "%s%s%s", prefix, prefix[0] ? "." : "",
                                            key);
        if (!path)
            return;
        list->names[list->n++] = path;
        if (depth + 1 < listed_depth && is_container(entry_at(container, i)))
            list_names(list, entry_at(container, i), path, depth + 1);
    }
}

/* ftl_known_name */
static const char *name_at(const void *user, size_t i)
{
    const entry_names *list = user;
    return list->names[i];
}

const char *ftl_near_entry(ftl_arena *arena, const ftl_node *root, const char *name)
{
    entry_names *list = is_container(root) ? FTL_ARENA_NEW(arena, entry_names) : NULL;
    if (!list)
        return NULL;
    *list = (entry_names){.arena = arena};
    list_names(list, root, "", 0);
    return ftl_name_nearest(name, name_at, list, list->n);
}

static ftl_status no_entry(ftl_model *model, const ftl_node *root, const char *name,
                           ftl_error *error)
{
    const char *near = ftl_near_entry(&model->objects, root, name);
    if (near)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
                               "the file's %s has no entry '%.100s' for options.select; did you "
                               "mean '%.100s'?",
                               container_name(root), name, near);
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
                           "the file's %s has no entry '%.100s' for options.select; foretell "
                           "inspect lists its models",
                           container_name(root), name);
}

enum { max_chained = 64 };

/* "scaler,model": the entries as a chain. */
static ftl_status chain_entries(ftl_model *model, const ftl_node *root, char *select,
                                ftl_choice *out, ftl_error *error)
{
    const char *names[max_chained];
    const ftl_node *nodes[max_chained];
    size_t n = 0;
    for (char *name = select; name; n++) {
        char *comma = strchr(name, ',');
        if (comma)
            *comma++ = '\0';
        if (n == max_chained)
            return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
                                   "options.select chains %d entries at most", (int)max_chained);
        names[n] = name;
        nodes[n] = find(root, name, 0);
        if (!nodes[n])
            return no_entry(model, root, name, error);
        scrub(name);
        name = comma;
    }
    const char **kept = ftl_arena_copy(&model->objects, names, n * sizeof *names);
    out->node = kept ? ftl_chain_node(&model->objects, kept, nodes, n, false) : NULL;
    return out->node ? FTL_OK : FTL_OOM(error);
}

static ftl_status choose_named(ftl_model *model, const ftl_node *root, const char *select,
                               ftl_choice *out, ftl_error *error)
{
    char *copy = ftl_arena_string(&model->arena, select, strlen(select));
    char *parts = ftl_arena_string(&model->objects, select, strlen(select));
    if (!copy || !parts)
        return FTL_OOM(error);
    scrub(copy);
    model->selected = copy;
    out->node = find(root, select, 0);
    if (!out->node && strchr(select, ','))
        return chain_entries(model, root, parts, out, error);
    return out->node ? FTL_OK : no_entry(model, root, select, error);
}

ftl_status ftl_select(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                      const char *select, ftl_choice *out, ftl_error *error)
{
    char text[200];
    *out = (ftl_choice){.node = root};
    if (!is_container(root)) {
        if (!select)
            return FTL_OK;
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
            "options.select is for files that hold a dict, list or tuple; this one holds %s",
            ftl_node_describe(root, text, sizeof text));
    }
    FTL_TRY(ftl_parts_found(model, registry, root, &out->wishes, error));
    return select ? choose_named(model, root, select, out, error)
                  : choose(model, registry, root, out, error);
}

const ftl_node *ftl_find_entry(const ftl_node *root, const char *entry)
{
    return entry ? find(root, entry, 0) : root;
}

const ftl_node *ftl_only_model(ftl_model *model, const ftl_registry *registry, const ftl_node *root)
{
    listing list;
    if (!is_container(root) || read_listing(model, registry, root, &list, NULL) != FTL_OK)
        return root;
    return list.n == 1 ? list.parts[0].node : root;
}
