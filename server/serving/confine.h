/*
 * Files that requests name lie beneath a folder, whatever "..", links or spellings say. The folder
 * is opened once; the kernel resolves (openat2), and where it cannot every component is walked
 * without following links.
 */
#ifndef FTL_SERVER_SERVING_CONFINE_H
#define FTL_SERVER_SERVING_CONFINE_H

#include "http/http.h"

#include <limits.h>

typedef struct srv_root {
    int descriptor; /* -1: nothing may be named */
    char path[PATH_MAX];
} srv_root;

FTL_MUST_USE ftl_status srv_root_open(srv_root *root, const char *folder, const char *setting,
                                      ftl_error *error);
void srv_root_close(srv_root *root);
/*
 * The real path of a file that is there, beneath the root; out has PATH_MAX bytes. 0, or a status
 * of HTTP: 404 there is none, 403 it lies elsewhere, 422 it is no path. An absolute path that
 * begins with the root's is meant beneath it.
 */
int srv_root_find(const srv_root *root, srv_text path, char out[PATH_MAX]);
/*
 * The same, as a descriptor that names the file and reads nothing (O_PATH): what it names stays the
 * same whatever becomes of the path. The caller closes it.
 */
int srv_root_open_file(const srv_root *root, srv_text path, int *descriptor);
/*
 * For a file that need not be there: the folder that it is to be in, as such a descriptor, and its
 * name there. Statuses as above; 404: there is no such folder.
 */
int srv_root_open_folder(const srv_root *root, srv_text path, int *folder, char name[NAME_MAX + 1]);
/* The path below the root, for clients. */
const char *srv_root_shown(const srv_root *root, const char *path);

#endif
