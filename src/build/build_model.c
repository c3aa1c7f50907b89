/*
 * The root of an object graph → a model: schema, one emission per method, steps, and everything
 * unsupported with its place.
 */
#include "base/hash.h"
#include "build/iterations.h"
#include "build/results.h"
#include "build/transformer.h"
#include "build/wishes.h"
#include "model/facts.h"

#include <stdio.h>
#include <string.h>

enum { max_walk_nodes = 1 << 20, max_walk_depth = 40 };

/* ---- Finding estimators ---------------------------------------------------------------------- */

static int parse_version(const ftl_node *node)
{
    ftl_node_string text;
    if (!node || !ftl_node_as_str(node, &text))
        return 0;
    int parts[3] = {0, 0, 0};
    size_t part = 0;
    for (size_t i = 0; i < text.size && part < 3; i++) {
        char c = text.data[i];
        if (c >= '0' && c <= '9') {
            if (parts[part] < 1000)
                parts[part] = parts[part] * 10 + (c - '0');
        } else if (c == '.')
            part++;
        else
            break;
    }
    for (int i = 1; i < 3; i++)
        parts[i] = parts[i] > 99 ? 99 : parts[i];
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

/*
 * Classes that are estimators but only make sense while fitting, or code that nobody can run from a
 * file.
 */
static ftl_status refuse(const ftl_node *node, const char *path, ftl_error *error)
{
    char buffer[200];
    const char *text = ftl_node_describe(node, buffer, sizeof buffer);
    ftl_status code = FTL_UNSUPPORTED;
    if (!node || node->kind == FTL_NODE_NONE)
        ftl_error_set(error, code, "there is no estimator here (None)");
    else if (node->kind == FTL_NODE_STR)
        ftl_error_set(error, code, "'%.100s' is not an estimator that can run", node->u.str.data);
    else if (node->kind == FTL_NODE_OBJECT && strncmp(node->u.object->module, "__main__", 9) == 0)
        ftl_error_set(error, code,
                      "%s was defined in a script; its code is not in the file, so it cannot run",
                      text);
    else if (node->kind == FTL_NODE_OBJECT && (strstr(node->u.object->module, "cloudpickle") ||
                                               strncmp(node->u.object->module, "dill", 4) == 0))
        ftl_error_set(error, code,
                      "a lambda or local function (%s) cannot run; save the model without it",
                      text);
    else if (node->kind == FTL_NODE_DICT || node->kind == FTL_NODE_LIST ||
             node->kind == FTL_NODE_TUPLE)
        ftl_error_set(error, code,
                      "the file holds a %s, not an estimator; save the estimator itself", text);
    else if (node->kind != FTL_NODE_OBJECT)
        ftl_error_set(error, code, "this is no estimator, but %s; save the estimator itself", text);
    else
        ftl_error_set(error, code, "%s is not supported", text);
    ftl_error_in(error, path);
    return code;
}

/* The slot of a path among the steps' slots, or the empty one where it belongs. */
static uint32_t *step_slot(const ftl_build *build, const char *path)
{
    size_t mask = build->step_slots_room - 1;
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), path, strlen(path)) & mask;
    while (build->step_slots[at] && strcmp(build->steps[build->step_slots[at] - 1].path, path) != 0)
        at = (at + 1) & mask;
    return &build->step_slots[at];
}

/* Room for one more step; at most half of the slots are taken. */
static ftl_status grow_steps(ftl_build *build, ftl_error *error)
{
    FTL_TRY(ftl_grow(build->account, &build->steps, &build->steps_room, build->n_steps + 1,
                     sizeof *build->steps, error));
    if (2 * (build->n_steps + 1) <= build->step_slots_room)
        return FTL_OK;
    size_t room = build->step_slots_room ? 2 * build->step_slots_room : 16;
    uint32_t *slots = ftl_alloc_zero(build->account, room, sizeof *slots);
    if (!slots)
        return FTL_OOM(error);
    ftl_free(build->account, build->step_slots);
    build->step_slots = slots;
    build->step_slots_room = room;
    for (size_t i = 0; i < build->n_steps; i++)
        *step_slot(build, build->steps[i].path) = (uint32_t)i + 1;
    return FTL_OK;
}

