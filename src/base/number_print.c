/*
 * Shortest decimal text that reads back to the same number: Schubfach (Giulietti, "The Schubfach
 * way to render doubles", 2020). With v = c * 2**q, the interval that rounds to v is scaled by a
 * power of ten so that it is at least one and less than ten units wide; then at most one multiple
 * of ten, and otherwise at least one integer, lies in it.
 */
#include "base/number.h"

#include "base/pow10.h"

#include <math.h>
#include <string.h>

/* digits * 10**exponent */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* The number as an integer significand and a binary exponent, and its neighbourhood. */
typedef struct binary {
    uint64_t c;
    int q;
    bool narrow_below; /* a power of two: the gap below is half the gap above */
} binary;

/* floor(q * log10(2)), or floor(q * log10(2) + log10(3/4)) for the narrow interval */
static int scale_of(const binary *v)
{
    return (v->q * 1262611 - (v->narrow_below ? 524031 : 0)) >> 22;
}
/* floor(e * log2(10)) */
static int log2_pow10(int e) { return (e * 1741647) >> 19; }

/* Rounds to odd: the quotient's lowest bit is set when anything was cut off. */
static uint64_t multiply_to_odd(uint64_t high, uint64_t low, uint64_t factor)
{
    uint64_t carry = (uint64_t)(((unsigned __int128)low * factor) >> 64);
    unsigned __int128 product = (unsigned __int128)high * factor + carry;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

static uint64_t multiply_to_odd_32(uint64_t power, uint64_t factor)
{
    unsigned __int128 product = (unsigned __int128)power * factor;
    uint64_t middle = (uint64_t)(product >> 32);
    return (middle >> 32) | ((uint32_t)middle > 1);
}

/* The choice among candidates: lower, value and upper are four times the scaled ends and value. */
static decimal choose(uint64_t lower, uint64_t value, uint64_t upper, bool even, int k)
{
    lower += !even; /* the ends belong to the interval when the significand is even */
    upper -= !even;
    uint64_t s = value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool under = lower <= 40 * tens, over = 40 * tens + 40 <= upper;
        if (under != over)
            return (decimal){tens + over, k + 1};
    }
    bool under = lower <= 4 * s, over = 4 * s + 4 <= upper;
    if (under != over)
        return (decimal){s + over, k};
    uint64_t middle = 4 * s + 2; /* both fit: the nearer, or the even one */
    bool up = value > middle || (value == middle && (s & 1));
    return (decimal){s + up, k};
}

static decimal shortest_f64(const binary *v)
{
    int k = scale_of(v);
    unsigned h = (unsigned)(v->q + log2_pow10(-k) + 1);
    ftl_pow10_entry power = ftl_pow10[-k - FTL_POW10_MIN];
    /* The method wants powers rounded up. */
    if (-k < FTL_POW10_FIRST_ROUNDED_UP || -k > FTL_POW10_LAST_EXACT) {
        power.low++;
        power.high += power.low == 0;
    }
    uint64_t c4 = 4 * v->c;
    uint64_t lower = multiply_to_odd(power.high, power.low, (c4 - 2 + v->narrow_below) << h);
    uint64_t value = multiply_to_odd(power.high, power.low, c4 << h);
    uint64_t upper = multiply_to_odd(power.high, power.low, (c4 + 2) << h);
    return choose(lower, value, upper, !(v->c & 1), k);
}

static decimal shortest_f32(const binary *v)
{
    int k = scale_of(v);
    unsigned h = (unsigned)(v->q + log2_pow10(-k) + 1);
    const ftl_pow10_entry *entry = &ftl_pow10[-k - FTL_POW10_MIN];
    uint64_t power = entry->high + (entry->low != 0);
    uint64_t c4 = 4 * v->c;
    uint64_t lower = multiply_to_odd_32(power, (c4 - 2 + v->narrow_below) << h);
    uint64_t value = multiply_to_odd_32(power, c4 << h);
    uint64_t upper = multiply_to_odd_32(power, (c4 + 2) << h);
    return choose(lower, value, upper, !(v->c & 1), k);
}

/* An integer below 2**bits is its own shortest form. */
static bool small_integer(const binary *v, int bits, decimal *out)
{
    if (v->q > 0 || v->q <= -bits || (v->c & ((UINT64_C(1) << -v->q) - 1)))
        return false;
    *out = (decimal){v->c >> -v->q, 0};
    return true;
}

