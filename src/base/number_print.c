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

/* A number's way is one function: calls between its steps took a quarter of its time. */
#define PRINT_INLINE static inline __attribute__((always_inline))

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
PRINT_INLINE uint64_t multiply_to_odd(uint64_t high, uint64_t low, uint64_t factor)
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
PRINT_INLINE decimal choose(uint64_t lower, uint64_t value, uint64_t upper, bool even, int k)
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

PRINT_INLINE decimal shortest_f64(const binary *v)
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

/*
 * Eight digits of a number below 10**8, one a byte, the first one in the lowest: halves of four,
 * then pairs, then digits side by side, each quotient by a product and a shift.
 */
PRINT_INLINE uint64_t spread_digits(uint64_t value)
{
    uint64_t fours = value / 10000 | (value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - tens * 10) << 8;
}

/* The texts of eight digits. */
PRINT_INLINE void put_digits(char *out, uint64_t digits)
{
    digits += UINT64_C(0x3030303030303030);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(out, &digits, sizeof digits);
}

/* Zeros before the first and behind the last digit of eight, one of which is not zero. */
static unsigned zeros_before(uint64_t digits) { return (unsigned)__builtin_ctzll(digits) / 8; }
static unsigned zeros_behind(uint64_t digits) { return (unsigned)__builtin_clzll(digits) / 8; }

enum { TEN_8 = 100000000 };
static const uint64_t ten_16 = UINT64_C(10000000000000000);

/* Eight bytes are written at least. */
static size_t print_u64(uint64_t value, char *out)
{
    char text[24];
    if (value < TEN_8) {
        uint64_t digits = spread_digits(value);
        unsigned zeros = digits ? zeros_before(digits) : 7;
        put_digits(out, digits >> 8 * zeros);
        return 8 - zeros;
    }
    uint64_t top = spread_digits(value / ten_16), high = spread_digits(value / TEN_8 % TEN_8);
    put_digits(text, top);
    put_digits(text + 8, high);
    put_digits(text + 16, spread_digits(value % TEN_8));
    size_t at = top ? zeros_before(top) : 8 + zeros_before(high);
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

static char *put(char *p, const char *text, size_t size)
{
    memcpy(p, text, size);
    return p + size;
}

static char *put_exponent(char *p, int exponent)
{
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (magnitude >= 100)
        *p++ = (char)('0' + magnitude / 100);
    *p++ = (char)('0' + magnitude / 10 % 10);
    *p++ = (char)('0' + magnitude % 10);
    return p;
}

/*
 * Python's layout: positional from 1e-4 up to below 1e16, otherwise with an exponent of two digits
 * or more. Below 10**18, not zero. Pieces are copied in fixed sizes, more than they have: there is
 * room in what is copied, and in FTL_F64_TEXT_SIZE.
 */
PRINT_INLINE char *lay_out(char *p, decimal value)
{
    enum { PLACES = 18, PADDING = 24 };
    char text[PLACES + PADDING];
    uint64_t top = value.digits / ten_16, high = spread_digits(value.digits / TEN_8 % TEN_8),
             low = spread_digits(value.digits % TEN_8);
    text[0] = (char)('0' + top / 10);
    text[1] = (char)('0' + top % 10);
    put_digits(text + 2, high);
    put_digits(text + 10, low);
    memset(text + PLACES, '0', PADDING);
    unsigned begin = top ? top < 10 : high ? 2 + zeros_before(high) : 10 + zeros_before(low);
    unsigned end = low    ? PLACES - zeros_behind(low)
                   : high ? PLACES - 8 - zeros_behind(high)
                          : 1 + (top % 10 != 0);
    const char *digits = text + begin;
    int n = (int)(end - begin);
    int point = n + value.exponent + (int)(PLACES - end); /* the number is 0.digits * 10**point */
    if (point > 16 || point < -3) {
        p[0] = digits[0];
        p[1] = '.';
        memcpy(p + 2, digits + 1, 16);
        return put_exponent(n > 1 ? p + n + 1 : p + 1, point - 1);
    }
    if (point <= 0) {
        memcpy(p, "0.000", 5);
        p += 2 - point;
        memcpy(p, digits, PLACES);
        return p + n;
    }
    memcpy(p, digits, 16);
    p += point;
    *p++ = '.';
    if (point >= n) {
        *p = '0';
        return p + 1;
    }
    memcpy(p, digits + point, 8);
    if (n - point > 8)
        memcpy(p + 8, digits + point + 8, 8);
    return p + (n - point);
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
