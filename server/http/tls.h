/*
 * TLS between the sockets and the parser. A context holds the certificate and the key, which may be
 * replaced at any time: connections that are open keep what they began with.
 */
#ifndef FTL_SERVER_HTTP_TLS_H
#define FTL_SERVER_HTTP_TLS_H

#include "base/alloc.h"

typedef struct srv_tls_context srv_tls_context;

/*
 * Reads a chain of certificates and its private key, both PEM files. ARG with a message that names
 * the file. *out is the caller's.
 */
FTL_MUST_USE ftl_status srv_tls_create(ftl_account *account, const char *certificate,
                                       const char *key, srv_tls_context **out, ftl_error *error);
/* Reads them anew; on failure the ones of before stay. Any thread. */
FTL_MUST_USE ftl_status srv_tls_reload(srv_tls_context *context, const char *certificate,
                                       const char *key, ftl_error *error);
void srv_tls_destroy(srv_tls_context *context); /* NULL is allowed */

#endif
