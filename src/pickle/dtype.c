/*
 * numpy dtypes: the text form that dtype(…) takes, and the state tuple that __setstate__ takes
 * (version, byte order, sub-array, names, fields, item size, alignment, flags[, metadata]),
 * versions 3 and 4 (numpy's descriptor.c, arraydescr_setstate). A dtype never changes once made:
 * BUILD puts a new one into the node, so arrays that already use the old one keep it.
 */
#include "base/number.h"
#include "pickle/ucs4.h"
#include "pickle/vm.h"

/* The text of a dtype is a letter and a number, or a short name: a longer one is none. */
enum { MAX_FIELDS = 4096, MAX_ITEM = FTL_PK_MAX_ITEM, LONGEST_TEXT = 32 };

static bool file_is_swapped(char order)
{
    const uint16_t one = 1;
    bool little = *(const uint8_t *)&one == 1;
    return (order == '>' && little) || (order == '<' && !little);
}

static ftl_status new_dtype(ftl_vm *vm, const ftl_dtype *value, bool has_object,
                            const ftl_dtype **out)
{
    ftl_pk_dtype *made = FTL_ARENA_NEW(vm->arena, ftl_pk_dtype);
    if (!made)
        return FTL_OOM(vm->error);
    made->dtype = *value;
    made->has_object = has_object;
    *out = &made->dtype;
    return FTL_OK;
}

typedef struct named {
    const char *name;
    char kind;
    uint32_t size;
} named;

/* Names of scalar types, and one-letter codes whose size is not in the text. */
static const named names[] = {
    {"?", 'b', 1},       {"bool", 'b', 1},    {"bool_", 'b', 1},     {"int8", 'i', 1},
    {"int16", 'i', 2},   {"int32", 'i', 4},   {"int64", 'i', 8},     {"uint8", 'u', 1},
    {"uint16", 'u', 2},  {"uint32", 'u', 4},  {"uint64", 'u', 8},    {"float16", 'f', 2},
    {"float32", 'f', 4}, {"float64", 'f', 8}, {"complex64", 'c', 8}, {"complex128", 'c', 16},
    {"object", 'O', 8},  {"object_", 'O', 8}, {"O", 'O', 8},         {"int", 'i', 8},
    {"float", 'f', 8},   {"intp", 'i', 8},    {"d", 'f', 8},         {"f", 'f', 4},
    {"e", 'f', 2},       {"l", 'i', 8},       {"q", 'i', 8},         {"i", 'i', 4},
    {"h", 'i', 2},       {"b", 'i', 1},       {"L", 'u', 8},         {"Q", 'u', 8},
    {"I", 'u', 4},       {"H", 'u', 2},       {"B", 'u', 1},         {"str", 'U', 0},
    {"str_", 'U', 0},    {"U", 'U', 0},       {"S", 'S', 0},         {"V", 'V', 0},
    {"M8", 'M', 8},      {"m8", 'm', 8},      {"record", 'V', 0},    {"void", 'V', 0},
    {"bytes_", 'S', 0},
};

static bool size_fits(char kind, int64_t size)
{
    switch (kind) {
    case 'b':
        return size == 1;
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f':
        return size == 2 || size == 4 || size == 8 || size == 12 || size == 16;
    case 'c':
        return size == 8 || size == 16 || size == 24 || size == 32;
    case 'M':
    case 'm':
        return size == 8;
    case 'O':
        return size == 4 || size == 8;
    case 'S':
    case 'V':
        return size >= 0 && size <= MAX_ITEM;
    case 'U':
        return size >= 0 && size <= MAX_ITEM / 4;
    default:
        return false;
    }
}

static bool parse_text(const char *text, size_t size, ftl_dtype *out)
{
    if (size > LONGEST_TEXT)
        return false;
    if (size && memchr("<>|=", text[0], 4)) {
        out->swapped = file_is_swapped(text[0]);
        text++;
        size--;
    }
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) == size && memcmp(names[i].name, text, size) == 0) {
            out->kind = names[i].kind;
            out->item_size = names[i].size;
            return true;
        }
    }
    int64_t width;
    if (size >= 2 && (text[0] == 'M' || text[0] == 'm') && text[1] == '8') /* M8[ns] */
        size = 2;
    if (size < 2 || !ftl_parse_i64(text + 1, size - 1, &width) || !size_fits(text[0], width))
        return false;
    out->kind = text[0];
    out->item_size = (uint32_t)(text[0] == 'U' ? width * 4 : width);
    return true;
}

