/*
 * Elements of numpy arrays by index: of an array of objects, what its nodes are. These are for
 * parameters and small tables; bulk data is read through `data` by those who know its dtype.
 */
#include "pickle/element.h"
#include "pickle/ucs4.h"

/* A node of an array of objects is read when it is a number or a numpy scalar; one that is itself
 * an array of objects is no number, so that nothing here recurses. */
bool ftl_array_f64_at(const ftl_node_array *array, size_t i, double *out)
{
    if (!array->objects)
        return ftl_element_f64(array, i, out);
    return i < array->size && ftl_node_as_f64(array->objects[i], out);
}

bool ftl_array_i64_at(const ftl_node_array *array, size_t i, int64_t *out)
{
    if (!array->objects)
        return ftl_element_i64(array, i, out);
    return i < array->size && ftl_node_as_int(array->objects[i], out);
}

/* Nine bytes, the last a zero for the sign, in two's complement. */
static bool bigint_as_u64(const ftl_node_string *bytes, uint64_t *out)
{
    const unsigned char *b = (const unsigned char *)bytes->data;
    if (bytes->size != 9 || b[8] != 0)
        return false;
    *out = 0;
    for (size_t i = 8; i-- > 0;)
        *out = *out << 8 | b[i];
    return true;
}

bool ftl_node_high_u64_at(const ftl_node *sequence, size_t i, uint64_t *out)
{
    const ftl_node *item = NULL;
    bool found = false;
    if (sequence->kind == FTL_NODE_LIST || sequence->kind == FTL_NODE_TUPLE)
        item = i < sequence->u.seq.size ? sequence->u.seq.items[i] : NULL;
    else if (sequence->kind == FTL_NODE_ARRAY && sequence->u.array->objects)
        item = i < sequence->u.array->size ? sequence->u.array->objects[i] : NULL;
    else if (sequence->kind == FTL_NODE_ARRAY)
        found = ftl_element_u64(sequence->u.array, i, out);
    if (item && item->kind == FTL_NODE_BIGINT)
        found = bigint_as_u64(&item->u.str, out);
    else if (item && item->kind == FTL_NODE_ARRAY && item->u.array->ndim == 0)
        found = ftl_element_u64(item->u.array, 0, out);
    return found && *out > INT64_MAX;
}

ftl_status ftl_array_string_at(const ftl_node_array *array, size_t i, ftl_arena *arena,
                               ftl_node_string *out, ftl_error *error)
{
    if (i >= array->size)
        return FTL_FAIL(error, FTL_CORRUPT, "element %zu is past the end of an array of %zu", i,
                        array->size);
    if (array->objects) {
        if (!ftl_node_as_str(array->objects[i], out))
            return FTL_FAIL(error, FTL_UNSUPPORTED, "element %zu of an object array is not text",
                            i);
        return FTL_OK;
    }
    const unsigned char *p = ftl_element_at(array, i);
    uint32_t size = array->dtype->item_size;
    if (array->dtype->kind == 'U' && (p || size == 0))
        return ftl_utf8_from_ucs4(arena, p, size / 4, out, error);
    if (array->dtype->kind != 'S' || !p)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "an array of dtype kind '%c' holds no text",
                        array->dtype->kind);
    while (size && p[size - 1] == 0)
        size--; /* numpy pads S with NUL */
    char *text = ftl_arena_string(arena, (const char *)p, size);
    if (!text)
        return FTL_OOM(error);
    *out = (ftl_node_string){text, size};
    return FTL_OK;
}
