/*
 * DictVectorizer of sklearn.feature_extraction.
 *
 * In Python it takes a dict a row; here a column is a key. Its vocabulary alone tells the keys:
 * what stands before the first separator in a feature's name is a key whose value was the text
 * behind it, and a name without separator is a key with numbers. The matrix stores what the
 * dicts hold, zeros among it; texts and keys that were not seen in training are left out.
 */
#include "base/hash.h"
#include "base/utf8.h"
#include "build/transformer.h"
#include "estimators/families.h"

#include <string.h>

enum { max_features = 1 << 24, longest_separator = 1024 };

/* A key: its column in the table, and the features made of it. */
typedef struct dict_key {
    const char *name;
    size_t name_size;
    uint32_t n_texts;
    ftl_cell *texts;
    uint32_t *columns; /* [n_texts] of the matrix */
    bool number;
    uint32_t column; /* of the numbers */
} dict_key;

typedef struct dict_keys {
    uint32_t n, n_features;
    dict_key *keys;
    const char **features; /* [n_features] */
} dict_keys;

/* A feature's name, and where it is cut. */
typedef struct feature {
    const char *name; /* NUL-terminated; NULL: not named yet */
    size_t size, key_size;
    uint32_t key;
    bool text; /* a text stands behind the separator */
} feature;

/* ---- The vocabulary -------------------------------------------------------------------------- */

static ftl_status read_separator(const ftl_estimator *e, ftl_node_string *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "separator");
    *out = (ftl_node_string){"=", 1};
    if (node && !ftl_node_as_str(node, out))
        return FTL_ATTR_FAIL(error, e, "separator", FTL_CORRUPT, "separator is no text");
    if (out->size == 0)
        return FTL_ATTR_FAIL(error, e, "separator", FTL_UNSUPPORTED,
                             "separator is empty: keys and texts cannot be told apart");
    if (out->size > longest_separator)
        return FTL_ATTR_FAIL(error, e, "separator", FTL_LIMIT, "separator is longer than %d bytes",
                             (int)longest_separator);
    return FTL_OK;
}

/* A name is a text, or, of a key with numbers, an integer. */
static ftl_status name_feature(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                               const ftl_node_string *separator, feature *out, ftl_error *error)
{
    ftl_node_string text;
    int64_t integer;
    bool is_text = ftl_node_as_str(node, &text);
    if (!is_text && !ftl_node_as_int(node, &integer))
        return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_UNSUPPORTED,
                             "a key is neither a text nor an integer");
    if (is_text && (!ftl_utf8_valid(text.data, text.size) || memchr(text.data, 0, text.size)))
        return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_CORRUPT, "a feature's name is no text");
    out->name = ftl_name_text(build, node);
    if (!out->name)
        return FTL_OOM(error);
    out->size = out->key_size = strlen(out->name);
    FTL_TRY(ftl_build_spend(build, 1 + out->size / 64, error));
    const char *cut = is_text ? memmem(out->name, out->size, separator->data, separator->size)
                              : NULL;
    out->text = cut != NULL;
    if (cut)
        out->key_size = (size_t)(cut - out->name);
    return FTL_OK;
}

/* vocabulary_: every column exactly once. */
static ftl_status read_features(ftl_build *build, const ftl_estimator *e,
                                const ftl_node_string *separator, feature **out, uint32_t *n,
                                ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "vocabulary_");
    if (!node || node->kind != FTL_NODE_DICT || node->u.dict.size == 0)
        return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_CORRUPT,
                             "the vectorizer has no vocabulary; it was never fitted");
    const ftl_node_dict *dict = &node->u.dict;
    if (dict->size > max_features)
        return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_LIMIT,
                             "vocabulary_ has more than %d features", (int)max_features);
    feature *features = ftl_arena_zero_array(build->scratch, dict->size, sizeof *features);
    if (!features)
        return FTL_OOM(error);
    for (size_t i = 0; i < dict->size; i++) {
        int64_t column;
        if (!ftl_node_as_int(dict->values[i], &column) || column < 0 ||
            column >= (int64_t)dict->size || features[column].name)
            return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_CORRUPT,
                                 "vocabulary_ does not number its %zu features from 0 on, each "
                                 "once",
                                 dict->size);
        FTL_TRY(name_feature(build, e, dict->keys[i], separator, &features[column], error));
    }
    *out = features;
    *n = (uint32_t)dict->size;
    return FTL_OK;
}

