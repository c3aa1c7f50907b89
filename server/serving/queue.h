/* Bytes that wait, the first in are the first out. One thread at a time; zero is an empty one. */
#ifndef FTL_SERVER_SERVING_QUEUE_H
#define FTL_SERVER_SERVING_QUEUE_H

#include "base/alloc.h"

typedef struct srv_queue {
    char *bytes; /* those from `from` on wait */
    size_t from, size, room;
} srv_queue;

/* False: no memory. */
bool srv_queue_put(ftl_account *account, srv_queue *queue, const char *data, size_t size);
/* Takes up to size bytes; returns how many. */
size_t srv_queue_take(srv_queue *queue, char *out, size_t size);
void srv_queue_free(ftl_account *account, srv_queue *queue);

#endif
