/* Values of a page: each encoding, into numbers and into texts. */
#include "base/checked.h"
#include "base/fixed_decimal.h"
#include "table/parquet_pages.h"

#include <string.h>

/* As the format numbers them. */
enum {
    PLAIN = 0,
    PLAIN_DICTIONARY = 2,
    RLE = 3,
    DELTA_BINARY_PACKED = 5,
    DELTA_LENGTH_BYTE_ARRAY = 6,
    DELTA_BYTE_ARRAY = 7,
    RLE_DICTIONARY = 8,
    BYTE_STREAM_SPLIT = 9
};

enum { SOME = 1024 }; /* values on their way from one form to another */

static ftl_status short_of(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "the page holds fewer values than it claims");
}

static uint32_t le_32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool is_text(const ftl_parquet_column *column) { return column->type == FTL_STRING; }

/* Bytes of a row among the values. */
static size_t row_size(const ftl_parquet_column *column)
{
    return column->decimal                              ? sizeof(double)
           : column->physical == FTL_PARQUET_BOOLEAN    ? 1
           : column->physical == FTL_PARQUET_BYTE_ARRAY ? 0
                                                        : column->width;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

void ftl_parquet_values_clear(ftl_parquet_values *values)
{
    values->rows = values->nulls = values->used = 0;
}

void ftl_parquet_values_free(ftl_parquet_values *values, ftl_account *account)
{
    ftl_free(account, values->data);
    ftl_free(account, values->offsets);
    ftl_free(account, values->validity);
    *values = (ftl_parquet_values){0};
}

ftl_column ftl_parquet_values_view(const ftl_parquet_values *values, ftl_type type)
{
    return (ftl_column){.type = type,
                        .values = values->data,
                        .offsets = type == FTL_STRING ? values->offsets : NULL,
                        .validity = values->nulls ? values->validity : NULL};
}

ftl_status ftl_parquet_values_reserve(const ftl_parquet_cursor *cursor, ftl_parquet_values *values,
                                      size_t n, ftl_error *error)
{
    const ftl_parquet_column *column = cursor->column;
    ftl_account *account = cursor->shared->account;
    size_t rows, bytes;
    if (!ftl_add_size(values->rows, n, &rows) || rows > UINT32_MAX ||
        !ftl_mul_size(rows, is_text(column) ? 0 : row_size(column), &bytes))
        return FTL_OOM(error);
    FTL_TRY(ftl_grow(account, &values->data, &values->data_room, bytes + FTL_PARQUET_PADDING, 1,
                     error));
    if (column->optional)
        FTL_TRY(
            ftl_grow(account, &values->validity, &values->validity_room, rows / 8 + 1, 1, error));
    if (!is_text(column))
        return FTL_OK;
    FTL_TRY(ftl_grow(account, &values->offsets, &values->offsets_room, rows + 1, sizeof(uint32_t),
                     error));
    values->offsets[0] = 0;
    return FTL_OK;
}

/* Room for size more bytes of text, and the padding. */
static ftl_status room_for_text(const ftl_parquet_cursor *cursor, ftl_parquet_values *values,
                                size_t size, ftl_error *error)
{
    if (FTL_LIKELY(size + FTL_PARQUET_PADDING <= values->data_room - values->used))
        return FTL_OK;
    if (size > UINT32_MAX - values->used)
        return FTL_FAIL(error, FTL_LIMIT, "a batch of rows holds more than 4 GiB of text");
    return ftl_grow(cursor->shared->account, &values->data, &values->data_room,
                    values->used + size + FTL_PARQUET_PADDING, 1, error);
}

/* text has the padding behind it. *at: the next place in the offsets. */
static inline ftl_status put_text(const ftl_parquet_cursor *cursor, ftl_parquet_values *values,
                                  const uint8_t *text, size_t size, uint32_t **at, ftl_error *error)
{
    if (FTL_UNLIKELY(size > cursor->shared->text_limit))
        return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
                               "a text of %zu bytes is longer than %zu; the limit is set with "
                               "options.max_record_bytes",
                               size, cursor->shared->text_limit);
    FTL_TRY(room_for_text(cursor, values, size, error));
    uint8_t *to = values->data + values->used;
    if (size <= FTL_PARQUET_PADDING)
        memcpy(to, text, FTL_PARQUET_PADDING);
    else
        memcpy(to, text, size);
    values->used += size;
    *(*at)++ = (uint32_t)values->used;
    return FTL_OK;
}

