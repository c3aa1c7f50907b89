/* Pages: their heads, their bytes, and which of their rows are null. */
#include "table/parquet_pages.h"
#include "base/checked.h"
#include "io/thrift.h"

#include <string.h>

enum { FIRST_READ = 64 * 1024, HEAD_LIMIT = 16 * 1024 * 1024, PAGE_LIMIT = 1 << 30 };

/* As the format numbers them. */
enum { DATA_PAGE = 0, DICTIONARY_PAGE = 2, DATA_PAGE_V2 = 3 };
enum { LEVELS_RLE = 3, LEVELS_BIT_PACKED = 4 };

/* ---- Shared ---------------------------------------------------------------------------------- */

void ftl_parquet_shared_init(ftl_parquet_shared *shared, const ftl_stream *source,
                             ftl_account *account, size_t text_limit)
{
    *shared = (ftl_parquet_shared){.source = source, .account = account, .text_limit = text_limit};
    pthread_mutex_init(&shared->lock, NULL);
}

void ftl_parquet_shared_free(ftl_parquet_shared *shared)
{
    while (shared->idle) {
        ftl_parquet_tools *tools = shared->idle;
        shared->idle = tools->next;
        ftl_unpacker_free(&tools->unpacker);
        ftl_free(shared->account, tools->read.data);
        ftl_free(shared->account, tools);
    }
    pthread_mutex_destroy(&shared->lock);
}

/* Tools that nobody uses, or new ones. */
static ftl_status take_tools(ftl_parquet_shared *shared, ftl_parquet_tools **out, ftl_error *error)
{
    pthread_mutex_lock(&shared->lock);
    ftl_parquet_tools *tools = shared->idle;
    if (tools)
        shared->idle = tools->next;
    pthread_mutex_unlock(&shared->lock);
    if (!tools) {
        tools = ftl_alloc_zero(shared->account, 1, sizeof *tools);
        if (!tools)
            return FTL_OOM(error);
        tools->unpacker = (ftl_unpacker){.account = shared->account};
    }
    *out = tools;
    return FTL_OK;
}

static void give_tools(ftl_parquet_shared *shared, ftl_parquet_tools *tools)
{
    pthread_mutex_lock(&shared->lock);
    tools->next = shared->idle;
    shared->idle = tools;
    pthread_mutex_unlock(&shared->lock);
}

/* ---- Heads ----------------------------------------------------------------------------------- */

typedef struct page_head {
    size_t head_size;
    int32_t type, size, stored_size; /* bytes uncompressed and in the file */
    bool has_crc;
    uint32_t crc;
    bool described; /* the part for this type of page is there */
    int32_t values, encoding, level_encoding;
    int32_t nulls, rows, level_bytes, repetition_bytes; /* version 2 */
    bool compressed;
} page_head;

/* DataPageHeader and DictionaryPageHeader begin alike. */
static void read_page(ftl_thrift *in, page_head *head)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    head->described = true;
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 1)
            head->values = ftl_thrift_i32(in, &s);
        else if (s.field == 2)
            head->encoding = ftl_thrift_i32(in, &s);
        else if (s.field == 3 && head->type == DATA_PAGE)
            head->level_encoding = ftl_thrift_i32(in, &s);
        else
            ftl_thrift_skip(in, &s);
    }
}

static void read_page_v2(ftl_thrift *in, page_head *head)
{
    ftl_thrift_struct s;
    ftl_thrift_begin(in, &s);
    head->described = true;
    while (ftl_thrift_next(in, &s)) {
        switch (s.field) {
        case 1:
            head->values = ftl_thrift_i32(in, &s);
            break;
        case 2:
            head->nulls = ftl_thrift_i32(in, &s);
            break;
        case 3:
            head->rows = ftl_thrift_i32(in, &s);
            break;
        case 4:
            head->encoding = ftl_thrift_i32(in, &s);
            break;
        case 5:
            head->level_bytes = ftl_thrift_i32(in, &s);
            break;
        case 6:
            head->repetition_bytes = ftl_thrift_i32(in, &s);
            break;
        case 7:
            head->compressed = ftl_thrift_bool(in, &s);
            break;
        default:
            ftl_thrift_skip(in, &s);
        }
    }
}

