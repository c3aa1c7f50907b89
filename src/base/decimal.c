#include "base/decimal.h"

#include <string.h>

/*
 * Big integers of a fixed size. The largest number here is 800 digits times 2**1075, or 2**54 times
 * 10**1142: both stay under 3,900 bits.
 */
enum { big_limbs = 64, kept_digits = 800 };

typedef struct big {
    size_t size;
    uint64_t limb[big_limbs]; /* least significant first; limb[size - 1] != 0 */
} big;

/* value = value * factor + addend */
static void big_multiply_add(big *value, uint64_t factor, uint64_t addend)
{
    unsigned __int128 carry = addend;
    for (size_t i = 0; i < value->size; i++) {
        carry += (unsigned __int128)value->limb[i] * factor;
        value->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry && value->size < big_limbs)
        value->limb[value->size++] = (uint64_t)carry;
}

static void big_multiply_pow10(big *value, uint64_t exponent)
{
    const uint64_t ten_19 = UINT64_C(10000000000000000000);
    for (; exponent >= 19; exponent -= 19)
        big_multiply_add(value, ten_19, 0);
    for (; exponent > 0; exponent--)
        big_multiply_add(value, 10, 0);
}

static void big_shift_left(big *value, uint64_t bits)
{
    for (; bits >= 32; bits -= 32)
        big_multiply_add(value, UINT64_C(1) << 32, 0);
    big_multiply_add(value, UINT64_C(1) << bits, 0);
}

static int big_compare(const big *a, const big *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    for (size_t i = a->size; i-- > 0;) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/*
 * Reads at most kept_digits digits; what follows them only matters by being zero or not, since no
 * midpoint of two doubles has more than 768 digits. *exponent is raised by the digits left out.
 * Returns true when a non-zero one was.
 */
static bool read_digits(big *value, const char *text, size_t size, int64_t *exponent)
{
    size_t kept = 0;
    bool more = false;
    value->size = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9)
            continue;
        if (kept < kept_digits) {
            big_multiply_add(value, 10, digit);
            kept++;
        } else {
            more |= digit != 0;
            ++*exponent;
        }
    }
    return more;
}

/* Compares the decimal number with the midpoint of below and the double above it: -1, 0, 1. */
static int compare_with_midpoint(const char *text, size_t size, int64_t exponent, uint64_t bits)
{
    uint64_t significand = bits & ((UINT64_C(1) << 52) - 1);
    int64_t binary = (int64_t)(bits >> 52) - 1075;
    if (bits >> 52)
        significand |= UINT64_C(1) << 52;
    else
        binary++;
    big left, right = {.size = 1, .limb = {2 * significand + 1}};
    binary--; /* midpoint = (2 significand + 1) * 2**(binary - 1) */
    bool more = read_digits(&left, text, size, &exponent);
    if (exponent > 0)
        big_multiply_pow10(&left, (uint64_t)exponent);
    else
        big_multiply_pow10(&right, (uint64_t)-exponent);
    if (binary > 0)
        big_shift_left(&right, (uint64_t)binary);
    else
        big_shift_left(&left, (uint64_t)-binary);
    int order = big_compare(&left, &right);
    return order == 0 && more ? 1 : order;
}

double ftl_decimal_round(const char *text, size_t size, int64_t exponent, double below)
{
    uint64_t bits;
    memcpy(&bits, &below, sizeof bits);
    int order = compare_with_midpoint(text, size, exponent, bits);
    /* The successor's bits are one more, also from the largest double to infinity. */
    if (order > 0 || (order == 0 && (bits & 1)))
        bits++;
    double out;
    memcpy(&out, &bits, sizeof out);
    return out;
}
