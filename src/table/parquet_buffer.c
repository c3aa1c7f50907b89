#include "table/parquet_buffer.h"

#include "table/parquet_decode.h"

#include <string.h>

ftl_status ftl_parquet_buffer_fit(ftl_parquet_buffer *buffer, ftl_account *account, size_t keep,
                                  size_t size, ftl_error *error)
{
    size_t room = size + FTL_PARQUET_PADDING;
    if (room > buffer->room) {
        room += room / 8; /* pages differ a little in size */
        uint8_t *data = keep ? ftl_realloc(account, buffer->data, room) : ftl_alloc(account, room);
        if (!data)
            return FTL_OOM(error);
        if (!keep)
            ftl_free(account, buffer->data);
        buffer->data = data;
        buffer->room = room;
    }
    buffer->size = size;
    memset(buffer->data + size, 0, FTL_PARQUET_PADDING);
    return FTL_OK;
}
