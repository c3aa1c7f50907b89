#include "pickle/npy_header.h"

#include "base/number.h"

enum { MAX_HEADER = 1 << 16, MAX_FIELDS = 256 };

/* A Python literal as text: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } */
typedef struct literal {
    ftl_vm *vm;
    const char *at, *end;
} literal;

static void skip_spaces(literal *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n'))
        text->at++;
}

static bool accept(literal *text, const char *token)
{
    size_t n = strlen(token);
    skip_spaces(text);
    if ((size_t)(text->end - text->at) < n || memcmp(text->at, token, n) != 0)
        return false;
    text->at += n;
    return true;
}

static ftl_status bad(literal *text)
{
    return FTL_VM_FAIL(text->vm, FTL_CORRUPT,
                       "the header of an .npy file is not what numpy writes: the file is damaged");
}

static ftl_status need(literal *text, const char *token)
{
    return accept(text, token) ? FTL_OK : bad(text);
}

/* 'text' without escapes; u'text' of Python 2 too. */
static ftl_status read_text(literal *text, const char **out, size_t *size)
{
    skip_spaces(text);
    if (text->at < text->end && *text->at == 'u')
        text->at++;
    if (text->at == text->end || (*text->at != '\'' && *text->at != '"'))
        return bad(text);
    char quote = *text->at++;
    const char *close = memchr(text->at, quote, (size_t)(text->end - text->at));
    if (!close || memchr(text->at, '\\', (size_t)(close - text->at)))
        return bad(text);
    *out = text->at;
    *size = (size_t)(close - text->at);
    text->at = close + 1;
    return FTL_OK;
}

static ftl_status read_shape(literal *text, ftl_node **out)
{
    ftl_node *items[FTL_MAX_DIMS];
    size_t n = 0;
    FTL_TRY(need(text, "("));
    while (!accept(text, ")")) {
        const char *from = text->at;
        int64_t value;
        while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
            text->at++;
        if (n == FTL_MAX_DIMS || !ftl_parse_i64(from, (size_t)(text->at - from), &value))
            return bad(text);
        FTL_TRY(ftl_vm_new_int(text->vm, value, &items[n++]));
        (void)accept(text, "L"); /* a Python 2 long */
        (void)accept(text, ",");
        skip_spaces(text);
    }
    return ftl_vm_new_tuple(text->vm, items, n, out);
}

/* [('left', '<i8'), ('', '|V7'), …]: padding has no name. */
static ftl_status read_fields(literal *text, ftl_node **out)
{
    ftl_dtype_field fields[MAX_FIELDS];
    uint32_t n = 0, offset = 0;
    while (!accept(text, "]")) {
        const char *name, *type;
        size_t name_size, type_size;
        ftl_node *leaf;
        FTL_TRY(need(text, "("));
        FTL_TRY(read_text(text, &name, &name_size));
        FTL_TRY(need(text, ","));
        FTL_TRY(read_text(text, &type, &type_size));
        FTL_TRY(need(text, ")"));
        (void)accept(text, ",");
        FTL_TRY(ftl_vm_dtype_new(text->vm, type, type_size, &leaf));
        if (n == MAX_FIELDS || leaf->u.dtype->item_size > FTL_PK_MAX_ITEM - offset)
            return bad(text);
        if (name_size) {
            const char *kept = ftl_arena_string(text->vm->arena, name, name_size);
            if (!kept)
                return FTL_OOM(text->vm->error);
            fields[n++] = (ftl_dtype_field){kept, leaf->u.dtype, offset};
        }
        offset += leaf->u.dtype->item_size;
    }
    return ftl_vm_dtype_structured(text->vm, fields, n, offset, out);
}

static ftl_status read_descr(literal *text, ftl_node **out)
{
    const char *name;
    size_t size;
    if (accept(text, "["))
        return read_fields(text, out);
    FTL_TRY(read_text(text, &name, &size));
    return ftl_vm_dtype_new(text->vm, name, size, out);
}

static ftl_status read_dict(literal *text, ftl_node_array *array)
{
    ftl_node *dtype = NULL, *shape = NULL;
    bool fortran = false;
    FTL_TRY(need(text, "{"));
    while (!accept(text, "}")) {
        if (accept(text, "'descr':")) {
            FTL_TRY(read_descr(text, &dtype));
        } else if (accept(text, "'fortran_order':")) {
            fortran = accept(text, "True");
            if (!fortran)
                FTL_TRY(need(text, "False"));
        } else {
            FTL_TRY(need(text, "'shape':"));
            FTL_TRY(read_shape(text, &shape));
        }
        (void)accept(text, ",");
    }
    if (!dtype || !shape)
        return bad(text);
    FTL_TRY(ftl_vm_array_shape(text->vm, array, dtype, shape));
    array->fortran = fortran && array->ndim > 1;
    return FTL_OK;
}

ftl_status ftl_vm_npy_header(ftl_vm *vm, ftl_node_array *array)
{
    uint64_t size;
    FTL_TRY(ftl_vm_need(vm, 8));
    bool magic = memcmp(vm->at, "\x93NUMPY", 6) == 0;
    uint8_t version = vm->at[6];
    vm->at += 8;
    if (!magic || version < 1 || version > 3)
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "the file is not an .npy file that numpy wrote");
    FTL_TRY(ftl_vm_le(vm, version == 1 ? 2 : 4, &size));
    if (size > MAX_HEADER)
        return FTL_VM_FAIL(vm, FTL_LIMIT, "the header of an .npy file claims %llu bytes",
                           (unsigned long long)size);
    FTL_TRY(ftl_vm_need(vm, (size_t)size));
    literal text = {.vm = vm, .at = (const char *)vm->at, .end = (const char *)vm->at + size};
    FTL_TRY(read_dict(&text, array));
    vm->at += size;
    return FTL_OK;
}
