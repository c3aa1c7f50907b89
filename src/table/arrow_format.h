/* Format strings of the Arrow C data interface. Stateless. */
#ifndef FTL_TABLE_ARROW_FORMAT_H
#define FTL_TABLE_ARROW_FORMAT_H

#include "base/status.h"

/* The type that a format names, when it is one that columns have: not a dictionary. */
bool ftl_arrow_format_parse(const char *format, ftl_type *out, int32_t *scale);
/* The type of decimals of so many bits; false when columns have no such one. */
bool ftl_arrow_decimal_type(int32_t bits, int32_t scale, ftl_type *out);
/* What a format names, in words for a message, such as "a timestamp"; NULL: no format of Arrow. */
const char *ftl_arrow_format_words(const char *format);

#endif
