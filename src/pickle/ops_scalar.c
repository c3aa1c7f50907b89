/* Opcodes that push a number, a text or bytes. */
#include "base/number.h"
#include "base/utf8.h"
#include "pickle/opcodes.h"
#include "pickle/vm.h"

static ftl_status op_none(ftl_vm *vm)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new_none(vm, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status push_bool(ftl_vm *vm, bool value)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new_bool(vm, value, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_true(ftl_vm *vm) { return push_bool(vm, true); }
static ftl_status op_false(ftl_vm *vm) { return push_bool(vm, false); }

static ftl_status push_int(ftl_vm *vm, int64_t value)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new_int(vm, value, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_binint(ftl_vm *vm)
{
    uint64_t value;
    FTL_TRY(ftl_vm_le(vm, 4, &value));
    return push_int(vm, (int32_t)(uint32_t)value);
}

static ftl_status op_binint1(ftl_vm *vm)
{
    uint64_t value;
    FTL_TRY(ftl_vm_le(vm, 1, &value));
    return push_int(vm, (int64_t)value);
}

static ftl_status op_binint2(ftl_vm *vm)
{
    uint64_t value;
    FTL_TRY(ftl_vm_le(vm, 2, &value));
    return push_int(vm, (int64_t)value);
}

/* INT: "01" and "00" are True and False. */
static ftl_status op_int(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    if (size == 2 && text[0] == '0' && (text[1] == '0' || text[1] == '1'))
        return push_bool(vm, text[1] == '1');
    ftl_node *node;
    FTL_TRY(ftl_vm_decimal(vm, text, size, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_long(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    if (size && text[size - 1] == 'L')
        size--;
    ftl_node *node;
    FTL_TRY(ftl_vm_decimal(vm, text, size, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status push_long(ftl_vm *vm, size_t width)
{
    uint64_t size;
    FTL_TRY(ftl_vm_le(vm, width, &size));
    if (width == 4 && size > INT32_MAX)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "an integer claims a negative number of bytes: the file is damaged");
    ftl_node *node;
    if (size <= 256) {
        FTL_TRY(ftl_vm_need(vm, (size_t)size));
        FTL_TRY(ftl_vm_twos_complement(vm, vm->at, (size_t)size, &node));
        vm->at += size;
    } else {
        uint8_t *bytes;
        FTL_TRY(ftl_vm_new(vm, FTL_NODE_BIGINT, &node));
        FTL_TRY(ftl_vm_blob(vm, size, &bytes));
        node->u.str = (ftl_node_string){(char *)bytes, (size_t)size};
    }
    return ftl_vm_push(vm, node);
}

static ftl_status op_long1(ftl_vm *vm) { return push_long(vm, 1); }
static ftl_status op_long4(ftl_vm *vm) { return push_long(vm, 4); }

static ftl_status push_float(ftl_vm *vm, double value)
{
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_FLOAT, &node));
    node->u.number = value;
    return ftl_vm_push(vm, node);
}

static ftl_status op_float(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    double value;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    if (!ftl_parse_f64((const char *)text, size, '.', &value))
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a float is not written as a number: the file is damaged");
    return push_float(vm, value);
}

static ftl_status op_binfloat(ftl_vm *vm)
{
    FTL_TRY(ftl_vm_need(vm, 8));
    uint64_t bits = 0;
    double value;
    for (size_t i = 0; i < 8; i++) /* big-endian */
        bits = bits << 8 | vm->at[i];
    vm->at += 8;
    memcpy(&value, &bits, 8);
    return push_float(vm, value);
}

/* ---- text and bytes -------------------------------------------------------------------------- */

static ftl_status op_string(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    ftl_node *node;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    FTL_TRY(ftl_vm_quoted(vm, text, size, &node));
    return ftl_vm_push(vm, node);
}

static ftl_status op_unicode(ftl_vm *vm)
{
    const uint8_t *text;
    size_t size;
    ftl_node *node;
    FTL_TRY(ftl_vm_line(vm, &text, &size));
    FTL_TRY(ftl_vm_raw_unicode(vm, text, size, &node));
    return ftl_vm_push(vm, node);
}

/* width: of the length that comes first. */
static ftl_status push_unicode(ftl_vm *vm, size_t width)
{
    uint64_t size;
    uint8_t *text;
    ftl_node *node;
    FTL_TRY(ftl_vm_le(vm, width, &size));
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_STR, &node));
    FTL_TRY(ftl_vm_blob(vm, size, &text));
    if (!ftl_utf8_valid_with_surrogates((const char *)text, (size_t)size))
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "a text is not valid UTF-8: the file is damaged");
    node->u.str = (ftl_node_string){(char *)text, (size_t)size};
    return ftl_vm_push(vm, node);
}

static ftl_status op_short_binunicode(ftl_vm *vm) { return push_unicode(vm, 1); }
static ftl_status op_binunicode(ftl_vm *vm) { return push_unicode(vm, 4); }
static ftl_status op_binunicode8(ftl_vm *vm) { return push_unicode(vm, 8); }

static ftl_status push_bytes(ftl_vm *vm, size_t width)
{
    uint64_t size;
    uint8_t *bytes;
    ftl_node *node = NULL;
    FTL_TRY(ftl_vm_le(vm, width, &size));
    if (width > 1)
        FTL_TRY(ftl_vm_packed_literal(vm, size, &node));
    if (!node) {
        FTL_TRY(ftl_vm_new(vm, FTL_NODE_BYTES, &node));
        FTL_TRY(ftl_vm_blob(vm, size, &bytes));
        node->u.str = (ftl_node_string){(char *)bytes, (size_t)size};
    }
    return ftl_vm_push(vm, node);
}

static ftl_status op_short_binbytes(ftl_vm *vm) { return push_bytes(vm, 1); }
static ftl_status op_binbytes(ftl_vm *vm) { return push_bytes(vm, 4); }
static ftl_status op_binbytes8(ftl_vm *vm) { return push_bytes(vm, 8); }

/* Python 2's str: ASCII becomes text, anything else bytes. */
static ftl_status push_byte_string(ftl_vm *vm, size_t width)
{
    uint64_t size;
    uint8_t *bytes;
    ftl_node *node = NULL;
    FTL_TRY(ftl_vm_le(vm, width, &size));
    if (width == 4 && size > INT32_MAX)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "a string claims a negative number of bytes: the file is damaged");
    FTL_TRY(ftl_vm_packed_literal(vm, size, &node));
    if (node)
        return ftl_vm_push(vm, node);
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_BYTES, &node));
    FTL_TRY(ftl_vm_blob(vm, size, &bytes));
    node->u.str = (ftl_node_string){(char *)bytes, (size_t)size};
    node->kind = ftl_vm_is_ascii(bytes, (size_t)size) ? FTL_NODE_STR : FTL_NODE_BYTES;
    return ftl_vm_push(vm, node);
}

