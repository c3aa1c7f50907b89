/* Elements of a numpy array's data, whatever their dtype and memory order. */
#ifndef FTL_PICKLE_ELEMENT_H
#define FTL_PICKLE_ELEMENT_H

#include "pickle/node.h"

/* The address of element i (C order); NULL behind the end and for an array of objects. */
const unsigned char *ftl_element_at(const ftl_node_array *array, size_t i);
/* Element i (C order) as a number. False when there is none at i, or it does not fit. */
bool ftl_element_f64(const ftl_node_array *array, size_t i, double *out);
bool ftl_element_i64(const ftl_node_array *array, size_t i, int64_t *out);
/* Element i (C order) of an array of unsigned integers. */
bool ftl_element_u64(const ftl_node_array *array, size_t i, uint64_t *out);

#endif
