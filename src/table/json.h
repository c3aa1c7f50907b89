/* The state of a JSON table, shared by the files json*.c. docs/JSON.md says what is read how. */
#ifndef FTL_TABLE_JSON_H
#define FTL_TABLE_JSON_H

#include "base/na_values.h"
#include "table/json_cut.h"
#include "table/json_row.h"
#include "table/table_impl.h"

/* A row: bytes data[start .. start + size) of its block. */
typedef struct ftl_json_record {
    uint32_t start, size;
    int64_t line; /* 1-based; -1: rows have none */
} ftl_json_record;

typedef struct ftl_json_block {
    ftl_table_block block;
    ftl_block_bytes bytes; /* whole rows and what stands between them */
    ftl_json_record *records;
    size_t records_room;
} ftl_json_block;

/* What converting needs beside the columns. */
typedef struct ftl_json_scratch {
    ftl_json_split split;
    bool ready;
    char *text; /* a text with its escapes resolved */
    size_t text_room;
} ftl_json_scratch;

typedef struct ftl_json_table {
    ftl_json_layout layout;
    bool objects;  /* rows are objects */
    bool wrapped;  /* rows are a member of an object, whose end follows */
    bool finished; /* the end was seen, and nothing follows it */
    char decimal;
    ftl_na_values na;
    bool na_given; /* by the caller: then texts of text columns are missing by it, too */
    bool empty_is_missing;
    bool give_json;   /* raw columns are JSON */
    ftl_json_cut cut; /* where reading is; cut.at is 0 between reads */
    /* what is wanted, made by bind */
    int32_t *wanted_of;     /* of a column: its cell, -1: none */
    uint32_t *cell_of;      /* of a request */
    size_t n_wanted;        /* cells */
    int32_t *element_cells; /* rows are arrays: the cell of each element */
    size_t n_elements;
    struct ftl_json_columns *columns; /* FTL_JSON_COLUMNS */
} ftl_json_table;

/* Finds out what the document is and where its rows begin, and names the columns. lines: JSON lines
 * are promised. */
FTL_MUST_USE ftl_status ftl_json_begin(ftl_table *table, bool lines, ftl_error *error);
/* CORRUPT, with the line at which reading is. */
FTL_MUST_USE ftl_status ftl_json_damaged(const ftl_json_table *json, const char *what,
                                         ftl_error *error);

/* Finds which cells are wanted. */
FTL_MUST_USE ftl_status ftl_json_bind(ftl_table *table, ftl_error *error);

/* ---- Bytes of the document, in constant memory ------------------------------------------------ */

/* The next character that is no white space, which is not consumed; 0 at the end. */
FTL_MUST_USE ftl_status ftl_json_peek(ftl_table *table, char *c, ftl_error *error);
/* Consumes the next character, which must be this one. */
FTL_MUST_USE ftl_status ftl_json_expect(ftl_table *table, char wanted, const char *what,
                                        ftl_error *error);
/* A value, however long, is passed. */
FTL_MUST_USE ftl_status ftl_json_pass_value(ftl_table *table, ftl_error *error);
/* A value of at most max_record bytes is shown and not consumed. */
FTL_MUST_USE ftl_status ftl_json_show_value(ftl_table *table, const char **value, size_t *size,
                                            ftl_error *error);

/* ---- Columns one after the other -------------------------------------------------------------- */

/* Reads the whole document, an object of arrays (or of objects: labelled), and finds its columns.
 */
FTL_MUST_USE ftl_status ftl_json_columns_open(ftl_table *table, bool labelled, ftl_error *error);
FTL_MUST_USE ftl_status ftl_json_columns_bind(ftl_table *table, ftl_error *error);
FTL_MUST_USE ftl_status ftl_json_columns_read(ftl_table *table, size_t max_rows,
                                              ftl_json_block *block, ftl_error *error);
void ftl_json_columns_close(ftl_table *table);

/* ---- Names ------------------------------------------------------------------------------------ */

/* Names that are collected, each once. */
typedef struct ftl_json_names {
    ftl_account *account;
    const char **names; /* in the table's arena */
    size_t n, room;
    uint32_t *slots; /* open addressing: index + 1, 0 for an empty one */
    size_t n_slots;
} ftl_json_names;

/* Adds a name unless it is there; *added may be NULL. */
FTL_MUST_USE ftl_status ftl_json_add_name(ftl_json_names *names, ftl_arena *arena, const char *name,
                                          size_t size, bool *added, ftl_error *error);
/* The names become the table's. */
FTL_MUST_USE ftl_status ftl_json_set_names(ftl_json_names *names, ftl_table *table,
                                           ftl_error *error);
void ftl_json_names_free(ftl_json_names *names);

/* ---- Converting ------------------------------------------------------------------------------- */

/* Makes the batch's scratch, once. */
FTL_MUST_USE ftl_status ftl_json_ready(const ftl_table *table, ftl_row_batch *batch,
                                       ftl_error *error);
/* The cells of a row that has none. */
void ftl_json_empty_row(ftl_row_batch *batch);
/*
 * The cells that the batch's scratch has, of the row that was split last, become a row of the
 * batch. A row that is not good, or has a cell that its column cannot take, becomes a bad one.
 */
FTL_MUST_USE ftl_status ftl_json_convert_row(const ftl_json_table *json, ftl_row_batch *batch,
                                             size_t row, bool good, ftl_error *error);
/* Why a row that stands in text[0..size) is bad; place: "line 3", in front of the reason. */
void ftl_json_explain_row(const ftl_table *table, ftl_row_batch *batch, const char *text,
                          size_t size, const char *place, ftl_error *error);

ftl_status ftl_json_convert(const ftl_table *table, const ftl_table_block *block,
                            ftl_row_batch *batch, ftl_error *error);
void ftl_json_explain(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                      size_t row, ftl_error *error);
void ftl_json_batch_free(ftl_row_batch *batch);

#endif