/* The newest version of each library that tests/golden/ has models of. */
static const struct {
    const char *library;
    int newest;
    const char *shown;
} tested[] = {{"scikit-learn", FTL_SKLEARN(1, 9), "1.9"},
              {"XGBoost", FTL_SKLEARN(3, 4), "3.4"},
              {"CatBoost", FTL_SKLEARN(1, 2), "1.2"}};

/*
 * Notes that a library in the model is newer than what was tested, once a library. LightGBM's files
 * do not tell the library's version, but the format's: a newer one is refused.
 */
static ftl_status note_newer(ftl_build *build, const ftl_estimator *e, ftl_error *error)
{
    const char *library = e->cls->library ? e->cls->library : "scikit-learn", *wrote = NULL;
    ftl_node version = {.kind = FTL_NODE_STR, .u.str = {"", 0}};
    size_t i = 0, size = 0;
    while (i < FTL_ARRAY_LEN(tested) && strcmp(tested[i].library, library) != 0)
        i++;
    if (i == FTL_ARRAY_LEN(tested) || (build->newer && strstr(build->newer, library)))
        return FTL_OK;
    if (!e->cls->library)
        (void)ftl_node_as_str(ftl_attr(e, "_sklearn_version"), &version.u.str);
    else if (e->cls->wrote && (wrote = e->cls->wrote(build, e)) != NULL)
        version.u.str = (ftl_node_string){wrote, strlen(wrote)};
    if (parse_version(&version) < tested[i].newest + FTL_SKLEARN(0, 1))
        return FTL_OK;
    while (size < version.u.str.size && size < 40 &&
           strchr("0123456789.abcdefghijklmnopqrstuvwxyz+-", version.u.str.data[size]))
        size++; /* what a version is made of, whatever follows */
    build->newer = ftl_arena_printf(build->arena, "%s%s%s %.*s (tested up to %s)",
                                    build->newer ? build->newer : "", build->newer ? ", " : "",
                                    library, (int)size, version.u.str.data, tested[i].shown);
    return build->newer ? FTL_OK : FTL_OOM(error);
}

static ftl_status note_step(ftl_build *build, const ftl_estimator *estimator, ftl_error *error)
{
    FTL_TRY(grow_steps(build, error));
    uint32_t *slot = step_slot(build, estimator->path);
    if (*slot)
        return FTL_OK;
    const char *name = ftl_arena_printf(build->arena, "%s.%s", estimator->cls->package,
                                        estimator->cls->name);
    if (!name)
        return FTL_OOM(error);
    size_t at = build->n_steps++;
    *slot = (uint32_t)at + 1;
    build->steps[at] = (ftl_step_info){.path = estimator->path, .class_name = name, .detail = ""};
    /* Making the detail may note further steps, of estimators in this one. */
    if (build->depth >= FTL_MAX_NESTING)
        return FTL_FAIL(error, FTL_LIMIT, "estimators are nested more than %d deep",
                        (int)FTL_MAX_NESTING);
    build->depth++;
    const char *detail = estimator->cls->detail ? estimator->cls->detail(build, estimator) : NULL;
    build->depth--;
    build->steps[at].detail = detail ? detail : "";
    return note_newer(build, estimator, error);
}

