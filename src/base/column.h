/*
 * Columns of a batch, of every type: what lies where. Stateless; safe from any thread.
 *
 * Nothing here looks beyond what the column says it has; whether that is so is asked once, with
 * ftl_column_check, before its rows are.
 */
#ifndef FTL_BASE_COLUMN_H
#define FTL_BASE_COLUMN_H

#include "base/number.h"
#include "base/status.h"

/* Bytes of a number type's element; 0 for types whose rows have no width of whole bytes. */
size_t ftl_type_size(ftl_type type);
bool ftl_type_is_integer(ftl_type type);
bool ftl_type_is_decimal(ftl_type type);
/* FTL_STRING, FTL_LARGE_STRING or FTL_STRING_VIEW. */
bool ftl_type_is_text(ftl_type type);

static inline bool ftl_bit_at(const uint8_t *bits, size_t i)
{
    return (bits[i / 8] >> (i % 8)) & 1;
}

/* Bytes from row to row of a column whose elements have a type of numbers. */
static inline ptrdiff_t ftl_column_step(const ftl_column *column, ftl_type type)
{
    return column->stride ? column->stride : (ptrdiff_t)ftl_type_size(type);
}

/* The element at an index, which may lie at any address. */
static inline const unsigned char *ftl_column_at_index(const ftl_column *column, ftl_type type,
                                                       size_t index)
{
    return (const unsigned char *)column->values + (ptrdiff_t)index * ftl_column_step(column, type);
}

/*
 * A place of a column with dictionaries resolved: the column that holds the value and its index
 * there, offset included. False: the row is null.
 */
bool ftl_column_find(const ftl_column **column, size_t row, size_t *index);
/* The bytes of a text at an index of ftl_column_find. */
const char *ftl_column_text(const ftl_column *column, size_t index, size_t *size);
/* The integer at a row, as it is, of a column of an integer type; negative beyond int64. */
int64_t ftl_column_integer(const ftl_column *column, ftl_type type, size_t index);
/* The number at an index of ftl_column_find, of a column that is neither text nor a dictionary. */
double ftl_column_number(const ftl_column *column, size_t index);
/*
 * The same as the text that a CSV file would hold, Python's str: its size; 0 for NaN.
 */
size_t ftl_column_number_text(const ftl_column *column, size_t index, char out[FTL_F64_TEXT_SIZE]);

/*
 * Whether offsets, views and indices of a column of so many rows stay within what it has. ARG, with
 * a message that goes on behind the column's name.
 */
FTL_MUST_USE ftl_status ftl_column_check(const ftl_column *column, size_t rows, ftl_error *error);
/*
 * The same of a column whose dictionary, if it has one, was checked before: its indices are. A
 * large dictionary is checked once so, and not with each of the slices that refer to it.
 */
FTL_MUST_USE ftl_status ftl_column_check_slice(const ftl_column *column, size_t rows,
                                               ftl_error *error);

#endif
