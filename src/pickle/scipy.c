/* scipy's csr and csc matrices and arrays, validated once: whoever multiplies with them needs no
 * checks. */
#include "pickle/vm.h"

static bool find_class(const ftl_node_object *object, bool *csc)
{
    if (strncmp(object->module, "scipy.sparse", 12) != 0)
        return false;
    *csc = strcmp(object->name, "csc_matrix") == 0 || strcmp(object->name, "csc_array") == 0;
    return *csc || strcmp(object->name, "csr_matrix") == 0 ||
           strcmp(object->name, "csr_array") == 0;
}

static const ftl_node *built_vector(const ftl_node *object, const char *name)
{
    const ftl_node *node = ftl_node_attr(object, name);
    bool vector = node && ftl_node_array_built(node) && node->u.array->ndim == 1 &&
                  !node->u.array->objects;
    return vector ? node : NULL;
}

static bool read_shape(const ftl_node *object, size_t shape[2])
{
    const ftl_node *node = ftl_node_attr(object, "_shape");
    if (!node)
        node = ftl_node_attr(object, "shape");
    if (!node || node->kind != FTL_NODE_TUPLE || node->u.seq.size != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        int64_t n;
        if (!ftl_node_as_int(node->u.seq.items[i], &n) || n < 0)
            return false;
        shape[i] = (size_t)n;
    }
    return true;
}

/* indptr: 0 … nnz, never falling, one more than the major axis; indices below the minor axis. */
static bool consistent(const ftl_node_sparse *sparse)
{
    const ftl_node_array *indptr = sparse->indptr->u.array, *indices = sparse->indices->u.array;
    size_t major = sparse->csc ? sparse->columns : sparse->rows,
           minor = sparse->csc ? sparse->rows : sparse->columns;
    if (indptr->size == 0 || indptr->size - 1 != major ||
        indices->size > sparse->data->u.array->size)
        return false;
    int64_t last = 0, value = 0;
    for (size_t i = 0; i < indptr->size; i++) {
        if (!ftl_array_i64_at(indptr, i, &value) || value < last || (i == 0 && value != 0))
            return false;
        last = value;
    }
    if ((uint64_t)last > indices->size)
        return false;
    for (size_t i = 0; i < (size_t)last; i++) {
        if (!ftl_array_i64_at(indices, i, &value) || value < 0 || (uint64_t)value >= minor)
            return false;
    }
    return true;
}

ftl_status ftl_vm_scipy(ftl_vm *vm, ftl_node *node)
{
    bool csc = false;
    size_t shape[2];
    if (node->kind != FTL_NODE_OBJECT || !find_class(node->u.object, &csc))
        return FTL_OK;
    FTL_TRY(ftl_vm_spend_attributes(vm, node, 5));
    ftl_node_sparse found = {.csc = csc,
                             .data = built_vector(node, "data"),
                             .indices = built_vector(node, "indices"),
                             .indptr = built_vector(node, "indptr")};
    if (!found.data || !found.indices || !found.indptr || !read_shape(node, shape))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a sparse matrix misses its data, indices, indptr or shape");
    found.rows = shape[0];
    found.columns = shape[1];
    FTL_TRY(ftl_vm_spend(vm, found.indices->u.array->size + found.indptr->u.array->size));
    if (!consistent(&found))
        return FTL_VM_FAIL(
            vm, FTL_CORRUPT,
            "the indices of a sparse matrix point outside of it: the file is damaged");
    ftl_node_sparse *sparse = ftl_arena_copy(vm->arena, &found, sizeof found);
    if (!sparse)
        return FTL_OOM(vm->error);
    node->kind = FTL_NODE_SPARSE;
    node->u.sparse = sparse;
    return FTL_OK;
}
