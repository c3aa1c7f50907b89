/*
 * The pickle machine on raw bytes, with tight budgets, and every accessor on what it made.
 * Projections are on, so that packed reading is reached too.
 */
#include "fuzz_graph.h"

#include "pickle/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ftl_account account;
    ftl_stream *stream = NULL;
    ftl_account_init(&account, NULL, 256u << 20);
    if (ftl_stream_open_memory(&account, data, size, &stream, NULL) != FTL_OK)
        return 0;
    fuzz_graph(&account, stream);
    ftl_stream_close(stream);
    fuzz_require(ftl_account_used(&account) == 0);
    return 0;
}
