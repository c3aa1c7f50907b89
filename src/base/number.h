/*
 * Numbers as text, exactly. Parsing equals strtod in the C locale bit for bit; printing gives the
 * shortest digits that read back to the same value, laid out as Python's repr does.
 */
#ifndef FTL_BASE_NUMBER_H
#define FTL_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Parses all of text[0..size) as a decimal number: optional sign, digits with an optional decimal
 * separator, optional exponent; also inf, infinity, nan in any case. No surrounding spaces, no
 * hexadecimal. False when the text is anything else. Reads only the given bytes; the text need not
 * be terminated.
 */
bool ftl_parse_f64(const char *text, size_t size, char decimal, double *out);
/* The double nearest to digits * 10**exponent. */
double ftl_f64_scale(uint64_t digits, int64_t exponent);

enum { FTL_EXACT_POW10 = 22 }; /* the largest power of ten that is exact */
extern const double ftl_exact_pow10[FTL_EXACT_POW10 + 1]; /* 1, 10, 100, … */

/* The double nearest to digits / 10**fraction: the forms that most texts have need one division. */
static inline double ftl_f64_of_decimal(uint64_t digits, unsigned fraction)
{
    if (digits <= UINT64_C(1) << 53 && fraction <= FTL_EXACT_POW10)
        return (double)(int64_t)digits / ftl_exact_pow10[fraction];
    return ftl_f64_scale(digits, -(int64_t)fraction);
}

/* Optional sign and digits, within int64. */
bool ftl_parse_i64(const char *text, size_t size, int64_t *out);

enum { FTL_F64_TEXT_SIZE = 32 };
/*
 * Python's repr(float): "1.0", "0.1", "1e-07", "1e+22", "nan", "inf", "-inf". Returns the length;
 * not terminated.
 */
size_t ftl_print_f64(double value, char out[FTL_F64_TEXT_SIZE]);
/*
 * The shortest digits that read back to the same float32, in the same layout (numpy's
 * str(np.float32)).
 */
size_t ftl_print_f32(float value, char out[FTL_F64_TEXT_SIZE]);
size_t ftl_print_i64(int64_t value, char out[FTL_F64_TEXT_SIZE]);

#endif
