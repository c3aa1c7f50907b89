/*
 * What a caller gives to run() as a batch of the library's: views of the caller's memory, and of
 * arrays that foretell._inputs.prepare made where there is nothing to view.
 */
#ifndef FORETELL_CORE_INPUT_H
#define FORETELL_CORE_INPUT_H

#include "facts.h"

typedef struct core_input {
    ftl_batch batch;
    ftl_matrix matrix;
    ftl_type dtype; /* F32 or F64: the arithmetic of the session */
    ftl_column *columns;
    ftl_column *dictionaries; /* [columns] */
    Py_buffer *views;         /* with room for two a column, and one */
    size_t n_views;
    void **blocks; /* texts that were made; with room for two a column */
    size_t n_blocks;
    const core_numpy *numpy;
    Py_buffer first;    /* of a matrix; obj NULL: none */
    PyObject *prepared; /* what prepare() gave */
} core_input;

/*
 * false: an exception is set, and there is nothing to close. *blocks is NULL, or receives an
 * iterator of what core_input_take takes where X comes in blocks of rows; out is empty then.
 */
bool core_input_open(const core_facts *facts, PyObject *X, core_input *out, PyObject **blocks);
/* What prepare() gave, or one of the blocks; takes the reference. As core_input_open. */
bool core_input_take(const core_facts *facts, PyObject *prepared, core_input *out);
void core_input_close(core_input *input);

/* ---- Columns (column.c) -------------------------------------------------------------------------- */

/* The type of a format of the buffer protocol, in this machine's order of bytes; -1: another one.
 */
int core_format_type(const char *format, Py_ssize_t size);
/*
 * Column i of the input, by what prepare() gave for it:
 *   an array of numbers, or one of texts ('U')
 *   ("texts", array, missing, strict)   objects; foretell._inputs.cell_text has the rules
 *   ("masked", array, mask)       values, and where they are missing
 *   ("codes", codes, column)      indices of the rows of another column; below 0: missing
 *   ("arrow", schema, array, format, index)   capsules of the Arrow C data interface, and which
 *                                 child of the array; below 0: the array itself
 * *rows receives how many it has. false: an exception is set.
 */
bool core_column_open(core_input *input, size_t i, PyObject *what, size_t *rows);
/* A block of memory that goes with the input; NULL: an exception is set. */
void *core_input_block(core_input *input, size_t n, size_t size);
/*
 * An Arrow array as a column (arrow_column.c), or a child of it when index is not below 0. Both
 * stay the capsules'.
 */
bool core_arrow_column(PyObject *schema, PyObject *array, long long index, ftl_column *out,
                       ftl_column *dictionary, size_t *rows);

#endif
