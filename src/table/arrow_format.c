#include "table/arrow_format.h"

#include "base/fixed_decimal.h"

#include <string.h>

/* A number of four digits at most; false when there is none. */
static bool take_number(const char **at, int32_t *out)
{
    bool negative = **at == '-';
    const char *digits = *at + negative;
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 4)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out = 10 * *out + (digits[i] - '0');
    *out = negative ? -*out : *out;
    *at = digits + n;
    return true;
}

bool ftl_arrow_decimal_type(int32_t bits, int32_t scale, ftl_type *out)
{
    if (scale > FTL_FIXED_DECIMAL_SCALE || scale < -FTL_FIXED_DECIMAL_SCALE)
        return false;
    *out = bits == 32    ? FTL_DECIMAL32
           : bits == 64  ? FTL_DECIMAL64
           : bits == 128 ? FTL_DECIMAL128
                         : FTL_DECIMAL256;
    return bits == 32 || bits == 64 || bits == 128 || bits == 256;
}

/* "d:PRECISION,SCALE" of 128 bits, or with the bits behind another comma. */
static bool parse_decimal(const char *format, ftl_type *out, int32_t *scale)
{
    int32_t precision, found, bits = 128;
    const char *at = format + 2;
    if (strncmp(format, "d:", 2) != 0 || !take_number(&at, &precision) || *at++ != ',' ||
        !take_number(&at, &found))
        return false;
    if (*at == ',') {
        at++;
        if (!take_number(&at, &bits))
            return false;
    }
    if (*at != '\0' || !ftl_arrow_decimal_type(bits, found, out))
        return false;
    *scale = found;
    return true;
}

bool ftl_arrow_format_parse(const char *format, ftl_type *out, int32_t *scale)
{
    static const struct {
        char format[4];
        ftl_type type;
    } formats[] = {
        {"n", FTL_NULL}, {"b", FTL_BIT},    {"c", FTL_I8},           {"C", FTL_U8},
        {"s", FTL_I16},  {"S", FTL_U16},    {"i", FTL_I32},          {"I", FTL_U32},
        {"l", FTL_I64},  {"L", FTL_U64},    {"e", FTL_F16},          {"f", FTL_F32},
        {"g", FTL_F64},  {"u", FTL_STRING}, {"U", FTL_LARGE_STRING}, {"vu", FTL_STRING_VIEW},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        if (strcmp(format, formats[i].format) == 0) {
            *out = formats[i].type;
            *scale = 0;
            return true;
        }
    }
    return parse_decimal(format, out, scale);
}

const char *ftl_arrow_format_words(const char *format)
{
    static const struct {
        const char *prefix, *words;
    } others[] = {
        {"vz", "a view of bytes"},
        {"z", "bytes"},
        {"Z", "large bytes"},
        {"w:", "bytes of a fixed size"},
        {"d:", "a decimal of this kind"},
        {"tdD", "a date"},
        {"tdm", "a date"},
        {"tt", "a time of day"},
        {"ts", "a timestamp"},
        {"tD", "a duration"},
        {"ti", "an interval"},
        {"+vl", "a list view"},
        {"+vL", "a list view"},
        {"+l", "a list"},
        {"+L", "a list"},
        {"+w:", "a list"},
        {"+s", "a struct"},
        {"+m", "a map"},
        {"+u", "a union"},
        {"+r", "a run-end encoded array"},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(others); i++) {
        if (strncmp(format, others[i].prefix, strlen(others[i].prefix)) == 0)
            return others[i].words;
    }
    return NULL;
}
