/*
 * Text columns of pandas: StringArray (an object array) and ArrowStringArray (buffers of Arrow,
 * pandas 3 and pyarrow) become plain object arrays of texts, None where a value is missing. Arrow's
 * layout of variable-size binary: offset i to offset i + 1 of the data is value i, validity has a
 * bit a value, least significant first.
 */
#include "pickle/pandas.h"

#include "base/utf8.h"

typedef struct arrow_text {
    const ftl_node_string *validity, *offsets, *data; /* validity and data may be missing */
    size_t width;                                     /* of an offset: 4 or 8 */
    size_t first, count;
} arrow_text;

static const ftl_node *item(const ftl_node *node, size_t i, ftl_node_kind kind)
{
    bool has = node && (node->kind == FTL_NODE_TUPLE || node->kind == FTL_NODE_LIST) &&
               i < node->u.seq.size;
    return has && node->u.seq.items[i]->kind == kind ? node->u.seq.items[i] : NULL;
}

static const ftl_node_string *buffer(const ftl_node *buffers, size_t i)
{
    const ftl_node *bytes = item(buffers, i, FTL_NODE_BYTES);
    return bytes ? &bytes->u.str : NULL;
}

/* state: (type, length, nulls, offset, [buffers], children, dictionary) */
static bool read_layout(const ftl_node *state, arrow_text *out)
{
    const ftl_node *type = item(state, 0, FTL_NODE_OBJECT),
                   *buffers = item(state, 4, FTL_NODE_LIST);
    const ftl_node *count = item(state, 1, FTL_NODE_INT), *first = item(state, 3, FTL_NODE_INT);
    const ftl_node *alias = type ? item(type->u.object->args, 0, FTL_NODE_STR) : NULL;
    if (!alias || !buffers || buffers->u.seq.size != 3 || !count || !first ||
        count->u.integer < 0 || first->u.integer < 0)
        return false;
    out->width = ftl_node_str_equal(alias, "large_string") ? 8
                 : ftl_node_str_equal(alias, "string")     ? 4
                                                           : 0;
    out->validity = buffer(buffers, 0);
    out->offsets = buffer(buffers, 1);
    out->data = buffer(buffers, 2);
    out->first = (size_t)first->u.integer;
    out->count = (size_t)count->u.integer;
    return out->width != 0;
}

static bool layout_fits(const arrow_text *a)
{
    size_t end, bytes;
    if (a->count == 0)
        return true;
    if (!ftl_add_size(a->first, a->count, &end) || !ftl_add_size(end, 1, &bytes) ||
        !ftl_mul_size(bytes, a->width, &bytes))
        return false;
    return a->offsets && a->offsets->size >= bytes &&
           (!a->validity || a->validity->size >= (end + 7) / 8);
}

static uint64_t offset_at(const arrow_text *a, size_t i)
{
    uint64_t value = 0;
    memcpy(&value, a->offsets->data + i * a->width,
           a->width); /* little-endian, as Arrow and this machine are */
    return value;
}

/* Value i as a node; false in *fits when it lies outside of the data. */
static ftl_status arrow_value(ftl_vm *vm, const arrow_text *a, size_t i, bool *fits, ftl_node **out)
{
    uint64_t from = offset_at(a, i), to = offset_at(a, i + 1);
    size_t size = a->data ? a->data->size : 0;
    *fits = from <= to && to <= size;
    if (!*fits)
        return FTL_OK;
    if (a->validity && !((unsigned char)a->validity->data[i / 8] >> (i % 8) & 1))
        return ftl_vm_new_none(vm, out);
    const char *text = size ? a->data->data + from : "";
    *fits = ftl_utf8_valid_with_surrogates(text, (size_t)(to - from));
    FTL_TRY(ftl_vm_spend(vm, 64 + to - from));
    return *fits ? ftl_vm_new_text(vm, FTL_NODE_STR, text, (size_t)(to - from), out) : FTL_OK;
}