/* ---- Beginning a page ------------------------------------------------------------------------ */

static ftl_status no_encoding(const ftl_parquet_cursor *cursor, int encoding, ftl_error *error)
{
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "values of the stored form %d in encoding %d are not read; write the file "
                    "with another encoding",
                    (int)cursor->column->physical, encoding);
}

static ftl_status begin_indices(ftl_parquet_cursor *cursor, ftl_error *error)
{
    if (!cursor->has_dictionary)
        return FTL_FAIL(error, FTL_CORRUPT, "the page refers to a dictionary that there is not");
    if (cursor->next == cursor->next_end) { /* all rows are null */
        ftl_rle_init(&cursor->indices, cursor->next, 0, 0);
        return FTL_OK;
    }
    unsigned width = *cursor->next++;
    if (width > 32)
        return FTL_FAIL(error, FTL_CORRUPT, "the page's indices have %u bits", width);
    ftl_rle_init(&cursor->indices, cursor->next, (size_t)(cursor->next_end - cursor->next), width);
    return FTL_OK;
}

/* Booleans with their bytes counted in front. */
static ftl_status begin_runs(ftl_parquet_cursor *cursor, ftl_error *error)
{
    size_t size = (size_t)(cursor->next_end - cursor->next);
    if (size == 0) {
        ftl_rle_init(&cursor->indices, cursor->next, 0, 1);
        return FTL_OK;
    }
    if (size < 4 || le_32(cursor->next) > size - 4)
        return short_of(error);
    ftl_rle_init(&cursor->indices, cursor->next + 4, le_32(cursor->next), 1);
    return FTL_OK;
}

/* Packed differences at cursor->next, which is moved behind them when others follow. */
static ftl_status begin_delta(ftl_parquet_cursor *cursor, ftl_delta *delta, bool others_follow,
                              ftl_error *error)
{
    const uint8_t *end = cursor->next_end;
    if (cursor->next == end) { /* all rows are null */
        *delta = (ftl_delta){.at = end, .end = end};
        return FTL_OK;
    }
    if (!ftl_delta_init(delta, cursor->next, (size_t)(end - cursor->next)))
        return FTL_FAIL(error, FTL_CORRUPT, "the page's differences are damaged");
    end = others_follow ? ftl_delta_end(delta) : end;
    if (!end)
        return short_of(error);
    cursor->next = end;
    return FTL_OK;
}

static ftl_status begin_form(ftl_parquet_cursor *cursor, size_t size, ftl_error *error)
{
    switch (cursor->form) {
    case FTL_PARQUET_PLAIN_BITS:
        cursor->places = size * 8;
        return FTL_OK;
    case FTL_PARQUET_SPLIT:
        cursor->places = size / cursor->column->width;
        return FTL_OK;
    case FTL_PARQUET_RUNS:
        return begin_runs(cursor, error);
    case FTL_PARQUET_DICTIONARY:
        return begin_indices(cursor, error);
    case FTL_PARQUET_DELTA:
        return begin_delta(cursor, &cursor->delta, false, error);
    case FTL_PARQUET_DELTA_TEXTS:
        cursor->previous.size = 0;
        FTL_TRY(begin_delta(cursor, &cursor->prefixes, true, error));
        return begin_delta(cursor, &cursor->delta, true, error);
    case FTL_PARQUET_DELTA_LENGTHS:
        return begin_delta(cursor, &cursor->delta, true, error);
    case FTL_PARQUET_PLAIN_VALUES:
        break;
    }
    return FTL_OK;
}

