/*
 * Packing: of a structured array's rows only the fields that a projection names are kept, side by
 * side, while the rows are read straight from the stream's buffer. Fields that lie side by side in
 * the file and in memory are copied as one run.
 */
#include "pickle/vm.h"

#include <string.h>

enum { FIRST_BYTES = 1 << 20 };

static uint32_t alignment_of(const ftl_dtype *leaf)
{
    uint32_t unit = leaf->kind == 'U'   ? 4
                    : leaf->kind == 'c' ? leaf->item_size / 2
                                        : leaf->item_size;
    bool number = leaf->kind != 'S' && leaf->kind != 'V' && unit && (unit & (unit - 1)) == 0;
    return !number ? 1 : unit > 8 ? 8 : unit;
}

static bool is_narrowed(const ftl_pickle_projection *projection, const ftl_dtype *leaf)
{
    return projection->narrow && leaf->kind == 'i' && leaf->item_size == 8 && !leaf->swapped;
}

static const ftl_dtype *kept_as(const ftl_pickle_projection *projection, const ftl_dtype *leaf)
{
    static const ftl_pk_dtype narrow = {.dtype = {.kind = 'i', .item_size = 4}};
    return is_narrowed(projection, leaf) ? &narrow.dtype : leaf;
}

/*
 * Kept fields stand in the order of the file, so that neighbours are copied as one run. Narrowed
 * ones differ in size from their neighbours, which would leave gaps: there the widest come first.
 */
static bool goes_before(const ftl_pickle_projection *projection, const ftl_dtype_field *a,
                        const ftl_dtype_field *b)
{
    uint32_t left = projection->narrow ? alignment_of(kept_as(projection, a->dtype)) : 0,
             right = projection->narrow ? alignment_of(kept_as(projection, b->dtype)) : 0;
    return left != right ? left > right : a->offset < b->offset;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

/* Whether each field is among the projection's lists. */
static bool knows_all(const ftl_pickle_projection *projection, const ftl_dtype *dtype)
{
    for (uint32_t i = 0; projection->ignored && i < dtype->n_fields; i++) {
        const char *name = dtype->fields[i].name;
        if (!is_listed(projection->required, name) && !is_listed(projection->optional, name) &&
            !is_listed(projection->ignored, name))
            return false;
    }
    return true;
}

/* The fields of dtype that a projection wants, in the order that they are kept in. false: a
 * required one is missing, or one is unknown. */
static bool choose(const ftl_pickle_projection *projection, const ftl_dtype *dtype,
                   const ftl_dtype_field **chosen, uint32_t *count, uint32_t room)
{
    uint32_t n = 0;
    if (!knows_all(projection, dtype))
        return false;
    for (const char *const *name = projection->required; name && *name; name++) {
        if (!ftl_dtype_find_field(dtype, *name))
            return false;
    }
    for (int optional = 0; optional < 2; optional++) {
        for (const char *const *name = optional ? projection->optional : projection->required;
             name && *name; name++) {
            const ftl_dtype_field *field = ftl_dtype_find_field(dtype, *name);
            if (!field)
                continue;
            if (n == room)
                return false;
            uint32_t at = n++;
            for (; at > 0 && goes_before(projection, field, chosen[at - 1]); at--)
                chosen[at] = chosen[at - 1];
            chosen[at] = field;
        }
    }
    *count = n;
    return n > 0;
}

/* One more field; neighbours in the file and in memory become one run. */
static void add_run(ftl_pk_packing *out, uint32_t from, uint32_t to, uint32_t size, bool narrow)
{
    uint32_t last = out->n_runs - 1;
    if (out->n_runs && out->runs[last].narrow == narrow &&
        out->runs[last].from + out->runs[last].size == from &&
        out->runs[last].to + out->runs[last].size / (narrow ? 2 : 1) == to) {
        out->runs[last].size += size;
        return;
    }
    out->runs[out->n_runs].from = from;
    out->runs[out->n_runs].to = to;
    out->runs[out->n_runs].narrow = narrow;
    out->runs[out->n_runs++].size = size;
}

/* Lays the chosen fields out at natural alignment. */
static ftl_status lay_out(ftl_vm *vm, const ftl_dtype_field *const *chosen, uint32_t count,
                          ftl_dtype *packed, ftl_pk_packing *out)
{
    FTL_TRY(ftl_vm_spend(vm, count * sizeof(ftl_dtype_field)));
    ftl_dtype_field *fields = ftl_arena_zero_array(vm->arena, count, sizeof *fields);
    uint32_t end = 0, widest = 1, filled = 0;
    if (!fields)
        return FTL_OOM(vm->error);
    out->n_runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        const ftl_dtype *kept = kept_as(out->projection, chosen[i]->dtype);
        uint32_t alignment = alignment_of(kept);
        uint32_t to = (end + alignment - 1) / alignment * alignment;
        fields[i] = (ftl_dtype_field){chosen[i]->name, kept, to};
        add_run(out, chosen[i]->offset, to, chosen[i]->dtype->item_size, kept != chosen[i]->dtype);
        end = to + kept->item_size;
        filled += kept->item_size;
        widest = alignment > widest ? alignment : widest;
    }
    packed->item_size = (end + widest - 1) / widest * widest;
    packed->fields = fields;
    packed->n_fields = count;
    out->gaps = packed->item_size != filled;
    return FTL_OK;
}