ftl_status ftl_vm_dtype_new(ftl_vm *vm, const char *text, size_t size, ftl_node **out)
{
    ftl_dtype dtype = {0};
    ftl_node *node;
    if (!parse_text(text, size, &dtype))
        return FTL_VM_FAIL(vm, FTL_UNSUPPORTED, "numpy dtype \"%.*s\" is not known",
                           (int)(size < 64 ? size : 64), text);
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_DTYPE, &node));
    FTL_TRY(new_dtype(vm, &dtype, dtype.kind == 'O', &node->u.dtype));
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_dtype_structured(ftl_vm *vm, const ftl_dtype_field *fields, uint32_t count,
                                   uint32_t item_size, ftl_node **out)
{
    ftl_dtype dtype = {.kind = 'V', .item_size = item_size, .n_fields = count};
    bool has_object = false;
    ftl_node *node;
    for (uint32_t i = 0; i < count; i++)
        has_object |= ((const ftl_pk_dtype *)(const void *)fields[i].dtype)->has_object;
    dtype.fields = ftl_arena_copy(vm->arena, fields, count * sizeof *fields);
    if (!dtype.fields)
        return FTL_OOM(vm->error);
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_DTYPE, &node));
    FTL_TRY(new_dtype(vm, &dtype, has_object, &node->u.dtype));
    *out = node;
    return FTL_OK;
}

static ftl_status bad_state(ftl_vm *vm)
{
    return FTL_VM_FAIL(vm, FTL_CORRUPT,
                       "the state of a numpy dtype does not fit together: the file is damaged");
}

/* fields[name] = (dtype, offset[, title]) */
static ftl_status read_field(ftl_vm *vm, const ftl_node *fields, const ftl_node *name,
                             uint32_t item_size, ftl_dtype_field *out, bool *has_object)
{
    if (name->kind != FTL_NODE_STR || memchr(name->u.str.data, 0, name->u.str.size))
        return bad_state(vm);
    const ftl_node *entry = ftl_node_dict_get(&fields->u.dict, name->u.str.data);
    int64_t offset;
    if (!entry || entry->kind != FTL_NODE_TUPLE || entry->u.seq.size < 2 ||
        entry->u.seq.items[0]->kind != FTL_NODE_DTYPE ||
        !ftl_node_as_int(entry->u.seq.items[1], &offset))
        return bad_state(vm);
    const ftl_dtype *leaf = entry->u.seq.items[0]->u.dtype;
    if (offset < 0 || offset > item_size || leaf->item_size > item_size - offset)
        return bad_state(vm);
    *has_object |= ((const ftl_pk_dtype *)(const void *)leaf)->has_object;
    if (leaf->n_fields) {
        if (ftl_dtype_is_swapped(leaf))
            return FTL_VM_FAIL(vm, FTL_UNSUPPORTED,
                               "field \"%s\" is a structure in foreign byte order",
                               name->u.str.data);
        ftl_dtype opaque = {.kind = 'V', .item_size = leaf->item_size};
        FTL_TRY(new_dtype(vm, &opaque, false, &leaf));
    }
    *out = (ftl_dtype_field){.name = name->u.str.data, .dtype = leaf, .offset = (uint32_t)offset};
    return FTL_OK;
}

static ftl_status read_fields(ftl_vm *vm, const ftl_node *name_tuple, const ftl_node *fields,
                              ftl_dtype *dtype, bool *has_object)
{
    size_t n = name_tuple->u.seq.size;
    if (n > MAX_FIELDS)
        return FTL_VM_FAIL(vm, FTL_LIMIT, "a numpy dtype has more than %d fields", MAX_FIELDS);
    FTL_TRY(ftl_vm_spend(vm, n * (fields->u.dict.size + sizeof(ftl_dtype_field))));
    ftl_dtype_field *list = ftl_arena_zero_array(vm->arena, n, sizeof *list);
    if (!list)
        return FTL_OOM(vm->error);
    for (size_t i = 0; i < n; i++)
        FTL_TRY(read_field(vm, fields, name_tuple->u.seq.items[i], dtype->item_size, &list[i],
                           has_object));
    dtype->fields = list;
    dtype->n_fields = (uint32_t)n;
    return FTL_OK;
}

