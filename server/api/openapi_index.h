/*
 * What server/openapi/ says of each route: every file holds "paths", as in OpenAPI, and "schemas",
 * but for main.json, model.json and custom-*.json, which openapi.c puts together. Filled once; then
 * read from any thread.
 */
#ifndef FTL_SERVER_API_OPENAPI_INDEX_H
#define FTL_SERVER_API_OPENAPI_INDEX_H

#include "http/http.h"

/* Reads the files; what they say wrong is a fault of the program: ARG with the file's name. */
FTL_MUST_USE ftl_status srv_openapi_index_init(ftl_error *error);
/* The operation of a route, an object of JSON; data NULL: nobody has described it. */
srv_text srv_openapi_operation(const srv_route *route);
size_t srv_openapi_file_count(void);
/* The members of the schemas of a file, without braces; empty when none of its paths is a route. */
srv_text srv_openapi_schemas(size_t file);

#endif
