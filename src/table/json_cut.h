/*
 * Cutting JSON into rows: where values end, by quotes and brackets alone. What a row holds is for
 * json_row.h to check. Both scans go on where more bytes of the same text are there.
 */
#ifndef FTL_TABLE_JSON_CUT_H
#define FTL_TABLE_JSON_CUT_H

#include "io/json_scan.h"

/* How rows stand in a text. */
typedef enum ftl_json_layout {
    FTL_JSON_LINES,    /* one on a line */
    FTL_JSON_SEQUENCE, /* one after the other, with white space between them */
    FTL_JSON_ELEMENTS, /* of an array, whose bracket has been passed */
    FTL_JSON_MEMBERS,  /* of an object, whose brace has been passed */
    FTL_JSON_COLUMNS   /* columns stand one after the other: json_columns.c */
} ftl_json_layout;

/* Between rows. Zero, with line 1, before the first. */
typedef struct ftl_json_cut {
    size_t at; /* nothing before it is needed any more */
    enum { FTL_CUT_FIRST, FTL_CUT_SEPARATOR, FTL_CUT_NEXT, FTL_CUT_COLON, FTL_CUT_VALUE } expects;
    ftl_json_scan scan; /* of the value at `at` */
    int64_t line;       /* 1-based, of `at` */
} ftl_json_cut;

typedef struct ftl_json_span {
    size_t start, size;
    int64_t line;
} ftl_json_span;

typedef enum ftl_json_found {
    FTL_JSON_ROW,
    FTL_JSON_MORE,  /* more bytes are needed from `at` on */
    FTL_JSON_END,   /* no row follows: `at` is behind the bracket, or at the end */
    FTL_JSON_DAMAGE /* *what says what is wrong at `at` */
} ftl_json_found;

/* The next row in data[cut->at..size). */
ftl_json_found ftl_json_cut_row(ftl_json_cut *cut, ftl_json_layout layout, const uint8_t *data,
                                size_t size, bool final, ftl_json_span *row, const char **what);

/* Line ends in data[0..size). */
int64_t ftl_json_count_lines(const uint8_t *data, size_t size);

#endif
