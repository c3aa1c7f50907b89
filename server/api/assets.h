/* Files that are compiled into the program: server/web/ and server/openapi/. */
#ifndef FTL_SERVER_API_ASSETS_H
#define FTL_SERVER_API_ASSETS_H

#include <stddef.h>

typedef struct srv_asset {
    const char *name; /* of the file, without its folder */
    const char *data; /* not text: size bytes */
    size_t size;
    const char *etag; /* in quotes, as the header has it */
} srv_asset;

extern const srv_asset srv_embedded[];
extern const size_t srv_n_embedded;

/* NULL: there is none of that name. */
const srv_asset *srv_asset_find(const char *name);

#endif
