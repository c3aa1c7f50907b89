/*
 * Arrow IPC output: a file, or a stream where the name ends in .arrows or the output is no plain
 * file. Rows are gathered to record batches of many; where these end depends on the rows alone. A
 * missing value is a null; NaN stays NaN.
 */
#include "base/checked.h"
#include "base/column.h"
#include "base/ending.h"
#include "io/flatbuf_build.h"
#include "table/sink_impl.h"

#include <string.h>

enum {
    ALIGNMENT = 64, /* of buffers in the file */
    BATCH_ROWS = 1 << 16,
    BATCH_BYTES = 32 << 20, /* of values; a record batch ends behind the row that reaches it */
    LENGTH_SIZE = 8         /* in front of a message */
};

static const char continuation[4] = {(char)0xff, (char)0xff, (char)0xff, (char)0xff};
static const char magic[8] = "ARROW1"; /* with its padding; without it at the end */

/* A column of the batch that is being gathered. */
typedef struct gathered {
    ftl_strbuf validity, values; /* values: numbers, bits, or offsets of texts */
    ftl_strbuf texts;
    size_t nulls; /* 0: validity holds nothing */
} gathered;

typedef struct block_place {
    uint64_t at;
    uint32_t metadata_size, padding;
    uint64_t body_size;
} block_place;

/* A column of a piece, some of whose rows were taken already. */
typedef struct piece_part {
    const uint8_t *validity; /* NULL: no nulls */
    const uint8_t *values;   /* numbers, a byte for a bool, sizes of texts: of all rows */
    const uint8_t *texts;    /* of the rows that were not taken */
} piece_part;

typedef struct arrow_state {
    bool stream;
    gathered *columns;
    piece_part *parts;    /* [columns] */
    size_t n_made;        /* of the columns that were made */
    size_t row_bytes;     /* of values that have a width, and the sizes of texts */
    size_t rows;          /* gathered */
    size_t bytes;         /* of them */
    uint64_t ended;       /* rows in record batches */
    uint64_t first_block; /* where they begin in the file */
    block_place *blocks;
    size_t n_blocks, blocks_room;
    ftl_strbuf message;
} arrow_state;

/* ---- Bytes ----------------------------------------------------------------------------------- */

static ftl_status write_bytes(ftl_sink *sink, const void *data, size_t size, ftl_error *error)
{
    return ftl_output_write(&sink->output, data, size, error);
}

static ftl_status write_padding(ftl_sink *sink, size_t size, ftl_error *error)
{
    static const char zeros[ALIGNMENT];
    return write_bytes(sink, zeros, size, error);
}

static size_t padding_of(uint64_t size) { return (size_t)(-size % ALIGNMENT); }

/* ---- Metadata -------------------------------------------------------------------------------- */

/* Numbers of format/Schema.fbs and format/Message.fbs. */
enum { KIND_INT = 2, KIND_FLOAT = 3, KIND_UTF8 = 5, KIND_BOOL = 6 };
enum { MESSAGE_SCHEMA = 1, MESSAGE_BATCH = 3, VERSION_5 = 4 };

static size_t put_type(ftl_fb_builder *builder, ftl_type type, int *kind)
{
    switch (type) {
    case FTL_I64:
    case FTL_U64:
        *kind = KIND_INT;
        return ftl_fb_put_table(builder, (const ftl_fb_slot[]){{4, 64}, {1, type == FTL_I64}}, 2);
    case FTL_F64:
    case FTL_F32:
        *kind = KIND_FLOAT;
        return ftl_fb_put_table(builder, (const ftl_fb_slot[]){{2, type == FTL_F64 ? 2 : 1}}, 1);
    case FTL_BOOL:
        *kind = KIND_BOOL;
        break;
    default:
        *kind = KIND_UTF8;
    }
    return ftl_fb_put_table(builder, NULL, 0);
}

