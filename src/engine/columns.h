/*
 * Whether a caller's batch may be read: what ftl_column and ftl_matrix say of themselves, and what
 * the offsets, views and indices in their buffers point at. Stateless; safe from any thread.
 *
 * The sizes of buffers are the caller's word; everything that can be checked against it is.
 */
#ifndef FTL_ENGINE_COLUMNS_H
#define FTL_ENGINE_COLUMNS_H

#include "model/model.h"

/* SHAPE, SCHEMA or ARG with the column's place. Columns that the model does not use pass unseen. */
FTL_MUST_USE ftl_status ftl_batch_check(const ftl_model *model, const ftl_batch *in,
                                        ftl_error *error);
/* Puts a column's place in front of an error's message that says what is wrong with it. */
void ftl_column_add_place(const ftl_model *model, size_t input, ftl_error *error);
/* The same for a matrix alone. */
FTL_MUST_USE ftl_status ftl_matrix_check(const ftl_model *model, const ftl_matrix *matrix,
                                         ftl_error *error);
/* ARG when strides lead past what memory can hold, or data is NULL although there are elements. */
FTL_MUST_USE ftl_status ftl_matrix_check_reach(const void *data, ftl_type dtype, size_t rows,
                                               size_t columns, ptrdiff_t row_stride,
                                               ptrdiff_t column_stride, ftl_error *error);

#endif
