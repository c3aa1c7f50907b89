#include "arrow_parts.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One column ---------------------------------------------------------------------------------- */

/* A column in the place of one of text; the texts are held where the new column points at them. */
typedef struct cast_column {
    struct ArrowArray source; /* release NULL: none is held */
    const void *buffers[3];
    uint8_t *validity;
    void *values;
} cast_column;

static void release_cast(struct ArrowArray *array)
{
    cast_column *column = array->private_data;
    if (column->source.release)
        column->source.release(&column->source);
    free(column->validity);
    free(column->values);
    free(column);
    array->release = NULL;
}

typedef struct cell {
    const char *text;
    size_t size;
    bool valid;
} cell;

static bool bit_of(const void *bits, int64_t i)
{
    return ((const uint8_t *)bits)[i / 8] >> (i % 8) & 1;
}

static void set_bit(void *bits, int64_t i)
{
    uint8_t *byte = (uint8_t *)bits + i / 8;
    *byte = (uint8_t)(*byte | 1U << (i % 8));
}

static cell cell_of(const struct ArrowArray *texts, int64_t row)
{
    int64_t i = texts->offset + row;
    const int32_t *offsets = texts->buffers[1];
    if (texts->buffers[0] && !bit_of(texts->buffers[0], i))
        return (cell){0};
    return (cell){.text = (const char *)texts->buffers[2] + offsets[i],
                  .size = (size_t)(offsets[i + 1] - offsets[i]),
                  .valid = true};
}

typedef struct caster {
    char format; /* g, f, l, b or u */
    bool nulls;
    locale_t locale;
} caster;

static bool read_number(const caster *cast, const char *text, double *out)
{
    char *end;
    *out = strtod_l(text, &end, cast->locale);
    return end != text && *end == '\0';
}

static bool read_float(const caster *cast, const char *text, float *out)
{
    char *end;
    *out = strtof_l(text, &end, cast->locale);
    return end != text && *end == '\0';
}

