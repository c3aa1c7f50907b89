/*
 * joblib's arrays. Since joblib 0.10 the raw bytes follow the BUILD of a NumpyArrayWrapper in the
 * stream; since 1.2 they are aligned: one byte says how many bytes of padding come first. Object
 * arrays follow as a pickle of their own. Up to joblib 0.9 (NDArrayWrapper, ZNDArrayWrapper) the
 * data lie in files beside the model (side_file.c).
 */
#include "pickle/side_file.h"
#include "pickle/vm.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Also sklearn.externals.joblib and other vendored copies. */
static bool is_joblib(const char *module)
{
    return ends_with(module, "joblib.numpy_pickle") ||
           ends_with(module, "joblib.numpy_pickle_compat");
}

static ftl_status skip_padding(ftl_vm *vm, const ftl_node *wrapper)
{
    uint8_t padding;
    if (ftl_node_is_none(ftl_node_attr(wrapper, "numpy_array_alignment_bytes")))
        return FTL_OK;
    FTL_TRY(ftl_vm_u8(vm, &padding));
    FTL_TRY(ftl_vm_need(vm, padding));
    vm->at += padding;
    return FTL_OK;
}

static ftl_status read_objects(ftl_vm *vm, ftl_node *node)
{
    ftl_node *root;
    FTL_TRY(ftl_vm_run_nested(vm, &root));
    if (!ftl_node_array_built(root))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "an object array of joblib holds something else: the file is damaged");
    node->kind = FTL_NODE_ARRAY;
    node->u.array = root->u.array;
    return FTL_OK;
}

static ftl_status read_wrapped(ftl_vm *vm, ftl_node *node)
{
    const ftl_node *dtype = ftl_node_attr(node, "dtype"), *shape = ftl_node_attr(node, "shape");
    if (!dtype || !shape)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "an array of joblib has no dtype or shape: the file is damaged");
    if (dtype->kind == FTL_NODE_DTYPE &&
        ((const ftl_pk_dtype *)(const void *)dtype->u.dtype)->has_object)
        return read_objects(vm, node);
    ftl_node made;
    ftl_pk_array *array;
    bool fortran = ftl_node_str_equal(ftl_node_attr(node, "order"), "F");
    FTL_TRY(ftl_vm_become_array(vm, &made, &array));
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, dtype, shape));
    array->array.fortran = fortran && array->array.ndim > 1;
    FTL_TRY(skip_padding(vm, node));
    bool done = false;
    FTL_TRY(ftl_vm_companion_read(vm, array, &done));
    if (!done)
        FTL_TRY(ftl_vm_array_read(vm, array));
    node->kind = FTL_NODE_ARRAY;
    node->u.array = &array->array;
    return FTL_OK;
}

ftl_status ftl_vm_joblib(ftl_vm *vm, ftl_node *node)
{
    const ftl_node_object *object = node->u.object;
    if (!vm->joblib || node->kind != FTL_NODE_OBJECT || !is_joblib(object->module))
        return FTL_OK;
    FTL_TRY(ftl_vm_spend_attributes(vm, node, 5));
    if (strcmp(object->name, "NumpyArrayWrapper") == 0)
        return read_wrapped(vm, node);
    if (strcmp(object->name, "NDArrayWrapper") == 0)
        return ftl_vm_side_npy(vm, node);
    if (strcmp(object->name, "ZNDArrayWrapper") == 0)
        return ftl_vm_side_z(vm, node);
    return FTL_OK;
}
