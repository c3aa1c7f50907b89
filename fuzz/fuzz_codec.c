/* Any bytes through the codec layers, 1 MiB out at most, read in pieces whose size the input
 * chooses. */
#include "io/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { BUDGET = 1 << 20, MEMORY = 512 << 20 };
    static uint8_t piece[70000];
    size_t step = size ? 1 + (size_t)data[size - 1] * 273
                       : 1; /* 69616 at most: both sides of a direct read */
    ftl_account account;
    ftl_account_init(&account, NULL, MEMORY);
    ftl_stream *stream = NULL;
    if (ftl_stream_open_memory(&account, data, size, &stream, NULL) != FTL_OK)
        return 0;
    char names[16]; /* small on purpose */
    ftl_error error;
    ftl_status status = ftl_codec_decode(&account, &stream, BUDGET, names, sizeof names, &error);
    uint64_t total = 0;
    while (status == FTL_OK) {
        size_t got = 0;
        status = ftl_stream_read_some(stream, piece, step, &got, &error);
        if (got == 0)
            break;
        total += got;
    }
    ftl_stream_close(stream);
    if (total > BUDGET + size || ftl_account_used(&account) != 0)
        __builtin_trap();
    return 0;
}
