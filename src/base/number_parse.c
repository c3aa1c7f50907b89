/*
 * Decimal text to double, correctly rounded.
 *
 * Up to 19 significant digits w and a decimal exponent q are gathered. Small ones are exact in one
 * operation (Clinger 1990); the others multiply w by a 128-bit power of ten (Lemire, "Number
 * Parsing at a Gigabyte per Second", 2021; that the product always decides was shown by Mushtak and
 * Lemire in 2023). Numbers with more digits are tried with w and w + 1; when these differ, big
 * integers decide (decimal.h).
 */
#include "base/number.h"

#include "base/decimal.h"
#include "base/pow10.h"
#include "foretell/experimental.h"

#include <math.h>
#include <string.h>

const double ftl_exact_pow10[FTL_EXACT_POW10 + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { max_digits = 19, exponent_bias = 1023, significand_bits = 52, infinite_exponent = 0x7ff };
/* Far beyond any exponent that matters, and still far from overflow when digit positions are added.
 */
static const int64_t exponent_ceiling = INT64_C(1000000000000000);

static bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double ftl_f64_scale(uint64_t w, int64_t q)
{
    if (w == 0 || q < FTL_POW10_MIN)
        return 0;
    if (q > 308)
        return HUGE_VAL;
    int zeros = __builtin_clzll(w);
    w <<= zeros;
    const ftl_pow10_entry *power = &ftl_pow10[q - FTL_POW10_MIN];
    unsigned __int128 product = (unsigned __int128)w * power->high;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if ((high & 0x1ff) == 0x1ff) { /* the bits that decide rounding could still change */
        uint64_t more = (uint64_t)(((unsigned __int128)w * power->low) >> 64);
        low += more;
        high += low < more;
    }
    int upper = (int)(high >> 63);
    uint64_t mantissa = high >> (upper + 9); /* 54 bits: the significand and one bit to round by */
    /* floor(q * log2(10)) + 63, as a fixed-point product */
    int exponent = (int)((217706 * q) >> 16) + 63 + upper - zeros + exponent_bias;
    if (exponent <= 0) { /* subnormal */
        if (-exponent + 1 >= 64)
            return 0;
        mantissa >>= -exponent + 1;
        mantissa += mantissa & 1;
        mantissa >>= 1;
        return from_bits(mantissa); /* a carry into bit 52 makes the smallest normal number */
    }
    /* A tie: rounding half up would be wrong when the significand is even. */
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << (upper + 9) == high)
        mantissa &= ~UINT64_C(1);
    mantissa += mantissa & 1;
    mantissa >>= 1;
    if (mantissa >> (significand_bits + 1)) {
        mantissa = UINT64_C(1) << significand_bits;
        exponent++;
    }
    if (exponent >= infinite_exponent)
        return HUGE_VAL;
    return from_bits((mantissa & ((UINT64_C(1) << significand_bits) - 1)) |
                     (uint64_t)exponent << significand_bits);
}

/* inf, infinity and nan in any case. */
static bool parse_word(const char *text, size_t size, double *out)
{
    static const struct {
        const char *word;
        size_t size;
        bool nan;
    } words[] = {{"inf", 3, false}, {"infinity", 8, false}, {"nan", 3, true}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].size != size)
            continue;
        size_t k = 0;
        while (k < size && (char)(text[k] | 0x20) == words[i].word[k])
            k++;
        if (k == size) {
            *out = words[i].nan ? (double)NAN : HUGE_VAL;
            return true;
        }
    }
    return false;
}

/* Eight ASCII digits at once: true when all are digits. The bytes are little-endian in chunk. */
static bool eight_digits(uint64_t chunk, uint64_t *value)
{
    uint64_t digits = chunk - UINT64_C(0x3030303030303030);
    if ((digits | (chunk + UINT64_C(0x4646464646464646))) & UINT64_C(0x8080808080808080))
        return false;
    digits = digits * 10 + (digits >> 8); /* pairs in bytes 0, 2, 4, 6 */
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    *value = ((digits & mask) * UINT64_C(0x000f424000000064) +
              ((digits >> 16) & mask) * UINT64_C(0x0000271000000001)) >>
             32;
    return true;
}

/* What a scan of digits has found. */
typedef struct scan {
    const char *p, *end;
    const char *first; /* first significant digit; NULL: none yet */
    uint64_t w;        /* the first 19 significant digits */
    unsigned digits;   /* how many of them */
    bool any;          /* a digit, zero or not */
    bool lost;         /* a non-zero digit beyond them */
} scan;

