/*
 * Rows of JSON as clients of other services write them, beside the forms that ftl_session_read
 * takes: the columns' names may stand behind the rows, numbers alone are a row or a column, a table
 * may be the only member of an object, and a value by name may be in a list of its own.
 */
#ifndef FTL_SERVER_SERVING_ROWS_H
#define FTL_SERVER_SERVING_ROWS_H

#include "serving/call.h"

/* Reads data[0..size), one JSON value in the request's body, as srv_call_read does. */
bool srv_rows_read(srv_call *call, const char *data, size_t size, srv_result *result);
/* The method of a name, as ftl_method_parse finds it. */
FTL_MUST_USE ftl_status srv_method_named(srv_text name, ftl_method *method, ftl_error *error);
/* "predict_proba", for a model that has it; "" is the default. False: *result is the reply. */
bool srv_rows_method(srv_call *call, srv_text name, uint32_t *methods, srv_result *result);
/* Predicts what was read, and writes the rows of the call's method as JSON. */
bool srv_rows_answer(srv_call *call, const char *before, const char *behind, srv_result *result);
/* The same as CSV without a header: a line for each row. */
bool srv_rows_answer_csv(srv_call *call, srv_result *result);

#endif
