/* Nodes in the words of error messages. */
#include "pickle/node.h"

#include <stdio.h>

static void dtype_name(const ftl_dtype *dtype, char *out, size_t size)
{
    const char *kind;
    switch (dtype->kind) {
    case 'b':
        kind = "bool";
        break;
    case 'i':
        kind = "int";
        break;
    case 'u':
        kind = "uint";
        break;
    case 'f':
        kind = "float";
        break;
    case 'c':
        kind = "complex";
        break;
    case 'O':
        kind = "object";
        break;
    default:
        snprintf(out, size, "%s%c%u", dtype->n_fields ? "structured " : "", dtype->kind,
                 dtype->kind == 'U' ? dtype->item_size / 4 : dtype->item_size);
        return;
    }
    if (dtype->kind == 'b' || dtype->kind == 'O')
        snprintf(out, size, "%s", kind);
    else
        snprintf(out, size, "%s%u", kind, dtype->item_size * 8);
}

static const char *describe_array(const ftl_node_array *array, char *buffer, size_t size)
{
    char shape[FTL_MAX_DIMS * 22 + 4], dtype[32];
    size_t at = 0;
    shape[0] = '\0';
    for (uint32_t d = 0; d < array->ndim; d++) {
        int n = snprintf(shape + at, sizeof shape - at, "%s%zu%s", d ? ", " : "", array->shape[d],
                         array->ndim == 1 ? "," : "");
        at += n > 0 ? (size_t)n : 0;
    }
    dtype_name(array->dtype, dtype, sizeof dtype);
    snprintf(buffer, size, "numpy.ndarray (%s) %s", shape, dtype);
    return buffer;
}

const char *ftl_node_describe(const ftl_node *node, char *buffer, size_t size)
{
    static const char *const names[] = {"None",          "bool",         "int",
                                        "int",           "float",        "str",
                                        "bytes",         "tuple",        "list",
                                        "set",           "dict",         "function or class",
                                        "object",        "numpy.dtype",  "numpy.ndarray",
                                        "sparse matrix", "persistent id"};
    if (!node)
        return "nothing";
    if (size == 0)
        return names[node->kind];
    switch (node->kind) {
    case FTL_NODE_GLOBAL:
        snprintf(buffer, size, "%s.%s", node->u.global.module, node->u.global.name);
        return buffer;
    case FTL_NODE_OBJECT:
        snprintf(buffer, size, "%s.%s", node->u.object->module, node->u.object->name);
        return buffer;
    case FTL_NODE_SPARSE:
        snprintf(buffer, size, "scipy.sparse.%s (%zu, %zu)",
                 node->u.sparse->csc ? "csc_matrix" : "csr_matrix", node->u.sparse->rows,
                 node->u.sparse->columns);
        return buffer;
    case FTL_NODE_ARRAY:
        return describe_array(node->u.array, buffer, size);
    default:
        return names[node->kind];
    }
}