/* Whether values of this stored form may be encoded so, and as what. */
static bool form_of(ftl_parquet_physical physical, int encoding, ftl_parquet_form *form)
{
    bool bytes = physical == FTL_PARQUET_BYTE_ARRAY, fixed = physical == FTL_PARQUET_FIXED;
    bool integer = physical == FTL_PARQUET_INT32 || physical == FTL_PARQUET_INT64;
    bool boolean = physical == FTL_PARQUET_BOOLEAN;
    switch (encoding) {
    case PLAIN:
        *form = boolean ? FTL_PARQUET_PLAIN_BITS : FTL_PARQUET_PLAIN_VALUES;
        return true;
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY:
        *form = FTL_PARQUET_DICTIONARY;
        return true;
    case RLE:
        *form = FTL_PARQUET_RUNS;
        return boolean;
    case DELTA_BINARY_PACKED:
        *form = FTL_PARQUET_DELTA;
        return integer;
    case DELTA_LENGTH_BYTE_ARRAY:
        *form = FTL_PARQUET_DELTA_LENGTHS;
        return bytes;
    case DELTA_BYTE_ARRAY:
        *form = FTL_PARQUET_DELTA_TEXTS;
        return bytes || fixed;
    case BYTE_STREAM_SPLIT:
        *form = FTL_PARQUET_SPLIT;
        return !bytes && !boolean;
    default:
        return false;
    }
}

ftl_status ftl_parquet_values_begin(ftl_parquet_cursor *cursor, int encoding, const uint8_t *data,
                                    size_t size, ftl_error *error)
{
    if (!form_of(cursor->column->physical, encoding, &cursor->form))
        return no_encoding(cursor, encoding, error);
    cursor->next = data;
    cursor->next_end = data + size;
    cursor->place = cursor->places = 0;
    return begin_form(cursor, size, error);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static ftl_status plain_texts(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                              uint32_t *at, ftl_error *error)
{
    const uint8_t *next = cursor->next, *const end = cursor->next_end;
    for (size_t i = 0; i < n; i++) {
        size_t size = cursor->column->width;
        if (size == 0) {
            if (end - next < 4)
                return short_of(error);
            size = le_32(next);
            next += 4;
        }
        if (size > (size_t)(end - next))
            return short_of(error);
        FTL_TRY(put_text(cursor, values, next, size, &at, error));
        next += size;
    }
    cursor->next = next;
    return FTL_OK;
}

/* The next n indices of the dictionary, n <= SOME. */
static ftl_status take_indices(ftl_parquet_cursor *cursor, uint32_t *indices, size_t n,
                               ftl_error *error)
{
    if (!ftl_rle_read(&cursor->indices, indices, n))
        return short_of(error);
    /* All bits together are at least the largest one: a quick look that seldom needs another. */
    uint32_t bits[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++)
            bits[k] |= indices[i + k];
    }
    for (; i < n; i++)
        bits[0] |= indices[i];
    if (FTL_LIKELY((bits[0] | bits[1] | bits[2] | bits[3]) < cursor->n_dictionary))
        return FTL_OK;
    for (i = 0; i < n; i++) {
        if (indices[i] >= cursor->n_dictionary)
            return FTL_FAIL(error, FTL_CORRUPT, "the page refers to value %u of a dictionary of %u",
                            indices[i], cursor->n_dictionary);
    }
    return FTL_OK;
}

static ftl_status dictionary_texts(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                                   uint32_t *at, ftl_error *error)
{
    uint32_t indices[SOME];
    while (n) {
        size_t some = n < SOME ? n : SOME;
        FTL_TRY(take_indices(cursor, indices, some, error));
        for (size_t i = 0; i < some; i++) {
            ftl_parquet_span span = cursor->spans[indices[i]];
            FTL_TRY(put_text(cursor, values, cursor->dictionary.data + span.start, span.size, &at,
                             error));
        }
        n -= some;
    }
    return FTL_OK;
}

/* The next n lengths, n <= SOME, each of 31 bits. */
static ftl_status take_lengths(ftl_delta *delta, int64_t *lengths, size_t n, ftl_error *error)
{
    if (!ftl_delta_read(delta, lengths, n))
        return short_of(error);
    for (size_t i = 0; i < n; i++) {
        lengths[i] = (int64_t)(uint32_t)lengths[i]; /* sums wrap at 32 bits */
        if (lengths[i] > INT32_MAX)
            return FTL_FAIL(error, FTL_CORRUPT, "a text has a negative length");
    }
    return FTL_OK;
}

