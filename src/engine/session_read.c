/* ftl_session_read: rows in memory as what a session runs. */
#include "base/options.h"
#include "engine/session.h"
#include "engine/whole_table.h"
#include "table/json_cut.h"
#include "table/json_decoder.h"

#include <string.h>

/* What a session that has read something keeps. */
typedef struct ftl_session_reader {
    ftl_json_decoder *decoders[2]; /* of rows that are arrays, and objects; NULL: none came yet */
    ftl_json_decoder *last;        /* what read last; NULL: whole did */
    ftl_whole_table whole;         /* of what is no plain JSON; zero when that was not last */
} ftl_session_reader;

/* ---- Life ------------------------------------------------------------------------------------ */

/* Nothing refers to the caller's memory any more, nor to what was made of it. */
static void forget(ftl_session *session)
{
    session->run_methods = 0;
    session->bad_rows = 0;
    session->shows_wide = false;
    ftl_whole_table_free(&session->reader->whole);
    session->reader->last = NULL;
    session->read = (ftl_session_rows){0};
    if (session->wide)
        session->wide->read = (ftl_session_rows){0};
}

static void free_reader(ftl_session *session)
{
    forget(session);
    for (int i = 0; i < 2; i++)
        ftl_json_decoder_destroy(session->reader->decoders[i]);
    ftl_free(&session->account, session->reader);
    session->reader = NULL;
}

static ftl_status explain(const ftl_session *session, size_t row, ftl_error *error)
{
    const ftl_session_reader *reader = session->reader;
    return reader->last ? ftl_json_decoder_explain(reader->last, row, error)
                        : ftl_whole_table_explain(&reader->whole, row, error);
}

static ftl_status make_reader(ftl_session *session, ftl_error *error)
{
    static const ftl_session_reader_ops ops = {forget, free_reader, explain};
    if (session->reader)
        return FTL_OK;
    ftl_session_reader *reader = ftl_alloc_zero(&session->account, 1, sizeof *reader);
    if (!reader)
        return FTL_OOM(error);
    session->reader = reader;
    session->reader_ops = &ops;
    return FTL_OK;
}

/* ---- Plain JSON: an array of arrays or of objects --------------------------------------------- */

typedef enum row_shape { SHAPE_ARRAYS, SHAPE_OBJECTS, SHAPE_OTHER } row_shape;

static inline size_t skip_space(const char *data, size_t at, size_t size)
{
    while (at < size &&
           (data[at] == ' ' || data[at] == '\n' || data[at] == '\r' || data[at] == '\t'))
        at++;
    return at;
}

static row_shape shape_of(const char *data, size_t size)
{
    size_t at = skip_space(data, 0, size);
    if (at == size || data[at] != '[')
        return SHAPE_OTHER;
    at = skip_space(data, at + 1, size);
    if (at == size)
        return SHAPE_OTHER;
    return data[at] == '[' || data[at] == ']' ? SHAPE_ARRAYS
           : data[at] == '{'                  ? SHAPE_OBJECTS
                                              : SHAPE_OTHER;
}

/* Whether a decoder reads it, which knows the model's columns and the usual cells. */
static bool is_plain(const ftl_session *session, row_shape shape, const ftl_read_options *options)
{
    const ftl_model *model = session->model;
    return shape != SHAPE_OTHER && !options->delimiter && !options->decimal &&
           !options->no_header && options->empty_text == FTL_EMPTY_AS_PANDAS &&
           !options->n_na_values && !options->encoding && !model->open_width &&
           model->graph.n_inputs && (!options->format || strcmp(options->format, "json") == 0) &&
           (shape == SHAPE_ARRAYS || model->has_input_names);
}

static ftl_status make_decoder(const ftl_session *session, row_shape shape, ftl_json_decoder **out,
                               ftl_error *error)
{
    const ftl_model *model = session->model;
    ftl_account *account = (ftl_account *)&session->account;
    size_t n = model->graph.n_inputs;
    ftl_json_wanted *wanted = ftl_alloc_zero(account, n, sizeof *wanted);
    if (!wanted)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        const ftl_input_schema *input = &model->inputs[i];
        wanted[i] = (ftl_json_wanted){.name = model->has_input_names ? input->name : NULL,
                                      .type = input->batch_type == FTL_STRING ? FTL_STRING
                                                                              : FTL_F64,
                                      .unused = input->kind == FTL_KIND_UNUSED};
    }
    ftl_status status = ftl_json_decoder_create(account, wanted, n, shape == SHAPE_OBJECTS, out,
                                                error);
    ftl_free(account, wanted);
    return status;
}