/* ---- The keys -------------------------------------------------------------------------------- */

/* Numbers the features' keys in the order of the columns; counts their texts. */
static ftl_status number_keys(ftl_build *build, feature *features, uint32_t n, dict_keys *out,
                              ftl_error *error)
{
    size_t room = 16;
    while (room < 2 * (size_t)n)
        room *= 2;
    uint32_t *slots = ftl_arena_zero_array(build->scratch, room, sizeof *slots); /* key + 1 */
    out->keys = ftl_arena_zero_array(build->scratch, n, sizeof *out->keys);
    if (!slots || !out->keys)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        feature *f = &features[i];
        size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), f->name, f->key_size) & (room - 1);
        for (; slots[at]; at = (at + 1) & (room - 1)) {
            const dict_key *key = &out->keys[slots[at] - 1];
            if (key->name_size == f->key_size && memcmp(key->name, f->name, f->key_size) == 0)
                break;
        }
        if (!slots[at]) {
            const char *name = ftl_arena_string(build->arena, f->name, f->key_size);
            if (!name)
                return FTL_OOM(error);
            out->keys[out->n] = (dict_key){.name = name, .name_size = f->key_size};
            slots[at] = ++out->n;
        }
        f->key = slots[at] - 1;
        out->keys[f->key].n_texts += f->text ? 1 : 0;
    }
    return FTL_OK;
}

static ftl_status fill_keys(ftl_build *build, const ftl_estimator *e, const feature *features,
                            const ftl_node_string *separator, dict_keys *out, ftl_error *error)
{
    for (uint32_t j = 0; j < out->n; j++) {
        dict_key *key = &out->keys[j];
        key->texts = ftl_arena_zero_array(build->arena, key->n_texts, sizeof *key->texts);
        key->columns = ftl_arena_zero_array(build->arena, key->n_texts, sizeof *key->columns);
        if (!key->texts || !key->columns)
            return FTL_OOM(error);
        key->n_texts = 0;
    }
    for (uint32_t i = 0; i < out->n_features; i++) {
        const feature *f = &features[i];
        dict_key *key = &out->keys[f->key];
        if (!f->text) {
            if (key->number)
                return FTL_ATTR_FAIL(error, e, "vocabulary_", FTL_CORRUPT,
                                     "vocabulary_ names the feature '%s' twice", f->name);
            key->number = true;
            key->column = i;
            continue;
        }
        size_t at = f->key_size + separator->size;
        key->texts[key->n_texts] = (ftl_cell){
            .tag = FTL_CELL_STRING, .size = (uint32_t)(f->size - at), .u.text = f->name + at};
        key->columns[key->n_texts++] = i;
    }
    return FTL_OK;
}

static ftl_status read_keys(ftl_build *build, const ftl_estimator *e, const dict_keys **out,
                            ftl_error *error)
{
    ftl_node_string separator;
    feature *features = NULL;
    *out = ftl_parsed_of(build, e->node);
    if (*out)
        return FTL_OK;
    dict_keys *made = FTL_ARENA_NEW(build->scratch, dict_keys);
    if (!made)
        return FTL_OOM(error);
    *made = (dict_keys){0};
    FTL_TRY(read_separator(e, &separator, error));
    FTL_TRY(read_features(build, e, &separator, &features, &made->n_features, error));
    FTL_TRY(number_keys(build, features, made->n_features, made, error));
    FTL_TRY(fill_keys(build, e, features, &separator, made, error));
    made->features = ftl_arena_zero_array(build->arena, made->n_features, sizeof *made->features);
    if (!made->features)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < made->n_features; i++)
        made->features[i] = features[i].name;
    *out = made;
    return ftl_parsed_keep(build, e->node, made, error);
}

/* ---- Emitting -------------------------------------------------------------------------------- */