static ftl_status length_texts(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                               uint32_t *at, ftl_error *error)
{
    int64_t lengths[SOME];
    while (n) {
        size_t some = n < SOME ? n : SOME;
        FTL_TRY(take_lengths(&cursor->delta, lengths, some, error));
        for (size_t i = 0; i < some; i++) {
            if (lengths[i] > cursor->next_end - cursor->next)
                return short_of(error);
            FTL_TRY(put_text(cursor, values, cursor->next, (size_t)lengths[i], &at, error));
            cursor->next += lengths[i];
        }
        n -= some;
    }
    return FTL_OK;
}

/* The text at hand becomes its first `prefix` bytes and `size` new ones. */
static ftl_status next_text(ftl_parquet_cursor *cursor, int64_t prefix, int64_t size,
                            ftl_error *error)
{
    ftl_parquet_buffer *text = &cursor->previous;
    if ((size_t)prefix > text->size || size > cursor->next_end - cursor->next)
        return short_of(error);
    FTL_TRY(ftl_grow(cursor->shared->account, &text->data, &text->room,
                     (size_t)prefix + (size_t)size + FTL_PARQUET_PADDING, 1, error));
    memcpy(text->data + prefix, cursor->next, (size_t)size);
    cursor->next += size;
    text->size = (size_t)(prefix + size);
    memset(text->data + text->size, 0, FTL_PARQUET_PADDING);
    return FTL_OK;
}

static ftl_status delta_texts(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                              uint32_t *at, ftl_error *error)
{
    int64_t prefixes[SOME], lengths[SOME];
    while (n) {
        size_t some = n < SOME ? n : SOME;
        FTL_TRY(take_lengths(&cursor->prefixes, prefixes, some, error));
        FTL_TRY(take_lengths(&cursor->delta, lengths, some, error));
        for (size_t i = 0; i < some; i++) {
            FTL_TRY(next_text(cursor, prefixes[i], lengths[i], error));
            FTL_TRY(
                put_text(cursor, values, cursor->previous.data, cursor->previous.size, &at, error));
        }
        n -= some;
    }
    return FTL_OK;
}

/* n texts, one behind the other; their ends go to at[0..n). */
static ftl_status take_texts(ftl_parquet_cursor *cursor, size_t n, ftl_parquet_values *values,
                             uint32_t *at, ftl_error *error)
{
    switch (cursor->form) {
    case FTL_PARQUET_DICTIONARY:
        return dictionary_texts(cursor, n, values, at, error);
    case FTL_PARQUET_DELTA_LENGTHS:
        return length_texts(cursor, n, values, at, error);
    case FTL_PARQUET_DELTA_TEXTS:
        return delta_texts(cursor, n, values, at, error);
    case FTL_PARQUET_PLAIN_VALUES:
        return plain_texts(cursor, n, values, at, error);
    default:
        return no_encoding(cursor, BYTE_STREAM_SPLIT, error);
    }
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void gather(const uint8_t *dictionary, size_t width, const uint32_t *indices, size_t n,
                   uint8_t *out)
{
    switch (width) {
    case 8:
        for (size_t i = 0; i < n; i++)
            memcpy(out + 8 * i, dictionary + 8 * (size_t)indices[i], 8);
        return;
    case 4:
        for (size_t i = 0; i < n; i++)
            memcpy(out + 4 * i, dictionary + 4 * (size_t)indices[i], 4);
        return;
    default:
        for (size_t i = 0; i < n; i++)
            memcpy(out + width * i, dictionary + width * (size_t)indices[i], width);
    }
}

static ftl_status dictionary_numbers(ftl_parquet_cursor *cursor, size_t n, uint8_t *out,
                                     ftl_error *error)
{
    const size_t width = row_size(cursor->column);
    uint32_t indices[SOME];
    while (n) {
        size_t some = n < SOME ? n : SOME;
        FTL_TRY(take_indices(cursor, indices, some, error));
        gather(cursor->dictionary.data, width, indices, some, out);
        out += some * width;
        n -= some;
    }
    return FTL_OK;
}

static ftl_status delta_numbers(ftl_parquet_cursor *cursor, size_t n, uint8_t *out,
                                ftl_error *error)
{
    int64_t numbers[SOME];
    while (n) {
        size_t some = n < SOME ? n : SOME;
        if (!ftl_delta_read(&cursor->delta, numbers, some))
            return short_of(error);
        if (cursor->column->width == 8) {
            memcpy(out, numbers, 8 * some);
        } else {
            for (size_t i = 0; i < some; i++) {
                uint32_t low = (uint32_t)numbers[i];
                memcpy(out + 4 * i, &low, 4);
            }
        }
        out += some * cursor->column->width;
        n -= some;
    }
    return FTL_OK;
}

/* Byte k of all values, one after the other, for each k. */
static void join_bytes(const uint8_t *in, size_t distance, size_t width, size_t n, uint8_t *out)
{
    switch (width) {
    case 8:
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < 8; k++)
                out[8 * i + k] = in[k * distance + i];
        }
        return;
    case 4:
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < 4; k++)
                out[4 * i + k] = in[k * distance + i];
        }
        return;
    default:
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < width; k++)
                out[width * i + k] = in[k * distance + i];
        }
    }
}

