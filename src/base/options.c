#include "base/options.h"

#include <string.h>

static size_t size_of(const void *options)
{
    size_t size;
    memcpy(&size, options, sizeof size);
    return size;
}

static ftl_status check_size(const void *options, const char *name, ftl_error *error)
{
    if (options && size_of(options) < sizeof(size_t))
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_STRUCT_SIZE, "struct_size",
                               "set struct_size to sizeof(%s)", name);
    return FTL_OK;
}

ftl_status ftl_options_read(void *out, size_t out_size, const void *in, const char *name,
                            ftl_error *error)
{
    FTL_TRY(check_size(in, name, error));
    memset(out, 0, out_size);
    if (in)
        memcpy(out, in, size_of(in) < out_size ? size_of(in) : out_size);
    memcpy(out, &out_size, sizeof out_size);
    return FTL_OK;
}

ftl_status ftl_out_check(const void *out, const char *name, ftl_error *error)
{
    return check_size(out, name, error);
}

void ftl_out_write(void *out, const void *filled, size_t filled_size)
{
    if (!out)
        return;
    size_t size = size_of(out), head = sizeof(size_t);
    size_t both = size < filled_size ? size : filled_size;
    memcpy((char *)out + head, (const char *)filled + head, both - head);
    memset((char *)out + both, 0, size - both);
}
