/* What a browser is shown. */
#ifndef FTL_SERVER_API_PAGES_H
#define FTL_SERVER_API_PAGES_H

#include "server.h"

/* Finds the assets. */
FTL_MUST_USE ftl_status srv_pages_init(srv_server *server, ftl_error *error);

#endif
