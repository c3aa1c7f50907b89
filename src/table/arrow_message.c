#include "table/arrow_message.h"

#include <string.h>

static const uint8_t continuation[4] = {0xff, 0xff, 0xff, 0xff};
static const char file_magic[] = "ARROW1";

enum {
    MAGIC_SIZE = 6,
    MAGIC_ROOM = 8,    /* with its padding */
    TRAILER_SIZE = 10, /* the footer's length and the magic */
    METADATA_LIMIT = 64 << 20,
    PIECE_SIZE = 1 << 20 /* what a claim of a stream is worth before its bytes have come */
};

static ftl_status truncated(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "the Arrow data is truncated: it ends within a message; get it again");
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

ftl_status ftl_arrow_source_read_at(const ftl_arrow_source *source, uint64_t at, void *out,
                                    size_t size, ftl_error *error)
{
    if (at > source->size || size > source->size - at)
        return truncated(error);
    return size ? ftl_stream_read_at(source->table->stream, at, out, size, error) : FTL_OK;
}

ftl_status ftl_arrow_source_read(ftl_arrow_source *source, void *out, size_t size, ftl_error *error)
{
    uint8_t *next = out;
    if (source->random) {
        FTL_TRY(ftl_arrow_source_read_at(source, source->at, out, size, error));
        source->at += size;
        return FTL_OK;
    }
    while (size) {
        size_t got;
        FTL_TRY(ftl_stream_read_some(source->table->stream, next, size, &got, error));
        if (got == 0)
            return truncated(error);
        next += got;
        size -= got;
    }
    return FTL_OK;
}

ftl_status ftl_arrow_source_skip(ftl_arrow_source *source, uint64_t size, ftl_error *error)
{
    if (source->random) {
        if (size > source->size - source->at)
            return truncated(error);
        source->at += size;
        return FTL_OK;
    }
    while (size) {
        const uint8_t *data;
        size_t seen;
        FTL_TRY(ftl_stream_ahead(source->table->stream, 1, &data, &seen, error));
        if (seen == 0)
            return truncated(error);
        seen = seen < size ? seen : (size_t)size;
        ftl_stream_consume(source->table->stream, seen);
        size -= seen;
    }
    return FTL_OK;
}

/* The next size bytes become the metadata. */
static ftl_status read_metadata(ftl_arrow_source *source, size_t size, ftl_error *error)
{
    ftl_block_bytes *bytes = &source->metadata;
    if (size > METADATA_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT,
                        "the Arrow data has a message of %zu bytes of metadata; the most is %d",
                        size, METADATA_LIMIT);
    if (source->random && size > source->size - source->at)
        return truncated(error);
    bytes->size = 0;
    while (bytes->size < size) {
        size_t piece = size - bytes->size < PIECE_SIZE ? size - bytes->size : PIECE_SIZE;
        FTL_TRY(ftl_block_bytes_reserve(source->table->account, bytes, bytes->size + piece, error));
        FTL_TRY(ftl_arrow_source_read(source, bytes->data + bytes->size, piece, error));
        bytes->size += piece;
    }
    ftl_fb_init(&source->buffer, bytes->data, size);
    return FTL_OK;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* The length in front of a message: 0 ends the stream. END where the bytes end. */
static ftl_status read_length(ftl_arrow_source *source, uint32_t *size, size_t *prefix,
                              ftl_error *error)
{
    uint8_t word[4];
    *prefix = sizeof word;
    if (source->random) {
        if (source->at == source->size)
            return FTL_END;
    } else {
        const uint8_t *data;
        size_t seen;
        FTL_TRY(ftl_stream_ahead(source->table->stream, 1, &data, &seen, error));
        if (seen == 0)
            return FTL_END;
    }
    FTL_TRY(ftl_arrow_source_read(source, word, sizeof word, error));
    if (memcmp(word, continuation, sizeof word) == 0) { /* versions before 0.15 have none */
        FTL_TRY(ftl_arrow_source_read(source, word, sizeof word, error));
        *prefix += sizeof word;
    }
    *size = ftl_le_u32(word);
    if (*size > INT32_MAX)
        return FTL_FAIL(error, FTL_CORRUPT, "the Arrow data is damaged: a message has %d bytes",
                        (int32_t)*size);
    return FTL_OK;
}

static ftl_status parse_message(ftl_arrow_source *source, ftl_arrow_message *out, ftl_error *error)
{
    enum { VERSION = 0, KIND = 1, HEADER = 2, BODY_SIZE = 3, MESSAGE_FIELDS = 5 };
    enum { OLDEST_VERSION = 3 };
    const ftl_fb_table root = ftl_fb_root(&source->buffer);
    int64_t body = ftl_fb_i64(&root, BODY_SIZE, 0);
    ftl_arrow_message message = {.kind = ftl_fb_u8(&root, KIND, 0),
                                 .version = ftl_fb_i16(&root, VERSION, 0),
                                 .header = ftl_fb_child(&root, HEADER),
                                 .body_size = (uint64_t)body};
    ftl_fb_expect(&root, MESSAGE_FIELDS, "Message");
    FTL_TRY(ftl_fb_status(&source->buffer, "a message of the Arrow data", error));
    if (message.version < OLDEST_VERSION)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the Arrow data is of metadata version %d, of Arrow before 0.8; write it "
                        "with a newer one",
                        message.version + 1);
    if (body < 0 || !message.header.buffer)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow data is damaged: a message has no content, or a body of %lld "
                        "bytes",
                        (long long)body);
    if (source->random && message.body_size > source->size - source->at)
        return truncated(error);
    *out = message;
    return FTL_OK;
}