/* An object array over items, which are in the arena. */
static ftl_status object_array(ftl_vm *vm, ftl_node **items, size_t count, ftl_node **out)
{
    static const ftl_pk_dtype object = {.dtype = {.kind = 'O', .item_size = 8}, .has_object = true};
    ftl_node *node;
    ftl_pk_array *array;
    FTL_TRY(ftl_vm_array_new(vm, &node));
    FTL_TRY(ftl_vm_become_array(vm, node, &array));
    array->array.dtype = &object.dtype;
    array->array.shape[0] = array->array.size = count;
    array->array.data = NULL;
    array->array.objects = items;
    array->built = true;
    *out = node;
    return FTL_OK;
}

static ftl_status bad_arrow(ftl_vm *vm)
{
    return FTL_VM_FAIL(
        vm, FTL_CORRUPT,
        "the buffers of an Arrow text array do not fit together: the file is damaged");
}

ftl_status ftl_vm_arrow_array(ftl_vm *vm, const ftl_node *args, ftl_node **out)
{
    arrow_text a;
    const ftl_node *state = item(args, 0, FTL_NODE_TUPLE);
    if (!state || !read_layout(state, &a))
        return FTL_OK;
    if (!layout_fits(&a))
        return bad_arrow(vm);
    FTL_TRY(ftl_vm_spend(vm, a.count * sizeof(ftl_node *)));
    ftl_node **items = ftl_arena_array(vm->arena, a.count, sizeof *items);
    if (!items)
        return FTL_OOM(vm->error);
    for (size_t i = 0; i < a.count; i++) {
        bool fits;
        FTL_TRY(arrow_value(vm, &a, a.first + i, &fits, &items[i]));
        if (!fits)
            return bad_arrow(vm);
    }
    return object_array(vm, items, a.count, out);
}

static bool is_object_array(const ftl_node *node)
{
    return ftl_node_array_built(node) && node->u.array->objects && node->u.array->ndim == 1;
}

ftl_status ftl_vm_arrow_chunks(ftl_vm *vm, const ftl_node *args, ftl_node **out)
{
    const ftl_node *chunks = item(args, 0, FTL_NODE_LIST);
    size_t count = 0, at = 0;
    if (!chunks)
        return FTL_OK;
    for (size_t i = 0; i < chunks->u.seq.size; i++) {
        if (!is_object_array(chunks->u.seq.items[i]))
            return FTL_OK;
        FTL_TRY(ftl_vm_spend(vm, (chunks->u.seq.items[i]->u.array->size + 1) * sizeof(ftl_node *)));
        count += chunks->u.seq.items[i]->u.array->size; /* no overflow: spent in bytes above */
    }
    ftl_node **items = ftl_arena_array(vm->arena, count, sizeof *items);
    if (!items)
        return FTL_OOM(vm->error);
    for (size_t i = 0; i < chunks->u.seq.size; i++) {
        const ftl_node_array *chunk = chunks->u.seq.items[i]->u.array;
        memcpy(items + at, chunk->objects, chunk->size * sizeof *items);
        at += chunk->size;
    }
    return object_array(vm, items, count, out);
}

/* NDArrayBacked's state is (dtype, values, …). */
static const ftl_node *string_array(const ftl_node_object *object)
{
    const ftl_node *cls = item(object->args, 0, FTL_NODE_GLOBAL);
    if (strcmp(object->name, "__pyx_unpickle_NDArrayBacked") != 0 || !cls ||
        strncmp(cls->u.global.name, "StringArray", 11) != 0)
        return NULL;
    return item(object->state, 1, FTL_NODE_ARRAY);
}

ftl_status ftl_vm_pandas(ftl_vm *vm, ftl_node *node)
{
    const ftl_node *values = NULL;
    if (node->kind != FTL_NODE_OBJECT || strncmp(node->u.object->module, "pandas.", 7) != 0)
        return FTL_OK;
    if (strncmp(node->u.object->name, "ArrowStringArray", 16) == 0) {
        FTL_TRY(ftl_vm_spend_attributes(vm, node, 1));
        values = ftl_node_attr(node, "_pa_array");
    } else
        values = string_array(node->u.object);
    if (!values || !is_object_array(values))
        return FTL_OK;
    node->kind = FTL_NODE_ARRAY;
    node->u.array = values->u.array;
    return FTL_OK;
}