static size_t put_field(ftl_fb_builder *builder, const ftl_sink_column *column)
{
    enum { NAME = 0, KIND = 2, TYPE = 3, CHILDREN = 5 };
    static const ftl_fb_slot slots[] = {{4, 0}, {1, 1}, {1, 0}, {4, 0}, {0, 0}, {4, 0}};
    int kind;
    size_t field = ftl_fb_put_table(builder, slots, FTL_ARRAY_LEN(slots));
    ftl_fb_refer(builder, ftl_fb_slot_of(builder, field, NAME),
                 ftl_fb_put_text(builder, column->name));
    ftl_fb_refer(builder, ftl_fb_slot_of(builder, field, TYPE),
                 put_type(builder, column->type, &kind));
    ftl_fb_refer(builder, ftl_fb_slot_of(builder, field, CHILDREN),
                 ftl_fb_put_vector(builder, NULL, 0, 4, 4));
    if (!builder->out->failed)
        builder->out->data[builder->begin + ftl_fb_slot_of(builder, field, KIND)] = (char)kind;
    return field;
}

static size_t put_schema(const ftl_sink *sink, ftl_fb_builder *builder)
{
    enum { FIELDS = 1 };
    bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    size_t schema = ftl_fb_put_table(builder, (const ftl_fb_slot[]){{2, big}, {4, 0}}, 2);
    size_t fields = ftl_fb_put_vector(builder, NULL, sink->n_columns, 4, 4);
    ftl_fb_refer(builder, ftl_fb_slot_of(builder, schema, FIELDS), fields);
    for (size_t i = 0; i < sink->n_columns; i++)
        ftl_fb_refer(builder, ftl_fb_item_of(fields, i, 4), put_field(builder, &sink->columns[i]));
    return schema;
}

/* The root table of a message; its header is to be referred to. */
static size_t put_message(ftl_fb_builder *builder, int kind, uint64_t body_size)
{
    const ftl_fb_slot slots[] = {{2, VERSION_5}, {1, kind}, {4, 0}, {8, (int64_t)body_size}};
    size_t message = ftl_fb_put_table(builder, slots, FTL_ARRAY_LEN(slots));
    ftl_fb_refer(builder, 0, message);
    return message;
}

/* Writes the message that was built, so that its body begins at a multiple of the alignment. */
static ftl_status write_message(ftl_sink *sink, uint32_t *written, ftl_error *error)
{
    arrow_state *state = sink->state;
    if (state->message.failed)
        return FTL_OOM(error);
    size_t padding = padding_of(sink->output.written + LENGTH_SIZE + state->message.size);
    uint32_t size = (uint32_t)(state->message.size + padding);
    char head[LENGTH_SIZE];
    memcpy(head, continuation, sizeof continuation);
    for (unsigned i = 0; i < 4; i++)
        head[4 + i] = (char)(size >> 8 * i);
    FTL_TRY(write_bytes(sink, head, sizeof head, error));
    FTL_TRY(write_bytes(sink, state->message.data, state->message.size, error));
    *written = LENGTH_SIZE + size;
    return write_padding(sink, padding, error);
}

/* ---- Beginning ------------------------------------------------------------------------------- */

/* Of a row in a piece. */
static size_t value_size(ftl_type type)
{
    return type == FTL_STRING ? sizeof(uint32_t) : ftl_type_size(type);
}

/* As its name says, and where it is no plain file. */
static bool is_stream(const ftl_output *output)
{
    return !output->temporary || ftl_has_ending(output->shown, strlen(output->shown), ".arrows");
}

static ftl_status make_columns(ftl_sink *sink, ftl_error *error)
{
    arrow_state *state = sink->state;
    state->columns = ftl_arena_zero_array(&sink->arena, sink->n_columns, sizeof *state->columns);
    state->parts = ftl_arena_zero_array(&sink->arena, sink->n_columns, sizeof *state->parts);
    if (!state->columns || !state->parts)
        return FTL_OOM(error);
    for (; state->n_made < sink->n_columns; state->n_made++) {
        gathered *column = &state->columns[state->n_made];
        ftl_strbuf_init(&column->validity, sink->account, 0);
        ftl_strbuf_init(&column->values, sink->account, 0);
        ftl_strbuf_init(&column->texts, sink->account, INT32_MAX);
        state->row_bytes += value_size(sink->columns[state->n_made].type);
    }
    return FTL_OK;
}

