/* Loads a pickle from a stream and reads all of its graph, for the fuzz targets. */
#ifndef FUZZ_GRAPH_H
#define FUZZ_GRAPH_H

#include "pickle/load.h"

#include <stdlib.h>
#include <string.h>

#define fuzz_require(x) ((x) ? (void)0 : abort())

enum { FUZZ_DEPTH = 40, FUZZ_VISITS = 20000 };

/* Touches every byte, so that a sanitizer sees a short block. */
static inline void fuzz_bytes(const void *data, size_t size)
{
    static volatile unsigned char sink;
    unsigned char sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (unsigned char)(sum + ((const unsigned char *)data)[i]);
    sink = sum;
    (void)sink;
}

static inline void fuzz_array(const ftl_node_array *array, ftl_arena *arena)
{
    double number;
    int64_t integer;
    ftl_node_string text;
    if (array->data) {
        fuzz_require(((uintptr_t)array->data & 63) == 0 || array->size == 0);
        fuzz_bytes(array->data, array->size * array->dtype->item_size);
    }
    for (size_t i = 0; i < array->size && i < 64; i++) {
        (void)ftl_array_f64_at(array, i, &number);
        (void)ftl_array_i64_at(array, i, &integer);
        if (ftl_array_string_at(array, i, arena, &text, NULL) == FTL_OK)
            fuzz_bytes(text.data, text.size + 1);
    }
    for (uint32_t i = 0; i < array->dtype->n_fields; i++) {
        const ftl_dtype_field *field = &array->dtype->fields[i];
        fuzz_require(ftl_dtype_find_field(array->dtype, field->name) != NULL);
        fuzz_require(field->offset <= array->dtype->item_size);
        fuzz_require(field->dtype->item_size <= array->dtype->item_size - field->offset);
    }
}

static inline void fuzz_sparse(const ftl_node_sparse *sparse)
{
    const ftl_node_array *indptr = sparse->indptr->u.array, *indices = sparse->indices->u.array;
    int64_t from = 0, to = 0, index = 0;
    fuzz_require(indptr->size == (sparse->csc ? sparse->columns : sparse->rows) + 1);
    for (size_t i = 0; i + 1 < indptr->size; i++) {
        fuzz_require(ftl_array_i64_at(indptr, i, &from) && ftl_array_i64_at(indptr, i + 1, &to) &&
                     from <= to);
        for (int64_t k = from; k < to; k++) {
            fuzz_require(ftl_array_i64_at(indices, (size_t)k, &index) && index >= 0);
            fuzz_require((size_t)index < (sparse->csc ? sparse->rows : sparse->columns));
        }
    }
    fuzz_require(sparse->data->u.array->size >= (size_t)to);
}

static inline void fuzz_walk(const ftl_node *node, ftl_arena *arena, int depth, int *visits);

static inline void fuzz_sequence(const ftl_node_sequence *sequence, ftl_arena *arena, int depth,
                                 int *visits)
{
    for (size_t i = 0; i < sequence->size; i++)
        fuzz_walk(sequence->items[i], arena, depth + 1, visits);
}

static inline void fuzz_dict(const ftl_node_dict *dict, ftl_arena *arena, int depth, int *visits)
{
    for (size_t i = 0; i < dict->size; i++) {
        fuzz_walk(dict->keys[i], arena, depth + 1, visits);
        fuzz_walk(dict->values[i], arena, depth + 1, visits);
    }
    (void)ftl_node_dict_get(dict, "nodes");
}

static inline void fuzz_object(const ftl_node *node, ftl_arena *arena, int depth, int *visits)
{
    const ftl_node_object *object = node->u.object;
    fuzz_bytes(object->module, strlen(object->module));
    fuzz_bytes(object->name, strlen(object->name));
    (void)ftl_node_attr(node, "data");
    if (object->args)
        fuzz_walk(object->args, arena, depth + 1, visits);
    if (object->state)
        fuzz_walk(object->state, arena, depth + 1, visits);
    fuzz_sequence(&object->items, arena, depth, visits);
    fuzz_dict(&object->dict_items, arena, depth, visits);
}

static inline void fuzz_walk(const ftl_node *node, ftl_arena *arena, int depth, int *visits)
{
    char buffer[128];
    bool flag;
    int64_t integer;
    double number;
    ftl_node_string text;
    fuzz_require(node != NULL);
    if (depth > FUZZ_DEPTH || ++*visits > FUZZ_VISITS)
        return;
    fuzz_require(ftl_node_describe(node, buffer, sizeof buffer) != NULL);
    (void)ftl_node_as_bool(node, &flag);
    (void)ftl_node_as_int(node, &integer);
    (void)ftl_node_as_f64(node, &number);
    if (ftl_node_as_str(node, &text))
        fuzz_require(text.data[text.size] == '\0');
    switch (node->kind) {
    case FTL_NODE_BYTES:
    case FTL_NODE_BIGINT:
        fuzz_bytes(node->u.str.data, node->u.str.size + 1);
        break;
    case FTL_NODE_TUPLE:
    case FTL_NODE_LIST:
    case FTL_NODE_SET:
        fuzz_sequence(&node->u.seq, arena, depth, visits);
        break;
    case FTL_NODE_DICT:
        fuzz_dict(&node->u.dict, arena, depth, visits);
        break;
    case FTL_NODE_OBJECT:
        fuzz_object(node, arena, depth, visits);
        break;
    case FTL_NODE_ARRAY:
        fuzz_array(node->u.array, arena);
        for (size_t i = 0; node->u.array->objects && i < node->u.array->size; i++)
            fuzz_walk(node->u.array->objects[i], arena, depth + 1, visits);
        break;
    case FTL_NODE_SPARSE:
        fuzz_sparse(node->u.sparse);
        break;
    case FTL_NODE_PERSISTENT:
        fuzz_walk(node->u.persistent, arena, depth + 1, visits);
        break;
    default:
        break;
    }
}

static inline void fuzz_graph(ftl_account *account, ftl_stream *stream)
{
    static const char *const required[] = {"left", "right", NULL}, *const optional[] = {"value",
                                                                                        NULL};
    static const char *const tree[] = {"left_child", "right_child", "feature", "threshold", NULL};
    static const ftl_pickle_projection projections[] = {
        {.required = required, .optional = optional},
        {.required = tree, .narrow = true, .companion = "values", .chooser = "left_child"}};
    ftl_pickle_report report;
    ftl_pickle_options options = {.max_objects = 200000,
                                  .max_depth = 100,
                                  .projections = projections,
                                  .n_projections = 2,
                                  .report = &report};
    ftl_arena arena;
    ftl_node *root = NULL;
    ftl_error error;
    int visits = 0;
    ftl_arena_init(&arena, account);
    ftl_status status = ftl_pickle_load(stream, &arena, &options, &root, &error);
    if (status == FTL_OK)
        fuzz_walk(root, &arena, 0, &visits);
    else
        fuzz_require(error.code == status && error.message[0]);
    ftl_arena_free(&arena);
}

#endif