static bool read_integer(const caster *cast, const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll_l(text, &end, 10, cast->locale);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_bool(const char *text, bool *out)
{
    *out = strcmp(text, "True") == 0 || strcmp(text, "true") == 0;
    return *out || strcmp(text, "False") == 0 || strcmp(text, "false") == 0;
}

/* Puts a cell with something in it as the row's value; false: it is none of the type. */
static bool put_cell(const caster *cast, const cell *from, void *values, int64_t row)
{
    char text[512];
    bool truth;
    if (from->size >= sizeof text)
        return false;
    memcpy(text, from->text, from->size);
    text[from->size] = '\0';
    switch (cast->format) {
    case 'l':
        return read_integer(cast, text, &((int64_t *)values)[row]);
    case 'b':
        if (!read_bool(text, &truth))
            return false;
        if (truth)
            set_bit(values, row);
        return true;
    case 'f': /* not by way of a double, which would round twice */
        return read_float(cast, text, &((float *)values)[row]);
    default:
        return read_number(cast, text, &((double *)values)[row]);
    }
}

static void put_nan(const caster *cast, void *values, int64_t row)
{
    if (cast->format == 'g')
        ((double *)values)[row] = __builtin_nan("");
    else if (cast->format == 'f')
        ((float *)values)[row] = __builtin_nanf("");
}

/* Every row's value and whether it is there; the number of nulls, or -1 at a cell of another type.
 */
static int64_t fill(const caster *cast, const struct ArrowArray *texts, cast_column *column)
{
    bool is_float = cast->format == 'g' || cast->format == 'f';
    int64_t nulls = 0;
    for (int64_t row = 0; row < texts->length; row++) {
        cell from = cell_of(texts, row);
        bool empty = !from.valid || from.size == 0;
        if (empty)
            put_nan(cast, column->values, row);
        else if (cast->format != 'u' && !put_cell(cast, &from, column->values, row))
            return -1;
        if (!empty || (is_float && !cast->nulls))
            set_bit(column->validity, row);
        else
            nulls++;
    }
    return nulls;
}

static size_t width_of(char format) { return format == 'f' ? 4 : 8; }

/* 0, ENOMEM or EINVAL; *texts is the new column on success. */
static int cast_array(const caster *cast, struct ArrowArray *texts)
{
    size_t rows = (size_t)texts->length, bits = rows / 8 + 1;
    cast_column *column = calloc(1, sizeof *column);
    if (!column)
        return ENOMEM;
    column->validity = calloc(bits, 1);
    column->values = calloc(cast->format == 'b' ? bits : rows + 1, width_of(cast->format));
    int64_t nulls = column->validity && column->values ? fill(cast, texts, column) : 0;
    if (!column->validity || !column->values || nulls < 0) {
        struct ArrowArray made = {.private_data = column};
        release_cast(&made);
        return nulls < 0 ? EINVAL : ENOMEM;
    }
    struct ArrowArray made = {.length = texts->length,
                              .null_count = nulls,
                              .n_buffers = 2,
                              .buffers = column->buffers,
                              .release = release_cast,
                              .private_data = column};
    column->buffers[0] = nulls ? column->validity : NULL;
    column->buffers[1] = column->values;
    if (cast->format == 'u') { /* the texts as they lie, with their new validity: no offset then */
        column->buffers[1] = (const int32_t *)texts->buffers[1] + texts->offset;
        column->buffers[2] = texts->buffers[2];
        made.n_buffers = 3;
        column->source = *texts;
    } else {
        texts->release(texts);
    }
    *texts = made;
    return 0;
}

/* ---- The stream ---------------------------------------------------------------------------------- */

typedef struct cast_stream {
    struct ArrowArrayStream in;
    locale_t locale;
    bool nulls, known; /* known: casts says which columns are texts to read */
    size_t n;
    char message[160];
    char formats[][2]; /* of each column; "": as it is */
} cast_stream;

static int fail(cast_stream *self, int number, const char *message)
{
    snprintf(self->message, sizeof self->message, "%s", message);
    return number;
}

/* Columns that are no texts stay. */
static int learn(cast_stream *self, const struct ArrowSchema *schema)
{
    if ((size_t)schema->n_children != self->n)
        return fail(self, EINVAL, "INTERNAL: the stream has other columns than its schema");
    for (size_t i = 0; i < self->n; i++) {
        if (strcmp(schema->children[i]->format, "u") != 0)
            self->formats[i][0] = '\0';
    }
    self->known = true;
    return 0;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    cast_stream *self = stream->private_data;
    struct ArrowSchema schema;
    int number = self->in.get_schema(&self->in, &schema);
    if (number)
        return number;
    number = learn(self, &schema);
    const char **formats = calloc(self->n + 1, sizeof *formats);
    for (size_t i = 0; formats && i < self->n; i++)
        formats[i] = self->formats[i][0] ? self->formats[i] : NULL;
    if (!number && (!formats || !core_schema_copy(&schema, formats, out)))
        number = fail(self, ENOMEM, "NOMEM: out of memory");
    free(formats);
    schema.release(&schema);
    return number;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    cast_stream *self = stream->private_data;
    struct ArrowSchema schema;
    int number = 0;
    if (!self->known) {
        number = get_schema(stream, &schema);
        if (number)
            return number;
        schema.release(&schema);
    }
    self->message[0] = '\0';
    number = self->in.get_next(&self->in, out);
    if (number || !out->release)
        return number;
    for (size_t i = 0; !number && i < self->n; i++) {
        const caster cast = {self->formats[i][0], self->nulls, self->locale};
        bool stays = cast.format == '\0' || (cast.format == 'u' && !self->nulls);
        number = stays ? 0 : cast_array(&cast, out->children[i]);
    }
    if (!number)
        return 0;
    out->release(out);
    return number == EINVAL
               ? fail(self, number, "VALUE: the file's results are not those that the job wrote")
               : fail(self, number, "NOMEM: out of memory");
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    cast_stream *self = stream->private_data;
    return self->message[0] ? self->message : self->in.get_last_error(&self->in);
}

static void release_stream(struct ArrowArrayStream *stream)
{
    cast_stream *self = stream->private_data;
    if (self->in.release)
        self->in.release(&self->in);
    freelocale(self->locale);
    free(self);
    stream->release = NULL;
}

bool core_cast_stream(struct ArrowArrayStream *in, const char *const *formats, size_t n, bool nulls,
                      struct ArrowArrayStream *out)
{
    cast_stream *self = calloc(1, sizeof *self + n * sizeof self->formats[0]);
    locale_t locale = self ? newlocale(LC_ALL_MASK, "C", (locale_t)0) : (locale_t)0;
    if (!locale) {
        free(self);
        return false;
    }
    self->in = *in;
    in->release = NULL;
    self->locale = locale;
    self->nulls = nulls;
    self->n = n;
    for (size_t i = 0; i < n; i++)
        self->formats[i][0] = formats[i] ? formats[i][0] : '\0';
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = self};
    return true;
}
