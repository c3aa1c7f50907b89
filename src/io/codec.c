#include "io/codec.h"

#include "base/ending.h"

#include <stdio.h>
#include <string.h>

enum { LAYERS = 4 };

static const ftl_codec *const codecs[] = {&ftl_codec_zlib, &ftl_codec_gzip,     &ftl_codec_bzip2,
                                          &ftl_codec_xz,   &ftl_codec_lzma,     &ftl_codec_lz4,
                                          &ftl_codec_zstd, &ftl_codec_joblib_zf};

size_t ftl_codec_strip_ending(const char *path, size_t size)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(codecs); i++) {
        if (codecs[i]->ending && ftl_has_ending(path, size, codecs[i]->ending))
            return size - strlen(codecs[i]->ending);
    }
    return size;
}

static ftl_status best_bid(ftl_stream *stream, const ftl_codec **best, ftl_error *error)
{
    const uint8_t *data;
    size_t available, want = 0;
    for (size_t i = 0; i < FTL_ARRAY_LEN(codecs); i++) {
        if (codecs[i]->magic_size > want)
            want = codecs[i]->magic_size;
    }
    FTL_TRY(ftl_stream_ahead(stream, want, &data, &available, error));
    int highest = 0;
    *best = NULL;
    for (size_t i = 0; i < FTL_ARRAY_LEN(codecs); i++) {
        int bid = codecs[i]->bid(data, available);
        if (bid > highest) {
            highest = bid;
            *best = codecs[i];
        }
    }
    return FTL_OK;
}

static void add_name(char *names, size_t size, const char *name)
{
    size_t length = names ? strlen(names) : 0;
    if (names && length < size)
        snprintf(names + length, size - length, "%s%s", length ? "+" : "", name);
}

ftl_status ftl_codec_decode(ftl_account *account, ftl_stream **stream, uint64_t budget, char *names,
                            size_t names_size, ftl_error *error)
{
    if (names_size == 0)
        names = NULL;
    if (names)
        names[0] = '\0';
    for (int layer = 0;; layer++) {
        const ftl_codec *codec;
        FTL_TRY(best_bid(*stream, &codec, error));
        /* decoded layers have their budget from opening; this bounds plain files and /dev/zero */
        if (!codec)
            return layer ? FTL_OK : ftl_stream_limit(*stream, budget, error);
        if (layer == LAYERS)
            return FTL_FAIL(
                error, FTL_LIMIT,
                "more than %d layers of compression (%s inside); decompress the file first", LAYERS,
                codec->name);
        if (!codec->open)
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "%s data, which this build cannot read; build foretell with -D%s=ON or "
                            "decompress the file",
                            codec->name, codec->option);
        add_name(names, names_size, codec->name);
        FTL_TRY(codec->open(account, *stream, budget, stream, error));
    }
}

uint64_t ftl_codec_budget(uint64_t file_bytes, uint64_t max_bytes)
{
    const uint64_t most = (uint64_t)64 << 30, ratio = 1000, floor = (uint64_t)256 << 20;
    if (max_bytes)
        return max_bytes;
    if (file_bytes == 0 || file_bytes > most / ratio)
        return most;
    return file_bytes * ratio > floor ? file_bytes * ratio : floor;
}
