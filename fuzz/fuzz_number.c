/* Numbers: what parses agrees with strtod bit for bit, and what is printed reads back. */
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1200];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    double value, reference;
    if (ftl_parse_f64((const char *)data, size, '.', &value)) {
        reference = strtod(text, NULL);
        if (memcmp(&value, &reference, sizeof value) != 0 && value == value)
            abort();
        if (value != value && reference == reference)
            abort();
    } else {
        /* Nothing that strtod takes whole is refused, but for the forms that no table has. */
        char *end = text;
        (void)strtod(text, &end);
        if (size && end == text + size && !strpbrk(text, " \t\n\v\f\rxX()") && strlen(text) == size)
            abort();
    }
    if (size >= sizeof value) {
        char printed[FTL_F64_TEXT_SIZE];
        memcpy(&value, data, sizeof value);
        size_t n = ftl_print_f64(value, printed);
        if (n > sizeof printed || !ftl_parse_f64(printed, n, '.', &reference))
            abort();
        if (memcmp(&value, &reference, sizeof value) != 0 && value == value)
            abort();
        float narrow;
        memcpy(&narrow, data, sizeof narrow);
        n = ftl_print_f32(narrow, printed);
        if (n > sizeof printed || !ftl_parse_f64(printed, n, '.', &reference))
            abort();
        if ((float)reference != narrow && narrow == narrow)
            abort();
    }
    return 0;
}
