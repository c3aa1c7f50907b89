/* What paths and names mean, remembered by each loop for a moment: a warm request makes no call of
 * the system for it. */
#ifndef FTL_SERVER_SERVING_LOOKUP_H
#define FTL_SERVER_SERVING_LOOKUP_H

#include "serving/catalog.h"

/* As srv_catalog_at_path, for a handler. */
srv_model *srv_lookup_path(srv_request *request, srv_text path, int *status, ftl_error *error);
/*
 * The model of a name and a version (data NULL: the latest), for a handler; a name that is none may
 * be a path as above. NULL: *result is the reply.
 */
srv_model *srv_lookup_name(srv_request *request, srv_text name, srv_text version,
                           srv_result *result);
/*
 * The model of a request whose path names none: the one that the header X-Foretell-Model or the
 * query's model says, or the only one of the command line.
 */
srv_model *srv_lookup_only(srv_request *request, srv_result *result);
/* Forgets it all; the loop has ended. */
void srv_lookup_free(srv_loop *loop);

#endif
