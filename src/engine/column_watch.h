/*
 * What the cells of a table's columns are to a model: missing, or of a category that it does not
 * know.
 */
#ifndef FTL_ENGINE_COLUMN_WATCH_H
#define FTL_ENGINE_COLUMN_WATCH_H

#include "base/number.h"
#include "engine/job.h"
#include "model/facts.h"

struct ftl_lookup;

enum { FTL_EXAMPLE_SIZE = 64 };

/* One input column: its categories, found by the tables of the session's plan. */
typedef struct ftl_watched_column {
    ftl_category_place place;
    const struct ftl_lookup *lookup; /* NULL: the column has no categories */
    /* for ftl_watch_block: */
    _Atomic(bool) known, other;     /* a cell of a known category was seen; one of another */
    char example[FTL_EXAMPLE_SIZE]; /* the first of another; written by who sets `other` */
} ftl_watched_column;

typedef struct ftl_watch {
    size_t n;
    ftl_watched_column *columns; /* [n] the model's inputs */
} ftl_watch;

/* In the arena. A model without operations (of one plan for ever) has no watched columns. */
FTL_MUST_USE ftl_status ftl_watch_make(const ftl_session *session, ftl_arena *arena, ftl_watch *out,
                                       ftl_error *error);
/*
 * Notes for each column with categories whether some cell is of a known one, until one was. inputs:
 * [n] columns of the batch. Any threads at once.
 */
void ftl_watch_block(ftl_watch *watch, const ftl_column *inputs, size_t rows);
/*
 * When all cells of a column that are not missing are of unknown categories, and the model takes
 * them: the line that says so, fit to be shown. False: all is well, or rows were refused for it
 * anyway.
 */
bool ftl_watch_warning(const ftl_model *model, const ftl_watch *watch, size_t input,
                       ftl_strbuf *out);

typedef struct ftl_column_counts {
    uint64_t missing, unknown;
    char example[FTL_EXAMPLE_SIZE]; /* the first that is unknown */
} ftl_column_counts;
/* Adds the cells of a block of one column but for rows that could not be read (bad: a byte each).
 */
void ftl_watch_count(const ftl_watched_column *watched, const ftl_column *column, size_t rows,
                     const uint8_t *bad, ftl_column_counts *counts);
/*
 * A cell of a table: a text, or a number as float or, when it is an integer or a bool, as its text,
 * which is kept in `text`. False: the row has no value; a null's text is in *out all the same.
 */
bool ftl_watch_cell(const ftl_column *column, size_t row, char text[FTL_F64_TEXT_SIZE],
                    ftl_cell *out);
/* The cell as an example for people: one line, of whole characters. */
void ftl_watch_example(const ftl_cell *cell, char out[FTL_EXAMPLE_SIZE]);
/* "C, Q, S and 4 more": what the model knows of a column, in one line; long ones are cut as
 * examples are. */
void ftl_watch_list(const ftl_encode_column *encoded, ftl_strbuf *out);

#endif
