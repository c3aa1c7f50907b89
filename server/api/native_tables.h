/* Tables instead of JSON as the body, or the answer, of predict. */
#ifndef FTL_SERVER_API_NATIVE_TABLES_H
#define FTL_SERVER_API_NATIVE_TABLES_H

#include "http/http.h"

/* Whether the request's body is a table of another format than JSON. */
bool srv_tables_wanted(const srv_request *request);
/*
 * POST predict?model_path=…: the model and the options stand in the query, the body is CSV, JSON
 * lines, Arrow or Parquet; the answer is JSON, or the table that Accept asks for.
 */
srv_result srv_tables_predict(srv_request *request);

#endif
