#include "base/fixed_decimal.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

enum { LIMBS = FTL_FIXED_DECIMAL_BYTES / 4, EXACT_POWER = 22 };

/* The magnitude, least significant limb first. */
static bool magnitude(const uint8_t *bytes, size_t size, bool little, uint32_t limbs[LIMBS])
{
    if (size == 0)
        return false;
    bool negative = bytes[little ? size - 1 : 0] >> 7;
    memset(limbs, negative ? 0xff : 0, LIMBS * sizeof *limbs);
    for (size_t i = 0; i < size; i++) {
        uint32_t byte = bytes[little ? i : size - 1 - i];
        limbs[i / 4] &= ~(UINT32_C(0xff) << i % 4 * 8);
        limbs[i / 4] |= byte << i % 4 * 8;
    }
    uint64_t carry = 1;
    for (size_t i = 0; negative && i < LIMBS; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return negative;
}

/* Divides by 10**9 and gives the rest. */
static uint32_t divide(uint32_t limbs[LIMBS], size_t n)
{
    uint64_t rest = 0;
    for (size_t i = n; i-- > 0;) {
        rest = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(rest / 1000000000);
        rest %= 1000000000;
    }
    return (uint32_t)rest;
}

/* By way of the digits, which are parsed exactly. */
static double through_text(uint32_t limbs[LIMBS], int32_t scale)
{
    char text[200];
    size_t at = 180, n = LIMBS;
    int tail = snprintf(text + at, sizeof text - at, "e%d", -scale);
    size_t end = at + (tail > 0 ? (size_t)tail : 0);
    while (n && limbs[n - 1] == 0)
        n--;
    while (n) { /* at most 18 rounds: 512 bits are 155 digits */
        uint32_t nine = divide(limbs, n);
        for (int i = 0; i < 9; i++) {
            text[--at] = (char)('0' + nine % 10);
            nine /= 10;
        }
        while (n && limbs[n - 1] == 0)
            n--;
    }
    double value = 0;
    if (!ftl_parse_f64(text + at, end - at, '.', &value))
        return 0;
    return value;
}

double ftl_fixed_decimal(const uint8_t *bytes, size_t size, bool little, int32_t scale)
{
    static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint32_t limbs[LIMBS] = {0};
    bool negative = magnitude(bytes, size, little, limbs);
    bool small = limbs[1] >> 20 == 0;
    for (size_t i = 2; i < LIMBS; i++)
        small &= limbs[i] == 0;
    double value;
    double integer = (double)((uint64_t)limbs[1] << 32 | limbs[0]);
    /* where both are exact, the quotient or the product is rounded once */
    if (small && scale >= 0 && scale <= EXACT_POWER)
        value = integer / powers[scale];
    else if (small && scale < 0 && scale >= -EXACT_POWER)
        value = integer * powers[-scale];
    else
        value = through_text(limbs, scale);
    return negative ? -value : value;
}