/* The part that belongs to the page's type; others are skipped. */
static bool is_part(const page_head *head, int32_t field)
{
    return (field == 5 && head->type == DATA_PAGE) ||
           (field == 7 && head->type == DICTIONARY_PAGE) ||
           (field == 8 && head->type == DATA_PAGE_V2);
}

static void parse_head(ftl_thrift *in, page_head *head)
{
    ftl_thrift_struct s;
    *head = (page_head){
        .type = -1, .size = -1, .stored_size = -1, .values = -1, .compressed = true};
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        if (s.field == 1) {
            head->type = ftl_thrift_i32(in, &s);
        } else if (s.field == 2) {
            head->size = ftl_thrift_i32(in, &s);
        } else if (s.field == 3) {
            head->stored_size = ftl_thrift_i32(in, &s);
        } else if (s.field == 4) {
            head->crc = (uint32_t)ftl_thrift_i32(in, &s);
            head->has_crc = true;
        } else if (is_part(head, s.field) && ftl_thrift_is_struct(in, &s)) {
            if (s.field == 8)
                read_page_v2(in, head);
            else
                read_page(in, head);
        } else {
            ftl_thrift_skip(in, &s);
        }
    }
    if (!in->failed && (head->size < 0 || head->stored_size < 0))
        ftl_thrift_fail(in, "it claims no size, or a negative one");
    bool data = head->type == DATA_PAGE || head->type == DATA_PAGE_V2 ||
                head->type == DICTIONARY_PAGE;
    if (!in->failed && data && (!head->described || head->values < 0))
        ftl_thrift_fail(in, "it claims no number of values, or a negative one");
    head->head_size = in->at;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Where compressed pages are read to; others are used where they are. */
static ftl_parquet_buffer *read_buffer(ftl_parquet_cursor *cursor)
{
    return cursor->codec == FTL_PARQUET_UNCOMPRESSED ? &cursor->page : &cursor->tools->read;
}

/* The first `size` bytes from cursor->at on, `have` of which are there. */
static ftl_status read_to(ftl_parquet_cursor *cursor, size_t have, size_t size, ftl_error *error)
{
    const ftl_stream *source = cursor->shared->source;
    ftl_parquet_buffer *buffer = read_buffer(cursor);
    FTL_TRY(ftl_parquet_buffer_fit(buffer, cursor->shared->account, have, size, error));
    if (size == have)
        return FTL_OK;
    return ftl_stream_read_at(source, cursor->at + have, buffer->data + have, size - have, error);
}

/* The head of the page at cursor->at and the page's bytes, in the read buffer. */
static ftl_status read_stored(ftl_parquet_cursor *cursor, page_head *head, ftl_error *error)
{
    const uint64_t left = cursor->end - cursor->at;
    size_t have = 0, want = cursor->page_bytes ? cursor->page_bytes : FIRST_READ;
    ftl_thrift in;
    for (;;) {
        want = want < left ? want : (size_t)left;
        FTL_TRY(read_to(cursor, have, want, error));
        have = want;
        ftl_thrift_init(&in, read_buffer(cursor)->data, have);
        parse_head(&in, head);
        if (!in.failed || !in.ended || have == left)
            break;
        if (have >= HEAD_LIMIT)
            return FTL_FAIL(error, FTL_LIMIT, "the page's head is longer than %d bytes",
                            HEAD_LIMIT);
        want = have * 4;
    }
    FTL_TRY(ftl_thrift_status(&in, "the page's head", cursor->at, error));
    if ((uint64_t)head->head_size + (uint64_t)head->stored_size > left)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the page claims %d bytes, and its column has %llu left", head->stored_size,
                        (unsigned long long)(left - head->head_size));
    if (head->size > PAGE_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "the page claims %d bytes, the most is %d", head->size,
                        PAGE_LIMIT);
    size_t all = head->head_size + (size_t)head->stored_size;
    cursor->page_bytes = all + all / 16;
    if (all > have)
        FTL_TRY(read_to(cursor, have, all, error));
    const uint8_t *stored = read_buffer(cursor)->data + head->head_size;
    if (head->has_crc && !ftl_parquet_crc_matches(head->crc, stored, (size_t)head->stored_size))
        return FTL_FAIL(error, FTL_CORRUPT, "the page's checksum does not match");
    return FTL_OK;
}