static ftl_status fixed_texts(ftl_parquet_cursor *cursor, size_t n, uint8_t *out, ftl_error *error)
{
    int64_t prefix, length;
    const size_t width = cursor->column->width;
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(take_lengths(&cursor->prefixes, &prefix, 1, error));
        FTL_TRY(take_lengths(&cursor->delta, &length, 1, error));
        FTL_TRY(next_text(cursor, prefix, length, error));
        if (cursor->previous.size != width)
            return FTL_FAIL(error, FTL_CORRUPT, "a value has %zu bytes instead of %zu",
                            cursor->previous.size, width);
        memcpy(out + i * width, cursor->previous.data, width);
    }
    return FTL_OK;
}

/* n values of a fixed size as they are stored; those of a dictionary as they are read. */
static ftl_status take_numbers(ftl_parquet_cursor *cursor, size_t n, uint8_t *out, ftl_error *error)
{
    const size_t width = cursor->column->width;
    switch (cursor->form) {
    case FTL_PARQUET_DICTIONARY:
        return dictionary_numbers(cursor, n, out, error);
    case FTL_PARQUET_DELTA:
        return delta_numbers(cursor, n, out, error);
    case FTL_PARQUET_DELTA_TEXTS:
        return fixed_texts(cursor, n, out, error);
    case FTL_PARQUET_SPLIT:
        if (n > cursor->places - cursor->place)
            return short_of(error);
        join_bytes(cursor->next + cursor->place, cursor->places, width, n, out);
        cursor->place += n;
        return FTL_OK;
    case FTL_PARQUET_PLAIN_VALUES:
        if (n > (size_t)(cursor->next_end - cursor->next) / width)
            return short_of(error);
        memcpy(out, cursor->next, n * width);
        cursor->next += n * width;
        return FTL_OK;
    default:
        return no_encoding(cursor, DELTA_LENGTH_BYTE_ARRAY, error);
    }
}

/* A byte each. */
static ftl_status take_booleans(ftl_parquet_cursor *cursor, size_t n, uint8_t *out,
                                ftl_error *error)
{
    uint32_t bits[SOME];
    if (cursor->form == FTL_PARQUET_DICTIONARY)
        return dictionary_numbers(cursor, n, out, error);
    if (cursor->form == FTL_PARQUET_PLAIN_BITS) {
        if (n > cursor->places - cursor->place)
            return short_of(error);
        for (size_t i = 0; i < n; i++, cursor->place++)
            out[i] = cursor->next[cursor->place / 8] >> cursor->place % 8 & 1;
        return FTL_OK;
    }
    while (n) {
        size_t some = n < SOME ? n : SOME;
        if (!ftl_rle_read(&cursor->indices, bits, some))
            return short_of(error);
        for (size_t i = 0; i < some; i++)
            out[i] = bits[i] != 0;
        out += some;
        n -= some;
    }
    return FTL_OK;
}

/* ---- Decimals -------------------------------------------------------------------------------- */

static void put_decimals(const ftl_parquet_column *column, const uint8_t *stored, size_t n,
                         uint8_t *out)
{
    bool little = column->physical != FTL_PARQUET_FIXED;
    for (size_t i = 0; i < n; i++) {
        double value = ftl_fixed_decimal(stored + i * column->width, column->width, little,
                                         column->scale);
        memcpy(out + i * sizeof value, &value, sizeof value);
    }
}

