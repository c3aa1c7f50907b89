#include "base/ending.h"

#include <string.h>

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool ftl_has_ending(const char *path, size_t size, const char *ending)
{
    size_t n = strlen(ending);
    if (size <= n || path[size - n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (small(path[size - n + i]) != ending[i])
            return false;
    }
    return true;
}
