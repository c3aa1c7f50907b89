/* The threads that run what may not run on a loop. */
#include "base/cpu_count.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>

void srv_set_pool_size(const srv_config *config)
{
    char text[16];
    uint32_t threads = config->threads ? config->threads : ftl_cpu_count();
    snprintf(text, sizeof text, "%u", threads < 4 ? 4 : threads * 2);
    setenv("UV_THREADPOOL_SIZE", text, 0);
}
