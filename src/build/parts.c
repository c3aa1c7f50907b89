#include "build/parts.h"

#include "base/number.h"
#include "base/utf8.h"
#include "build/pandas_table.h"

#include <stdio.h>
#include <string.h>

/* ---- What a key says ------------------------------------------------------------------------- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_letter(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* The next run of letters of *text in lower case; false when there is none. */
static bool next_word(const char **text, char *word, size_t room)
{
    size_t n = 0;
    while (**text && !is_letter(**text))
        (*text)++;
    for (; is_letter(**text); (*text)++) {
        if (n + 1 < room)
            word[n++] = lower(**text);
    }
    word[n] = '\0';
    return n > 0;
}

static bool is_among(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static const char *const target_words[] = {"label", "labels",  "target", "targets", "y",
                                           "class", "classes", "output", NULL};

/* Nothing but words such as label, target and encoder: no column's name is part of it. */
static bool says_labels_alone(const char *key)
{
    static const char *const fillers[] = {"encoder", "le", "lbl", "enc", "labelencoder", NULL};
    char word[32];
    bool any = false;
    while (next_word(&key, word, sizeof word)) {
        any = true;
        if (!is_among(word, target_words) && !is_among(word, fillers))
            return false;
    }
    return any;
}

static bool says_target(const char *key)
{
    char word[32];
    while (next_word(&key, word, sizeof word)) {
        if (is_among(word, target_words))
            return true;
    }
    return false;
}

static bool says(const char *key, const char *const *starts)
{
    char word[32];
    while (next_word(&key, word, sizeof word)) {
        for (const char *const *start = starts; *start; start++) {
            if (strncmp(word, *start, strlen(*start)) == 0)
                return true;
        }
    }
    return false;
}

/* ---- Which parts run together ---------------------------------------------------------------- */

typedef struct arrangement {
    const ftl_part *predictor, *transformer, *encoder;
    size_t n_predictors, n_transformers, n_encoders;
} arrangement;

static bool is_label_encoder(const ftl_part *part)
{
    return strcmp(part->cls->name, "LabelEncoder") == 0 ||
           strcmp(part->cls->name, "LabelBinarizer") == 0;
}

static bool predicts(ftl_model *model, const ftl_registry *registry, const ftl_part *part)
{
    if (part->cls->kind == FTL_TRANSFORMER)
        return false;
    if (part->cls->kind != FTL_OTHER_MODEL)
        return true;
    return ftl_node_methods(model, registry, part->node) & 1u << FTL_PREDICT;
}

static void sort_parts(ftl_model *model, const ftl_registry *registry, const ftl_part *parts,
                       size_t n, arrangement *out)
{
    *out = (arrangement){0};
    for (size_t i = 0; i < n; i++) {
        if (is_label_encoder(&parts[i])) {
            out->n_encoders++;
            if (!parts[i].nested && strcmp(parts[i].cls->name, "LabelEncoder") == 0)
                out->encoder = &parts[i];
        } else if (predicts(model, registry, &parts[i])) {
            out->n_predictors++;
            out->predictor = &parts[i];
        } else {
            out->n_transformers++;
            out->transformer = &parts[i];
        }
    }
}

/*
 * A pipeline may hold the transformer already; a transformer of the target comes behind; parts in
 * entries' entries belong to something that is not known.
 */
static bool is_clear(const arrangement *a)
{
    if (a->n_predictors != 1 || a->n_transformers > 1)
        return false;
    if (a->n_transformers == 0)
        return true;
    return !a->predictor->nested && !a->transformer->nested && !a->predictor->cls->answers &&
           !says_target(a->transformer->path);
}

static ftl_status make_chain(ftl_model *model, const arrangement *a, ftl_choice *out,
                             ftl_error *error)
{
    const char **names = ftl_arena_zero_array(&model->objects, 2, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    const ftl_node *nodes[] = {a->transformer->node, a->predictor->node};
    names[0] = a->transformer->path;
    names[1] = a->predictor->path;
    out->node = ftl_chain_node(&model->objects, names, nodes, 2, true);
    model->selected = ftl_arena_printf(&model->arena, "%s,%s", names[0], names[1]);
    model->note = ftl_arena_printf(&model->arena,
                                   "the file's %s and %s run as one chain (options.select %s)",
                                   names[0], names[1], model->selected ? model->selected : "");
    out->guessed = true;
    return out->node && model->selected && model->note ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_parts_arrange(ftl_model *model, const ftl_registry *registry, const ftl_part *parts,
                             size_t n, ftl_choice *out, ftl_error *error)
{
    arrangement a;
    out->node = NULL;
    if (n == 1) {
        out->node = parts[0].node;
        model->selected = parts[0].path;
        return FTL_OK;
    }
    sort_parts(model, registry, parts, n, &a);
    if (!is_clear(&a))
        return FTL_OK;
    if (a.n_encoders == 1 && a.encoder && says_labels_alone(a.encoder->path)) {
        out->wishes.labels = a.encoder->node;
        out->wishes.labels_only_if_fit = true;
        model->labels_entry = a.encoder->path;
    }
    if (a.transformer)
        return make_chain(model, &a, out, error);
    /* Encoders of columns beside one model: whoever encodes the columns may run the model alone. */
    if (a.n_encoders > 0 && !out->wishes.labels)
        return FTL_OK;
    out->node = a.predictor->node;
    model->selected = a.predictor->path;
    return FTL_OK;
}

/* ---- What else there is ---------------------------------------------------------------------- */

enum { max_found = 200, most_shown = 20, text_room = 400 };

typedef struct shown {
    char text[text_room];
    size_t used;
} shown;

static void show(shown *out, const char *text, size_t size)
{
    size_t room = sizeof out->text - 1 - out->used;
    if (size > room) {
        size = room;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--; /* no part of a character at the end */
    }
    memcpy(out->text + out->used, text, size);
    out->used += size;
    out->text[out->used] = '\0';
}

/* Its first characters, in up to so many bytes. */
static void show_start(shown *out, const char *text, size_t size, size_t most)
{
    size_t cut = size < most ? size : most;
    while (cut && cut < size && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    show(out, text, cut);
}

static void show_text(shown *out, const char *text) { show(out, text, strlen(text)); }

/* A number or a text. False for anything else. */
static bool show_plain(shown *out, const ftl_node *node)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_node_string string;
    int64_t integer;
    double number;
    bool boolean;
    if (node->kind == FTL_NODE_NONE)
        show_text(out, "None");
    else if (ftl_node_as_str(node, &string))
        show_start(out, string.data, string.size, 80);
    else if (node->kind == FTL_NODE_BOOL && ftl_node_as_bool(node, &boolean))
        show_text(out, boolean ? "True" : "False");
    else if (ftl_node_as_int(node, &integer))
        show(out, text, ftl_print_i64(integer, text));
    else if (ftl_node_as_f64(node, &number))
        show(out, text, ftl_print_f64(number, text));
    else
        return false;
    return true;
}

static void show_value(shown *out, const ftl_node *node)
{
    char about[200];
    if (!show_plain(out, node))
        show_text(out, ftl_node_describe(node, about, sizeof about));
}

static bool is_number(const ftl_node *node)
{
    double number;
    return node->kind != FTL_NODE_BOOL && ftl_node_as_f64(node, &number);
}

/* Element i of a list, tuple or array of texts. */
static bool text_at(ftl_arena *scratch, const ftl_node *node, size_t i, ftl_node_string *out)
{
    if (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE)
        return ftl_node_as_str(node->u.seq.items[i], out);
    if (node->kind != FTL_NODE_ARRAY)
        return false;
    if (node->u.array->objects)
        return ftl_node_as_str(node->u.array->objects[i], out);
    return ftl_array_string_at(node->u.array, i, scratch, out, NULL) == FTL_OK;
}

static bool is_text_list(ftl_arena *scratch, const ftl_node *node)
{
    ftl_node_string text;
    size_t n = ftl_node_length(node);
    for (size_t i = 0; i < n; i++) {
        if (!text_at(scratch, node, i, &text))
            return false;
    }
    return n > 0;
}

static void show_list(shown *out, ftl_arena *scratch, const ftl_node *node)
{
    size_t n = ftl_node_length(node);
    for (size_t i = 0; i < n && i < most_shown; i++) {
        ftl_node_string text = {"", 0};
        (void)text_at(scratch, node, i, &text);
        show_text(out, i ? ", " : "");
        show_start(out, text.data, text.size, 80);
    }
    if (n > most_shown) {
        char more[40];
        (void)snprintf(more, sizeof more, " and %zu more", n - most_shown);
        show_text(out, more);
    }
}

/* {"accuracy": 0.93, "f1": 0.9} */
static bool is_numbers(const ftl_node *node)
{
    if (node->kind != FTL_NODE_DICT || node->u.dict.size == 0)
        return false;
    for (size_t i = 0; i < node->u.dict.size; i++) {
        if (node->u.dict.keys[i]->kind != FTL_NODE_STR || !is_number(node->u.dict.values[i]))
            return false;
    }
    return true;
}

static void show_numbers(shown *out, const ftl_node_dict *dict)
{
    for (size_t i = 0; i < dict->size && i < most_shown; i++) {
        show_text(out, i ? ", " : "");
        (void)show_plain(out, dict->keys[i]);
        show_text(out, " ");
        (void)show_plain(out, dict->values[i]);
    }
    if (dict->size > most_shown)
        show_text(out, " and more");
}

/* Fills *text with the entry's value; what it is. */
static const char *describe_entry(ftl_arena *scratch, const char *key, const ftl_node *entry,
                                  shown *text)
{
    static const char *const thresholds[] = {"thresh", "cutoff", NULL};
    static const char *const columns[] = {"feature", "column", "cols", "input", "predictor", NULL};
    const ftl_node *list = ftl_inner_list(entry);
    if (is_text_list(scratch, list)) {
        show_list(text, scratch, list);
        return says_target(key) ? "labels" : says(key, columns) ? "columns" : "list";
    }
    if (is_numbers(entry)) {
        show_numbers(text, &entry->u.dict);
        return says_target(key) ? "labels" : "numbers";
    }
    show_value(text, entry);
    return is_number(entry) ? says(key, thresholds) ? "threshold" : "number" : "value";
}

typedef struct finder {
    ftl_model *model;
    ftl_found *found;
    const ftl_node **features;
    size_t n, n_features;
} finder;

static ftl_status note_entry(finder *f, const char *key, const ftl_node *entry, ftl_error *error)
{
    shown text = {.used = 0};
    ftl_arena *arena = &f->model->arena;
    const char *what = describe_entry(&f->model->objects, key, entry, &text);
    ftl_utf8_make_printable(text.text, text.used, false);
    char *path = ftl_arena_string(arena, key, strlen(key));
    char *value = ftl_arena_string(arena, text.text, text.used);
    if (!path || !value)
        return FTL_OOM(error);
    ftl_utf8_make_printable(path, strlen(path), false);
    f->found[f->n++] = (ftl_found){.path = path, .what = what, .text = value};
    if (strcmp(what, "columns") == 0)
        f->features[f->n_features++] = ftl_inner_list(entry);
    return FTL_OK;
}

static bool is_model_node(const ftl_registry *registry, const ftl_node *node)
{
    return node->kind == FTL_NODE_OBJECT &&
           ftl_registry_find(registry, node->u.object->module, node->u.object->name);
}

/* Models of an entry's own entries are listed as such. */
static bool holds_models(const ftl_registry *registry, const ftl_node *entry)
{
    bool dict = entry->kind == FTL_NODE_DICT;
    size_t n = dict ? entry->u.dict.size : entry->u.seq.size;
    for (size_t i = 0; i < n; i++) {
        if (is_model_node(registry, dict ? entry->u.dict.values[i] : entry->u.seq.items[i]))
            return true;
    }
    return false;
}

ftl_status ftl_parts_found(ftl_model *model, const ftl_registry *registry, const ftl_node *root,
                           ftl_build_wishes *wishes, ftl_error *error)
{
    finder f = {.model = model};
    f.found = ftl_arena_zero_array(&model->arena, max_found, sizeof *f.found);
    f.features = ftl_arena_zero_array(&model->objects, max_found, sizeof(ftl_node *));
    if (!f.found || !f.features)
        return FTL_OOM(error);
    const ftl_node_dict *dict = &root->u.dict;
    for (size_t i = 0; root->kind == FTL_NODE_DICT && i < dict->size && f.n < max_found; i++) {
        ftl_node_string key;
        const ftl_node *entry = dict->values[i];
        bool is_model = is_model_node(registry, entry);
        bool is_container = entry->kind == FTL_NODE_LIST || entry->kind == FTL_NODE_TUPLE ||
                            entry->kind == FTL_NODE_DICT;
        if (is_container && holds_models(registry, entry))
            continue;
        if (!is_model && ftl_node_as_str(dict->keys[i], &key) && key.size < 200)
            FTL_TRY(note_entry(&f, key.data, entry, error));
    }
    model->found = f.found;
    model->n_found = f.n;
    wishes->features = f.features;
    wishes->n_features = f.n_features;
    return FTL_OK;
}