static ftl_status arrow_begin(ftl_sink *sink, ftl_error *error)
{
    enum { HEADER = 2 };
    arrow_state *state = sink->state;
    uint32_t size;
    ftl_strbuf_init(&state->message, sink->account, 0);
    state->stream = is_stream(&sink->output);
    FTL_TRY(make_columns(sink, error));
    if (!state->stream)
        FTL_TRY(write_bytes(sink, magic, sizeof magic, error));
    ftl_fb_builder builder = ftl_fb_build(&state->message);
    size_t message = put_message(&builder, MESSAGE_SCHEMA, 0);
    ftl_fb_refer(&builder, ftl_fb_slot_of(&builder, message, HEADER), put_schema(sink, &builder));
    FTL_TRY(write_message(sink, &size, error));
    state->first_block = sink->output.written;
    return FTL_OK;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/*
 * A piece: for each column the number of nulls and the bytes of its texts, then validity bits if
 * there are nulls, then values: numbers, a byte for a bool, the sizes of texts, and the texts.
 */
typedef struct piece_head {
    uint64_t nulls, text_size;
} piece_head;

static size_t count_nulls(const ftl_column *column, size_t rows, const uint8_t *skip)
{
    size_t n = 0;
    for (size_t i = 0; column->validity && i < rows; i++)
        n += !(skip && skip[i]) && !ftl_column_is_valid(column, i);
    return n;
}

static void put_validity(const ftl_column *column, size_t rows, const uint8_t *skip,
                         ftl_strbuf *out)
{
    unsigned byte = 0, bits = 0;
    for (size_t i = 0; i < rows; i++) {
        if (skip && skip[i])
            continue;
        byte |= (unsigned)ftl_column_is_valid(column, i) << bits;
        if (++bits == 8) {
            ftl_strbuf_putc(out, (char)byte);
            byte = bits = 0;
        }
    }
    if (bits)
        ftl_strbuf_putc(out, (char)byte);
}

static void put_numbers(const ftl_column *column, size_t rows, const uint8_t *skip, ftl_strbuf *out)
{
    size_t width = ftl_type_size(column->type);
    if (!skip && (column->stride == 0 || column->stride == (ptrdiff_t)width)) {
        ftl_strbuf_append(out, column->values, rows * width);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        if (!(skip && skip[i]))
            ftl_strbuf_append(out, ftl_column_at(column, i, width), width);
    }
}

/* Sizes, then texts; a null has none. Returns the bytes of all texts. */
static uint64_t put_texts(const ftl_column *column, size_t rows, const uint8_t *skip,
                          ftl_strbuf *out)
{
    uint64_t all = 0;
    size_t size;
    for (size_t i = 0; i < rows; i++) {
        if (skip && skip[i])
            continue;
        size = 0;
        if (ftl_column_is_valid(column, i))
            (void)ftl_column_text(column, i, &size);
        ftl_strbuf_append(out, (const char *)&(uint32_t){(uint32_t)size}, sizeof(uint32_t));
        all += size;
    }
    for (size_t i = 0; i < rows; i++) {
        if ((skip && skip[i]) || !ftl_column_is_valid(column, i))
            continue;
        const char *text = ftl_column_text(column, i, &size);
        ftl_strbuf_append(out, text, size);
    }
    return all;
}

static ftl_status arrow_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                               ftl_strbuf *out, ftl_error *error)
{
    (void)sink;
    for (size_t i = 0; i < batch->n_columns; i++) {
        const ftl_column *column = &batch->columns[i];
        piece_head head = {.nulls = count_nulls(column, batch->rows, skip)};
        size_t at = out->size;
        ftl_strbuf_append(out, (const char *)&head, sizeof head);
        if (head.nulls)
            put_validity(column, batch->rows, skip, out);
        if (column->type == FTL_STRING)
            head.text_size = put_texts(column, batch->rows, skip, out);
        else
            put_numbers(column, batch->rows, skip, out);
        if (out->failed)
            return FTL_OOM(error);
        memcpy(out->data + at, &head, sizeof head);
    }
    return FTL_OK;
}

