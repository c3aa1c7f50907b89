#include "arrow_parts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct core_shared {
    atomic_size_t owners;
    struct ArrowArray array;
};

core_shared *core_shared_make(struct ArrowArray *array)
{
    core_shared *shared = malloc(sizeof *shared);
    if (!shared)
        return NULL;
    *shared = (core_shared){.owners = 1, .array = *array};
    array->release = NULL;
    return shared;
}

void core_shared_drop(core_shared *shared)
{
    if (!shared || atomic_fetch_sub_explicit(&shared->owners, 1, memory_order_acq_rel) != 1)
        return;
    if (shared->array.release)
        shared->array.release(&shared->array);
    free(shared);
}

const struct ArrowArray *core_shared_array(const core_shared *shared) { return &shared->array; }

/* ---- Exporting ----------------------------------------------------------------------------------- */

/*
 * An exported array and its children are each a view of the shared one: the buffers are those of
 * the shared batch, the children's structures lie in a block of the parent's own. A consumer may
 * move a child out and release it later than the parent, so each has the shared batch by itself.
 */
typedef struct view {
    core_shared *shared;
    struct ArrowArray **pointers;
    struct ArrowArray *children;
} view;

static void release_view(struct ArrowArray *array)
{
    view *made = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    }
    if (array->dictionary && array->dictionary->release)
        array->dictionary->release(array->dictionary);
    free(array->dictionary);
    free(made->pointers);
    free(made->children);
    core_shared_drop(made->shared);
    free(made);
    array->release = NULL;
}

static bool view_of(core_shared *shared, const struct ArrowArray *source, struct ArrowArray *out);

static bool view_children(core_shared *shared, const struct ArrowArray *source, view *made,
                          struct ArrowArray *out)
{
    size_t n = (size_t)source->n_children;
    if (n) {
        made->children = calloc(n, sizeof *made->children);
        made->pointers = calloc(n, sizeof *made->pointers);
        if (!made->children || !made->pointers)
            return false;
    }
    out->children = made->pointers;
    for (size_t i = 0; i < n; i++) {
        made->pointers[i] = &made->children[i];
        out->n_children = (int64_t)i + 1;
        if (!view_of(shared, source->children[i], &made->children[i]))
            return false;
    }
    if (!source->dictionary)
        return true;
    out->dictionary = calloc(1, sizeof *out->dictionary);
    return out->dictionary && view_of(shared, source->dictionary, out->dictionary);
}

static bool view_of(core_shared *shared, const struct ArrowArray *source, struct ArrowArray *out)
{
    view *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    atomic_fetch_add_explicit(&shared->owners, 1, memory_order_relaxed);
    made->shared = shared;
    *out = (struct ArrowArray){.length = source->length,
                               .null_count = source->null_count,
                               .offset = source->offset,
                               .n_buffers = source->n_buffers,
                               .buffers = source->buffers,
                               .release = release_view,
                               .private_data = made};
    if (view_children(shared, source, made, out))
        return true;
    release_view(out);
    return false;
}

bool core_shared_export(core_shared *shared, struct ArrowArray *out)
{
    out->release = NULL;
    return view_of(shared, &shared->array, out);
}

/* ---- Schemas ------------------------------------------------------------------------------------- */

typedef struct schema_copy {
    char *format, *name;
    struct ArrowSchema **pointers;
    struct ArrowSchema *children;
} schema_copy;

static void release_schema(struct ArrowSchema *schema)
{
    schema_copy *made = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    }
    if (schema->dictionary && schema->dictionary->release)
        schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
    free(made->format);
    free(made->name);
    free(made->pointers);
    free(made->children);
    free(made);
    schema->release = NULL;
}

static bool copy_children(const struct ArrowSchema *schema, const char *const *formats,
                          schema_copy *made, struct ArrowSchema *out)
{
    size_t n = (size_t)schema->n_children;
    if (n) {
        made->children = calloc(n, sizeof *made->children);
        made->pointers = calloc(n, sizeof *made->pointers);
        if (!made->children || !made->pointers)
            return false;
    }
    out->children = made->pointers;
    for (size_t i = 0; i < n; i++) {
        made->pointers[i] = &made->children[i];
        struct ArrowSchema child = *schema->children[i];
        if (formats && formats[i])
            child.format = formats[i];
        out->n_children = (int64_t)i + 1;
        if (!core_schema_copy(&child, NULL, &made->children[i]))
            return false;
    }
    if (!schema->dictionary)
        return true;
    out->dictionary = calloc(1, sizeof *out->dictionary);
    return out->dictionary && core_schema_copy(schema->dictionary, NULL, out->dictionary);
}

bool core_schema_copy(const struct ArrowSchema *schema, const char *const *formats,
                      struct ArrowSchema *out)
{
    schema_copy *made = calloc(1, sizeof *made);
    if (!made)
        return false;
    made->format = strdup(schema->format);
    made->name = strdup(schema->name ? schema->name : "");
    *out = (struct ArrowSchema){.format = made->format,
                                .name = made->name,
                                .flags = schema->flags,
                                .release = release_schema,
                                .private_data = made};
    if (made->format && made->name && copy_children(schema, formats, made, out))
        return true;
    release_schema(out);
    return false;
}
