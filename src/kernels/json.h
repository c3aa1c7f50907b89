/*
 * Rows of JSON that are written alike: the same keys in the same order, the same white space
 * between them. What stood before a value in an earlier row is compared as bytes, and short numbers
 * and texts are taken by the register. Whatever is not so plain is left to the caller, who knows
 * the whole grammar: a value is taken only where it would be taken as the same cell.
 */
#ifndef FTL_KERNELS_JSON_H
#define FTL_KERNELS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ftl_json_kind {
    FTL_JSON_ABSENT, /* no such member */
    FTL_JSON_IS_NULL,
    FTL_JSON_PLAIN,   /* a text without escapes; what stands between the quotes */
    FTL_JSON_ESCAPED, /* a text with escapes, as written */
    FTL_JSON_FINITE,  /* a number's characters */
    FTL_JSON_WORD,    /* NaN, Infinity, -Infinity */
    FTL_JSON_IS_TRUE,
    FTL_JSON_IS_FALSE,
    FTL_JSON_NESTED /* an object or an array, as it stands */
} ftl_json_kind;

typedef struct ftl_json_cell {
    const char *text;
    uint32_t size;
    ftl_json_kind kind;
    /* FTL_JSON_FINITE, and known: its value. Else it has more digits than are gathered in passing
     */
    bool known;
    double value;
} ftl_json_cell;

enum {
    FTL_JSON_LEAD = 64,                /* bytes of the longest lead, whole registers of 16 */
    FTL_JSON_ROOM = FTL_JSON_LEAD + 33 /* readable bytes from where a value is taken */
};

/* What stands before a value: a bracket or a comma, key and colon of an object, white space. */
typedef struct ftl_json_lead {
    uint32_t size;  /* 0: nothing is known */
    int32_t wanted; /* the cell of the value; -1: nobody wants it */
    char text[FTL_JSON_LEAD];
} ftl_json_lead;

/*
 * Takes values, at *at the first one's lead, up to the first that is not plain, not as its lead
 * says or has a cell already. A value that is taken lies before end, with at least one byte behind
 * it. *at moves behind the last one. readable: the end of what may be read, not before end. Returns
 * how many were taken.
 */
typedef size_t ftl_json_values_fn(const ftl_json_lead *leads, size_t n, const char **at,
                                  const char *end, const char *readable, ftl_json_cell *cells);

typedef struct ftl_json_kernels {
    ftl_json_values_fn *values; /* NULL: the caller is as quick */
} ftl_json_kernels;

ftl_json_values_fn ftl_json_values_avx2;
ftl_json_values_fn ftl_json_values_avx512;

#endif