ftl_status ftl_estimator_of(ftl_build *build, const ftl_node *node, const ftl_estimator *parent,
                            const char *path, ftl_estimator *out, ftl_error *error)
{
    if (!path)
        return FTL_OOM(error);
    if (build->n_lookups++ >= FTL_MAX_LOOKUPS) {
        ftl_error_set(error, FTL_LIMIT, "the model refers to more than %d estimators",
                      (int)FTL_MAX_LOOKUPS);
        ftl_error_in(error, path);
        return FTL_LIMIT;
    }
    const ftl_estimator_class *cls = NULL;
    if (node && node->kind == FTL_NODE_OBJECT)
        cls = ftl_registry_find(build->registry, node->u.object->module, node->u.object->name);
    if (!cls)
        return refuse(node, path, error);
    ftl_estimator made = {.node = node, .path = path, .cls = cls};
    made.version = parse_version(ftl_node_attr(node, "_sklearn_version"));
    if (made.version == 0)
        made.version = parent ? parent->version : 0;
    if (!cls->library && made.version && made.version < FTL_SKLEARN(0, 18)) {
        ftl_error_set(error, FTL_UNSUPPORTED,
                      "%s was written by scikit-learn %d.%d, which is too old: 0.18 and later are "
                      "read; train it again with a newer one",
                      cls->name, made.version / 10000, made.version / 100 % 100);
        ftl_error_in(error, path);
        return FTL_UNSUPPORTED;
    }
    ftl_status status = note_step(build, &made, error);
    if (status != FTL_OK) {
        ftl_error_in(error, path);
        return status;
    }
    *out = made;
    return FTL_OK;
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

/* The only list of names beside the model that is as long as its inputs, for those without names.
 */
static ftl_status names_beside(ftl_build *build, const ftl_build_wishes *wishes, ftl_inputs *inputs,
                               ftl_error *error)
{
    const ftl_node *found = NULL;
    for (size_t i = 0; inputs->count > 0 && i < wishes->n_features; i++) {
        if ((int64_t)ftl_node_length(wishes->features[i]) != inputs->count)
            continue;
        if (found)
            return FTL_OK;
        found = wishes->features[i];
    }
    return found ? ftl_names_of(build, found, inputs, error) : FTL_OK;
}

static ftl_status make_inputs(ftl_build *build, const ftl_inputs *inputs, ftl_frame *frame,
                              ftl_error *error)
{
    size_t n = (size_t)inputs->count;
    build->inputs = ftl_arena_zero_array(build->arena, n, sizeof *build->inputs);
    build->input_used = ftl_arena_zero_array(build->scratch, n, sizeof *build->input_used);
    if (!build->inputs || !build->input_used)
        return FTL_OOM(error);
    build->n_inputs = n;
    FTL_TRY(ftl_frame_new(build, (uint32_t)n, frame, error));
    for (size_t i = 0; i < n; i++) {
        uint32_t id;
        ftl_op *op = NULL;
        FTL_TRY(ftl_build_op(build, NULL, FTL_OP_INPUT, NULL, &id, &op, error));
        op->width = 1;
        op->u.input.column = (uint32_t)i;
        const char *name = inputs->names ? inputs->names[i]
                                         : ftl_arena_printf(build->arena, "x%zu", i);
        if (!name)
            return FTL_OOM(error);
        frame->columns[i] = (ftl_frame_column){.op = id, .name = name, .as = FTL_AS_FLOAT};
        build->inputs[i] = (ftl_input_schema){.name = inputs->names ? name : NULL,
                                              .kind = FTL_KIND_NUMERIC,
                                              .missing = FTL_MISSING_NAN,
                                              .batch_type = FTL_F64};
    }
    return FTL_OK;
}

/* ---- Methods --------------------------------------------------------------------------------- */

/* The estimator, and what the caller wants of it. */
typedef struct asked {
    const ftl_estimator *root;
    const ftl_build_wishes *wishes;
    ftl_class_names *names; /* when the wishes have labels */
} asked;

static ftl_status emit_result(ftl_build *build, const asked *what, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_INVERSE_TRANSFORM)
        return ftl_emit_inverse(build, what->root, in, out, error);
    if (method == FTL_PREDICT && what->wishes->threshold_set)
        FTL_TRY(ftl_emit_threshold(build, what->root, what->wishes->threshold, in, out, error));
    else
        FTL_TRY(ftl_emit(build, what->root, method, in, out, error));
    if (what->wishes->labels)
        FTL_TRY(ftl_names_apply(build, what->names, out, error));
    if (method == FTL_TRANSFORM)
        return ftl_frame_finish(build, what->root, build->named_inputs, out, error);
    return FTL_OK;
}

/*
 * A method that cannot run leaves no half-made operations behind; its error is kept for whoever
 * asks for the method.
 */
static ftl_status emit_method(ftl_build *build, ftl_model *model, const asked *what,
                              ftl_method method, const ftl_frame *in, ftl_error *error)
{
    size_t n_ops = build->n_ops, n_memo = build->n_memo;
    ftl_frame out = {0};
    ftl_error local;
    ftl_error_clear(&local);
    ftl_status status = emit_result(build, what, method, in, &out, &local);
    if (status == FTL_OK)
        return ftl_results_name(build, method, &out, &model->graph.methods[method], error);
    if (status != FTL_UNSUPPORTED) {
        if (error)
            *error = local;
        return status;
    }
    build->n_ops = n_ops;
    ftl_emit_forget(build, n_memo);
    model->method_error[method] = local;
    return FTL_OK;
}

