#include "base/na_values.h"

#include "base/number.h"

#include <string.h>

/* pandas' list, which is what people's files were read with when their models were trained. */
#define TEXT(word) {word, sizeof word - 1}
static const struct ftl_na_text default_texts[] = {
    TEXT("NA"),      TEXT("N/A"),     TEXT("n/a"),     TEXT("NaN"),      TEXT("nan"),
    TEXT("-nan"),    TEXT("-NaN"),    TEXT("NULL"),    TEXT("null"),     TEXT("None"),
    TEXT("<NA>"),    TEXT("#N/A"),    TEXT("#NA"),     TEXT("#N/A N/A"), TEXT("1.#IND"),
    TEXT("-1.#IND"), TEXT("1.#QNAN"), TEXT("-1.#QNAN")};
#undef TEXT

/* None of these texts is a number: 1.#IND is not written as one. */
const ftl_na_values ftl_na_values_default = {
    .texts = default_texts,
    .n_texts = FTL_ARRAY_LEN(default_texts),
    .longest = 8,
    .first_byte = {['N'] = 1, ['n'] = 1, ['-'] = 1, ['<'] = 1, ['#'] = 1, ['1'] = 1},
};

ftl_status ftl_na_values_init(ftl_na_values *na, ftl_arena *arena, const char *const *values,
                              size_t n_values, char decimal, ftl_error *error)
{
    if (n_values == 0) {
        *na = ftl_na_values_default;
        return FTL_OK;
    }
    memset(na, 0, sizeof *na);
    struct ftl_na_text *texts = ftl_arena_array(arena, n_values, sizeof *texts);
    double *numbers = ftl_arena_array(arena, n_values, sizeof *numbers);
    if (!texts || !numbers)
        return FTL_OOM(error);
    na->texts = texts;
    na->numbers = numbers;
    for (size_t i = 0; i < n_values; i++) {
        size_t size = strlen(values[i]);
        const char *text = ftl_arena_string(arena, values[i], size);
        if (!text)
            return FTL_OOM(error);
        texts[na->n_texts++] = (struct ftl_na_text){text, size};
        na->first_byte[(unsigned char)text[0]] = 1;
        if (size > na->longest)
            na->longest = size;
        double number;
        if (ftl_parse_f64(text, size, decimal, &number) && number == number)
            numbers[na->n_numbers++] = number;
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
