/*
 * Projection: of a structured array only the named fields are kept, packed while the rows are read,
 * straight from the stream's buffer. Fields that lie side by side in the file and in memory are
 * copied as one run.
 */
#include "pickle/vm.h"

enum { LITERAL_MIN = 4096, FIRST_BYTES = 1 << 20 };

/* The fields of dtype that a projection wants, in the order of their offsets. false: a required one
 * is missing. */
static bool choose(const ftl_pickle_projection *projection, const ftl_dtype *dtype,
                   const ftl_dtype_field **chosen, uint32_t *count, uint32_t room)
{
    uint32_t n = 0;
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
            for (; at > 0 && chosen[at - 1]->offset > field->offset; at--)
                chosen[at] = chosen[at - 1];
            chosen[at] = field;
        }
    }
    *count = n;
    return n > 0;
}

static uint32_t alignment_of(const ftl_dtype *leaf)
{
    uint32_t unit = leaf->kind == 'U'   ? 4
                    : leaf->kind == 'c' ? leaf->item_size / 2
                                        : leaf->item_size;
    bool number = leaf->kind != 'S' && leaf->kind != 'V' && unit && (unit & (unit - 1)) == 0;
    return !number ? 1 : unit > 8 ? 8 : unit;
}

/* Lays the chosen fields out at natural alignment and joins neighbours into runs. */
static ftl_status lay_out(ftl_vm *vm, const ftl_dtype_field *const *chosen, uint32_t count,
                          ftl_dtype *packed, ftl_pk_packing *out)
{
    FTL_TRY(ftl_vm_spend(vm, count * sizeof(ftl_dtype_field)));
    ftl_dtype_field *fields = ftl_arena_zero_array(vm->arena, count, sizeof *fields);
    uint32_t end = 0, widest = 1;
    if (!fields)
        return FTL_OOM(vm->error);
    out->n_runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = chosen[i]->dtype->item_size, alignment = alignment_of(chosen[i]->dtype);
        uint32_t to = (end + alignment - 1) / alignment * alignment;
        fields[i] = (ftl_dtype_field){chosen[i]->name, chosen[i]->dtype, to};
        uint32_t last = out->n_runs - 1;
        if (out->n_runs && out->runs[last].from + out->runs[last].size == chosen[i]->offset &&
            out->runs[last].to + out->runs[last].size == to) {
            out->runs[last].size += size;
        } else {
            out->runs[out->n_runs].from = chosen[i]->offset;
            out->runs[out->n_runs].to = to;
            out->runs[out->n_runs++].size = size;
        }
        end = to + size;
        widest = alignment > widest ? alignment : widest;
    }
    packed->item_size = (end + widest - 1) / widest * widest;
    packed->fields = fields;
    packed->n_fields = count;
    return FTL_OK;
}

ftl_status ftl_vm_find_packing(ftl_vm *vm, const ftl_dtype *dtype, ftl_pk_packing *out, bool *found)
{
    const ftl_pickle_options *options = vm->load->options;
    *found = false;
    for (size_t i = 0; i < options->n_projections && dtype->n_fields && !*found; i++) {
        const ftl_dtype_field *chosen[FTL_ARRAY_LEN(out->runs)];
        uint32_t count = 0, kept = 0;
        if (!choose(&options->projections[i], dtype, chosen, &count, FTL_ARRAY_LEN(chosen)))
            continue;
        for (uint32_t k = 0; k < count; k++)
            kept += chosen[k]->dtype->item_size < dtype->item_size ? chosen[k]->dtype->item_size
                                                                   : dtype->item_size;
        if (kept >= dtype->item_size)
            continue;
        ftl_dtype packed = {.kind = 'V'};
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

static void pack_run(uint8_t *to, const uint8_t *from, size_t rows, size_t to_step,
                     size_t from_step, uint32_t size)
{
    switch (size) { /* constant sizes become single moves */
    case 1:
        for (size_t r = 0; r < rows; r++)
            to[r * to_step] = from[r * from_step];
        break;
    case 8:
        for (size_t r = 0; r < rows; r++)
            memcpy(to + r * to_step, from + r * from_step, 8);
        break;
    case 32:
        for (size_t r = 0; r < rows; r++)
            memcpy(to + r * to_step, from + r * from_step, 32);
        break;
    default:
        for (size_t r = 0; r < rows; r++)
            memcpy(to + r * to_step, from + r * from_step, size);
        break;
    }
}

/* Gaps are cleared, so that equal arrays have equal bytes. */
static void pack_rows(const ftl_pk_packing *packing, uint8_t *to, const uint8_t *from, size_t rows)
{
    enum { BLOCK = 512 }; /* rows that stay in the first-level cache while their runs are copied */
    size_t to_step = packing->dtype->item_size, from_step = packing->source->item_size;
    for (size_t done = 0; done < rows; done += BLOCK) {
        size_t n = rows - done < BLOCK ? rows - done : BLOCK;
        memset(to + done * to_step, 0, n * to_step);
        for (uint32_t i = 0; i < packing->n_runs; i++)
            pack_run(to + done * to_step + packing->runs[i].to,
                     from + done * from_step + packing->runs[i].from, n, to_step, from_step,
                     packing->runs[i].size);
    }
}

static ftl_status finish(ftl_vm *vm, ftl_pk_array *array, const ftl_pk_packing *packing,
                         uint8_t *data)
{
    ftl_dtype_swap(packing->dtype, data, array->array.size);
    FTL_TRY(ftl_vm_dtype_native(vm, packing->dtype, &array->array.dtype));
    array->array.data = data;
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

/* Room for the rows that have come, doubling: the shape is not believed before. */
static ftl_status more_room(ftl_vm *vm, uint8_t **data, size_t used, size_t *room, size_t needed,
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
    FTL_TRY(more_room(vm, &data, 0, &room, 1, all > 0 ? all : 1));
    while (done < rows) {
        FTL_TRY(ftl_vm_need(vm, row));
        size_t n = (size_t)(vm->end - vm->at) / row;
        n = n < rows - done ? n : rows - done;
        FTL_TRY(more_room(vm, &data, done * packed, &room, (done + n) * packed, all));
        pack_rows(packing, data + done * packed, vm->at, n);
        vm->at += n * row;
        done += n;
    }
    return finish(vm, array, packing, data);
}

ftl_status ftl_vm_packed_literal(ftl_vm *vm, uint64_t size, ftl_node **out)
{
    if (size < LITERAL_MIN || vm->load->options->n_projections == 0 || vm->size - vm->fence != 4)
        return FTL_OK;
    ftl_node *const *s = vm->stack + vm->fence; /* version, shape, dtype, order */
    if (s[2]->kind != FTL_NODE_DTYPE || s[1]->kind != FTL_NODE_TUPLE || s[3]->kind != FTL_NODE_BOOL)
        return FTL_OK;
    ftl_pk_packing packing;
    bool found;
    FTL_TRY(ftl_vm_find_packing(vm, s[2]->u.dtype, &packing, &found));
    if (!found)
        return FTL_OK;
    ftl_node *node;
    ftl_pk_array *array;
    FTL_TRY(ftl_vm_array_new(vm, &node));
    FTL_TRY(ftl_vm_become_array(vm, node, &array));
    FTL_TRY(ftl_vm_array_shape(vm, &array->array, s[2], s[1]));
    if (array->array.size * array->array.dtype->item_size != size)
        return FTL_OK;
    array->array.fortran = s[3]->u.boolean && array->array.ndim > 1;
    FTL_TRY(ftl_vm_packed_read(vm, array, &packing));
    *out = node;
    return FTL_OK;
}