static ftl_status note_classes(ftl_build *build, ftl_model *model, ftl_error *error)
{
    const ftl_method_outputs *predict = &model->graph.methods[FTL_PREDICT];
    const ftl_labels **classes = ftl_arena_zero_array(build->arena, predict->count,
                                                      sizeof *classes);
    if (!classes)
        return FTL_OOM(error);
    for (size_t i = 0; i < predict->count; i++) {
        if (predict->outputs[i].as == FTL_AS_LABEL)
            classes[model->n_classes++] = predict->outputs[i].labels;
    }
    model->classes = classes;
    return FTL_OK;
}

/* ---- Everything unsupported ------------------------------------------------------------------ */

typedef struct walk {
    ftl_build *build;
    ftl_problem *problems;
    size_t n, room;
    size_t visited, probed;
    char path[512];
} walk;

static ftl_status walk_node(walk *w, const ftl_node *node, size_t path_size, unsigned depth,
                            ftl_error *error);

static bool has_problem(const walk *w, const char *path)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->problems[i].path, path) == 0)
            return true;
    }
    return false;
}

static ftl_status add_problem(walk *w, ftl_status code, const char *path, const char *message,
                              ftl_error *error)
{
    FTL_TRY(
        ftl_grow(w->build->account, &w->problems, &w->room, w->n + 1, sizeof *w->problems, error));
    ftl_problem made = {code, ftl_arena_string(w->build->arena, path, strlen(path)),
                        ftl_arena_string(w->build->arena, message, strlen(message))};
    if (!made.path || !made.message)
        return FTL_OOM(error);
    w->problems[w->n++] = made;
    return FTL_OK;
}

static bool is_walked(const ftl_node *node)
{
    return node && (node->kind == FTL_NODE_OBJECT || node->kind == FTL_NODE_LIST ||
                    node->kind == FTL_NODE_TUPLE);
}

static ftl_status walk_items(walk *w, const ftl_node_sequence *seq, size_t path_size,
                             unsigned depth, ftl_error *error)
{
    for (size_t i = 0; i < seq->size; i++) {
        const ftl_node *item = seq->items[i];
        if (!is_walked(item))
            continue;
        int n = snprintf(w->path + path_size, sizeof w->path - path_size, "[%zu]", i);
        if (n < 0 || (size_t)n >= sizeof w->path - path_size)
            break;
        /* (name, estimator, …) of steps and transformers: the entry is the estimator's place. */
        if (item->kind == FTL_NODE_TUPLE && item->u.seq.size >= 2)
            item = item->u.seq.items[1];
        FTL_TRY(walk_node(w, item, path_size + (size_t)n, depth, error));
    }
    w->path[path_size] = '\0';
    return FTL_OK;
}

/* What an estimator's default method is built on, alone; nothing of it stays. */
static ftl_status emit_alone(ftl_build *build, const ftl_estimator *e, ftl_error *error)
{
    ftl_inputs inputs = {.count = -1};
    ftl_frame in, out = {0};
    FTL_TRY(ftl_estimator_inputs(build, e, &inputs, error));
    inputs.count = inputs.count < 0 ? 1 : inputs.count;
    build->named_inputs = inputs.names != NULL;
    FTL_TRY(make_inputs(build, &inputs, &in, error));
    uint32_t methods = ftl_estimator_methods(build, e);
    ftl_method method = methods & 1u << FTL_PREDICT ? FTL_PREDICT : FTL_TRANSFORM;
    return methods >> method & 1 ? ftl_emit(build, e, method, &in, &out, error) : FTL_OK;
}

/*
 * Builds an estimator of a model that cannot run by itself, to learn whether it is one of those
 * parts that are to blame; its problem is noted then. *runs: there is no need to look inside.
 */
