/* Literals of the text protocols, Python 2 strings, integers of any size. */
#include "base/number.h"
#include "base/utf8.h"
#include "pickle/vm.h"

enum { MAX_DIGITS = 4300 }; /* as CPython: converting is quadratic */

bool ftl_vm_is_ascii(const uint8_t *data, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= data[i];
    return any < 0x80;
}

ftl_status ftl_vm_byte_string(ftl_vm *vm, const uint8_t *data, size_t size, ftl_node **out)
{
    return ftl_vm_new_text(vm, ftl_vm_is_ascii(data, size) ? FTL_NODE_STR : FTL_NODE_BYTES, data,
                           size, out);
}

ftl_status ftl_vm_twos_complement(ftl_vm *vm, const uint8_t *bytes, size_t size, ftl_node **out)
{
    uint8_t fill = size && bytes[size - 1] & 0x80 ? 0xff : 0;
    while (size > 8 && bytes[size - 1] == fill && (bytes[size - 2] & 0x80) == (fill & 0x80))
        size--;
    if (size > 8)
        return ftl_vm_new_text(vm, FTL_NODE_BIGINT, bytes, size, out);
    uint64_t value = fill ? UINT64_MAX : 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | bytes[i];
    return ftl_vm_new_int(vm, (int64_t)value, out);
}

/* Digits to little-endian bytes, then negated when needed. room bytes are enough for the digits and
 * a sign. */
static void digits_to_bytes(const uint8_t *digits, size_t n, bool negative, uint8_t *bytes,
                            size_t room)
{
    size_t used = 0;
    memset(bytes, 0, room);
    for (size_t i = 0; i < n; i++) {
        unsigned carry = (unsigned)(digits[i] - '0');
        for (size_t k = 0; k < used || carry; k++) {
            unsigned v = bytes[k] * 10u + carry;
            bytes[k] = (uint8_t)v;
            carry = v >> 8;
            used = k + 1 > used ? k + 1 : used;
        }
    }
    unsigned borrow = 1;
    for (size_t k = 0; negative && k < room; k++) {
        unsigned v = (uint8_t)~bytes[k] + borrow;
        bytes[k] = (uint8_t)v;
        borrow = v >> 8;
    }
}

