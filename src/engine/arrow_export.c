#include "engine/arrow_export.h"

#include "base/checked.h"
#include "base/column.h"

#include <errno.h>
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
    case FTL_U64:
        return "L";
    case FTL_BOOL:
        return "b";
    default:
        return "u";
    }
}

static ftl_status export_field(const ftl_allocator *allocator, const ftl_sink_column *column,
                               struct ArrowSchema *out, ftl_error *error)
{
    size_t size = strlen(column->name) + 1;
    owned_block *block = new_block(allocator, size);
    if (!block)
        return FTL_OOM(error);
    memcpy(block->data, column->name, size);
    *out = (struct ArrowSchema){.format = format_of(column->type),
                                .name = (const char *)block->data,
                                .flags = ARROW_FLAG_NULLABLE,
                                .release = release_schema,
                                .private_data = block};
    return FTL_OK;
}

int ftl_arrow_errno(ftl_status status)
{
    switch (status) {
    case FTL_NOMEM:
        return ENOMEM;
    case FTL_CANCELLED:
        return ECANCELED;
    case FTL_IO:
        return EIO;
    default:
        return EINVAL;
    }
}

ftl_status ftl_arrow_export_schema(const ftl_allocator *allocator, const ftl_sink_column *columns,
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
        ftl_status status = export_field(allocator, &columns[i], &fields[i], error);
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

/* The rows that are copied: all but those with a byte in skip. */
typedef struct chosen {
    size_t all, n;
    const uint8_t *skip; /* NULL: all of them */
} chosen;

static chosen choose(size_t rows, const uint8_t *skip)
{
    chosen rows_of = {.all = rows, .n = rows, .skip = skip};
    for (size_t i = 0; skip && i < rows; i++)
        rows_of.n -= skip[i] != 0;
    return rows_of;
}

static bool is_left_out(const chosen *rows, size_t i) { return rows->skip && rows->skip[i]; }

static size_t text_size(const ftl_column *column, size_t row)
{
    return column->offsets[row + 1] - column->offsets[row];
}

static size_t text_bytes(const ftl_column *column, const chosen *rows)
{
    size_t bytes = 0;
    if (!rows->skip)
        return rows->all ? column->offsets[rows->all] - column->offsets[0] : 0;
    for (size_t i = 0; i < rows->all; i++)
        bytes += is_left_out(rows, i) ? 0 : text_size(column, i);
    return bytes;
}

/* first: offsets or values; second: the bytes of texts. */
static bool lay_out(const ftl_column *column, const chosen *rows, layout *out)
{
    size_t at = 0, pointers, bits = rows->n / 8 + 1;
    bool fits = add_part(&at, 3, sizeof(void *), &pointers) &&
                add_part(&at, column->validity ? bits : 0, 1, &out->validity);
    if (column->type == FTL_BOOL)
        fits = fits && add_part(&at, bits, 1, &out->first);
    else if (column->type == FTL_STRING)
        fits = fits && add_part(&at, rows->n + 1, sizeof(int32_t), &out->first) &&
               add_part(&at, text_bytes(column, rows), 1, &out->second);
    else
        fits = fits && add_part(&at, rows->n, ftl_type_size(column->type), &out->first);
    return fits && ftl_add_size(at, BUFFER_ALIGNMENT, &out->size);
}

static void set_bit(unsigned char *bits, size_t i)
{
    bits[i / 8] = (unsigned char)(bits[i / 8] | 1u << i % 8);
}

/* Into zeroed bits. Returns how many nulls there are. */
static int64_t copy_validity(const ftl_column *column, const chosen *rows, unsigned char *out)
{
    size_t at = 0, valid = 0;
    for (size_t i = 0; i < rows->all; i++) {
        if (is_left_out(rows, i))
            continue;
        if (ftl_bit_at(column->validity, i)) {
            set_bit(out, at);
            valid++;
        }
        at++;
    }
    return (int64_t)(at - valid);
}

static void copy_bools(const ftl_column *column, const chosen *rows, unsigned char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < rows->all; i++) {
        if (is_left_out(rows, i))
            continue;
        if (*ftl_column_at_index(column, FTL_BOOL, i))
            set_bit(out, at);
        at++;
    }
}