static ftl_status probe(walk *w, const ftl_node *node, const ftl_estimator_class *cls, bool *runs,
                        ftl_error *error)
{
    enum { most_probes = 256 };
    ftl_error local;
    ftl_build *build = w->build;
    const ftl_build saved = *build;
    ftl_estimator e = {.node = node, .cls = cls};
    *runs = false;
    if (w->probed++ >= most_probes)
        return FTL_OK;
    e.path = ftl_arena_string(build->arena, w->path, strlen(w->path));
    if (!e.path)
        return FTL_OOM(error);
    e.version = parse_version(ftl_node_attr(node, "_sklearn_version"));
    ftl_error_clear(&local);
    ftl_status status = emit_alone(build, &e, &local);
    build->inputs = saved.inputs;
    build->n_inputs = saved.n_inputs;
    build->input_used = saved.input_used;
    build->named_inputs = saved.named_inputs;
    build->n_ops = saved.n_ops;
    ftl_emit_forget(build, saved.n_memo);
    *runs = status == FTL_OK;
    const char *path = local.path[0] ? local.path : w->path;
    if (status == FTL_UNSUPPORTED && !has_problem(w, path)) /* as those do that hold this one */
        return add_problem(w, status, path, local.message, error);
    return status == FTL_NOMEM ? FTL_OOM(error) : FTL_OK;
}

/* The steps of a chain of foretell's own go by their names. */
static ftl_status walk_chain(walk *w, const ftl_node *steps, unsigned depth, ftl_error *error)
{
    for (size_t i = 0; steps && steps->kind == FTL_NODE_LIST && i < steps->u.seq.size; i++) {
        const ftl_node *step = steps->u.seq.items[i];
        ftl_node_string name;
        if (step->kind != FTL_NODE_TUPLE || step->u.seq.size != 2 ||
            !ftl_node_as_str(step->u.seq.items[0], &name))
            continue;
        int n = snprintf(w->path, sizeof w->path, "%s", name.data);
        if (n > 0 && (size_t)n < sizeof w->path)
            FTL_TRY(walk_node(w, step->u.seq.items[1], (size_t)n, depth, error));
        w->path[0] = '\0';
    }
    return FTL_OK;
}

static ftl_status walk_object(walk *w, const ftl_node *node, size_t path_size, unsigned depth,
                              ftl_error *error)
{
    const ftl_node *state = node->u.object->state;
    const ftl_estimator_class *cls = ftl_registry_find(w->build->registry, node->u.object->module,
                                                       node->u.object->name);
    /* Other libraries' classes have no version of scikit-learn: those that run are walked as well.
     */
    if (!state || state->kind != FTL_NODE_DICT ||
        (!cls && !ftl_node_dict_get(&state->u.dict, "_sklearn_version")))
        return FTL_OK;
    if (cls && path_size > 0) {
        bool runs = false;
        FTL_TRY(probe(w, node, cls, &runs, error));
        if (runs)
            return FTL_OK;
    }
    if (!cls) {
        ftl_error local;
        ftl_error_clear(&local);
        ftl_status code = refuse(node, w->path, &local);
        FTL_TRY(add_problem(w, code, w->path, local.message, error));
    }
    const ftl_node_dict *dict = &state->u.dict;
    if (strcmp(node->u.object->module, "foretell") == 0)
        return walk_chain(w, ftl_node_dict_get(dict, "steps"), depth, error);
    bool fitted = ftl_node_dict_get(dict, "transformers_") != NULL ||
                  ftl_node_dict_get(dict, "best_estimator_") != NULL ||
                  ftl_node_dict_get(dict, "built_features") != NULL ||
                  ftl_node_dict_get(dict, "estimators_") != NULL;
    for (size_t i = 0; i < dict->size; i++) {
        ftl_node_string key;
        if (!ftl_node_as_str(dict->keys[i], &key) || key.size > 60)
            continue;
        /* Parameters hold unfitted clones of what the fitted attributes hold. */
        if (fitted &&
            (strcmp(key.data, "transformers") == 0 || strcmp(key.data, "features") == 0 ||
             strcmp(key.data, "estimator") == 0 || strcmp(key.data, "base_estimator") == 0 ||
             strcmp(key.data, "estimators") == 0))
            continue;
        if (!is_walked(dict->values[i]))
            continue;
        int n = snprintf(w->path + path_size, sizeof w->path - path_size, "%s%s",
                         path_size ? "." : "", key.data);
        if (n > 0 && (size_t)n < sizeof w->path - path_size)
            FTL_TRY(walk_node(w, dict->values[i], path_size + (size_t)n, depth, error));
        w->path[path_size] = '\0';
    }
    return FTL_OK;
}