/* The message that the footer tells of. */
static ftl_status read_place(ftl_arrow_source *source, const ftl_arrow_place *place,
                             ftl_arrow_message *out, ftl_error *error)
{
    uint32_t size = 0;
    size_t prefix = 0;
    source->at = place->at;
    ftl_status status = read_length(source, &size, &prefix, error);
    if (status == FTL_END)
        return truncated(error);
    FTL_TRY(status);
    if (size > place->metadata_size || place->metadata_size - size < prefix)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow file is damaged: its footer tells of a message that is not at "
                        "byte %llu",
                        (unsigned long long)place->at);
    FTL_TRY(read_metadata(source, size, error));
    source->at = place->at + place->metadata_size; /* in range: see read_places */
    FTL_TRY(parse_message(source, out, error));
    if (out->body_size != place->body_size)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow file is damaged: footer and message at byte %llu differ",
                        (unsigned long long)place->at);
    return FTL_OK;
}

/* Behind the last message of a file comes its footer, which ends in the magic. */
static ftl_status check_trailer(ftl_arrow_source *source, ftl_error *error)
{
    char last[MAGIC_SIZE] = "";
    for (;;) {
        const uint8_t *data;
        size_t seen;
        FTL_TRY(ftl_stream_ahead(source->table->stream, MAGIC_SIZE + 1, &data, &seen, error));
        if (seen <= MAGIC_SIZE) {
            if (seen == MAGIC_SIZE)
                memcpy(last, data, MAGIC_SIZE);
            ftl_stream_consume(source->table->stream, seen);
            break;
        }
        ftl_stream_consume(source->table->stream, seen - MAGIC_SIZE);
    }
    return memcmp(last, file_magic, MAGIC_SIZE) == 0
               ? FTL_OK
               : FTL_FAIL(error, FTL_CORRUPT,
                          "the Arrow file is truncated: it does not end with its magic; get it "
                          "again");
}

