/*
 * numpy arrays: from a pickled state, from a scalar, from a buffer, from bytes in the stream. An
 * array is built once; a second state is refused, so that what was validated (sparse matrices)
 * stays valid.
 */
#include "pickle/ucs4.h"
#include "pickle/vm.h"

enum { MAX_EMPTY_ITEMS = 1 << 24 }; /* items of no bytes at all, such as U0 */

ftl_status ftl_vm_become_array(ftl_vm *vm, ftl_node *node, ftl_pk_array **out)
{
    static const ftl_pk_dtype byte = {.dtype = {.kind = 'i', .item_size = 1}};
    ftl_pk_array *array = FTL_ARENA_NEW(vm->arena, ftl_pk_array);
    if (!array)
        return FTL_OOM(vm->error);
    array->array.dtype = &byte.dtype;
    array->array.ndim = 1;
    array->array.data = "";
    node->kind = FTL_NODE_ARRAY;
    node->u.array = &array->array;
    *out = array;
    return FTL_OK;
}

ftl_status ftl_vm_array_new(ftl_vm *vm, ftl_node **out)
{
    ftl_node *node;
    ftl_pk_array *array;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_ARRAY, &node));
    FTL_TRY(ftl_vm_become_array(vm, node, &array));
    *out = node;
    return FTL_OK;
}

/*
 * Reads the extents and multiplies them. An extent of 0 makes the array empty; the product of the
 * others must be a size that memory could hold all the same.
 */
static ftl_status read_shape(ftl_vm *vm, ftl_node_array *array, const ftl_node *shape)
{
    if (shape->kind != FTL_NODE_TUPLE && shape->kind != FTL_NODE_LIST)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the shape of a numpy array is no tuple: the file is damaged");
    if (shape->u.seq.size > FTL_MAX_DIMS)
        return FTL_VM_FAIL(vm, FTL_UNSUPPORTED, "a numpy array has more than %d dimensions",
                           FTL_MAX_DIMS);
    size_t count = 1, extent_bytes = array->dtype->item_size ? array->dtype->item_size : 1;
    for (size_t d = 0; d < shape->u.seq.size; d++) {
        int64_t n;
        if (!ftl_node_as_int(shape->u.seq.items[d], &n) || n < 0)
            return FTL_VM_FAIL(
                vm, FTL_CORRUPT,
                "the shape of a numpy array is negative or no number: the file is damaged");
        array->shape[d] = (size_t)n;
        bool fits = ftl_mul_size(extent_bytes, n ? (size_t)n : 1, &extent_bytes) &&
                    extent_bytes <= PTRDIFF_MAX;
        if (!fits || !ftl_mul_size(count, (size_t)n, &count))
            return FTL_VM_FAIL(
                vm, FTL_CORRUPT,
                "the shape of a numpy array is larger than any memory: the file is damaged");
    }
    if (array->dtype->item_size == 0 && count > MAX_EMPTY_ITEMS)
        return FTL_VM_FAIL(vm, FTL_LIMIT, "a numpy array has %zu items of no bytes", count);
    array->ndim = (uint32_t)shape->u.seq.size;
    array->size = count;
    return FTL_OK;
}

ftl_status ftl_vm_array_shape(ftl_vm *vm, ftl_node_array *array, const ftl_node *dtype,
                              const ftl_node *shape)
{
    if (dtype->kind != FTL_NODE_DTYPE)
        return FTL_VM_FAIL(vm, FTL_UNSUPPORTED,
                           "a numpy array has a dtype that is not numpy's own");
    array->dtype = dtype->u.dtype;
    return read_shape(vm, array, shape);
}

static bool has_object(const ftl_dtype *dtype)
{
    return ((const ftl_pk_dtype *)(const void *)dtype)->has_object;
}

static uint8_t *aligned_copy(ftl_vm *vm, const void *data, size_t size)
{
    uint8_t *copy = ftl_arena_alloc_aligned(vm->arena, size);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

/* data (item_size * size bytes, ours to change when owned) becomes the array's, in native order. */
static ftl_status adopt(ftl_vm *vm, ftl_pk_array *array, uint8_t *data, bool owned)
{
    ftl_node_array *a = &array->array;
    size_t bytes = a->size * a->dtype->item_size; /* read_shape saw that it fits */
    if (ftl_dtype_is_swapped(a->dtype) || ((uintptr_t)data & 63)) {
        if (!owned) {
            FTL_TRY(ftl_vm_spend(vm, bytes));
            data = aligned_copy(vm, data, bytes);
            if (!data)
                return FTL_OOM(vm->error);
        }
        ftl_dtype_swap(a->dtype, data, a->size);
        FTL_TRY(ftl_vm_dtype_native(vm, a->dtype, &a->dtype));
    }
    a->data = data;
    if (a->ndim == 0 && a->dtype->kind == 'U')
        FTL_TRY(ftl_utf8_from_ucs4(vm->arena, data, a->dtype->item_size / 4, &a->text, vm->error));
    array->built = true;
    return FTL_OK;
}

static ftl_status set_bytes(ftl_vm *vm, ftl_pk_array *array, const ftl_node *bytes)
{
    ftl_node_array *a = &array->array;
    ftl_node *latin;
    if (bytes->kind == FTL_NODE_STR) { /* Python 2 wrote the data as str */
        FTL_TRY(ftl_vm_latin1(vm, bytes, &latin));
        bytes = latin;
    }
    if (bytes->kind != FTL_NODE_BYTES || has_object(a->dtype) ||
        bytes->u.str.size != a->size * a->dtype->item_size)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the data of a numpy array do not fill its shape: the file is damaged");
    ftl_pk_packing packing;
    bool found;
    FTL_TRY(ftl_vm_find_packing(vm, a->dtype, &packing, &found));
    if (found)
        return ftl_vm_packed_copy(vm, array, &packing, (const uint8_t *)bytes->u.str.data);
    return adopt(vm, array, (uint8_t *)(uintptr_t)bytes->u.str.data, false);
}

static ftl_status set_objects(ftl_vm *vm, ftl_pk_array *array, const ftl_node *list)
{
    ftl_node_array *a = &array->array;
    if (list->kind != FTL_NODE_LIST || list->u.seq.size != a->size)
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "the objects of a numpy array do not fill its shape: the file is damaged");
    FTL_TRY(ftl_vm_spend(vm, a->size * sizeof(ftl_node *)));
    a->data = NULL;
    a->objects = ftl_arena_copy(vm->arena, list->u.seq.items, a->size * sizeof(ftl_node *));
    if (!a->objects)
        return FTL_OOM(vm->error);
    array->built = true;
    return FTL_OK;
}

