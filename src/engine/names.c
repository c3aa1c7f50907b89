#include "engine/names.h"

#include <stdlib.h>
#include <string.h>

bool ftl_equal_but_for_spaces(const char *header, const char *name)
{
    for (; *header && (*header == *name || (*header == ' ' && *name == '_')); header++)
        name++;
    return *header == *name;
}

typedef struct named {
    const char *name;
    size_t index;
} named;

static int by_name(const void *a, const void *b)
{
    const named *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : left->index < right->index ? -1 : left->index > right->index;
}

static int has_name(const void *name, const void *entry)
{
    return strcmp(name, ((const named *)entry)->name);
}

/* Numbers entries [begin, end) of the sorted names, which are equal. */
static ftl_status number_run(ftl_sink_column *columns, size_t n_keep, const named *sorted, size_t n,
                             size_t begin, size_t end, ftl_arena *arena, ftl_error *error)
{
    bool is_output = sorted[end - 1].index >= n_keep; /* it keeps its name, else the first does */
    size_t number = 1;
    for (size_t i = is_output ? begin : begin + 1; i < end; i++) {
        if (sorted[i].index >= n_keep)
            continue;
        const char *name;
        do {
            name = ftl_arena_printf(arena, "%s.%zu", sorted[i].name, number++);
            if (!name)
                return FTL_OOM(error);
        } while (bsearch(name, sorted, n, sizeof *sorted, has_name));
        columns[sorted[i].index].name = name;
    }
    return FTL_OK;
}

ftl_status ftl_number_repeats(ftl_sink_column *columns, size_t n_keep, size_t n, ftl_arena *arena,
                              ftl_error *error)
{
    if (n_keep == 0)
        return FTL_OK;
    named *sorted = ftl_arena_array(arena, n, sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (named){columns[i].name, i};
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && strcmp(sorted[begin].name, sorted[end].name) == 0;)
            end++;
        if (end - begin > 1)
            FTL_TRY(number_run(columns, n_keep, sorted, n, begin, end, arena, error));
    }
    return FTL_OK;
}
