/* Accessors of the object graph. Everything here is bounded: no accessor follows more than two
 * links. */
#include "base/hash.h"
#include "pickle/element.h"

#include <math.h>
#include <string.h>

static const ftl_node *find_slot(const ftl_node_dict *dict, const char *key)
{
    size_t mask = dict->slots[0], size = strlen(key);
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), key, size) & mask;
    for (uint32_t slot; (slot = dict->slots[1 + at]) != 0; at = (at + 1) & mask) {
        const ftl_node_string *found = &dict->keys[slot - 1]->u.str;
        if (found->size == size && memcmp(found->data, key, size) == 0)
            return dict->values[slot - 1];
    }
    return NULL;
}

const ftl_node *ftl_node_dict_get(const ftl_node_dict *dict, const char *key)
{
    if (!dict || !key)
        return NULL;
    if (dict->slots)
        return find_slot(dict, key);
    for (size_t i = dict->size; i-- > 0;) {
        if (ftl_node_str_equal(dict->keys[i], key))
            return dict->values[i];
    }
    return NULL;
}

const ftl_node *ftl_node_attr(const ftl_node *object, const char *name)
{
    if (!object || object->kind != FTL_NODE_OBJECT || !object->u.object->state)
        return NULL;
    const ftl_node *state = object->u.object->state;
    if (state->kind == FTL_NODE_DICT)
        return ftl_node_dict_get(&state->u.dict, name);
    if (state->kind != FTL_NODE_TUPLE || state->u.seq.size != 2)
        return NULL;
    for (size_t i = 2; i-- > 0;) {
        const ftl_node *half = state->u.seq.items[i];
        const ftl_node *found = half->kind == FTL_NODE_DICT ? ftl_node_dict_get(&half->u.dict, name)
                                                            : NULL;
        if (found)
            return found;
    }
    return NULL;
}

bool ftl_node_is_none(const ftl_node *node) { return !node || node->kind == FTL_NODE_NONE; }

/* The array behind a numpy scalar, or NULL. */
static const ftl_node_array *scalar_of(const ftl_node *node)
{
    if (!node || node->kind != FTL_NODE_ARRAY || node->u.array->ndim != 0 || !node->u.array->data)
        return NULL;
    return node->u.array;
}

bool ftl_node_as_bool(const ftl_node *node, bool *out)
{
    if (node && node->kind == FTL_NODE_BOOL) {
        *out = node->u.boolean;
        return true;
    }
    const ftl_node_array *scalar = scalar_of(node);
    if (!scalar || scalar->dtype->kind != 'b')
        return false;
    *out = *(const unsigned char *)scalar->data != 0;
    return true;
}

bool ftl_node_as_int(const ftl_node *node, int64_t *out)
{
    if (node && node->kind == FTL_NODE_INT) {
        *out = node->u.integer;
        return true;
    }
    const ftl_node_array *scalar = scalar_of(node);
    return scalar && ftl_element_i64(scalar, 0, out);
}

/* Two's complement, little-endian. Rounded once per byte beyond the first eight: right to
 * about one unit in the last place, and no reader needs more. */
static double bigint_as_f64(const ftl_node_string *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes->data;
    bool negative = bytes->size && (b[bytes->size - 1] & 0x80);
    double value = negative ? -1.0 : 0.0;
    for (size_t i = bytes->size; i-- > 0 && isfinite(value);)
        value = value * 256.0 + b[i];
    return value;
}

bool ftl_node_as_f64(const ftl_node *node, double *out)
{
    if (!node)
        return false;
    switch (node->kind) {
    case FTL_NODE_BOOL:
        *out = node->u.boolean ? 1.0 : 0.0;
        return true;
    case FTL_NODE_INT:
        *out = (double)node->u.integer;
        return true;
    case FTL_NODE_BIGINT:
        *out = bigint_as_f64(&node->u.str);
        return true;
    case FTL_NODE_FLOAT:
        *out = node->u.number;
        return true;
    default: {
        const ftl_node_array *scalar = scalar_of(node);
        return scalar && ftl_element_f64(scalar, 0, out);
    }
    }
}

bool ftl_node_as_str(const ftl_node *node, ftl_node_string *out)
{
    if (node && node->kind == FTL_NODE_STR) {
        *out = node->u.str;
        return true;
    }
    if (!node || node->kind != FTL_NODE_ARRAY || !node->u.array->text.data)
        return false;
    *out = node->u.array->text;
    return true;
}

bool ftl_node_str_equal(const ftl_node *node, const char *text)
{
    ftl_node_string string;
    return ftl_node_as_str(node, &string) && string.size == strlen(text) &&
           memcmp(string.data, text, string.size) == 0;
}

const char *ftl_dtype_unknown_field(const ftl_dtype *dtype, const char *const *known)
{
    for (uint32_t i = 0; dtype && i < dtype->n_fields; i++) {
        size_t k = 0;
        while (known[k] && strcmp(known[k], dtype->fields[i].name) != 0)
            k++;
        if (!known[k])
            return dtype->fields[i].name;
    }
    return NULL;
}

const ftl_dtype_field *ftl_dtype_find_field(const ftl_dtype *dtype, const char *name)
{
    for (uint32_t i = 0; dtype && i < dtype->n_fields; i++) {
        if (strcmp(dtype->fields[i].name, name) == 0)
            return &dtype->fields[i];
    }
    return NULL;
}
