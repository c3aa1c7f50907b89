/* What the files of foretell-server share. */
#ifndef FORETELL_SERVER_H
#define FORETELL_SERVER_H

/* The folder that holds swagger-ui/ and redoc/, found from where the program lies, so that an
 * installed tree may be moved. NULL when it is not there. The text is static; the first call looks
 * and must come before other threads. */
const char *ftl_server_web_root(void);

#endif