ftl_status ftl_vm_find_packing(ftl_vm *vm, const ftl_dtype *dtype, ftl_pk_packing *out, bool *found)
{
    const ftl_pickle_options *options = vm->load->options;
    *found = false;
    for (size_t i = 0; i < options->n_projections && dtype->n_fields && !*found; i++) {
        const ftl_dtype_field *chosen[FTL_ARRAY_LEN(out->runs)];
        uint32_t count = 0, kept = 0;
        if (i < 32 && vm->load->unwanted & UINT32_C(1) << i)
            continue;
        if (!choose(&options->projections[i], dtype, chosen, &count, FTL_ARRAY_LEN(chosen)))
            continue;
        for (uint32_t k = 0; k < count; k++)
            kept += chosen[k]->dtype->item_size < dtype->item_size ? chosen[k]->dtype->item_size
                                                                   : dtype->item_size;
        if (kept >= dtype->item_size)
            continue;
        ftl_dtype packed = {.kind = 'V'};
        out->projection = &options->projections[i];
        FTL_TRY(lay_out(vm, chosen, count, &packed, out));
        if (packed.item_size >= dtype->item_size)
            continue;
        ftl_pk_dtype *kept_dtype = FTL_ARENA_NEW(vm->arena, ftl_pk_dtype);
        if (!kept_dtype)
            return FTL_OOM(vm->error);
        kept_dtype->dtype = packed;
        out->dtype = &kept_dtype->dtype;
        out->source = dtype;
        *found = true;
    }
    return FTL_OK;
}

static inline __attribute__((always_inline)) void copy_run(uint8_t *to, const uint8_t *from,
                                                           size_t rows, size_t to_step,
                                                           size_t from_step, uint32_t size)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * to_step, from + r * from_step, size);
}

/* An int64 as int32; INT32_MIN when it does not fit. */
static inline void narrow(uint8_t *to, const uint8_t *from)
{
    int64_t wide;
    memcpy(&wide, from, sizeof wide);
    int32_t number = wide == (int32_t)wide ? (int32_t)wide : INT32_MIN;
    memcpy(to, &number, sizeof number);
}

static void narrow_run(uint8_t *to, const uint8_t *from, size_t rows, size_t to_step,
                       size_t from_step, uint32_t count)
{
    for (size_t r = 0; r < rows; r++) {
        for (uint32_t i = 0; i < count; i++)
            narrow(to + r * to_step + i * sizeof(int32_t),
                   from + r * from_step + i * sizeof(int64_t));
    }
}

/* Three int64 side by side, as in the nodes of trees: left child, right child, feature. */
static void narrow_three(uint8_t *to, const uint8_t *from, size_t rows, size_t to_step,
                         size_t from_step)
{
    for (const uint8_t *end = from + rows * from_step; from < end; from += from_step) {
        narrow(to, from);
        narrow(to + 4, from + 8);
        narrow(to + 8, from + 16);
        to += to_step;
    }
}

