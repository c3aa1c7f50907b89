/*
 * CSV text: where its cells end, and numbers out of cells.
 *
 * The index takes 64 bytes at a time. Which of them lie inside quotes is the parity of the quotes
 * before them, and that is CSV's rule wherever each quote that opens stands at the beginning of a
 * cell or doubles the one before it. Where one does not, the index stops, and the caller takes that
 * record byte by byte.
 */
#ifndef FTL_KERNELS_CSV_H
#define FTL_KERNELS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line end outside quotes. */
typedef struct ftl_csv_line {
    uint32_t ends;   /* how many of the index's ends there are up to it, itself included */
    uint32_t quoted; /* line ends inside quotes before it */
} ftl_csv_line;

/* What has been found in a text, all offsets from its beginning. Zero before it. */
typedef struct ftl_csv_index {
    uint32_t *ends; /* delimiters and line ends outside quotes; of CR LF the CR */
    size_t n_ends;
    ftl_csv_line *lines;
    size_t n_lines;
    uint32_t quoted_lines; /* line ends inside quotes */
    bool quoted;           /* the next byte lies inside quotes */
} ftl_csv_index;

enum {
    FTL_CSV_ROOM = 64,  /* ends and lines have room for as many more than there are bytes */
    FTL_CSV_MARGIN = 64 /* readable bytes before a text whose numbers are read */
};

/*
 * Indexes data[from..to), from being 0 or where the call before ended. Returns to, or the smaller
 * offset before which all is indexed and behind which, within 64 bytes, a quote opens in the middle
 * of a cell.
 */
typedef size_t ftl_csv_index_fn(const uint8_t *data, size_t from, size_t to, uint8_t delimiter,
                                ftl_csv_index *index);

/* A record: cell i ends at ends[first + i] and begins behind the end before it, cell 0 at start. */
typedef struct ftl_csv_row {
    uint32_t start, first, cells;
    uint32_t line; /* lines from the text's first one */
} ftl_csv_row;

typedef struct ftl_csv_cells {
    const uint8_t *data; /* FTL_CSV_MARGIN bytes before it are readable */
    const uint32_t *ends;
    const ftl_csv_row *rows;
    size_t n_rows; /* each has the column's cell */
} ftl_csv_cells;

/*
 * The numbers of one column, NaN for empty cells. Cells that ftl_parse_f64 does not read, with or
 * without quotes around them, are left out and listed. Returns how many there are.
 */
typedef size_t ftl_csv_numbers_fn(const ftl_csv_cells *cells, size_t column, char decimal,
                                  double *out, uint32_t *left);

typedef struct ftl_csv_kernels {
    ftl_csv_index_fn *index;
    ftl_csv_numbers_fn *numbers;
} ftl_csv_kernels;

#define FTL_CSV_DECLARE(isa)              \
    ftl_csv_index_fn ftl_csv_index_##isa; \
    ftl_csv_numbers_fn ftl_csv_numbers_##isa
FTL_CSV_DECLARE(portable);
FTL_CSV_DECLARE(avx2);
FTL_CSV_DECLARE(avx512);

#define FTL_CSV_KERNELS(isa) {.index = ftl_csv_index_##isa, .numbers = ftl_csv_numbers_##isa}

#endif