static ftl_status walk_node(walk *w, const ftl_node *node, size_t path_size, unsigned depth,
                            ftl_error *error)
{
    if (!is_walked(node) || depth >= max_walk_depth || w->visited >= max_walk_nodes ||
        ftl_made_of(w->build, node, FTL_MADE_WALKED))
        return FTL_OK;
    w->visited++;
    /* Once, at the first place where it stands: lists may hold themselves. */
    FTL_TRY(ftl_made_keep(w->build, node, FTL_MADE_WALKED, node, error));
    if (node->kind == FTL_NODE_OBJECT)
        return walk_object(w, node, path_size, depth + 1, error);
    if (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE)
        return walk_items(w, &node->u.seq, path_size, depth + 1, error);
    return FTL_OK;
}

static ftl_status list_problems(ftl_build *build, ftl_model *model, const ftl_node *root,
                                ftl_error *error)
{
    const size_t n_steps = build->n_steps;
    walk w = {.build = build};
    bool all_run = true;
    for (int m = 0; m < FTL_METHOD_COUNT; m++)
        all_run &= model->method_error[m].code == FTL_OK;
    /* A part that no method needs, such as a booster's binning table, is no problem. */
    ftl_status status = all_run ? FTL_OK : walk_node(&w, root, 0, 0, error);
    build->n_steps = n_steps; /* without what probing noted */
    for (int m = 0; m < FTL_METHOD_COUNT && status == FTL_OK; m++) {
        if (model->method_error[m].code != FTL_OK && !has_problem(&w, model->method_error[m].path))
            status = add_problem(&w, model->method_error[m].code, model->method_error[m].path,
                                 model->method_error[m].message, error);
    }
    if (status == FTL_OK) {
        model->problems = ftl_arena_copy(build->arena, w.problems, w.n * sizeof *w.problems);
        model->n_problems = w.n;
        if (!model->problems)
            status = FTL_OOM(error);
    }
    ftl_free(build->account, w.problems);
    return status;
}

/* ---- The model ------------------------------------------------------------------------------- */

static ftl_status describe_root(ftl_build *build, ftl_model *model, const ftl_estimator *root,
                                ftl_error *error)
{
    ftl_node_string version = {"", 0};
    const ftl_node *node = ftl_attr(root, "_sklearn_version");
    const char *wrote = root->cls->wrote ? root->cls->wrote(build, root) : NULL;
    if (wrote)
        version = (ftl_node_string){wrote, strlen(wrote)};
    else if (node && !root->cls->library)
        (void)ftl_node_as_str(node, &version);
    model->library = root->cls->library ? root->cls->library : "scikit-learn";
    model->library_version = ftl_arena_string(build->arena, version.data, version.size);
    model->class_name = ftl_arena_printf(build->arena, "%s.%s", root->cls->package,
                                         root->cls->name);
    if (!model->class_name || !model->library_version)
        return FTL_OOM(error);
    return FTL_OK;
}

/*
 * The estimator that a chain is named after, and whose kind a pipeline or search has: the last
 * step's last step and so on. Only chains are named after another.
 */
static void answering(ftl_build *build, const ftl_estimator *root, ftl_estimator *named,
                      ftl_model_kind *kind)
{
    ftl_estimator inner = *root, next;
    *named = *root;
    for (int depth = 0; inner.cls->answers && depth < FTL_MAX_NESTING; depth++) {
        ftl_status status = inner.cls->answers(build, &inner, &next, NULL);
        if (status != FTL_OK)
            break; /* asking for a method tells why not */
        if (strcmp(inner.cls->package, "foretell") == 0 && named->node == inner.node)
            *named = next;
        inner = next;
    }
    *kind = inner.cls->kind;
}

/* Where the class does not say it, the methods tell. */
static ftl_model_kind kind_of(const ftl_model *model, uint32_t methods)
{
    if (model->kind != FTL_OTHER_MODEL)
        return model->kind;
    if (model->n_classes > 0 || methods & 1u << FTL_PREDICT_PROBA)
        return FTL_CLASSIFIER;
    if (methods & 1u << FTL_PREDICT)
        return FTL_REGRESSOR;
    return methods & 1u << FTL_TRANSFORM ? FTL_TRANSFORMER : FTL_OTHER_MODEL;
}