static ftl_status put_text_decimal(const ftl_parquet_column *column, const uint8_t *bytes,
                                   size_t size, uint8_t *out, ftl_error *error)
{
    if (size > FTL_FIXED_DECIMAL_BYTES)
        return FTL_FAIL(error, FTL_CORRUPT, "a decimal has %zu bytes", size);
    double value = ftl_fixed_decimal(bytes, size, false, column->scale);
    memcpy(out, &value, sizeof value);
    return FTL_OK;
}

static ftl_status take_text_decimals(ftl_parquet_cursor *cursor, size_t n, uint8_t *out,
                                     ftl_error *error)
{
    ftl_parquet_values *texts = &cursor->texts;
    uint32_t ends[SOME], begin = 0;
    while (n) {
        size_t some = n < SOME ? n : SOME;
        ftl_parquet_values_clear(texts);
        FTL_TRY(ftl_grow(cursor->shared->account, &texts->data, &texts->data_room,
                         FTL_PARQUET_PADDING, 1, error));
        FTL_TRY(take_texts(cursor, some, texts, ends, error));
        begin = 0;
        for (size_t i = 0; i < some; i++, out += sizeof(double)) {
            FTL_TRY(
                put_text_decimal(cursor->column, texts->data + begin, ends[i] - begin, out, error));
            begin = ends[i];
        }
        n -= some;
    }
    return FTL_OK;
}

static ftl_status take_decimals(ftl_parquet_cursor *cursor, size_t n, uint8_t *out,
                                ftl_error *error)
{
    uint8_t stored[SOME / 16 * FTL_FIXED_DECIMAL_BYTES];
    if (cursor->form == FTL_PARQUET_DICTIONARY)
        return dictionary_numbers(cursor, n, out, error);
    if (cursor->column->physical == FTL_PARQUET_BYTE_ARRAY)
        return take_text_decimals(cursor, n, out, error);
    while (n) {
        size_t some = n < SOME / 16 ? n : SOME / 16;
        FTL_TRY(take_numbers(cursor, some, stored, error));
        put_decimals(cursor->column, stored, some, out);
        out += some * sizeof(double);
        n -= some;
    }
    return FTL_OK;
}

/* ---- Nulls ----------------------------------------------------------------------------------- */

/* Moves `valid` numbers to the places of the n rows that are not null; the others become zero. */
static void spread_numbers(uint8_t *data, size_t width, const uint8_t *validity, size_t first,
                           size_t n, size_t valid)
{
    for (size_t i = n; i-- > 0;) {
        size_t bit = first + i;
        if (validity[bit / 8] >> bit % 8 & 1) {
            if (--valid == i) /* the rest is in place */
                return;
            memcpy(data + i * width, data + valid * width, width);
        } else {
            memset(data + i * width, 0, width);
        }
    }
}

static void spread_8(uint8_t *data, const uint8_t *validity, size_t first, size_t n, size_t valid)
{
    for (size_t i = n; i-- > 0 && valid <= i;) {
        size_t bit = first + i;
        uint64_t value, mask = 0 - (uint64_t)(validity[bit / 8] >> bit % 8 & 1);
        valid += mask; /* one less where there is a value */
        memcpy(&value, data + (mask ? valid : i) * 8, 8);
        value &= mask;
        memcpy(data + i * 8, &value, 8);
    }
}

/* The same for the ends of texts: a null ends where the text before it does. */
static void spread_ends(uint32_t *ends, uint32_t begin, const uint8_t *validity, size_t first,
                        size_t n, size_t valid)
{
    for (size_t i = n; i-- > 0;) {
        size_t bit = first + i;
        ends[i] = valid ? ends[valid - 1] : begin;
        valid -= validity[bit / 8] >> bit % 8 & 1;
    }
}

