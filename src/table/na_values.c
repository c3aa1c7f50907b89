#include "table/na_values.h"

#include "base/number.h"

#include <string.h>

/* pandas' list, which is what people's files were read with when their models were trained. */
static const char *const default_values[] = {
    "NA",   "N/A",  "n/a",  "NaN", "nan",      "-nan",   "-NaN",    "NULL",    "null",
    "None", "<NA>", "#N/A", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"};

ftl_status ftl_na_values_init(ftl_na_values *na, ftl_arena *arena, const char *const *values,
                              size_t n_values, char decimal, ftl_error *error)
{
    if (n_values == 0) {
        values = default_values;
        n_values = FTL_ARRAY_LEN(default_values);
    }
    memset(na, 0, sizeof *na);
    na->texts = ftl_arena_array(arena, n_values, sizeof *na->texts);
    na->numbers = ftl_arena_array(arena, n_values, sizeof *na->numbers);
    if (!na->texts || !na->numbers)
        return FTL_OOM(error);
    for (size_t i = 0; i < n_values; i++) {
        size_t size = strlen(values[i]);
        const char *text = ftl_arena_string(arena, values[i], size);
        if (!text)
            return FTL_OOM(error);
        na->texts[na->n_texts++] = (struct ftl_na_text){text, size};
        na->first_byte[(unsigned char)text[0]] = 1;
        if (size > na->longest)
            na->longest = size;
        double number;
        if (ftl_parse_f64(text, size, decimal, &number) && number == number)
            na->numbers[na->n_numbers++] = number;
    }
    return FTL_OK;
}

bool ftl_na_values_has(const ftl_na_values *na, const char *text, size_t size)
{
    if (size == 0)
        return true;
    if (FTL_LIKELY(size > na->longest || !na->first_byte[(unsigned char)text[0]]))
        return false;
    for (size_t i = 0; i < na->n_texts; i++) {
        if (na->texts[i].size == size && memcmp(na->texts[i].text, text, size) == 0)
            return true;
    }
    return false;
}

bool ftl_na_values_has_number(const ftl_na_values *na, double value)
{
    for (size_t i = 0; i < na->n_numbers; i++) {
        if (na->numbers[i] == value)
            return true;
    }
    return false;
}
