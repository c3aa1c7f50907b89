/*
 * The columns of a model for who writes requests: their kinds, the categories that training knew,
 * and a row to begin with. They come from the model's description (ftl_model_describe).
 */
#ifndef FTL_SERVER_API_SCHEMA_H
#define FTL_SERVER_API_SCHEMA_H

#include "http/http.h"

#include <foretell/foretell.h>

/* The description as JSON, appended to out, without what ends its line. */
FTL_MUST_USE ftl_status srv_put_description(ftl_strbuf *out, const ftl_model *model,
                                            ftl_error *error);
/*
 * A row that the model takes: an object by column, or an array when the columns have no names.
 * Texts are categories that training knew, numbers are zero. [] for a model of open width.
 */
void srv_put_example(ftl_strbuf *out, srv_text description);
/* The same row as a request of the Open Inference Protocol: a tensor for each column, or one. */
void srv_put_v2_example(ftl_strbuf *out, srv_text description);
/* The same as a JSON schema of one row. */
void srv_put_row_schema(ftl_strbuf *out, srv_text description);

#endif
