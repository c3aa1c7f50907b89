/*
 * The compressed files of joblib 0.9 and older: "ZF", the decoded length as 19 characters of
 * hexadecimal text ("0x1f4" padded with spaces; 20 characters from Python 2 before joblib 0.8.4),
 * then zlib data. The length is checked, as joblib did.
 */
#include "io/codec.h"

#include <string.h>

enum { PREFIX = 2, DIGITS = 19, HEADER = PREFIX + DIGITS };

/* The digits' value; false when the text is not "0x", hexadecimal digits, spaces. */
static bool parse_length(const uint8_t *text, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 2;
    if (text[0] != '0' || text[1] != 'x')
        return false;
    for (; i < DIGITS && text[i] != ' '; i++) {
        uint8_t c = text[i];
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
        if ((!digit && !letter) || value >> 60)
            return false;
        value = value << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    bool any = i > 2;
    for (; i < DIGITS; i++) {
        if (text[i] != ' ')
            return false;
    }
    *out = value;
    return any;
}

static int joblib_zf_bid(const uint8_t *data, size_t size)
{
    uint64_t length;
    bool match = size > HEADER && data[0] == 'Z' && data[1] == 'F' &&
                 parse_length(data + PREFIX, &length);
    return match ? 8 * HEADER : 0;
}

#if FTL_HAVE_ZLIB
typedef struct zf_state {
    ftl_account *account;
    ftl_stream *inner; /* the zlib stream */
    uint64_t expected, seen;
} zf_state;

static ftl_status zf_read(void *opaque, void *out, size_t room, size_t *got, ftl_error *error)
{
    zf_state *zf = opaque;
    FTL_TRY(ftl_stream_read_some(zf->inner, out, room, got, error));
    zf->seen += *got;
    bool ended = *got == 0;
    if (zf->seen > zf->expected || (ended && zf->seen != zf->expected))
        return FTL_FAIL(
            error, FTL_CORRUPT,
            "joblib's ZF header says %llu bytes but the data has %s; get the file again",
            (unsigned long long)zf->expected, ended ? "fewer" : "more");
    return FTL_OK;
}

static void zf_close(void *opaque)
{
    zf_state *zf = opaque;
    ftl_stream_close(zf->inner);
    ftl_free(zf->account, zf);
}

static ftl_status zf_verify(void *opaque, ftl_error *error)
{
    return ftl_stream_verify(((zf_state *)opaque)->inner, error);
}

static ftl_status read_header(ftl_stream *source, uint64_t *expected, ftl_error *error)
{
    const uint8_t *data;
    size_t available;
    FTL_TRY(ftl_stream_ahead(source, HEADER + 1, &data, &available, error));
    if (available <= HEADER || !parse_length(data + PREFIX, expected))
        return FTL_FAIL(error, FTL_CORRUPT, "joblib's ZF header is damaged; get the file again");
    /* zlib data never begins with a space, so one here belongs to the wider header. */
    ftl_stream_consume(source, data[HEADER] == ' ' ? HEADER + 1 : HEADER);
    FTL_TRY(ftl_stream_ahead(source, ftl_codec_zlib.magic_size, &data, &available, error));
    if (!ftl_codec_zlib.bid(data, available))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "no zlib data follows joblib's ZF header; get the file again");
    return FTL_OK;
}

static ftl_status joblib_zf_open(ftl_account *account, ftl_stream *source, uint64_t budget,
                                 ftl_stream **out, ftl_error *error)
{
    static const ftl_stream_ops ops = {.read = zf_read, .close = zf_close, .verify = zf_verify};
    uint64_t expected;
    FTL_TRY(read_header(source, &expected, error));
    if (budget && expected > budget)
        return FTL_FAIL(error, FTL_LIMIT,
                        "joblib's ZF header asks for %llu bytes, above the limit of %llu",
                        (unsigned long long)expected, (unsigned long long)budget);
    zf_state *zf = ftl_alloc_zero(account, 1, sizeof *zf);
    if (!zf)
        return FTL_OOM(error);
    zf->account = account;
    zf->expected = expected;
    ftl_stream *outer;
    FTL_TRY(ftl_stream_create(account, &ops, zf, budget, &outer, error));
    ftl_status status = ftl_codec_zlib.open(account, source, budget, &zf->inner, error);
    if (status != FTL_OK) {
        ftl_stream_close(outer);
        return status;
    }
    *out = outer;
    return FTL_OK;
}
#else
#define joblib_zf_open NULL
#endif

const ftl_codec ftl_codec_joblib_zf = {.name = "joblib-zf",
                                       .option = "FTL_WITH_ZLIB",
                                       .magic_size = HEADER + 1,
                                       .bid = joblib_zf_bid,
                                       .open = joblib_zf_open};