/*
 * The page's bytes in out, decompressed but for the first `plain` of them, at *data. out is another
 * buffer than the read buffer, or the page is not compressed and stays where it is.
 */
static ftl_status unpack(ftl_parquet_cursor *cursor, const page_head *head, size_t plain,
                         ftl_parquet_buffer *out, uint8_t **data, ftl_error *error)
{
    ftl_parquet_buffer *read = read_buffer(cursor);
    const size_t size = (size_t)head->size, stored = (size_t)head->stored_size;
    const int codec = head->compressed ? cursor->codec : FTL_PARQUET_UNCOMPRESSED;
    if (plain > size || plain > stored)
        return FTL_FAIL(error, FTL_CORRUPT, "the page's levels are longer than the page");
    if (codec == FTL_PARQUET_UNCOMPRESSED && size != stored)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the page is not compressed and has two sizes, %d and %d", head->size,
                        head->stored_size);
    if (read == out) {
        /* what follows the page was read with it, and stands for the padding */
        *data = read->data + head->head_size;
        return FTL_OK;
    }
    FTL_TRY(ftl_parquet_buffer_fit(out, cursor->shared->account, 0, size, error));
    *data = out->data;
    const uint8_t *from = read->data + head->head_size;
    if (plain)
        memcpy(out->data, from, plain);
    return ftl_parquet_decompress(&cursor->tools->unpacker, codec, from + plain, stored - plain,
                                  out->data + plain, size - plain, error);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* The old packing fills bytes from the top: turned round, they are a packed run. */
static void begin_packed_levels(ftl_rle *levels, uint8_t *data, size_t size, uint32_t rows)
{
    for (size_t i = 0; i < size; i++) {
        unsigned b = data[i];
        b = (b & 0xf0) >> 4 | (b & 0x0f) << 4;
        b = (b & 0xcc) >> 2 | (b & 0x33) << 2;
        data[i] = (uint8_t)((b & 0xaa) >> 1 | (b & 0x55) << 1);
    }
    ftl_rle_init(levels, data + size, 0, 1);
    levels->packed = true;
    levels->bits = data;
    levels->left = rows;
}

/* Version 1: levels stand before the values, with their size. *data and *size become the values'.
 */
