#include "table/gzip_writer.h"

#if FTL_HAVE_ZLIB
#include <zlib.h>

enum {
    WINDOW_BITS = 15 + 16, /* the largest window, and gzip's header without a name or a time */
    MEMORY_LEVEL = 8,
    PIECE = 64 << 10
};

struct ftl_gzip_writer {
    ftl_account *account;
    z_stream z;
    unsigned char out[PIECE];
};

static void *allocate(void *opaque, unsigned count, unsigned size)
{
    return ftl_alloc_array(opaque, count, size);
}

static void release(void *opaque, void *pointer) { ftl_free(opaque, pointer); }

ftl_status ftl_gzip_writer_create(ftl_account *account, ftl_gzip_writer **out, ftl_error *error)
{
    ftl_gzip_writer *writer = ftl_alloc_zero(account, 1, sizeof *writer);
    if (!writer)
        return FTL_OOM(error);
    writer->account = account;
    writer->z.zalloc = allocate;
    writer->z.zfree = release;
    writer->z.opaque = account;
    if (deflateInit2(&writer->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        ftl_free(account, writer);
        return FTL_OOM(error);
    }
    *out = writer;
    return FTL_OK;
}

ftl_status ftl_gzip_writer_write(ftl_gzip_writer *writer, const void *data, size_t size, bool last,
                                 ftl_gzip_emit_fn emit, void *user, ftl_error *error)
{
    enum { MOST = 1 << 30 }; /* zlib counts in unsigned */
    z_stream *z = &writer->z;
    const unsigned char *next = data;
    do {
        size_t part = size < MOST ? size : MOST;
        z->next_in = (z_const Bytef *)next;
        z->avail_in = (uInt)part;
        next += part;
        size -= part;
        do {
            z->next_out = writer->out;
            z->avail_out = PIECE;
            if (deflate(z, last && size == 0 ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
                return FTL_FAIL(error, FTL_INTERNAL, "zlib cannot pack the output");
            size_t made = PIECE - z->avail_out;
            if (made)
                FTL_TRY(emit(user, writer->out, made, error));
        } while (z->avail_out == 0);
    } while (size);
    return FTL_OK;
}

void ftl_gzip_writer_destroy(ftl_gzip_writer *writer)
{
    if (!writer)
        return;
    (void)deflateEnd(&writer->z);
    ftl_free(writer->account, writer);
}
#else
ftl_status ftl_gzip_writer_create(ftl_account *account, ftl_gzip_writer **out, ftl_error *error)
{
    (void)account;
    (void)out;
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "this build has no zlib, so it writes no .gz files; write a .csv");
}

ftl_status ftl_gzip_writer_write(ftl_gzip_writer *writer, const void *data, size_t size, bool last,
                                 ftl_gzip_emit_fn emit, void *user, ftl_error *error)
{
    (void)writer;
    (void)data;
    (void)size;
    (void)last;
    (void)emit;
    (void)user;
    return FTL_FAIL(error, FTL_INTERNAL, "there is no zlib");
}

void ftl_gzip_writer_destroy(ftl_gzip_writer *writer) { (void)writer; }
#endif