ftl_status ftl_arrow_source_next(ftl_arrow_source *source, ftl_arrow_message *out, ftl_error *error)
{
    uint32_t size = 0;
    size_t prefix = 0;
    if (source->next_dictionary < source->n_dictionaries)
        return read_place(source, &source->dictionaries[source->next_dictionary++], out, error);
    if (source->next_batch < source->n_batches)
        return read_place(source, &source->batches[source->next_batch++], out, error);
    if (source->ended || (source->file && source->random))
        return FTL_END;
    ftl_status status = read_length(source, &size, &prefix, error);
    if (status == FTL_OK && size == 0)
        status = source->file ? check_trailer(source, error) : FTL_END;
    else if (status == FTL_END && source->file)
        status = truncated(error);
    source->ended = status == FTL_END || (status == FTL_OK && size == 0);
    if (source->ended)
        return FTL_END;
    FTL_TRY(status);
    FTL_TRY(read_metadata(source, size, error));
    return parse_message(source, out, error);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* One of the footer's lists. *left: bytes of the file that nothing was found at yet, so that no
 * message comes twice. */
static ftl_status read_places(ftl_arrow_source *source, const ftl_fb_table *footer, uint32_t field,
                              uint64_t *left, ftl_arrow_place **out, size_t *n, ftl_error *error)
{
    enum { PLACE_SIZE = 24, METADATA = 8, BODY = 16 };
    const ftl_fb_vector items = ftl_fb_items(footer, field, PLACE_SIZE);
    ftl_arrow_place *places = ftl_arena_array(&source->table->arena, items.count, sizeof *places);
    if (!places)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < items.count; i++) {
        int64_t at = ftl_fb_i64_within(&items, i, 0), body = ftl_fb_i64_within(&items, i, BODY);
        int32_t metadata = (int32_t)ftl_fb_i64_within(&items, i, METADATA);
        uint64_t whole = (uint64_t)body + (uint64_t)(uint32_t)metadata;
        if (at < 0 || body < 0 || metadata < 0 || (uint64_t)at > source->size ||
            whole > source->size - (uint64_t)at || whole > *left)
            return FTL_FAIL(error, FTL_CORRUPT,
                            "the Arrow file is damaged or truncated: its footer tells of a message "
                            "at byte %lld that is not there, or is another's",
                            (long long)at);
        *left -= whole;
        places[i] = (ftl_arrow_place){(uint64_t)at, (uint64_t)body, (uint32_t)metadata};
    }
    *out = places;
    *n = items.count;
    return FTL_OK;
}

static ftl_status read_footer(ftl_arrow_source *source, ftl_fb_table *schema, ftl_error *error)
{
    enum { SCHEMA = 1, DICTIONARIES = 2, BATCHES = 3 };
    uint8_t trailer[TRAILER_SIZE];
    uint64_t left = source->size;
    if (source->size < MAGIC_ROOM + TRAILER_SIZE)
        return truncated(error);
    FTL_TRY(ftl_arrow_source_read_at(source, source->size - TRAILER_SIZE, trailer, sizeof trailer,
                                     error));
    uint32_t size = ftl_le_u32(trailer);
    if (memcmp(trailer + 4, file_magic, MAGIC_SIZE) != 0)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow file is truncated: it does not end with its magic; get it "
                        "again");
    if (size > source->size - MAGIC_ROOM - TRAILER_SIZE)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow file is damaged: its footer has %u bytes, and the file %llu",
                        size, (unsigned long long)source->size);
    source->at = source->size - TRAILER_SIZE - size;
    FTL_TRY(read_metadata(source, size, error));
    const ftl_fb_table footer = ftl_fb_root(&source->buffer);
    *schema = ftl_fb_child(&footer, SCHEMA);
    FTL_TRY(read_places(source, &footer, DICTIONARIES, &left, &source->dictionaries,
                        &source->n_dictionaries, error));
    FTL_TRY(
        read_places(source, &footer, BATCHES, &left, &source->batches, &source->n_batches, error));
    FTL_TRY(ftl_fb_status(&source->buffer, "the footer of the Arrow file", error));
    return schema->buffer ? FTL_OK
                          : FTL_FAIL(error, FTL_CORRUPT,
                                     "the Arrow file is damaged: its footer has no schema");
}

ftl_status ftl_arrow_source_open(ftl_arrow_source *source, ftl_fb_table *schema, ftl_error *error)
{
    const uint8_t *data;
    size_t seen;
    FTL_TRY(ftl_stream_ahead(source->table->stream, MAGIC_ROOM, &data, &seen, error));
    source->file = seen >= MAGIC_SIZE && memcmp(data, file_magic, MAGIC_SIZE) == 0;
    source->random = ftl_stream_extent(source->table->stream, &source->size);
    *schema = (ftl_fb_table){0};
    if (!source->file)
        return FTL_OK;
    if (source->random)
        return read_footer(source, schema, error);
    return ftl_arrow_source_skip(source, MAGIC_ROOM, error);
}

void ftl_arrow_source_close(ftl_arrow_source *source)
{
    ftl_free(source->table->account, source->metadata.data);
}