static ftl_status read_numbers(const ftl_estimator *e, ftl_number_type *type, ftl_key_numbers *out,
                               ftl_error *error)
{
    static const char *const wide[] = {"int", "int64", "int_", "longlong", "i8", "<i8"};
    const ftl_node *node = ftl_attr(e, "dtype");
    ftl_node_string text = {"", 0};
    bool known = false;
    FTL_TRY(ftl_attr_number_type(e, "dtype", type, error));
    *out = type->as == FTL_AS_INT    ? FTL_KEY_INTEGERS
           : type->as == FTL_AS_BOOL ? FTL_KEY_BOOLS
                                     : FTL_KEY_FLOATS;
    if (type->as != FTL_AS_INT)
        return FTL_OK;
    if (node->kind == FTL_NODE_GLOBAL)
        text = (ftl_node_string){node->u.global.name, strlen(node->u.global.name)};
    else if (node->kind == FTL_NODE_DTYPE)
        known = node->u.dtype->kind == 'i' && node->u.dtype->item_size == 8;
    else
        (void)ftl_node_as_str(node, &text);
    for (size_t i = 0; i < FTL_ARRAY_LEN(wide); i++)
        known = known || strcmp(text.data, wide[i]) == 0;
    if (!known)
        return FTL_ATTR_FAIL(error, e, "dtype", FTL_UNSUPPORTED,
                             "%s of integers other than int64 is not supported", e->cls->name);
    return FTL_OK;
}

static ftl_status key_columns(ftl_build *build, const dict_keys *keys, const ftl_frame *in,
                              ftl_key_column **out, ftl_error *error)
{
    ftl_key_column *columns = ftl_arena_zero_array(build->arena, keys->n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < keys->n; j++) {
        const dict_key *key = &keys->keys[j];
        columns[j] = (ftl_key_column){
            .categories = {.count = key->n_texts, FTL_SIZED(cells, key->texts, key->n_texts)},
            FTL_SIZED(columns, key->columns, key->n_texts),
            .number = key->number,
            .column = key->column,
            .name = in->columns[j].name};
        ftl_build_want(build, in->columns[j].op, key->number ? FTL_KIND_MIXED : FTL_KIND_STRING);
    }
    *out = columns;
    return FTL_OK;
}

/* A dense matrix has zeros where nothing is stored. */
static ftl_status dense_frame(ftl_build *build, const ftl_estimator *e, const dict_keys *keys,
                              ftl_frame *frame, ftl_error *error)
{
    uint32_t id;
    ftl_as as = frame->columns[0].as;
    FTL_TRY(ftl_build_matrix(build, e, frame, &id, error));
    FTL_TRY(ftl_frame_of_op(build, id, keys->features, frame, error));
    for (uint32_t i = 0; i < frame->n_columns; i++)
        frame->columns[i].as = as;
    return FTL_OK;
}

static ftl_status emit_dicts(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const dict_keys *keys = NULL;
    ftl_key_column *columns = NULL;
    ftl_number_type type;
    ftl_key_numbers numbers;
    bool sparse;
    uint32_t id;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_keys(build, e, &keys, error));
    FTL_TRY(ftl_frame_expect(e, in, keys->n, error));
    FTL_TRY(read_numbers(e, &type, &numbers, error));
    FTL_TRY(ftl_attr_bool(e, "sparse", true, &sparse, error));
    FTL_TRY(key_columns(build, keys, in, &columns, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_KEYS, in, &id, &op, error));
    op->edge = FTL_EDGE_SPARSE;
    op->dtype = type.dtype;
    op->width = keys->n_features;
    op->u.keys = (ftl_keys_op){.numbers = numbers,
                               .n_columns = keys->n,
                               FTL_SIZED(columns, columns, keys->n),
                               .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, keys->features, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++)
        frame.columns[i].as = type.as;
    frame.sparse = sparse;
    if (!sparse)
        FTL_TRY(dense_frame(build, e, keys, &frame, error));
    *out = frame;
    return FTL_OK;
}

static ftl_status dict_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                              ftl_error *error)
{
    const dict_keys *keys = NULL;
    FTL_TRY(read_keys(build, e, &keys, error));
    const char **names = ftl_arena_zero_array(build->arena, keys->n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < keys->n; j++)
        names[j] = keys->keys[j].name;
    *out = (ftl_inputs){.count = keys->n, .names = names};
    return FTL_OK;
}

static const char *dict_detail(ftl_build *build, const ftl_estimator *e)
{
    const dict_keys *keys = NULL;
    if (read_keys(build, e, &keys, NULL) != FTL_OK)
        return "";
    return ftl_arena_printf(build->arena, "%u key%s, %u features", keys->n, keys->n == 1 ? "" : "s",
                            keys->n_features);
}

const ftl_estimator_class ftl_dict_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.feature_extraction", "DictVectorizer", emit_dicts,
                          .inputs = dict_inputs, .detail = dict_detail),
    {0},
};
