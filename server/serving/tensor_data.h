/* Data of tensors, as JSON or as bytes, as columns have them. For serving/tensor.c. */
#ifndef FTL_SERVER_SERVING_TENSOR_DATA_H
#define FTL_SERVER_SERVING_TENSOR_DATA_H

#include "io/json.h"
#include "serving/tensor.h"

/* Texts of JSON with escapes, resolved: of a whole request, since each is resolved once. */
typedef struct srv_escaped {
    char *data;
    size_t size, room; /* room 0: nothing yet */
} srv_escaped;

/*
 * The data of a tensor whose type, rows and width are known: an array that lies flat or nested as
 * the shape is. The ARRAY token was the last one; the array's end is then.
 */
FTL_MUST_USE ftl_status srv_tensor_read_json(ftl_arena *arena, ftl_json *json, srv_tensor *tensor,
                                             srv_escaped *escaped, ftl_error *error);
/*
 * The same of bytes, little-endian and row by row; texts have their length in four bytes in front.
 * at: where the data begins in the body.
 */
FTL_MUST_USE ftl_status srv_tensor_read_bytes(ftl_arena *arena, const char *body, size_t at,
                                              size_t size, srv_tensor *tensor, ftl_error *error);

#endif
