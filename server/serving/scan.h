/* Which models the command line and its folders name, as they stand there just now. */
#ifndef FTL_SERVER_SERVING_SCAN_H
#define FTL_SERVER_SERVING_SCAN_H

#include "config.h"

typedef struct srv_found {
    char *path, *name;
    char *version; /* NULL: it has none */
} srv_found;

typedef struct srv_listing {
    ftl_account *account;
    srv_found *items; /* by name, then version */
    size_t n, room;
    srv_list folders; /* where a change would be another listing */
} srv_listing;

/*
 * MODEL, NAME=MODEL or a folder, as arguments have it: a folder holds models, and folders
 * NAME/VERSION/ with one model each. first: a file that is not there is an error; later it may come
 * back. The listing is freed whatever the status.
 */
FTL_MUST_USE ftl_status srv_scan(srv_listing *listing, ftl_account *account,
                                 const srv_list *arguments, bool first, ftl_error *error);
void srv_listing_free(srv_listing *listing);
/* By numbers where both are: 9 comes before 10. NULL is the least. */
int srv_compare_versions(const char *a, const char *b);

#endif
