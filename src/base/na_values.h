/* The texts that stand for a missing cell. */
#ifndef FTL_BASE_NA_VALUES_H
#define FTL_BASE_NA_VALUES_H

#include "base/arena.h"

typedef struct ftl_na_values {
    const struct ftl_na_text {
        const char *text;
        size_t size;
    } *texts;
    size_t n_texts;
    const double *numbers; /* those texts that are numbers: -999 stands for -999.0 as well */
    size_t n_numbers;
    size_t longest;
    uint8_t first_byte[256]; /* 1: some text begins with it */
} ftl_na_values;

/* pandas' list. */
extern const ftl_na_values ftl_na_values_default;

/* n_values 0: the default list. Everything is copied into the arena. */
FTL_MUST_USE ftl_status ftl_na_values_init(ftl_na_values *na, ftl_arena *arena,
                                           const char *const *values, size_t n_values, char decimal,
                                           ftl_error *error);
/* The empty text is missing under every list. */
bool ftl_na_values_has(const ftl_na_values *na, const char *text, size_t size);
bool ftl_na_values_has_number(const ftl_na_values *na, double value);

#endif
