#include "engine/arrow_export.h"

#include "base/checked.h"

#include <string.h>

/*
 * One block of memory that a structure owns, with the allocator that frees it. A child's structure
 * lies in its parent's block, but a consumer may move it out and release it later than its parent:
 * what the child points at is therefore a block of its own.
 */
typedef struct owned_block {
    ftl_account account; /* of this block alone */
    max_align_t data[];
} owned_block;

static owned_block *new_block(const ftl_allocator *allocator, size_t size)
{
    ftl_account account;
    size_t all;
    ftl_account_init(&account, allocator, 0);
    if (!ftl_add_size(sizeof(owned_block), size, &all))
        return NULL;
    owned_block *block = ftl_alloc(&account, all);
    if (block) {
        memset(block, 0, sizeof *block);
        ftl_account_init(&block->account, allocator, 0);
    }
    return block;
}

static void free_block(owned_block *block)
{
    ftl_account account;
    ftl_account_init(&account, &block->account.allocator, 0);
    ftl_free(&account, block);
}

/* ---- Schemas --------------------------------------------------------------------------------- */

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    }
    free_block(schema->private_data);
    schema->release = NULL;
}

static const char *format_of(ftl_type type)
{
    switch (type) {
    case FTL_F64:
        return "g";
    case FTL_F32:
        return "f";
    case FTL_I64:
        return "l";
    case FTL_BOOL:
        return "b";
    default:
        return "u";
    }
}

static ftl_status export_field(const ftl_allocator *allocator, const ftl_arrow_output *output,
                               struct ArrowSchema *out, ftl_error *error)
{
    size_t size = strlen(output->name) + 1;
    owned_block *block = new_block(allocator, size);
    if (!block)
        return FTL_OOM(error);
    memcpy(block->data, output->name, size);
    *out = (struct ArrowSchema){.format = format_of(output->column.type),
                                .name = (const char *)block->data,
                                .flags = ARROW_FLAG_NULLABLE,
                                .release = release_schema,
                                .private_data = block};
    return FTL_OK;
}

ftl_status ftl_arrow_export_schema(const ftl_allocator *allocator, const ftl_arrow_output *outputs,
                                   size_t n, struct ArrowSchema *out, ftl_error *error)
{
    size_t size;
    if (!ftl_mul_size(n, sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *), &size))
        return FTL_OOM(error);
    owned_block *block = new_block(allocator, size);
    if (!block)
        return FTL_OOM(error);
    struct ArrowSchema *fields = (struct ArrowSchema *)block->data;
    struct ArrowSchema made = {.format = "+s",
                               .name = "",
                               .children = (struct ArrowSchema **)(fields + n),
                               .release = release_schema,
                               .private_data = block};
    for (size_t i = 0; i < n; i++) {
        ftl_status status = export_field(allocator, &outputs[i], &fields[i], error);
        if (status != FTL_OK) {
            release_schema(&made);
            return status;
        }
        made.children[i] = &fields[i];
        made.n_children++;
    }
    *out = made;
    return FTL_OK;
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    }
    free_block(array->private_data);
    array->release = NULL;
}

/* Where the parts of a column's block begin, from its data on; every buffer at 64 bytes. */
typedef struct layout {
    size_t validity, first, second, size;
} layout;

enum { BUFFER_ALIGNMENT = 64 };

static bool add_part(size_t *at, size_t count, size_t width, size_t *begin)
{
    size_t bytes;
    *begin = *at;
    return ftl_mul_size(count, width, &bytes) &&
           ftl_add_size(bytes, BUFFER_ALIGNMENT - 1, &bytes) &&
           ftl_add_size(*at, bytes & ~(size_t)(BUFFER_ALIGNMENT - 1), at);
}

/* first: offsets or values; second: the bytes of texts. */
static bool lay_out(const ftl_column *column, size_t rows, layout *out)
{
    size_t at = 0, pointers, bits = rows / 8 + 1;
    bool fits = add_part(&at, 3, sizeof(void *), &pointers) &&
                add_part(&at, column->validity ? bits : 0, 1, &out->validity);
    switch (column->type) {
    case FTL_BOOL:
        fits = fits && add_part(&at, bits, 1, &out->first);
        break;
    case FTL_F32:
        fits = fits && add_part(&at, rows, sizeof(float), &out->first);
        break;
    case FTL_STRING:
        fits = fits && add_part(&at, rows + 1, sizeof(int32_t), &out->first) &&
               add_part(&at, rows ? column->offsets[rows] : 0, 1, &out->second);
        break;
    default:
        fits = fits && add_part(&at, rows, sizeof(double), &out->first);
        break;
    }
    return fits && ftl_add_size(at, BUFFER_ALIGNMENT, &out->size);
}