static ftl_status op_short_binstring(ftl_vm *vm) { return push_byte_string(vm, 1); }
static ftl_status op_binstring(ftl_vm *vm) { return push_byte_string(vm, 4); }

static ftl_status op_next_buffer(ftl_vm *vm)
{
    return FTL_VM_FAIL(
        vm, FTL_UNSUPPORTED,
        "the pickle keeps its arrays in buffers outside the file; save it without buffer_callback");
}

static ftl_status op_readonly_buffer(ftl_vm *vm)
{
    ftl_node *node;
    return ftl_vm_top(vm, &node);
}

void ftl_vm_scalar_ops(ftl_vm_op table[256])
{
    table[PK_NONE] = op_none;
    table[PK_NEWTRUE] = op_true;
    table[PK_NEWFALSE] = op_false;
    table[PK_INT] = op_int;
    table[PK_BININT] = op_binint;
    table[PK_BININT1] = op_binint1;
    table[PK_BININT2] = op_binint2;
    table[PK_LONG] = op_long;
    table[PK_LONG1] = op_long1;
    table[PK_LONG4] = op_long4;
    table[PK_FLOAT] = op_float;
    table[PK_BINFLOAT] = op_binfloat;
    table[PK_STRING] = op_string;
    table[PK_BINSTRING] = op_binstring;
    table[PK_SHORT_BINSTRING] = op_short_binstring;
    table[PK_UNICODE] = op_unicode;
    table[PK_BINUNICODE] = op_binunicode;
    table[PK_SHORT_BINUNICODE] = op_short_binunicode;
    table[PK_BINUNICODE8] = op_binunicode8;
    table[PK_BINBYTES] = op_binbytes;
    table[PK_SHORT_BINBYTES] = op_short_binbytes;
    table[PK_BINBYTES8] = op_binbytes8;
    table[PK_BYTEARRAY8] = op_binbytes8;
    table[PK_NEXT_BUFFER] = op_next_buffer;
    table[PK_READONLY_BUFFER] = op_readonly_buffer;
}