/* Digits up to the next other byte. Returns how many positions were read and not put into w. */
static int64_t scan_digits(scan *s)
{
    const char *start = s->p;
    if (!s->first) {
        while (s->p < s->end && *s->p == '0')
            s->p++;
        if (s->p < s->end && is_digit(*s->p))
            s->first = s->p;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (uint64_t chunk, value; s->end - s->p >= 8 && s->digits + 8 <= max_digits;
         s->p += 8, s->digits += 8) {
        memcpy(&chunk, s->p, 8);
        if (!eight_digits(chunk, &value))
            break;
        s->w = s->w * 100000000 + value;
    }
#endif
    for (; s->p < s->end && is_digit(*s->p) && s->digits < max_digits; s->p++, s->digits++)
        s->w = s->w * 10 + (uint64_t)(*s->p - '0');
    const char *kept = s->p;
    for (; s->p < s->end && is_digit(*s->p); s->p++)
        s->lost |= *s->p != '0';
    s->any |= s->p > start;
    return s->p - kept;
}

/* The part after 'e'; all bytes must belong to it. */
static bool scan_exponent(const char *p, const char *end, int64_t *out)
{
    bool negative = false;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end)
        return false;
    int64_t value = 0;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return false;
        if (value < exponent_ceiling)
            value = value * 10 + (*p - '0');
    }
    *out = negative ? -value : value;
    return true;
}

/*
 * The form that most cells have: a sign, up to 18 digits and a separator among them, small enough
 * to be exact in one operation. False means no more than that the general road must be taken.
 */
static bool parse_short(const char *text, size_t size, char decimal, double *out)
{
    bool negative = size && *text == '-';
    const char *p = text + negative, *end = text + size, *separator = NULL;
    if (p == end || end - p > 19)
        return false;
    uint64_t w = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit <= 9) {
            w = w * 10 + digit;
        } else {
            if (*p != decimal || separator)
                return false;
            separator = p;
        }
    }
    size_t fraction = separator ? (size_t)(end - 1 - separator) : 0;
    if (w > UINT64_C(1) << 53 || (separator && size == 1 + (size_t)negative))
        return false;
    double value = (double)w / ftl_exact_pow10[fraction];
    *out = negative ? -value : value;
    return true;
}

bool ftl_parse_f64(const char *text, size_t size, char decimal, double *out)
{
    if (parse_short(text, size, decimal, out))
        return true;
    scan s = {.p = text, .end = text + size};
    bool negative = false;
    if (s.p < s.end && (*s.p == '-' || *s.p == '+'))
        negative = *s.p++ == '-';
    const char *unsigned_start = s.p;

    int64_t exponent = scan_digits(&s);
    int64_t after = 0; /* positions after the separator, put into w or not */
    if (s.p < s.end && *s.p == decimal) {
        const char *fraction = ++s.p;
        exponent += scan_digits(&s);
        after = s.p - fraction;
    }
    const char *digits_end = s.p;
    double value;
    if (!s.any) {
        if (!parse_word(unsigned_start, (size_t)(s.end - unsigned_start), &value))
            return false;
        *out = negative ? -value : value;
        return true;
    }
    int64_t written = 0;
    if (s.p < s.end && (*s.p | 0x20) == 'e') {
        if (!scan_exponent(s.p + 1, s.end, &written))
            return false;
    } else if (s.p != s.end) {
        return false;
    }
    exponent += written - after;

    if (s.w <= UINT64_C(1) << 53 && !s.lost && exponent >= -22 && exponent <= 22) {
        value = exponent < 0 ? (double)s.w / ftl_exact_pow10[-exponent]
                             : (double)s.w * ftl_exact_pow10[exponent];
    } else {
        value = ftl_f64_scale(s.w, exponent);
        if (s.lost && ftl_f64_scale(s.w + 1, exponent) != value)
            value = ftl_decimal_round(s.first, (size_t)(digits_end - s.first), written - after,
                                      value);
    }
    *out = negative ? -value : value;
    return true;
}

bool ftl_number_parse(const char *text, double *out)
{
    return text && out && ftl_parse_f64(text, strlen(text), '.', out);
}

bool ftl_parse_i64(const char *text, size_t size, int64_t *out)
{
    const char *p = text, *end = text + size;
    bool negative = false;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end)
        return false;
    int64_t value = 0; /* counted downwards: the negative range is the larger one */
    for (; p < end; p++) {
        if (!is_digit(*p) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, *p - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}
