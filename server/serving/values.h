/* Outputs and labels as JSON. Floats are the shortest digits that read back; NaN, infinite and
 * missing ones are null. */
#ifndef FTL_SERVER_SERVING_VALUES_H
#define FTL_SERVER_SERVING_VALUES_H

#include "base/strbuf.h"

/* One value of a column of a session's outputs. */
void srv_put_value(ftl_strbuf *out, const ftl_column *column, size_t row);
/* Whether a method's values are an array of one dimension, as those of the source library are. */
bool srv_is_flat(ftl_method method, size_t n_columns);
/* The columns of a method: [v, v, ...] where that is flat, otherwise [[v, v], ...]. */
void srv_put_rows(ftl_strbuf *out, ftl_method method, const ftl_batch *batch);
/* The classes of a model's only target, [..]; of several targets [[..], ..]; [] for no classifier.
 */
void srv_put_classes(ftl_strbuf *out, const ftl_model *model);
void srv_put_f64(ftl_strbuf *out, double value);

#endif