ftl_status ftl_parquet_values_decode(ftl_parquet_cursor *cursor, size_t n, size_t valid,
                                     ftl_parquet_values *values, ftl_error *error)
{
    const ftl_parquet_column *column = cursor->column;
    const size_t first = values->rows;
    if (is_text(column)) {
        uint32_t *ends = values->offsets + first + 1, begin = values->offsets[first];
        FTL_TRY(take_texts(cursor, valid, values, ends, error));
        if (valid < n)
            spread_ends(ends, begin, values->validity, first, n, valid);
    } else {
        const size_t width = row_size(column);
        uint8_t *out = values->data + first * width;
        if (column->decimal)
            FTL_TRY(take_decimals(cursor, valid, out, error));
        else if (column->physical == FTL_PARQUET_BOOLEAN)
            FTL_TRY(take_booleans(cursor, valid, out, error));
        else
            FTL_TRY(take_numbers(cursor, valid, out, error));
        if (valid < n && width == 8)
            spread_8(out, values->validity, first, n, valid);
        else if (valid < n)
            spread_numbers(out, width, values->validity, first, n, valid);
    }
    values->rows += n;
    values->nulls += n - valid;
    return FTL_OK;
}

/* ---- Dictionaries ---------------------------------------------------------------------------- */

static ftl_status find_spans(ftl_parquet_cursor *cursor, uint32_t n, ftl_error *error)
{
    const uint8_t *data = cursor->dictionary.data;
    size_t at = 0, size = cursor->dictionary.size, width = cursor->column->width;
    if (n > size / (width ? width : 4))
        return short_of(error);
    FTL_TRY(ftl_grow(cursor->shared->account, &cursor->spans, &cursor->spans_room, (size_t)n + 1,
                     sizeof *cursor->spans, error));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t length = (uint32_t)width;
        if (width == 0) {
            if (size - at < 4)
                return short_of(error);
            length = le_32(data + at);
            at += 4;
        }
        if (length > size - at)
            return short_of(error);
        cursor->spans[i] = (ftl_parquet_span){(uint32_t)at, length};
        at += length;
    }
    return FTL_OK;
}

/* Makes doubles of stored decimals. */
static ftl_status convert_decimals(ftl_parquet_cursor *cursor, uint32_t n, ftl_error *error)
{
    const ftl_parquet_column *column = cursor->column;
    ftl_parquet_buffer doubles = {0};
    FTL_TRY(ftl_parquet_buffer_fit(&doubles, cursor->shared->account, 0, (size_t)n * sizeof(double),
                                   error));
    ftl_status status = FTL_OK;
    if (column->physical != FTL_PARQUET_BYTE_ARRAY)
        put_decimals(column, cursor->dictionary.data, n, doubles.data);
    for (uint32_t i = 0; column->physical == FTL_PARQUET_BYTE_ARRAY && status == FTL_OK && i < n;
         i++)
        status = put_text_decimal(column, cursor->dictionary.data + cursor->spans[i].start,
                                  cursor->spans[i].size, doubles.data + i * sizeof(double), error);
    ftl_free(cursor->shared->account, cursor->dictionary.data);
    cursor->dictionary = doubles;
    return status;
}

/* Makes bytes of the bits that booleans are stored as; fastparquet writes such dictionaries. */
static ftl_status convert_booleans(ftl_parquet_cursor *cursor, uint32_t n, ftl_error *error)
{
    ftl_parquet_buffer bytes = {0};
    if (n > 2)
        return FTL_FAIL(error, FTL_CORRUPT, "a dictionary of %u booleans", n);
    if (n && cursor->dictionary.size == 0)
        return short_of(error);
    FTL_TRY(ftl_parquet_buffer_fit(&bytes, cursor->shared->account, 0, n, error));
    for (uint32_t i = 0; i < n; i++)
        bytes.data[i] = cursor->dictionary.data[0] >> i & 1;
    ftl_free(cursor->shared->account, cursor->dictionary.data);
    cursor->dictionary = bytes;
    return FTL_OK;
}

ftl_status ftl_parquet_dictionary_take(ftl_parquet_cursor *cursor, uint32_t n, ftl_error *error)
{
    const ftl_parquet_column *column = cursor->column;
    if (column->physical == FTL_PARQUET_BOOLEAN)
        FTL_TRY(convert_booleans(cursor, n, error));
    else if (is_text(column) || column->physical == FTL_PARQUET_BYTE_ARRAY)
        FTL_TRY(find_spans(cursor, n, error));
    else if (n > cursor->dictionary.size / column->width)
        return short_of(error);
    if (column->decimal)
        FTL_TRY(convert_decimals(cursor, n, error));
    cursor->n_dictionary = n;
    cursor->has_dictionary = true;
    return FTL_OK;
}
