#include "serving/queue.h"

#include <string.h>

bool srv_queue_put(ftl_account *account, srv_queue *queue, const char *data, size_t size)
{
    if (queue->from && queue->from + queue->size + size > queue->room) {
        memmove(queue->bytes, queue->bytes + queue->from, queue->size);
        queue->from = 0;
    }
    if (ftl_grow(account, &queue->bytes, &queue->room, queue->from + queue->size + size, 1, NULL) !=
        FTL_OK)
        return false;
    if (size)
        memcpy(queue->bytes + queue->from + queue->size, data, size);
    queue->size += size;
    return true;
}

size_t srv_queue_take(srv_queue *queue, char *out, size_t size)
{
    size_t n = size < queue->size ? size : queue->size;
    if (n == 0)
        return 0;
    memcpy(out, queue->bytes + queue->from, n);
    queue->from = queue->size == n ? 0 : queue->from + n;
    queue->size -= n;
    return n;
}

void srv_queue_free(ftl_account *account, srv_queue *queue)
{
    ftl_free(account, queue->bytes);
    *queue = (srv_queue){0};
}