ftl_status ftl_vm_dtype_build(ftl_vm *vm, ftl_node *node, const ftl_node *state)
{
    if (state->kind != FTL_NODE_TUPLE || state->u.seq.size < 7)
        return bad_state(vm);
    ftl_node *const *s = state->u.seq.items;
    ftl_dtype dtype = *node->u.dtype;
    bool has_object = dtype.kind == 'O';
    ftl_node_string order;
    int64_t item_size;
    if (!ftl_node_as_str(s[1], &order) || order.size != 1 || !strchr("<>|=", order.data[0]) ||
        !ftl_node_as_int(s[5], &item_size))
        return bad_state(vm);
    dtype.swapped = file_is_swapped(order.data[0]) && dtype.kind != 'O' && dtype.kind != 'S' &&
                    dtype.kind != 'V' && !(dtype.item_size == 1);
    if (dtype.kind == 'V' || ((dtype.kind == 'S' || dtype.kind == 'U') && item_size >= 0)) {
        if (item_size < 0 || item_size > MAX_ITEM || (dtype.kind == 'U' && item_size % 4))
            return bad_state(vm);
        dtype.item_size = (uint32_t)item_size;
    }
    if (dtype.kind == 'V' && s[3]->kind == FTL_NODE_TUPLE && s[4]->kind == FTL_NODE_DICT)
        FTL_TRY(read_fields(vm, s[3], s[4], &dtype, &has_object));
    else if (dtype.kind == 'V' && s[3]->kind != FTL_NODE_NONE)
        return bad_state(vm);
    return new_dtype(vm, &dtype, has_object, &node->u.dtype);
}

bool ftl_dtype_is_swapped(const ftl_dtype *dtype)
{
    for (uint32_t i = 0; i < dtype->n_fields; i++) {
        if (dtype->fields[i].dtype->swapped)
            return true;
    }
    return dtype->swapped;
}

ftl_status ftl_vm_dtype_native(ftl_vm *vm, const ftl_dtype *dtype, const ftl_dtype **out)
{
    if (!ftl_dtype_is_swapped(dtype)) {
        *out = dtype;
        return FTL_OK;
    }
    ftl_dtype native = *dtype;
    native.swapped = false;
    FTL_TRY(ftl_vm_spend(vm, dtype->n_fields * (sizeof(ftl_dtype_field) + sizeof(ftl_pk_dtype))));
    if (dtype->n_fields) {
        ftl_dtype_field *list = ftl_arena_copy(vm->arena, dtype->fields,
                                               dtype->n_fields * sizeof *list);
        if (!list)
            return FTL_OOM(vm->error);
        for (uint32_t i = 0; i < dtype->n_fields; i++) {
            ftl_dtype leaf = *dtype->fields[i].dtype;
            leaf.swapped = false;
            FTL_TRY(new_dtype(vm, &leaf, leaf.kind == 'O', &list[i].dtype));
        }
        native.fields = list;
    }
    return new_dtype(vm, &native, ((const ftl_pk_dtype *)(const void *)dtype)->has_object, out);
}

/* How many bytes are reversed together: a character of U, half of a complex number, a number. */
static uint32_t unit_of(const ftl_dtype *dtype)
{
    return dtype->kind == 'U' ? 4 : dtype->kind == 'c' ? dtype->item_size / 2 : dtype->item_size;
}

static void swap_unit(unsigned char *p, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        unsigned char c = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = c;
    }
}

static void swap_leaf(const ftl_dtype *leaf, unsigned char *data, size_t rows, size_t stride)
{
    uint32_t unit = unit_of(leaf);
    if (!leaf->swapped || unit < 2)
        return;
    for (size_t r = 0; r < rows; r++) {
        for (uint32_t at = 0; at + unit <= leaf->item_size; at += unit)
            swap_unit(data + r * stride + at, unit);
    }
}

void ftl_dtype_swap(const ftl_dtype *dtype, void *data, size_t rows)
{
    for (uint32_t i = 0; i < dtype->n_fields; i++)
        swap_leaf(dtype->fields[i].dtype, (unsigned char *)data + dtype->fields[i].offset, rows,
                  dtype->item_size);
    if (dtype->n_fields == 0)
        swap_leaf(dtype, data, rows, dtype->item_size);
}
