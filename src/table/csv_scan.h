/*
 * Splitting CSV bytes, record by record: a stream into records, a record into cells. The header and
 * the search for the delimiter need no more; rows are indexed many at a time (csv_block.h), and
 * test_csv_records.c holds the two together.
 *
 * Rules: a quote is special at the beginning of a cell alone; inside quotes two quotes are one;
 * what follows the closing quote belongs to the cell. A record ends with LF, CR LF or CR outside
 * quotes.
 */
#ifndef FTL_TABLE_CSV_SCAN_H
#define FTL_TABLE_CSV_SCAN_H

#include "base/status.h"

/* Where a scan goes on when more bytes of the same record are there. Zero before a record. */
typedef struct ftl_csv_scan {
    size_t at;
    bool quoted; /* at lies inside quotes */
    bool lines;  /* quotes hold line ends: the record takes more than one line */
} ftl_csv_scan;

typedef enum ftl_csv_found {
    FTL_CSV_RECORD,
    FTL_CSV_MORE,      /* the record does not end here */
    FTL_CSV_OPEN_QUOTE /* nothing follows and a quote is open */
} ftl_csv_found;

/*
 * Finds the end of the record that begins at data[0]. final: no bytes follow. On RECORD *content is
 * its size and *total its size with the line end. On MORE call again with the same beginning and
 * more bytes.
 */
ftl_csv_found ftl_csv_scan_record(ftl_csv_scan *scan, char delimiter, const uint8_t *data,
                                  size_t size, bool final, size_t *content, size_t *total);

/* Line ends in data[0..size): how many lines a record with quotes takes beyond its first. */
size_t ftl_csv_count_lines(const uint8_t *data, size_t size);

/*
 * Splits a record: ends[i] is the offset behind cell i, where the delimiter stands; the next cell
 * begins one further. Returns the number of cells, of which at most max ends are stored.
 */
size_t ftl_csv_split(const uint8_t *data, size_t size, char delimiter, uint32_t *ends, size_t max);

/* A cell that begins with a quote, without its quotes, into out (size bytes at least). Returns the
 * text's size. */
size_t ftl_csv_unquote(const uint8_t *data, size_t size, char *out);

#endif
