/* What a browser is shown: the list of models, Swagger UI, ReDoc, and the files that they load. */
#ifndef FTL_SERVER_API_PAGES_H
#define FTL_SERVER_API_PAGES_H

#include "server.h"

/* Finds the assets of the installation, and says when they are not there. */
FTL_MUST_USE ftl_status srv_pages_init(srv_server *server, ftl_error *error);
/* Reads what server/openapi/ says, and logs the routes that it leaves out. */
FTL_MUST_USE ftl_status srv_openapi_init(srv_server *server, ftl_error *error);
/*
 * True: the client has what this tag names already, and the reply is 304. Otherwise the tag is
 * among the reply's headers. The tag is in quotes.
 */
bool srv_not_modified(srv_request *request, const char *etag);

#endif
