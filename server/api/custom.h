/*
 * Routes of the configuration: the paths of a service that this one takes the place of, and those
 * that Vertex AI gives a container.
 */
#ifndef FTL_SERVER_API_CUSTOM_H
#define FTL_SERVER_API_CUSTOM_H

#include "serving/catalog.h"

/* Makes them, once the models are known. ARG for what is no route, or a model that is not there. */
FTL_MUST_USE ftl_status srv_custom_create(srv_server *server, ftl_error *error);
void srv_custom_destroy(srv_server *server);

#endif
