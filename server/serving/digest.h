/*
 * The SHA-256 of model files, remembered for as long as the file is the same (device, inode, size,
 * times). Thread-safe; reads the file, so it is for threads that may wait.
 */
#ifndef FTL_SERVER_SERVING_DIGEST_H
#define FTL_SERVER_SERVING_DIGEST_H

#include "base/alloc.h"

enum { SRV_DIGEST_SIZE = 65 }; /* hexadecimal digits and a zero byte */

/* False: the path leads to no file that can be read. */
bool srv_digest_of(const char *path, char out[SRV_DIGEST_SIZE]);

#endif