/* ---- Gathering ------------------------------------------------------------------------------- */

/* Appends n bits of `from`, from the first on, behind so many others; from NULL: ones. */
static void append_bits(ftl_strbuf *bits, size_t at, const uint8_t *from, size_t first, size_t n)
{
    for (size_t i = 0; i < n && !bits->failed; i++, at++) {
        if (at % 8 == 0)
            ftl_strbuf_putc(bits, 0);
        if (!bits->failed && (!from || ftl_bit_at(from, first + i)))
            bits->data[at / 8] = (char)(bits->data[at / 8] | 1 << at % 8);
    }
}

static void append_bools(ftl_strbuf *bits, size_t at, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n && !bits->failed; i++, at++) {
        if (at % 8 == 0)
            ftl_strbuf_putc(bits, 0);
        if (!bits->failed && from[i])
            bits->data[at / 8] = (char)(bits->data[at / 8] | 1 << at % 8);
    }
}

/* Offsets go on where those so far end. Returns the bytes of the texts. */
static size_t append_offsets(gathered *column, const uint8_t *sizes, size_t n)
{
    size_t all = 0;
    uint32_t size, end = (uint32_t)column->texts.size;
    if (column->values.size == 0)
        ftl_strbuf_append(&column->values, (const char *)&end, sizeof end);
    for (size_t i = 0; i < n; i++) {
        memcpy(&size, sizes + i * sizeof size, sizeof size);
        end += size;
        ftl_strbuf_append(&column->values, (const char *)&end, sizeof end);
        all += size;
    }
    return all;
}

static size_t count_nulls_of(const piece_part *part, size_t first, size_t n)
{
    size_t nulls = 0;
    for (size_t i = 0; part->validity && i < n; i++)
        nulls += !ftl_bit_at(part->validity, first + i);
    return nulls;
}

static uint32_t text_size_of(const piece_part *part, size_t row)
{
    uint32_t size;
    memcpy(&size, part->values + row * sizeof size, sizeof size);
    return size;
}

/* Passes over the texts of the first rows. */
static void pass_texts(ftl_sink *sink, size_t rows)
{
    const arrow_state *state = sink->state;
    for (size_t i = 0; i < sink->n_columns; i++) {
        piece_part *part = &state->parts[i];
        for (size_t row = 0; sink->columns[i].type == FTL_STRING && row < rows; row++)
            part->texts += text_size_of(part, row);
    }
}

/* Takes n rows of a column of a piece, from the first on, behind those that were gathered. */
static void gather(gathered *column, ftl_type type, size_t before, piece_part *part, size_t first,
                   size_t n)
{
    size_t nulls = count_nulls_of(part, first, n), width = value_size(type);
    if (nulls && column->nulls == 0)
        append_bits(&column->validity, 0, NULL, 0, before);
    if (nulls || column->nulls)
        append_bits(&column->validity, before, part->validity, first, n);
    column->nulls += nulls;
    const uint8_t *values = part->values + first * width;
    if (type == FTL_BOOL) {
        append_bools(&column->values, before, values, n);
    } else if (type == FTL_STRING) {
        size_t size = append_offsets(column, values, n);
        ftl_strbuf_append(&column->texts, (const char *)part->texts, size);
        part->texts += size;
    } else {
        ftl_strbuf_append(&column->values, (const char *)values, n * width);
    }
}

/* The columns of a piece of so many rows; the bytes of its values and texts. */
static size_t take_apart(const ftl_sink *sink, const uint8_t *piece, size_t rows)
{
    const arrow_state *state = sink->state;
    size_t bytes = rows * state->row_bytes;
    for (size_t i = 0; i < sink->n_columns; i++) {
        piece_part *part = &state->parts[i];
        piece_head head;
        memcpy(&head, piece, sizeof head);
        piece += sizeof head;
        *part = (piece_part){.validity = head.nulls ? piece : NULL};
        if (head.nulls)
            piece += (rows + 7) / 8;
        part->values = piece;
        part->texts = piece + rows * value_size(sink->columns[i].type);
        piece = part->texts + head.text_size;
        bytes += head.text_size;
    }
    return bytes;
}