/* Sizes that are common are constants here, which the compiler turns into single moves. */
static void pack_run(uint8_t *to, const uint8_t *from, size_t rows, size_t to_step,
                     size_t from_step, uint32_t size, bool narrow)
{
    if (narrow && size == 24)
        narrow_three(to, from, rows, to_step, from_step);
    else if (narrow)
        narrow_run(to, from, rows, to_step, from_step, size / 8);
    else if (size == 1)
        copy_run(to, from, rows, to_step, from_step, 1);
    else if (size == 8)
        copy_run(to, from, rows, to_step, from_step, 8);
    else if (size == 32)
        copy_run(to, from, rows, to_step, from_step, 32);
    else
        copy_run(to, from, rows, to_step, from_step, size);
}

/* Gaps are cleared, so that equal arrays have equal bytes. */
static void pack_rows(const ftl_pk_packing *packing, uint8_t *to, const uint8_t *from, size_t rows)
{
    enum { BLOCK = 256 }; /* rows that stay in the first-level cache while their runs are copied */
    size_t to_step = packing->dtype->item_size, from_step = packing->source->item_size;
    for (size_t done = 0; done < rows; done += BLOCK) {
        size_t n = rows - done < BLOCK ? rows - done : BLOCK;
        if (packing->gaps)
            memset(to + done * to_step, 0, n * to_step);
        for (uint32_t i = 0; i < packing->n_runs; i++)
            pack_run(to + done * to_step + packing->runs[i].to,
                     from + done * from_step + packing->runs[i].from, n, to_step, from_step,
                     packing->runs[i].size, packing->runs[i].narrow);
    }
}

static ftl_status finish(ftl_vm *vm, ftl_pk_array *array, const ftl_pk_packing *packing,
                         uint8_t *data)
{
    ftl_dtype_swap(packing->dtype, data, array->array.size);
    FTL_TRY(ftl_vm_dtype_native(vm, packing->dtype, &array->array.dtype));
    array->array.data = data;
    array->projection = packing->projection;
    array->built = true;
    return FTL_OK;
}

ftl_status ftl_vm_packed_copy(ftl_vm *vm, ftl_pk_array *array, const ftl_pk_packing *packing,
                              const uint8_t *rows)
{
    size_t bytes = array->array.size * packing->dtype->item_size;
    FTL_TRY(ftl_vm_spend(vm, bytes));
    uint8_t *data = ftl_arena_alloc_aligned(vm->arena, bytes);
    if (!data)
        return FTL_OOM(vm->error);
    pack_rows(packing, data, rows, array->array.size);
    return finish(vm, array, packing, data);
}

ftl_status ftl_vm_rows_room(ftl_vm *vm, uint8_t **data, size_t used, size_t *room, size_t needed,
                            size_t all)
{
    if (needed <= *room)
        return FTL_OK;
    if (!*data && all <= FIRST_BYTES) {
        *data = ftl_arena_alloc_aligned(vm->arena, all);
        *room = all;
        return *data ? FTL_OK : FTL_OOM(vm->error);
    }
    size_t bigger = *room ? *room * 2 : FIRST_BYTES;
    bigger = bigger < needed ? needed : bigger;
    bigger = bigger > all ? all : bigger;
    uint8_t *grown = ftl_arena_resize(vm->arena, *data, used, bigger);
    if (!grown)
        return FTL_OOM(vm->error);
    *data = grown;
    *room = bigger;
    return FTL_OK;
}

ftl_status ftl_vm_packed_read(ftl_vm *vm, ftl_pk_array *array, const ftl_pk_packing *packing)
{
    size_t row = packing->source->item_size, packed = packing->dtype->item_size,
           rows = array->array.size, done = 0;
    size_t all = rows * packed, room = 0;
    uint8_t *data = NULL;
    FTL_TRY(ftl_vm_rows_room(vm, &data, 0, &room, 1, all > 0 ? all : 1));
    while (done < rows) {
        FTL_TRY(ftl_vm_need(vm, row));
        size_t n = (size_t)(vm->end - vm->at) / row;
        n = n < rows - done ? n : rows - done;
        FTL_TRY(ftl_vm_rows_room(vm, &data, done * packed, &room, (done + n) * packed, all));
        pack_rows(packing, data + done * packed, vm->at, n);
        vm->at += n * row;
        done += n;
    }
    return finish(vm, array, packing, data);
}
