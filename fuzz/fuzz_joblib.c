/* The pickle machine behind the codecs: what a .joblib file goes through. */
#include "fuzz_graph.h"

#include "io/codec.h"
#include "pickle/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { DECODED = 8 << 20 };
    ftl_account account;
    ftl_stream *stream = NULL;
    char names[64];
    ftl_account_init(&account, NULL, 256u << 20);
    if (ftl_stream_open_memory(&account, data, size, &stream, NULL) != FTL_OK)
        return 0;
    if (ftl_codec_decode(&account, &stream, DECODED, names, sizeof names, NULL) == FTL_OK)
        fuzz_graph(&account, stream);
    ftl_stream_close(stream);
    fuzz_require(ftl_account_used(&account) == 0);
    return 0;
}