static bool is_full(const arrow_state *state)
{
    return state->rows >= BATCH_ROWS || state->bytes >= BATCH_BYTES;
}

/* Counts the rows of a piece from the first on that go into the record batch: one at least. */
static size_t count_rows(const ftl_sink *sink, size_t first, size_t rows)
{
    arrow_state *state = sink->state;
    size_t n = 0;
    for (; first + n < rows && !is_full(state); n++) {
        state->rows++;
        state->bytes += state->row_bytes;
        for (size_t i = 0; i < sink->n_columns; i++) {
            if (sink->columns[i].type == FTL_STRING)
                state->bytes += text_size_of(&state->parts[i], first + n);
        }
    }
    return n;
}

/* ---- Record batches -------------------------------------------------------------------------- */

/* The buffers of a column, as they come in the file. */
static size_t list_buffers(gathered *column, ftl_type type, ftl_strbuf *out[3])
{
    out[0] = &column->validity;
    out[1] = &column->values;
    out[2] = &column->texts;
    return type == FTL_STRING ? 3 : 2;
}

static void put_pair(ftl_strbuf *out, uint64_t a, uint64_t b)
{
    const uint64_t pair[2] = {a, b};
    ftl_strbuf_append(out, (const char *)pair, sizeof pair);
}

/* The message of the gathered batch, and the bytes of its body. nodes, buffers: room to work in. */
static uint64_t build_batch(ftl_sink *sink, ftl_strbuf *nodes, ftl_strbuf *buffers)
{
    enum { HEADER = 2, BATCH_NODES = 1, BATCH_BUFFERS = 2, PAIR_SIZE = 16 };
    arrow_state *state = sink->state;
    uint64_t body = 0;
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_strbuf *lists[3];
        size_t n = list_buffers(&state->columns[i], sink->columns[i].type, lists);
        put_pair(nodes, state->rows, state->columns[i].nulls);
        for (size_t k = 0; k < n; k++) {
            put_pair(buffers, body, lists[k]->size);
            body += lists[k]->size + padding_of(lists[k]->size);
        }
    }
    ftl_strbuf_clear(&state->message);
    if (nodes->failed || buffers->failed) {
        state->message.failed = true;
        return 0;
    }
    ftl_fb_builder builder = ftl_fb_build(&state->message);
    size_t message = put_message(&builder, MESSAGE_BATCH, body);
    const ftl_fb_slot slots[] = {{8, (int64_t)state->rows}, {4, 0}, {4, 0}};
    size_t batch = ftl_fb_put_table(&builder, slots, FTL_ARRAY_LEN(slots));
    ftl_fb_refer(&builder, ftl_fb_slot_of(&builder, message, HEADER), batch);
    ftl_fb_refer(&builder, ftl_fb_slot_of(&builder, batch, BATCH_NODES),
                 ftl_fb_put_vector(&builder, nodes->data, nodes->size / PAIR_SIZE, PAIR_SIZE, 8));
    ftl_fb_refer(
        &builder, ftl_fb_slot_of(&builder, batch, BATCH_BUFFERS),
        ftl_fb_put_vector(&builder, buffers->data, buffers->size / PAIR_SIZE, PAIR_SIZE, 8));
    return body;
}

static ftl_status write_body(ftl_sink *sink, ftl_error *error)
{
    arrow_state *state = sink->state;
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_strbuf *buffers[3];
        size_t n = list_buffers(&state->columns[i], sink->columns[i].type, buffers);
        for (size_t k = 0; k < n; k++) {
            FTL_TRY(write_bytes(sink, buffers[k]->data, buffers[k]->size, error));
            FTL_TRY(write_padding(sink, padding_of(buffers[k]->size), error));
            ftl_strbuf_clear(buffers[k]);
        }
        state->columns[i].nulls = 0;
    }
    return FTL_OK;
}

/* Of a record batch of a file, for who goes on behind it. */
typedef struct batch_record {
    block_place place;
    uint64_t rows;
} batch_record;

