/*
 * What a text means where a number belongs: the one rule for the cells of a CSV file and for text
 * columns of a batch. Stateless; safe from any thread.
 */
#ifndef FTL_BASE_CELL_TEXT_H
#define FTL_BASE_CELL_TEXT_H

#include "base/na_values.h"

/*
 * The number that text[0..size) stands for: spaces and tabs around it are ignored, the texts of na
 * are NaN, True/TRUE/true and False/FALSE/false are 1 and 0, and the rest is a decimal number
 * (ftl_parse_f64) or no number: false. na may be NULL: no text is missing then.
 */
bool ftl_text_to_f64(const char *text, size_t size, char decimal, const ftl_na_values *na,
                     double *out);

/*
 * What a boolean cell is, for every family of models: True, TRUE and true are true, False, FALSE
 * and false are false, as pandas.read_csv has it. Returns false for every other text, also for one
 * with spaces around it.
 */
bool ftl_text_to_bool(const char *text, size_t size, bool *out);

/* Cuts off the spaces and tabs around a text, as numbers and booleans are read without them. */
void ftl_text_trim(const char **text, size_t *size);

#endif
