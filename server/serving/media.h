/* Tables as bodies: which Content-Type is which format. */
#ifndef FTL_SERVER_SERVING_MEDIA_H
#define FTL_SERVER_SERVING_MEDIA_H

#include "http/http.h"

typedef struct srv_media {
    const char *type;   /* what Content-Type is when we write it */
    const char *format; /* as the library calls it */
    const char *file;   /* a name with the format's ending: what the library writes by */
    bool streams;       /* rows can be read and written while they come */
} srv_media;

/* Of a request's Content-Type; NULL: it is no table, or JSON. */
const srv_media *srv_media_of_body(const srv_request *request);
/*
 * What a request accepts as a table: of its Accept the first that is one, without regard to
 * weights. *anything: it says nothing, or takes whatever it gets.
 */
const srv_media *srv_media_accepted(const srv_request *request, bool *anything);

#endif