/* What was gathered is a record batch now. */
static ftl_status end_batch(ftl_sink *sink, const block_place *place, ftl_error *error)
{
    arrow_state *state = sink->state;
    const batch_record record = {*place, state->rows};
    state->ended += state->rows;
    state->rows = state->bytes = 0;
    sink->mark = (ftl_output_mark){sink->output.written, state->ended};
    if (sink->resumable && !state->stream)
        ftl_strbuf_append(&sink->log, (const char *)&record, sizeof record);
    return sink->log.failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status add_block(ftl_sink *sink, const block_place *place, ftl_error *error)
{
    arrow_state *state = sink->state;
    FTL_TRY(ftl_grow(sink->account, &state->blocks, &state->blocks_room, state->n_blocks + 1,
                     sizeof *state->blocks, error));
    state->blocks[state->n_blocks++] = *place;
    return FTL_OK;
}

/* Writes what is gathered as a record batch. */
static ftl_status flush(ftl_sink *sink, ftl_error *error)
{
    arrow_state *state = sink->state;
    ftl_strbuf nodes, buffers;
    if (state->rows == 0)
        return FTL_OK;
    ftl_strbuf_init(&nodes, sink->account, 0);
    ftl_strbuf_init(&buffers, sink->account, 0);
    block_place place = {.at = sink->output.written,
                         .body_size = build_batch(sink, &nodes, &buffers)};
    ftl_strbuf_free(&nodes);
    ftl_strbuf_free(&buffers);
    FTL_TRY(write_message(sink, &place.metadata_size, error));
    FTL_TRY(write_body(sink, error));
    FTL_TRY(add_block(sink, &place, error));
    return end_batch(sink, &place, error);
}

/* Gathers n rows that are counted already. */
static ftl_status gather_rows(ftl_sink *sink, size_t first, size_t n, ftl_error *error)
{
    arrow_state *state = sink->state;
    for (size_t i = 0; i < sink->n_columns; i++) {
        gathered *column = &state->columns[i];
        gather(column, sink->columns[i].type, state->rows - n, &state->parts[i], first, n);
        if (column->validity.failed || column->values.failed || column->texts.failed)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status arrow_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                               ftl_error *error)
{
    (void)size;
    arrow_state *state = sink->state;
    size_t first = sink->skip < rows ? (size_t)sink->skip : rows;
    sink->skip -= first;
    if (first == rows)
        return FTL_OK;
    size_t bytes = take_apart(sink, data, rows), n;
    pass_texts(sink, first);
    bool fits = first == 0 && state->rows + rows < BATCH_ROWS && state->bytes + bytes < BATCH_BYTES;
    if (fits) {
        state->rows += rows;
        state->bytes += bytes;
        return gather_rows(sink, 0, rows, error);
    }
    for (; first < rows; first += n) {
        n = count_rows(sink, first, rows);
        FTL_TRY(gather_rows(sink, first, n, error));
        if (is_full(state))
            FTL_TRY(flush(sink, error));
    }
    return FTL_OK;
}

/* ---- Going on -------------------------------------------------------------------------------- */

/* Takes the records one behind the other, each of which must begin where the last one ends. */
static ftl_status take_records(ftl_sink *sink, const uint8_t *records, size_t n,
                               const ftl_output_mark *mark, ftl_error *error)
{
    arrow_state *state = sink->state;
    uint64_t at = state->first_block;
    for (size_t i = 0; i < n; i++) {
        batch_record record;
        memcpy(&record, records + i * sizeof record, sizeof record);
        const block_place *place = &record.place;
        bool fits = place->at == at && place->padding == 0 && place->metadata_size % 8 == 0 &&
                    place->metadata_size > 0 && record.rows > 0 &&
                    ftl_add_u64(at, place->metadata_size, &at) &&
                    ftl_add_u64(at, place->body_size, &at) &&
                    ftl_add_u64(state->ended, record.rows, &state->ended);
        if (!fits)
            return FTL_FAIL(error, FTL_CORRUPT, "the record batches' places are damaged");
        FTL_TRY(add_block(sink, place, error));
    }
    return at == mark->packed && state->ended == mark->written
               ? FTL_OK
               : FTL_FAIL(error, FTL_CORRUPT, "the record batches are not those of the file");
}

static ftl_status arrow_restore(ftl_sink *sink, const void *records, size_t size,
                                const ftl_output_mark *mark, ftl_error *error)
{
    arrow_state *state = sink->state;
    ftl_status status = FTL_OK;
    state->n_blocks = 0;
    state->ended = 0;
    if (state->stream) /* which has no list of them */
        state->ended = mark->written;
    else if (size % sizeof(batch_record) != 0)
        status = FTL_FAIL(error, FTL_CORRUPT, "the record batches' places are damaged");
    else
        status = take_records(sink, records, size / sizeof(batch_record), mark, error);
    if (status != FTL_OK) {
        state->n_blocks = 0;
        state->ended = 0;
    }
    return status;
}

/* ---- The end --------------------------------------------------------------------------------- */

static ftl_status write_footer(ftl_sink *sink, ftl_error *error)
{
    enum { SCHEMA = 1, DICTIONARIES = 2, BATCHES = 3, MAGIC_SIZE = 6 };
    arrow_state *state = sink->state;
    static const ftl_fb_slot slots[] = {{2, VERSION_5}, {4, 0}, {4, 0}, {4, 0}};
    ftl_strbuf_clear(&state->message);
    ftl_fb_builder builder = ftl_fb_build(&state->message);
    size_t footer = ftl_fb_put_table(&builder, slots, FTL_ARRAY_LEN(slots));
    ftl_fb_refer(&builder, 0, footer);
    ftl_fb_refer(&builder, ftl_fb_slot_of(&builder, footer, SCHEMA), put_schema(sink, &builder));
    ftl_fb_refer(&builder, ftl_fb_slot_of(&builder, footer, DICTIONARIES),
                 ftl_fb_put_vector(&builder, NULL, 0, sizeof(block_place), 8));
    ftl_fb_refer(
        &builder, ftl_fb_slot_of(&builder, footer, BATCHES),
        ftl_fb_put_vector(&builder, state->blocks, state->n_blocks, sizeof(block_place), 8));
    if (state->message.failed)
        return FTL_OOM(error);
    char size[4];
    for (unsigned i = 0; i < 4; i++)
        size[i] = (char)((uint32_t)state->message.size >> 8 * i);
    FTL_TRY(write_bytes(sink, state->message.data, state->message.size, error));
    FTL_TRY(write_bytes(sink, size, sizeof size, error));
    return write_bytes(sink, magic, MAGIC_SIZE, error);
}

static ftl_status arrow_finish(ftl_sink *sink, ftl_error *error)
{
    const arrow_state *state = sink->state;
    char end[LENGTH_SIZE] = {0};
    memcpy(end, continuation, sizeof continuation);
    FTL_TRY(flush(sink, error));
    FTL_TRY(write_bytes(sink, end, sizeof end, error));
    return state->stream ? FTL_OK : write_footer(sink, error);
}

static void arrow_close(ftl_sink *sink)
{
    arrow_state *state = sink->state;
    for (size_t i = 0; i < state->n_made; i++) {
        ftl_strbuf_free(&state->columns[i].validity);
        ftl_strbuf_free(&state->columns[i].values);
        ftl_strbuf_free(&state->columns[i].texts);
    }
    if (state->message.account)
        ftl_strbuf_free(&state->message);
    ftl_free(sink->account, state->blocks);
}

static const char *const arrow_endings[] = {".arrow", ".arrows", ".feather", ".ipc", NULL};

const ftl_sink_kind ftl_sink_arrow = {
    .name = "Arrow",
    .keyword = "arrow",
    .endings = arrow_endings,
    .state_size = sizeof(arrow_state),
    .begin = arrow_begin,
    .format = arrow_format,
    .append = arrow_append,
    .restore = arrow_restore,
    .cut = flush,
    .finish = arrow_finish,
    .close = arrow_close,
};