static ftl_status begin_levels(ftl_parquet_cursor *cursor, const page_head *head, uint8_t **data,
                               size_t *size, ftl_error *error)
{
    size_t bytes, prefix = 0;
    if (!cursor->column->optional)
        return FTL_OK;
    if (head->level_encoding == LEVELS_RLE) {
        prefix = 4;
        bytes = *size < 4 ? SIZE_MAX
                          : (size_t)(*data)[0] | (size_t)(*data)[1] << 8 |
                                (size_t)(*data)[2] << 16 | (size_t)(*data)[3] << 24;
    } else if (head->level_encoding == LEVELS_BIT_PACKED) {
        bytes = ((size_t)head->values + 7) / 8;
    } else {
        return FTL_FAIL(error, FTL_UNSUPPORTED, "levels in encoding %d are not read",
                        head->level_encoding);
    }
    if (*size < prefix || bytes > *size - prefix)
        return FTL_FAIL(error, FTL_CORRUPT, "the page's levels are longer than the page");
    if (head->level_encoding == LEVELS_RLE)
        ftl_rle_init(&cursor->levels, *data + prefix, bytes, 1);
    else
        begin_packed_levels(&cursor->levels, *data, bytes, (uint32_t)head->values);
    *data += prefix + bytes;
    *size -= prefix + bytes;
    return FTL_OK;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static ftl_status begin_page(ftl_parquet_cursor *cursor, const page_head *head, ftl_error *error)
{
    uint8_t *data;
    FTL_TRY(unpack(cursor, head, 0, &cursor->page, &data, error));
    size_t size = (size_t)head->size;
    cursor->valid_left = UINT32_MAX;
    FTL_TRY(begin_levels(cursor, head, &data, &size, error));
    return ftl_parquet_values_begin(cursor, head->encoding, data, size, error);
}

/* Version 2: levels are never compressed and their sizes are in the head. */
static ftl_status begin_page_v2(ftl_parquet_cursor *cursor, const page_head *head, ftl_error *error)
{
    uint8_t *data;
    if (head->level_bytes < 0 || head->repetition_bytes < 0 || head->nulls < 0 ||
        head->nulls > head->values || head->rows != head->values)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the page's head is damaged: it claims %d values, %d nulls and %d rows",
                        head->values, head->nulls, head->rows);
    size_t repetition = (size_t)head->repetition_bytes;
    size_t levels = (size_t)head->level_bytes, plain = repetition + levels;
    FTL_TRY(unpack(cursor, head, plain, &cursor->page, &data, error));
    cursor->valid_left = (uint32_t)(head->values - head->nulls);
    if (cursor->column->optional)
        ftl_rle_init(&cursor->levels, data + repetition, levels, 1);
    else if (head->nulls)
        return FTL_FAIL(error, FTL_CORRUPT, "the page claims nulls in a column without any");
    return ftl_parquet_values_begin(cursor, head->encoding, data + plain,
                                    (size_t)head->size - plain, error);
}

static ftl_status begin_data(ftl_parquet_cursor *cursor, const page_head *head, ftl_error *error)
{
    if ((uint64_t)head->values > cursor->rows_left)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the page claims %d rows, and its row group has %llu left", head->values,
                        (unsigned long long)cursor->rows_left);
    cursor->begun = true;
    if (head->values == 0)
        return FTL_OK;
    FTL_TRY(head->type == DATA_PAGE ? begin_page(cursor, head, error)
                                    : begin_page_v2(cursor, head, error));
    cursor->page_left = (uint32_t)head->values;
    cursor->rows_left -= (uint32_t)head->values;
    return FTL_OK;
}

static ftl_status begin_dictionary(ftl_parquet_cursor *cursor, const page_head *head,
                                   ftl_error *error)
{
    enum { PLAIN = 0, PLAIN_DICTIONARY = 2 };
    uint8_t *data;
    if (cursor->has_dictionary || cursor->begun)
        return FTL_FAIL(error, FTL_CORRUPT, "a dictionary comes second or after its values");
    if (head->encoding != PLAIN && head->encoding != PLAIN_DICTIONARY)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "a dictionary in encoding %d is not read",
                        head->encoding);
    FTL_TRY(unpack(cursor, head, 0, &cursor->dictionary, &data, error));
    return ftl_parquet_dictionary_take(cursor, (uint32_t)head->values, error);
}

/* The next page that has rows, with the cursor's tools. */
static ftl_status load_page(ftl_parquet_cursor *cursor, ftl_error *error)
{
    while (cursor->page_left == 0) {
        page_head head;
        cursor->page_at = cursor->at;
        if (cursor->at >= cursor->end)
            return FTL_FAIL(error, FTL_CORRUPT, "the column ends %llu rows too early",
                            (unsigned long long)cursor->rows_left);
        FTL_TRY(read_stored(cursor, &head, error));
        if (head.type == DATA_PAGE || head.type == DATA_PAGE_V2)
            FTL_TRY(begin_data(cursor, &head, error));
        else if (head.type == DICTIONARY_PAGE)
            FTL_TRY(begin_dictionary(cursor, &head, error));
        cursor->at += head.head_size + (size_t)head.stored_size;
    }
    return FTL_OK;
}