/* As many as the options allow. */
static uint64_t most_rows(const ftl_session *session, const ftl_read_options *options)
{
    uint64_t rows = options->max_rows ? options->max_rows : UINT64_MAX;
    uint64_t more = options->max_cells ? options->max_cells / session->model->graph.n_inputs
                                       : UINT64_MAX;
    return rows < more ? rows : more;
}

/* *done false: the general way knows why, or better. */
static ftl_status read_plain(ftl_session *session, row_shape shape, const char *data, size_t size,
                             const ftl_read_options *options, size_t *taken, bool *done,
                             ftl_error *error)
{
    ftl_session_reader *reader = session->reader;
    ftl_json_decoder **decoder = &reader->decoders[shape];
    ftl_json_rows rows;
    bool keep_bad = session->on_error == FTL_ON_ERROR_NULL;
    if (FTL_UNLIKELY(!*decoder))
        FTL_TRY(make_decoder(session, shape, decoder, error));
    FTL_TRY(
        ftl_json_decode(*decoder, data, size, most_rows(session, options), keep_bad, &rows, error));
    size_t n_inputs = session->model->graph.n_inputs;
    if (rows.too_many)
        return ftl_read_limit(rows.rows + 1, n_inputs, options, error);
    *done = !rows.lacks_columns;
    if (!*done)
        return FTL_OK;
    size_t end = skip_space(data, rows.end, size);
    if (!taken && end < size)
        return FTL_FAIL_AT(error, FTL_CORRUPT, end,
                           "byte %zu: the JSON is damaged: something follows its end", end);
    *(taken ? taken : &end) = rows.end;
    reader->last = *decoder;
    session->read = (ftl_session_rows){
        .batch = {.rows = rows.rows, .n_columns = n_inputs, .columns = rows.columns},
        .bad = rows.n_bad ? rows.bad : NULL,
        .reader = session,
    };
    return FTL_OK;
}

/* ---- All else -------------------------------------------------------------------------------- */

/* How far the JSON value at the beginning reaches. */
static ftl_status find_end(const char *data, size_t size, size_t *end, ftl_error *error)
{
    size_t at = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    ftl_json_scan scan = {0};
    at = skip_space(data, at, size);
    if (at == size || !ftl_json_scan_value(&scan, (const uint8_t *)data + at, size - at, true))
        return FTL_FAIL_AT(error, FTL_CORRUPT, size, "the JSON ends too early");
    *end = at + scan.at;
    return FTL_OK;
}

static ftl_status read_whole(ftl_session *session, const char *data, size_t size,
                             const ftl_read_options *options, size_t *taken, ftl_error *error)
{
    ftl_whole_table *whole = &session->reader->whole;
    bool fail = session->on_error != FTL_ON_ERROR_NULL;
    size_t end = size;
    if (taken)
        FTL_TRY(find_end(data, size, &end, error));
    FTL_TRY(ftl_whole_table_read(whole, &session->account, session->model, data, end, options, fail,
                                 error));
    *(taken ? taken : &end) = end;
    session->read = (ftl_session_rows){
        .batch = {.rows = whole->rows,
                  .n_columns = whole->binding.n_inputs,
                  .columns = whole->inputs},
        .bad = whole->bad,
        .reader = session,
    };
    return FTL_OK;
}

/* ---- The call -------------------------------------------------------------------------------- */

static ftl_status read_options(ftl_read_options *out, const ftl_read_options *in,
                               const size_t *taken, ftl_error *error)
{
    FTL_TRY(ftl_options_read(out, sizeof *out, in, "ftl_read_options", error));
    if (taken && out->format && strcmp(out->format, "json") != 0)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "format",
                               "only JSON tells where it ends; options.format '%.40s' is read "
                               "without taken",
                               out->format);
    return FTL_OK;
}

ftl_status ftl_session_read(ftl_session *session, const void *data, size_t size,
                            const ftl_read_options *options, size_t *taken, ftl_batch *out,
                            ftl_error *error)
{
    ftl_read_options chosen;
    if (!session || !out || (!data && size))
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_read needs a session, data and a place for the rows");
    FTL_TRY(read_options(&chosen, options, taken, error));
    FTL_TRY(make_reader(session, error));
    forget(session);
    row_shape shape = shape_of(data, size);
    ftl_status status = FTL_OK;
    bool done = false;
    if (is_plain(session, shape, &chosen))
        status = read_plain(session, shape, data, size, &chosen, taken, &done, error);
    if (status == FTL_OK && !done)
        status = read_whole(session, data, size, &chosen, taken, error);
    if (status != FTL_OK) {
        forget(session);
        return status;
    }
    *out = session->read.batch;
    return FTL_OK;
}