static ftl_status begin_inputs(ftl_build *build, ftl_model *model, const ftl_estimator *root,
                               const ftl_build_wishes *wishes, int64_t width, ftl_frame *frame,
                               ftl_error *error)
{
    ftl_inputs inputs = {.count = -1};
    FTL_TRY(ftl_estimator_inputs(build, root, &inputs, error));
    build->named_inputs = inputs.names != NULL;
    if (inputs.count < 0) {
        model->open_width = width < 0;
        inputs = (ftl_inputs){.count = width < 0 ? 1 : width};
    }
    if (!inputs.names && !model->open_width)
        FTL_TRY(names_beside(build, wishes, &inputs, error));
    model->has_input_names = inputs.names != NULL;
    return make_inputs(build, &inputs, frame, error);
}

/*
 * The columns that transform gives become the model's inputs: it is built for their names, and
 * forgotten.
 */
static ftl_status begin_inverse(ftl_build *build, ftl_model *model, const ftl_estimator *root,
                                ftl_frame *frame, ftl_error *error)
{
    ftl_frame given = {0};
    if (!(ftl_estimator_methods(build, root) & 1u << FTL_TRANSFORM) || model->open_width)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_METHOD_MISSING, "inverse",
                               "%s has no inverse_transform that foretell runs", root->cls->name);
    FTL_TRY(ftl_emit(build, root, FTL_TRANSFORM, frame, &given, error));
    const char **names = ftl_frame_names(build, &given);
    if (!names)
        return FTL_OOM(error);
    build->n_ops = 0;
    ftl_emit_forget(build, 0);
    const ftl_inputs inputs = {.count = (int64_t)given.n_columns,
                               .names = model->has_input_names ? names : NULL};
    return make_inputs(build, &inputs, frame, error);
}

static ftl_status emit_each(ftl_build *build, ftl_model *model, const asked *what, uint32_t methods,
                            const ftl_frame *frame, ftl_error *error)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (methods & 1u << m)
            FTL_TRY(emit_method(build, model, what, (ftl_method)m, frame, error));
    }
    return FTL_OK;
}

static ftl_status emit_methods(ftl_build *build, ftl_model *model, const ftl_estimator *root,
                               const ftl_build_wishes *wishes, uint32_t methods,
                               const ftl_frame *frame, ftl_error *error)
{
    ftl_class_names names = {0};
    const asked what = {.root = root, .wishes = wishes, .names = &names};
    size_t n_ops = build->n_ops;
    if (wishes->labels)
        FTL_TRY(ftl_names_read(build, wishes, &names, error));
    if (wishes->threshold_set && !(methods & 1u << FTL_PREDICT))
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "threshold",
                               "options.threshold is for classifiers of two classes");
    FTL_TRY(emit_each(build, model, &what, methods, frame, error));
    if (build->gave_classes && names.only_if_fit && names.used == 0 && !wishes->classes) {
        /* Names that nobody asked for do not fit: predict is the estimator's own. */
        build->wants_classes = false;
        build->n_ops = n_ops;
        ftl_emit_forget(build, 0);
        methods = ftl_estimator_methods(build, root);
        memset(&model->graph.methods, 0, sizeof model->graph.methods);
        memset(model->method_error, 0, sizeof model->method_error);
        FTL_TRY(emit_each(build, model, &what, methods, frame, error));
    }
    if (wishes->labels && !names.only_if_fit && names.used == 0)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "labels",
                               "%s predicts no classes that options.labels could name",
                               root->cls->name);
    model->labels_used = names.used > 0;
    return FTL_OK;
}

/* Missing cells that a later step of the default method refuses are refused, too. */
static ftl_status note_refused(ftl_build *build, const ftl_model *model, ftl_error *error)
{
    ftl_graph graph = model->graph;
    bool *refused = ftl_arena_zero_array(build->scratch, build->n_inputs + 1, sizeof *refused);
    if (!refused)
        return FTL_OOM(error);
    graph.ops = build->ops;
    graph.n_ops = build->n_ops;
    graph.n_inputs = build->n_inputs;
    FTL_TRY(ftl_graph_refused(&graph, model->default_method, build->scratch, refused, error));
    for (size_t i = 0; i < build->n_inputs; i++) {
        if (refused[i] && build->inputs[i].missing == FTL_MISSING_NAN)
            build->inputs[i].missing = FTL_MISSING_REFUSED;
    }
    return FTL_OK;
}

