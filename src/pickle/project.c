/*
 * Where projections apply: the literal that holds a structured array's data, and the array beside
 * it in the same dict, its companion.
 */
#include "pickle/vm.h"

enum { LITERAL_MIN = 4096 }; /* bytes; shorter literals are kept as they are */

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

/* ---- Companions ---------------------------------------------------------------------------------------------------------- */

enum { LARGEST_ROW = 1 << 15 }; /* of a companion, in bytes; others are read whole */

/* Which rows: those where the integer at `at` is -1. */
typedef struct chooser {
    const uint8_t *at;
    size_t step;
    bool wide;
} chooser;

static inline bool is_chosen(const chooser *by, size_t row)
{
    static const uint8_t minus_one[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t *number = by->at + row * by->step;
    return by->wide ? memcmp(number, minus_one, 8) == 0 : memcmp(number, minus_one, 4) == 0;
}

/* The packed array whose companion `array` is: the item before it in the same dict. NULL: none. */
static const ftl_pk_array *companion_of(const ftl_vm *vm, const ftl_node_array *array)
{
    if (vm->size - vm->fence < 3)
        return NULL;
    const ftl_node *leader = vm->stack[vm->size - 3], *key = vm->stack[vm->size - 2];
    if (!ftl_node_array_built(leader))
        return NULL;
    const ftl_pk_array *packed = (const ftl_pk_array *)(const void *)leader->u.array;
    const ftl_pickle_projection *projection = packed->projection;
    bool fits = projection && projection->companion &&
                ftl_node_str_equal(key, projection->companion) && packed->array.ndim == 1 &&
                array->ndim > 0 && !array->fortran && array->size > 0 &&
                array->shape[0] == packed->array.size;
    return fits ? packed : NULL;
}

static bool find_chooser(const ftl_pk_array *packed, chooser *out)
{
    const ftl_dtype *dtype = packed->array.dtype;
    const ftl_dtype_field *field = ftl_dtype_find_field(dtype, packed->projection->chooser);
    if (!field || field->dtype->kind != 'i' ||
        (field->dtype->item_size != 4 && field->dtype->item_size != 8))
        return false;
    *out = (chooser){.at = (const uint8_t *)packed->array.data + field->offset,
                     .step = dtype->item_size,
                     .wide = field->dtype->item_size == 8};
    return true;
}

/*
 * Copies the chosen ones of rows and returns their number. Branches on what is chosen would be
 * mispredicted about every second time, so every row is copied, and the place moves on behind a
 * chosen one: the next row overwrites a row that is not.
 */
static inline __attribute__((always_inline)) size_t keep_chosen(const chooser *by, size_t first,
                                                                uint8_t *to, const uint8_t *from,
                                                                size_t rows, size_t row)
{
    const chooser own = *by; /* a local: the compiler sees that writing rows leaves it as it is */
    uint8_t *next = to;
    for (size_t r = 0; r < rows; r++) {
        memcpy(next, from + r * row, row);
        next += is_chosen(&own, first + r) ? row : 0;
    }
    return (size_t)(next - to) / row;
}

static size_t count_chosen(const chooser *by, size_t first, size_t rows)
{
    size_t count = 0;
    for (size_t r = 0; r < rows; r++)
        count += is_chosen(by, first + r);
    return count;
}

static ftl_status read_chosen(ftl_vm *vm, ftl_node_array *array, const chooser *by, size_t row)
{
    size_t rows = array->shape[0], count = count_chosen(by, 0, rows), kept = 0, room = 0;
    size_t all = (count + 1) * row; /* a row is written before it is chosen */
    uint8_t *data = NULL;
    FTL_TRY(ftl_vm_rows_room(vm, &data, 0, &room, row, all));
    for (size_t done = 0; done < rows;) {
        FTL_TRY(ftl_vm_need(vm, row));
        size_t n = (size_t)(vm->end - vm->at) / row;
        n = n < rows - done ? n : rows - done;
        if (room < all) {
            size_t needed = kept + count_chosen(by, done, n) + 1;
            FTL_TRY(ftl_vm_rows_room(vm, &data, kept * row, &room, needed * row, all));
        }
        uint8_t *to = data + kept * row;
        kept += row == 8    ? keep_chosen(by, done, to, vm->at, n, 8)
                : row == 16 ? keep_chosen(by, done, to, vm->at, n, 16)
                            : keep_chosen(by, done, to, vm->at, n, row);
        vm->at += n * row;
        done += n;
    }
    array->data = data;
    array->size = array->size / rows * count;
    array->shape[0] = count;
    return FTL_OK;
}

ftl_status ftl_vm_companion_read(ftl_vm *vm, ftl_pk_array *array, bool *done)
{
    ftl_node_array *a = &array->array;
    const ftl_pk_array *leader = companion_of(vm, a);
    chooser by;
    if (!leader || a->dtype->n_fields || a->dtype->swapped || !find_chooser(leader, &by))
        return FTL_OK;
    size_t row = a->size / a->shape[0] * a->dtype->item_size;
    if (row == 0 || row > LARGEST_ROW)
        return FTL_OK;
    FTL_TRY(read_chosen(vm, a, &by, row));
    a->rows_of = &leader->array;
    array->built = true;
    *done = true;
    return FTL_OK;
}