static int64_t count_nulls(const uint8_t *validity, size_t rows)
{
    int64_t n = 0;
    for (size_t i = 0; validity && i < rows; i++)
        n += !(validity[i / 8] >> (i % 8) & 1);
    return n;
}

static void copy_values(const ftl_column *column, size_t rows, const layout *at,
                        unsigned char *base)
{
    unsigned char *first = base + at->first;
    if (rows == 0) {
        if (column->type == FTL_STRING) /* texts have an offset also without rows */
            memset(first, 0, sizeof(int32_t));
    } else if (column->type == FTL_STRING) {
        size_t bytes = column->offsets[rows];
        memcpy(first, column->offsets, (rows + 1) * sizeof *column->offsets);
        if (bytes)
            memcpy(base + at->second, column->values, bytes);
    } else if (column->type == FTL_BOOL) {
        memset(first, 0, rows / 8 + 1);
        for (size_t i = 0; i < rows; i++) {
            if (((const uint8_t *)column->values)[i])
                first[i / 8] = (unsigned char)(first[i / 8] | 1u << i % 8);
        }
    } else {
        memcpy(first, column->values,
               rows * (column->type == FTL_F32 ? sizeof(float) : sizeof(double)));
    }
}

static ftl_status export_column(const ftl_allocator *allocator, const ftl_arrow_output *output,
                                size_t rows, struct ArrowArray *out, ftl_error *error)
{
    const ftl_column *column = &output->column;
    layout at = {0};
    if (column->type == FTL_STRING && rows && column->offsets[rows] > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT,
                        "the text of output '%.120s' is larger than 2 GiB; use smaller batches",
                        output->name);
    owned_block *block = lay_out(column, rows, &at) ? new_block(allocator, at.size) : NULL;
    if (!block)
        return FTL_OOM(error);
    unsigned char *base = (unsigned char *)block->data;
    base += -(uintptr_t)base & (BUFFER_ALIGNMENT - 1);
    const void **buffers = (const void **)(void *)base;
    buffers[0] = column->validity ? base + at.validity : NULL;
    buffers[1] = base + at.first;
    buffers[2] = base + at.second;
    if (column->validity)
        memcpy(base + at.validity, column->validity, rows / 8 + 1);
    copy_values(column, rows, &at, base);
    *out = (struct ArrowArray){.length = (int64_t)rows,
                               .null_count = count_nulls(column->validity, rows),
                               .n_buffers = column->type == FTL_STRING ? 3 : 2,
                               .buffers = buffers,
                               .release = release_array,
                               .private_data = block};
    return FTL_OK;
}

ftl_status ftl_arrow_export_array(const ftl_allocator *allocator, const ftl_arrow_output *outputs,
                                  size_t n, size_t rows, struct ArrowArray *out, ftl_error *error)
{
    size_t size;
    if (!ftl_mul_size(n, sizeof(struct ArrowArray) + sizeof(struct ArrowArray *), &size) ||
        !ftl_add_size(size, sizeof(void *), &size))
        return FTL_OOM(error);
    owned_block *block = new_block(allocator, size);
    if (!block)
        return FTL_OOM(error);
    struct ArrowArray *children = (struct ArrowArray *)block->data;
    struct ArrowArray **pointers = (struct ArrowArray **)(children + n);
    const void **buffers = (const void **)(pointers + n);
    buffers[0] = NULL; /* a record batch's validity */
    struct ArrowArray made = {.length = (int64_t)rows,
                              .n_buffers = 1,
                              .buffers = buffers,
                              .children = pointers,
                              .release = release_array,
                              .private_data = block};
    for (size_t i = 0; i < n; i++) {
        ftl_status status = export_column(allocator, &outputs[i], rows, &children[i], error);
        if (status != FTL_OK) {
            release_array(&made);
            return status;
        }
        pointers[i] = &children[i];
        made.n_children++;
    }
    *out = made;
    return FTL_OK;
}
