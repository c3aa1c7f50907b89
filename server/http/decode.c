/*
 * Bodies that a client has packed (Content-Encoding), on a thread of the pool. What comes out is
 * limited like any body, whatever the packed bytes promise.
 */
#include "http/connection.h"

#include "io/codec.h"
#include "server.h"

static const ftl_codec *codec_of(srv_text coding)
{
    static const struct {
        const char *name;
        const ftl_codec *codec;
    } codings[] = {{"gzip", &ftl_codec_gzip},
                   {"x-gzip", &ftl_codec_gzip},
                   {"deflate", &ftl_codec_zlib},
                   {"zstd", &ftl_codec_zstd}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(codings); i++) {
        if (srv_text_is_nocase(coding, codings[i].name))
            return codings[i].codec->open ? codings[i].codec : NULL;
    }
    return NULL;
}

/* All of the stream; one byte more than allowed is LIMIT. */
static ftl_status read_all(ftl_stream *stream, ftl_strbuf *out, uint64_t most, ftl_error *error)
{
    enum { STEP = 64 << 10 };
    for (;;) {
        size_t got = 0;
        char *room = ftl_strbuf_reserve(out, STEP);
        if (!room)
            return FTL_OOM(error);
        FTL_TRY(ftl_stream_read_some(stream, room, STEP, &got, error));
        if (got == 0)
            return FTL_OK;
        out->size += got;
        if (out->size > most)
            return FTL_FAIL(error, FTL_LIMIT, "it is larger than max-body");
    }
}

static ftl_status decode(srv_request *request, const ftl_codec *codec, ftl_strbuf *out,
                         ftl_error *error)
{
    ftl_account *account = srv_account_of(request->server);
    uint64_t most = srv_config_of(request->server)->max_body;
    const char *data = request->body.data ? request->body.data : "";
    ftl_stream *packed = NULL, *plain = NULL;
    FTL_TRY(ftl_stream_open_memory(account, data, request->body.size, &packed, error));
    ftl_status status = codec->open(account, packed, 0, &plain, error);
    if (status != FTL_OK) {
        ftl_stream_close(packed);
        return status;
    }
    status = read_all(plain, out, most, error);
    ftl_stream_close(plain);
    return status;
}

bool srv_body_is_packed(const srv_request *request)
{
    srv_text coding = srv_known_header(request, SRV_CONTENT_ENCODING);
    return coding.size && !srv_text_is_nocase(coding, "identity");
}

bool srv_body_unpack(srv_request *request)
{
    ftl_error error;
    ftl_strbuf plain;
    const ftl_codec *codec = codec_of(srv_known_header(request, SRV_CONTENT_ENCODING));
    ftl_error_clear(&error);
    if (!codec) {
        srv_add_header(request, "Accept-Encoding", "gzip, deflate, zstd");
        srv_reply_error(request, 415, "the body may be packed by gzip, deflate or zstd");
        return false;
    }
    ftl_strbuf_init(&plain, srv_account_of(request->server), 0);
    ftl_status status = decode(request, codec, &plain, &error);
    if (status != FTL_OK) {
        ftl_strbuf_free(&plain);
        srv_reply_error(request,
                        status == FTL_LIMIT   ? 413
                        : status == FTL_NOMEM ? 503
                                              : 400,
                        "the body cannot be unpacked: %s", error.message);
        return false;
    }
    ftl_strbuf_free(&request->body);
    request->body = plain;
    return true;
}