static ftl_status next_page(ftl_parquet_cursor *cursor, ftl_error *error)
{
    if (cursor->page_left)
        return FTL_OK;
    FTL_TRY(take_tools(cursor->shared, &cursor->tools, error));
    ftl_status status = load_page(cursor, error);
    give_tools(cursor->shared, cursor->tools);
    cursor->tools = NULL;
    return status;
}

/* ---- Cursors --------------------------------------------------------------------------------- */

void ftl_parquet_cursor_init(ftl_parquet_cursor *cursor, ftl_parquet_shared *shared,
                             const ftl_parquet_column *column)
{
    *cursor = (ftl_parquet_cursor){.shared = shared, .column = column};
}

void ftl_parquet_cursor_free(ftl_parquet_cursor *cursor)
{
    if (!cursor->shared)
        return;
    ftl_account *account = cursor->shared->account;
    ftl_free(account, cursor->dictionary.data);
    ftl_free(account, cursor->spans);
    ftl_free(account, cursor->page.data);
    ftl_free(account, cursor->previous.data);
    ftl_parquet_values_free(&cursor->texts, account);
    *cursor = (ftl_parquet_cursor){0};
}

/* The place in front of the message. */
static void add_place(const ftl_parquet_cursor *cursor, ftl_error *error)
{
    if (!error)
        return;
    ftl_error copy = *error;
    ftl_error_set(error, copy.code,
                  "the Parquet file's column '%.120s', row group %zu, page at byte %llu: %.500s",
                  cursor->column->name, cursor->group, (unsigned long long)cursor->page_at,
                  copy.message);
    ftl_error_because(error, copy.reason, copy.option[0] ? copy.option : NULL);
    ftl_error_at(error, copy.offset >= 0 ? copy.offset : (int64_t)cursor->page_at);
}

ftl_status ftl_parquet_cursor_begin(ftl_parquet_cursor *cursor, size_t group, uint64_t rows,
                                    const ftl_parquet_chunk *chunk, ftl_error *error)
{
    cursor->group = group;
    cursor->codec = chunk->codec;
    cursor->at = cursor->page_at = chunk->begin;
    cursor->end = chunk->end;
    cursor->rows_left = rows;
    cursor->page_left = 0;
    cursor->has_dictionary = cursor->begun = false;
    cursor->n_dictionary = 0;
    ftl_status status = ftl_parquet_codec_check(chunk->codec, error);
    if (status != FTL_OK)
        add_place(cursor, error);
    return status;
}

/* Whether the rows of the page are null, into the validity; *valid: how many are not. */
static ftl_status take_levels(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                              size_t *valid, ftl_error *error)
{
    *valid = n;
    if (cursor->column->optional &&
        !ftl_rle_read_bits(&cursor->levels, values->validity, values->rows, n, valid))
        return FTL_FAIL(error, FTL_CORRUPT, "the page's levels are damaged");
    if (cursor->valid_left == UINT32_MAX)
        return FTL_OK;
    bool last = n == cursor->page_left;
    if (last ? *valid != cursor->valid_left : *valid > cursor->valid_left)
        return FTL_FAIL(error, FTL_CORRUPT, "the page has other nulls than it claims");
    cursor->valid_left -= (uint32_t)*valid;
    return FTL_OK;
}

static ftl_status read_rows(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                            ftl_error *error)
{
    FTL_TRY(ftl_parquet_values_reserve(cursor, values, n, error));
    while (n) {
        size_t valid;
        FTL_TRY(next_page(cursor, error));
        size_t some = n < cursor->page_left ? n : cursor->page_left;
        FTL_TRY(take_levels(cursor, some, values, &valid, error));
        FTL_TRY(ftl_parquet_values_decode(cursor, some, valid, values, error));
        cursor->page_left -= (uint32_t)some;
        n -= some;
    }
    return FTL_OK;
}

ftl_status ftl_parquet_cursor_read(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                                   ftl_error *error)
{
    ftl_status status = read_rows(cursor, n, values, error);
    if (status != FTL_OK && status != FTL_NOMEM && status != FTL_IO)
        add_place(cursor, error);
    return status;
}
