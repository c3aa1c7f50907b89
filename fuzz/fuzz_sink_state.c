/*
 * What stands beside an output that is to be gone on with: the metadata of its row groups, or the
 * places of its record batches. The first byte says which, eight bytes each follow for how far the
 * file goes and how many rows it has; the rest is what the records say.
 */
#include "table/sink_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_sink(ftl_account *account, bool arrow, ftl_sink **out)
{
    static const ftl_sink_column columns[] = {{"x", FTL_F64}, {"text", FTL_STRING}};
    char path[64];
    snprintf(path, sizeof path, "/tmp/fuzz_sink_state_%ld.%s", (long)getpid(),
             arrow ? "arrow" : "parquet");
    const ftl_sink_options options = {
        .path = path, .columns = columns, .n_columns = 2, .resumable = true};
    if (ftl_sink_open(account, &options, out, NULL) != FTL_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 1 + 2 * sizeof(uint64_t) };
    ftl_account account;
    ftl_output_mark mark;
    ftl_sink *sink;
    if (size < HEAD)
        return 0;
    memcpy(&mark.packed, data + 1, sizeof mark.packed);
    memcpy(&mark.written, data + 1 + sizeof mark.packed, sizeof mark.written);
    ftl_account_init(&account, NULL, 256 << 20);
    open_sink(&account, data[0] & 1, &sink);
    const ftl_output_mark beginning = sink->mark;
    ftl_status status = sink->kind->restore(sink, data + HEAD, size - HEAD, &mark, NULL);
    if (status != FTL_OK && status != FTL_CORRUPT && status != FTL_NOMEM)
        abort();
    /* and as if nothing had been */
    if (sink->kind->restore(sink, NULL, 0, &beginning, NULL) != FTL_OK)
        abort();
    ftl_sink_abort(sink);
    if (ftl_account_used(&account) != 0)
        abort();
    return 0;
}