ftl_status ftl_vm_decimal(ftl_vm *vm, const uint8_t *text, size_t size, ftl_node **out)
{
    int64_t value;
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\r'))
        size--;
    if (ftl_parse_i64((const char *)text, size, &value))
        return ftl_vm_new_int(vm, value, out);
    bool negative = size && text[0] == '-';
    size_t from = size && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (size > MAX_DIGITS)
        return FTL_VM_FAIL(vm, FTL_LIMIT, "an integer has more than %d digits", MAX_DIGITS);
    for (size_t i = from; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            from = size;
    }
    if (from == size)
        return FTL_VM_FAIL(vm, FTL_CORRUPT,
                           "an integer is not written as a number: the file is damaged");
    uint8_t bytes[MAX_DIGITS / 2 + 2]; /* a digit takes under half a byte */
    FTL_TRY(ftl_vm_spend(vm, (size - from) * (size - from) / 16));
    digits_to_bytes(text + from, size - from, negative, bytes, (size - from) / 2 + 2);
    return ftl_vm_twos_complement(vm, bytes, (size - from) / 2 + 2, out);
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Exactly n hexadecimal digits at p. */
static bool hex_digits(const uint8_t *p, size_t left, size_t n, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = i < left ? hex_value(p[i]) : -1;
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

/* One escape of a Python 2 string literal at p, behind the backslash. Returns the bytes used, 0
 * when it is malformed. */
static size_t unescape(const uint8_t *p, size_t left, uint8_t *out, size_t *written)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    uint32_t value = 0;
    *written = 1;
    const char *known = left && p[0] ? strchr(from, p[0]) : NULL;
    if (known) {
        *out = (uint8_t)to[known - from];
        return 1;
    }
    if (left && p[0] == 'x') {
        if (!hex_digits(p + 1, left - 1, 2, &value))
            return 0;
        *out = (uint8_t)value;
        return 3;
    }
    size_t n = 0;
    while (n < 3 && n < left && p[n] >= '0' && p[n] <= '7')
        value = value << 3 | (uint32_t)(p[n++] - '0');
    if (n) {
        *out = (uint8_t)value;
        return n;
    }
    *out = '\\'; /* an unknown escape stays as it is */
    return left ? SIZE_MAX : 0;
}

ftl_status ftl_vm_quoted(ftl_vm *vm, const uint8_t *text, size_t size, ftl_node **out)
{
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\r'))
        size--;
    if (size < 2 || (text[0] != '\'' && text[0] != '"') || text[size - 1] != text[0])
        return FTL_VM_FAIL(vm, FTL_CORRUPT, "a string is not quoted: the file is damaged");
    uint8_t *bytes = ftl_arena_alloc(vm->arena, size);
    if (!bytes)
        return FTL_OOM(vm->error);
    size_t n = 0;
    for (size_t i = 1; i + 1 < size;) {
        if (text[i] != '\\') {
            bytes[n++] = text[i++];
            continue;
        }
        size_t written, used = unescape(text + i + 1, size - i - 2, bytes + n, &written);
        if (used == 0)
            return FTL_VM_FAIL(vm, FTL_CORRUPT,
                               "a string has a broken escape: the file is damaged");
        n += written;
        i += used == SIZE_MAX ? 1 : 1 + used;
    }
    bytes[n] = 0;
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, ftl_vm_is_ascii(bytes, n) ? FTL_NODE_STR : FTL_NODE_BYTES, &node));
    node->u.str = (ftl_node_string){(char *)bytes, n};
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_raw_unicode(ftl_vm *vm, const uint8_t *text, size_t size, ftl_node **out)
{
    size_t room;
    uint8_t *utf8 = ftl_mul_size(size, 2, &room) && ftl_add_size(room, 1, &room)
                        ? ftl_arena_alloc(vm->arena, room)
                        : NULL;
    if (!utf8)
        return FTL_OOM(vm->error);
    size_t n = 0;
    bool odd = false; /* an odd run of backslashes stands before */
    for (size_t i = 0; i < size;) {
        uint32_t code = text[i]; /* other bytes are Latin-1 */
        size_t used = 1;
        if (code == '\\' && !odd && i + 1 < size && (text[i + 1] == 'u' || text[i + 1] == 'U')) {
            size_t digits = text[i + 1] == 'u' ? 4 : 8;
            if (!hex_digits(text + i + 2, size - i - 2, digits, &code) || code > 0x10ffff)
                return FTL_VM_FAIL(vm, FTL_CORRUPT,
                                   "a text has a broken escape: the file is damaged");
            used = 2 + digits;
        }
        odd = used == 1 && code == '\\' && !odd;
        /* at most two bytes for one, four for an escape of six */
        n += ftl_utf8_put(code, (char *)utf8 + n);
        i += used;
    }
    utf8[n] = 0;
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_STR, &node));
    node->u.str = (ftl_node_string){(char *)utf8, n};
    *out = node;
    return FTL_OK;
}

ftl_status ftl_vm_latin1(ftl_vm *vm, const ftl_node *text, ftl_node **out)
{
    size_t size = text->u.str.size, n = 0;
    FTL_TRY(ftl_vm_spend(vm, size));
    size_t room;
    uint8_t *bytes = !ftl_add_size(size, 1, &room) ? NULL
                     : size < FTL_VM_WIDE          ? ftl_arena_alloc(vm->arena, room)
                                                   : ftl_arena_alloc_aligned(vm->arena, room);
    if (!bytes)
        return FTL_OOM(vm->error);
    for (const char *at = text->u.str.data, *end = at + size; at < end;) {
        uint32_t code = ftl_utf8_next(&at);
        if (code > 255)
            return FTL_VM_FAIL(
                vm, FTL_CORRUPT,
                "bytes are written with a character past Latin-1: the file is damaged");
        bytes[n++] = (uint8_t)code;
    }
    bytes[n] = 0;
    ftl_node *node;
    FTL_TRY(ftl_vm_new(vm, FTL_NODE_BYTES, &node));
    node->u.str = (ftl_node_string){(char *)bytes, n};
    *out = node;
    return FTL_OK;
}