static ftl_status build_model(ftl_build *build, ftl_model *model, const ftl_node *node,
                              const ftl_build_wishes *wishes, int64_t width, ftl_error *error)
{
    ftl_estimator root, named;
    ftl_frame frame;
    ftl_model_kind kind;
    build->wants_classes = wishes->classes || wishes->labels;
    FTL_TRY(ftl_estimator_of(build, node, NULL, "", &root, error));
    FTL_TRY(begin_inputs(build, model, &root, wishes, width, &frame, error));
    if (wishes->inverse)
        FTL_TRY(begin_inverse(build, model, &root, &frame, error));
    uint32_t methods = wishes->inverse ? 1u << FTL_INVERSE_TRANSFORM
                                       : ftl_estimator_methods(build, &root);
    FTL_TRY(emit_methods(build, model, &root, wishes, methods, &frame, error));
    answering(build, &root, &named, &kind); /* after emitting, which notes the steps in order */
    FTL_TRY(describe_root(build, model, &named, error));
    model->kind = kind;
    FTL_TRY(note_classes(build, model, error));
    model->kind = kind_of(model, methods);
    model->has_inverse = !wishes->inverse && root.cls->inverse && !root.cls->answers;
    model->default_method = methods & 1u << FTL_PREDICT      ? FTL_PREDICT
                            : methods & 1u << FTL_KNEIGHBORS ? FTL_KNEIGHBORS
                            : wishes->inverse                ? FTL_INVERSE_TRANSFORM
                                                             : FTL_TRANSFORM;
    for (size_t i = 0; i < build->n_inputs; i++) {
        if (!build->input_used[i])
            build->inputs[i].kind = FTL_KIND_UNUSED;
    }
    FTL_TRY(note_refused(build, model, error));
    return list_problems(build, model, node, error);
}

static void begin_build(ftl_build *build, ftl_model *model, const ftl_registry *registry,
                        ftl_arena *scratch)
{
    ftl_arena_init(scratch, &model->account);
    *build = (ftl_build){.registry = registry,
                         .account = &model->account,
                         .arena = &model->arena,
                         .scratch = scratch,
                         .iterations = model->iterations};
    build->budget = model->account.budget ? model->account.budget : &build->own_budget;
}

static void end_build(ftl_build *build)
{
    ftl_free(build->account, build->ops);
    ftl_free(build->account, build->memo);
    ftl_free(build->account, build->memo_slots);
    ftl_free(build->account, build->made);
    ftl_free(build->account, build->steps);
    ftl_free(build->account, build->step_slots);
    ftl_arena_free(build->scratch);
}

ftl_status ftl_estimators_build(ftl_model *model, const ftl_registry *registry,
                                const ftl_node *root, const ftl_build_wishes *wishes, int64_t width,
                                ftl_error *error)
{
    static const ftl_build_wishes none = {0};
    ftl_arena scratch;
    ftl_build build;
    begin_build(&build, model, registry, &scratch);
    ftl_status status = build_model(&build, model, root, wishes ? wishes : &none, width, error);
    if (status == FTL_OK)
        status = ftl_iterations_finish(&build, error);
    if (status == FTL_OK) {
        model->graph.n_ops = build.n_ops;
        model->graph.ops = ftl_arena_copy(build.arena, build.ops, build.n_ops * sizeof *build.ops);
        model->graph.n_inputs = build.n_inputs;
        model->inputs = build.inputs;
        model->newer = build.newer;
        model->steps = ftl_arena_copy(build.arena, build.steps,
                                      build.n_steps * sizeof *build.steps);
        model->n_steps = build.n_steps;
        if (!model->graph.ops || !model->steps)
            status = FTL_OOM(error);
    }
    end_build(&build);
    return status;
}

uint32_t ftl_node_methods(ftl_model *model, const ftl_registry *registry, const ftl_node *node)
{
    ftl_arena scratch;
    ftl_build build;
    ftl_estimator e;
    begin_build(&build, model, registry, &scratch);
    build.arena = &scratch; /* nothing of it stays */
    ftl_status status = ftl_estimator_of(&build, node, NULL, "", &e, NULL);
    uint32_t methods = status == FTL_OK ? ftl_estimator_methods(&build, &e) : 0;
    end_build(&build);
    return methods;
}