/* (version, shape, dtype, is Fortran, data); the oldest form lacks the version. MaskedArray appends
 * mask and fill value. */
ftl_status ftl_vm_array_build(ftl_vm *vm, ftl_node *node, const ftl_node *state)
{
    if (ftl_node_array_built(node))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a numpy array gets its data twice: the file is damaged");
    if (state->kind != FTL_NODE_TUPLE || state->u.seq.size < 4)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the state of a numpy array is no tuple: the file is damaged");
    ftl_node *const *s = state->u.seq.items + (state->u.seq.size == 4 ? 0 : 1);
    if (ftl_node_array_built(s[3])) { /* read packed already, see ftl_vm_packed_literal */
        node->u.array = s[3]->u.array;
        return FTL_OK;
    }
    /* The array is made beside the node, so that a failure leaves the node as it was. */
    ftl_node made;
    ftl_pk_array *array;
    bool fortran = false;
    int64_t flag;
    FTL_TRY(ftl_vm_become_array(vm, &made, &array));
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, s[1], s[0]));
    if (ftl_node_as_int(s[2], &flag))
        fortran = flag != 0;
    else if (!ftl_node_as_bool(s[2], &fortran))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "the memory order of a numpy array is no flag: the file is damaged");
    array->array.fortran = fortran && array->array.ndim > 1;
    if (s[3]->kind == FTL_NODE_LIST)
        FTL_TRY(set_objects(vm, array, s[3]));
    else
        FTL_TRY(set_bytes(vm, array, s[3]));
    *node = made;
    return FTL_OK;
}

ftl_status ftl_vm_array_read(ftl_vm *vm, ftl_pk_array *array)
{
    ftl_node_array *a = &array->array;
    ftl_pk_packing packing;
    bool found;
    FTL_TRY(ftl_vm_find_packing(vm, a->dtype, &packing, &found));
    if (found)
        return ftl_vm_packed_read(vm, array, &packing);
    size_t bytes = a->size * a->dtype->item_size;
    uint8_t *data;
    if (bytes < FTL_VM_WIDE) {
        data = ftl_arena_alloc_aligned(vm->arena, bytes);
        if (!data)
            return FTL_OOM(vm->error);
        FTL_TRY(ftl_vm_read(vm, data, bytes));
    } else {
        FTL_TRY(ftl_vm_blob(vm, bytes, &data));
    }
    return adopt(vm, array, data, true);
}

/* scalar(dtype, bytes): text and bytes become Python's own, an object scalar is the object. */
ftl_status ftl_vm_scalar(ftl_vm *vm, const ftl_node *args, ftl_node **out)
{
    ftl_node *const *a = args->u.seq.items;
    if (args->u.seq.size != 2 || a[0]->kind != FTL_NODE_DTYPE)
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "a numpy scalar has no dtype: the file is damaged");
    const ftl_dtype *dtype = a[0]->u.dtype;
    if (dtype->kind == 'O') {
        *out = a[1];
        return FTL_OK;
    }
    ftl_node *node, *shape;
    ftl_pk_array *array;
    FTL_TRY(ftl_vm_array_new(vm, &node));
    FTL_TRY(ftl_vm_new_tuple(vm, NULL, 0, &shape));
    FTL_TRY(ftl_vm_become_array(vm, node, &array));
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, a[0], shape));
    FTL_TRY(set_bytes(vm, array, a[1]));
    ftl_node_string text = array->array.text;
    if (dtype->kind == 'U' && text.data) {
        node->kind = FTL_NODE_STR;
        node->u.str = text;
    } else if (dtype->kind == 'S') {
        return ftl_vm_new_text(vm, FTL_NODE_BYTES, array->array.data, dtype->item_size, out);
    }
    *out = node;
    return FTL_OK;
}

/* _frombuffer(buffer, dtype, shape, order): protocol 5. */
ftl_status ftl_vm_frombuffer(ftl_vm *vm, const ftl_node *args, ftl_node **out)
{
    ftl_node *const *a = args->u.seq.items;
    ftl_node *node;
    ftl_pk_array *array;
    if (args->u.seq.size != 4)
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "a numpy array misses its buffer, dtype, shape or order: the file is damaged");
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_ARRAY, &node));
    FTL_TRY(ftl_vm_become_array(vm, node, &array));
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, a[1], a[2]));
    array->array.fortran = ftl_node_str_equal(a[3], "F") && array->array.ndim > 1;
    FTL_TRY(set_bytes(vm, array, a[0]));
    *out = node;
    return FTL_OK;
}