static const char digit_pairs[201] = "0001020304050607080910111213141516171819202122232425262728293"
                                     "031323334353637383940414243444546474849"
                                     "5051525354555657585960616263646566676869707172737475767778798"
                                     "081828384858687888990919293949596979899";

static size_t print_u64(uint64_t value, char *out)
{
    char text[20];
    size_t at = sizeof text;
    for (; value >= 100; value /= 100)
        memcpy(text + (at -= 2), digit_pairs + 2 * (value % 100), 2);
    if (value >= 10)
        memcpy(text + (at -= 2), digit_pairs + 2 * value, 2);
    else
        text[--at] = (char)('0' + value);
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

static char *put(char *p, const char *text, size_t size)
{
    memcpy(p, text, size);
    return p + size;
}

static char *put_zeros(char *p, int count)
{
    if (count > 0)
        memset(p, '0', (size_t)count);
    return count > 0 ? p + count : p;
}

static char *put_exponent(char *p, int exponent)
{
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    uint64_t magnitude = (uint64_t)(exponent < 0 ? -exponent : exponent);
    if (magnitude < 10)
        *p++ = '0';
    return p + print_u64(magnitude, p);
}

/* Python's layout: positional from 1e-4 up to below 1e16, otherwise with an exponent of two digits
 * or more. */
static char *lay_out(char *p, decimal value)
{
    while (value.digits >= 10 && value.digits % 10 == 0) {
        value.digits /= 10;
        value.exponent++;
    }
    char digits[20];
    int n = (int)print_u64(value.digits, digits);
    int point = n + value.exponent; /* the number is 0.digits * 10**point */
    if (point > 16 || point < -3) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            p = put(p, digits + 1, (size_t)n - 1);
        }
        return put_exponent(p, point - 1);
    }
    if (point <= 0) {
        p = put(p, "0.", 2);
        p = put_zeros(p, -point);
        return put(p, digits, (size_t)n);
    }
    if (point >= n) {
        p = put(p, digits, (size_t)n);
        p = put_zeros(p, point - n);
        return put(p, ".0", 2);
    }
    p = put(p, digits, (size_t)point);
    *p++ = '.';
    return put(p, digits + point, (size_t)(n - point));
}

/* Sign, zero, infinities and NaN; true when that was all. */
static bool put_special(double value, char **p)
{
    if (value != value) {
        *p = put(*p, "nan", 3);
        return true;
    }
    if (signbit(value))
        *(*p)++ = '-';
    if (value != 0 && !isinf(value))
        return false;
    *p = put(*p, value == 0 ? "0.0" : "inf", 3);
    return true;
}

size_t ftl_print_f64(double value, char out[FTL_F64_TEXT_SIZE])
{
    char *p = out;
    if (!put_special(value, &p)) {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
        int exponent = (int)(bits >> 52 & 0x7ff);
        binary v = exponent ? (binary){fraction | UINT64_C(1) << 52, exponent - 1075,
                                       !fraction && exponent > 1}
                            : (binary){fraction, -1074, false};
        decimal d;
        p = lay_out(p, small_integer(&v, 53, &d) ? d : shortest_f64(&v));
    }
    return (size_t)(p - out);
}

size_t ftl_print_f32(float value, char out[FTL_F64_TEXT_SIZE])
{
    char *p = out;
    if (!put_special((double)value, &p)) {
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        uint32_t fraction = bits & ((UINT32_C(1) << 23) - 1);
        int exponent = (int)(bits >> 23 & 0xff);
        binary v = exponent ? (binary){fraction | UINT32_C(1) << 23, exponent - 150,
                                       !fraction && exponent > 1}
                            : (binary){fraction, -149, false};
        decimal d;
        p = lay_out(p, small_integer(&v, 24, &d) ? d : shortest_f32(&v));
    }
    return (size_t)(p - out);
}

size_t ftl_print_i64(int64_t value, char out[FTL_F64_TEXT_SIZE])
{
    char *p = out;
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        *p++ = '-';
        magnitude = -magnitude;
    }
    return (size_t)(p - out) + print_u64(magnitude, p);
}
