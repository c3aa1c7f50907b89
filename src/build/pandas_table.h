/*
 * Indices, Series and DataFrames of pandas in the object graph. The data of tables lie in blocks of
 * columns of one type, which the versions of pandas pickle in three ways.
 */
#ifndef FTL_BUILD_PANDAS_TABLE_H
#define FTL_BUILD_PANDAS_TABLE_H

#include "build/build.h"

typedef struct ftl_pandas_series {
    size_t n;
    const ftl_node *index, *values; /* arrays or lists of n elements */
} ftl_pandas_series;

/* A DataFrame of numbers; what is None is NaN. */
typedef struct ftl_pandas_table {
    size_t rows, columns;
    const ftl_node *index, *names; /* arrays or lists */
    double *values;                /* [rows][columns] */
} ftl_pandas_table;

/*
 * The plain list inside what may stand where columns or values do: the data of an Index or of a
 * _RemainderColsList, the values of a Series. Anything else is itself.
 */
const ftl_node *ftl_inner_list(const ftl_node *node);

/* CORRUPT, or UNSUPPORTED for indices and columns of types that are not read. */
FTL_MUST_USE ftl_status ftl_pandas_series_read(ftl_build *build, const ftl_node *node,
                                               ftl_pandas_series *out, ftl_error *error);
FTL_MUST_USE ftl_status ftl_pandas_table_read(ftl_build *build, const ftl_node *node,
                                              ftl_pandas_table *out, ftl_error *error);

#endif