static void copy_texts(const ftl_column *column, const chosen *rows, int32_t *offsets,
                       unsigned char *texts)
{
    size_t at = 0, end = 0;
    offsets[0] = 0;
    for (size_t i = 0; i < rows->all; i++) {
        if (is_left_out(rows, i))
            continue;
        size_t size = text_size(column, i);
        if (size)
            memcpy(texts + end, (const char *)column->values + column->offsets[i], size);
        end += size;
        offsets[++at] = (int32_t)end;
    }
}

static void copy_numbers(const ftl_column *column, const chosen *rows, unsigned char *out)
{
    size_t width = ftl_type_size(column->type);
    if (!rows->skip && ftl_column_step(column, column->type) == (ptrdiff_t)width) {
        if (rows->all)
            memcpy(out, column->values, rows->all * width);
        return;
    }
    for (size_t i = 0; i < rows->all; i++) {
        if (is_left_out(rows, i))
            continue;
        memcpy(out, ftl_column_at_index(column, column->type, i), width);
        out += width;
    }
}

static void copy_values(const ftl_column *column, const chosen *rows, const layout *at,
                        unsigned char *base)
{
    unsigned char *first = base + at->first;
    if (column->type == FTL_STRING)
        copy_texts(column, rows, (int32_t *)(void *)first, base + at->second);
    else if (column->type == FTL_BOOL)
        copy_bools(column, rows, first);
    else
        copy_numbers(column, rows, first);
}

static ftl_status export_column(const ftl_allocator *allocator, const char *name,
                                const ftl_column *column, const chosen *rows,
                                struct ArrowArray *out, ftl_error *error)
{
    layout at = {0};
    if (column->type == FTL_STRING && text_bytes(column, rows) > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT,
                        "the text of output '%.120s' is larger than 2 GiB; use smaller batches",
                        name);
    owned_block *block = lay_out(column, rows, &at) ? new_block(allocator, at.size) : NULL;
    if (!block)
        return FTL_OOM(error);
    unsigned char *base = (unsigned char *)block->data;
    base += -(uintptr_t)base & (BUFFER_ALIGNMENT - 1);
    const void **buffers = (const void **)(void *)base;
    buffers[0] = column->validity ? base + at.validity : NULL;
    buffers[1] = base + at.first;
    buffers[2] = base + at.second;
    int64_t nulls = 0;
    if (column->validity) {
        memset(base + at.validity, 0, rows->n / 8 + 1);
        nulls = copy_validity(column, rows, base + at.validity);
    }
    if (column->type == FTL_BOOL)
        memset(base + at.first, 0, rows->n / 8 + 1);
    copy_values(column, rows, &at, base);
    *out = (struct ArrowArray){.length = (int64_t)rows->n,
                               .null_count = nulls,
                               .n_buffers = column->type == FTL_STRING ? 3 : 2,
                               .buffers = buffers,
                               .release = release_array,
                               .private_data = block};
    return FTL_OK;
}

ftl_status ftl_arrow_export_array(const ftl_allocator *allocator, const ftl_sink_column *columns,
                                  const ftl_batch *batch, const uint8_t *skip,
                                  struct ArrowArray *out, ftl_error *error)
{
    size_t size, n = batch->n_columns;
    const chosen rows = choose(batch->rows, skip);
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
    struct ArrowArray made = {.length = (int64_t)rows.n,
                              .n_buffers = 1,
                              .buffers = buffers,
                              .children = pointers,
                              .release = release_array,
                              .private_data = block};
    for (size_t i = 0; i < n; i++) {
        ftl_status status = export_column(allocator, columns[i].name, &batch->columns[i], &rows,
                                          &children[i], error);
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
