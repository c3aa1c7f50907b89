#include "engine/whole_table.h"

#include "engine/join_columns.h"

#include <stdio.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

/* The names that options have in ftl_read_options, where tables know them by those of jobs. */
static void rename_format(ftl_error *error)
{
    static const char theirs[] = "options.input_format", ours[] = "options.format";
    if (!error || strcmp(error->option, "input_format") != 0)
        return;
    char message[FTL_ERROR_MESSAGE_SIZE];
    const char *at = strstr(error->message, theirs);
    if (at) {
        snprintf(message, sizeof message, "%.*s%s%s", (int)(at - error->message), error->message,
                 ours, at + sizeof theirs - 1);
        memcpy(error->message, message, sizeof message);
    }
    snprintf(error->option, sizeof error->option, "format");
}

/* Text formats in one block, if that is possible. */
static ftl_status open_table(ftl_whole_table *whole, const void *data, size_t size,
                             const ftl_read_options *options, ftl_error *error)
{
    enum { most_block = 1 << 29, longest_record = 15 * 1024 * 1024, margin = 4096 };
    ftl_stream *stream = NULL;
    ftl_table_options table = {.format = options->format ? options->format : "json",
                               .delimiter = options->delimiter,
                               .decimal = options->decimal,
                               .no_header = options->no_header,
                               .na_values = options->na_values,
                               .n_na_values = options->n_na_values,
                               .empty_text = options->empty_text,
                               .max_record_bytes = longest_record,
                               .block_bytes = size < most_block - margin ? size + margin
                                                                         : most_block,
                               .bytes_total = size};
    FTL_TRY(ftl_stream_open_memory(whole->account, data, size, &stream, error));
    ftl_status status = ftl_table_recode(whole->account, &stream, options->encoding,
                                         &table.encoding, error);
    if (status == FTL_OK)
        status = ftl_table_open(whole->account, stream, &table, &whole->table, error);
    if (status != FTL_OK) {
        rename_format(error);
        ftl_stream_close(stream);
    }
    return status;
}

/* Of what the options of a job could do about it there is nothing here. */
static void tell_counts(const ftl_whole_table *whole, ftl_error *error)
{
    if (!error || error->reason != FTL_REASON_COLUMN_COUNT)
        return;
    size_t n_columns = ftl_table_get_info(whole->table)->n_columns;
    size_t n_inputs = whole->model->graph.n_inputs;
    ftl_error_set(error, error->code, "the rows have %zu value%s and the model takes %zu",
                  n_columns, n_columns == 1 ? "" : "s", n_inputs);
    ftl_error_because(error, FTL_REASON_COLUMN_COUNT, NULL);
}

static ftl_status bind_table(ftl_whole_table *whole, ftl_model *model, ftl_error *error)
{
    const ftl_score_options none = {.struct_size = sizeof none};
    FTL_TRY(ftl_model_for_table(model, whole->table, &none, &whole->model, error));
    ftl_status status = ftl_binding_make(whole->model, whole->table, &none, NULL, &whole->arena,
                                         &whole->binding, error);
    if (status != FTL_OK) {
        tell_counts(whole, error);
        return status;
    }
    return ftl_table_bind(whole->table, whole->binding.requests, whole->binding.n_requests, error);
}

/* ---- Reading --------------------------------------------------------------------------------- */

ftl_status ftl_read_limit(size_t rows, size_t n_inputs, const ftl_read_options *options,
                          ftl_error *error)
{
    if (options->max_rows && rows > options->max_rows)
        return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_BAD_OPTION, "max_rows",
                               "there are more than %llu rows, the limit of options.max_rows",
                               (unsigned long long)options->max_rows);
    if (options->max_cells && rows > options->max_cells / (n_inputs ? n_inputs : 1))
        return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_BAD_OPTION, "max_cells",
                               "rows of %zu columns have more than %llu cells, the limit of "
                               "options.max_cells",
                               n_inputs, (unsigned long long)options->max_cells);
    return FTL_OK;
}

/* One row more than are allowed tells that there are too many. */
static size_t rows_to_ask_for(const ftl_whole_table *whole, const ftl_read_options *options)
{
    uint64_t most = UINT32_MAX / 2;
    size_t width = whole->binding.n_inputs ? whole->binding.n_inputs : 1;
    if (options->max_rows && options->max_rows - whole->rows < most)
        most = options->max_rows - whole->rows + 1;
    if (options->max_cells && options->max_cells / width - whole->rows < most)
        most = options->max_cells / width - whole->rows + 1;
    return (size_t)most;
}

/* The input that a column of the table became; -1: none. */
static int64_t input_of_column(const ftl_whole_table *whole, int64_t column)
{
    const ftl_binding *binding = &whole->binding;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t request = binding->request_of_input[i];
        if (request != SIZE_MAX && (int64_t)binding->requests[request].index == column)
            return (int64_t)i;
    }
    return -1;
}

/* Behind "line 4" or "row 4" at the beginning of a message; NULL: it begins otherwise. */
static const char *behind_place(const char *message)
{
    size_t word = strncmp(message, "line ", 5) == 0 ? 5 : strncmp(message, "row ", 4) == 0 ? 4 : 0;
    const char *at = message + word + strspn(message + word, "0123456789");
    return word && at > message + word && (*at == ',' || *at == ':') ? at : NULL;
}

/* "line 4, column 'age': ..." is "row 2, column 'age': ...": a request has rows, not lines. */
static void name_row(ftl_error *error)
{
    char message[FTL_ERROR_MESSAGE_SIZE];
    const char *rest = behind_place(error->message);
    snprintf(message, sizeof message, "row %lld%s%.700s", (long long)error->row, rest ? "" : ": ",
             rest ? rest : error->message);
    memcpy(error->message, message, sizeof message);
}

static const ftl_table_piece *piece_of_row(const ftl_whole_table *whole, size_t row)
{
    const ftl_table_piece *piece = whole->pieces;
    while (row - piece->first >= piece->rows)
        piece++;
    return piece;
}

ftl_status ftl_whole_table_explain(const ftl_whole_table *whole, size_t row, ftl_error *error)
{
    const ftl_table_piece *piece = piece_of_row(whole, row);
    ftl_row_view view;
    ftl_row_batch_view(piece->batch, &view);
    size_t from = 0, to = view.n_bad; /* bad rows are in order */
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2, at;
        ftl_row_batch_problem(whole->table, piece->block, piece->batch, middle, &at, NULL);
        *(at <= row - piece->first ? &from : &to) = middle;
    }
    ftl_error why;
    ftl_error_clear(&why);
    ftl_row_batch_problem(whole->table, piece->block, piece->batch, from, NULL, &why);
    name_row(&why);
    why.column = why.column < 0 ? -1 : input_of_column(whole, why.column);
    if (error)
        *error = why;
    return why.code;
}

/* END when there are no more rows. */
static ftl_status read_piece(ftl_whole_table *whole, const ftl_read_options *options, bool fail,
                             ftl_error *error)
{
    FTL_TRY(ftl_grow(whole->account, &whole->pieces, &whole->pieces_room, whole->n_pieces + 1,
                     sizeof *whole->pieces, error));
    ftl_table_piece *piece = &whole->pieces[whole->n_pieces++];
    *piece = (ftl_table_piece){.first = whole->rows};
    FTL_TRY(ftl_table_block_create(whole->table, &piece->block, error));
    FTL_TRY(ftl_table_read(whole->table, rows_to_ask_for(whole, options), piece->block, error));
    piece->rows = ftl_table_block_rows(piece->block);
    whole->rows += piece->rows;
    FTL_TRY(ftl_read_limit(whole->rows, whole->binding.n_inputs, options, error));
    FTL_TRY(ftl_row_batch_create(whole->table, &piece->batch, error));
    FTL_TRY(ftl_table_convert(whole->table, piece->block, piece->batch, error));
    ftl_row_view view;
    ftl_row_batch_view(piece->batch, &view);
    whole->n_bad += view.n_bad;
    if (view.n_bad && fail) {
        size_t row;
        ftl_row_batch_problem(whole->table, piece->block, piece->batch, 0, &row, NULL);
        return ftl_whole_table_explain(whole, piece->first + row, error);
    }
    return FTL_OK;
}

static void free_piece(ftl_table_piece *piece)
{
    ftl_row_batch_destroy(piece->batch);
    ftl_table_block_destroy(piece->block);
    piece->batch = NULL;
    piece->block = NULL;
}

/* ---- Columns --------------------------------------------------------------------------------- */

static ftl_status join_input(ftl_whole_table *whole, size_t request, ftl_column_part *parts,
                             ftl_column *out, ftl_error *error)
{
    for (size_t p = 0; p < whole->n_pieces; p++) {
        ftl_row_view view;
        ftl_row_batch_view(whole->pieces[p].batch, &view);
        parts[p] = (ftl_column_part){&view.batch.columns[request], whole->pieces[p].rows};
    }
    return ftl_join_columns(parts, whole->n_pieces, &whole->arena, out, error);
}

/* Which rows are bad, as one array; pieces without any are not needed any more. */
static ftl_status join_bad(ftl_whole_table *whole, ftl_error *error)
{
    uint8_t *bad = whole->n_bad ? ftl_arena_zero_array(&whole->arena, whole->rows, 1) : NULL;
    if (whole->n_bad && !bad)
        return FTL_OOM(error);
    for (size_t p = 0; p < whole->n_pieces; p++) {
        ftl_table_piece *piece = &whole->pieces[p];
        ftl_row_view view;
        ftl_row_batch_view(piece->batch, &view);
        if (view.n_bad)
            memcpy(bad + piece->first, view.bad, piece->rows);
        else if (whole->n_pieces > 1)
            free_piece(piece);
    }
    whole->bad = bad;
    return FTL_OK;
}

static ftl_status set_inputs(ftl_whole_table *whole, ftl_error *error)
{
    const ftl_binding *binding = &whole->binding;
    whole->inputs = ftl_arena_zero_array(&whole->arena, binding->n_inputs + 1,
                                         sizeof *whole->inputs);
    ftl_column_part *parts = ftl_arena_array(&whole->arena, whole->n_pieces + 1, sizeof *parts);
    if (!whole->inputs || !parts)
        return FTL_OOM(error);
    ftl_row_view view = {0};
    if (whole->n_pieces == 1)
        ftl_row_batch_view(whole->pieces[0].batch, &view);
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t request = binding->request_of_input[i];
        whole->inputs[i].type = FTL_F64;
        if (request == SIZE_MAX || whole->n_pieces == 0)
            continue;
        if (whole->n_pieces == 1)
            whole->inputs[i] = view.batch.columns[request];
        else
            FTL_TRY(join_input(whole, request, parts, &whole->inputs[i], error));
    }
    return join_bad(whole, error);
}

ftl_status ftl_whole_table_read(ftl_whole_table *whole, ftl_account *account, ftl_model *model,
                                const void *data, size_t size, const ftl_read_options *options,
                                bool fail, ftl_error *error)
{
    *whole = (ftl_whole_table){.account = account};
    ftl_arena_init(&whole->arena, account);
    FTL_TRY(open_table(whole, data, size, options, error));
    FTL_TRY(bind_table(whole, model, error));
    ftl_status status;
    do
        status = read_piece(whole, options, fail, error);
    while (status == FTL_OK);
    if (status != FTL_END)
        return status;
    free_piece(&whole->pieces[--whole->n_pieces]); /* there was nothing for it */
    return set_inputs(whole, error);
}

void ftl_whole_table_free(ftl_whole_table *whole)
{
    if (!whole->account)
        return;
    for (size_t i = 0; i < whole->n_pieces; i++)
        free_piece(&whole->pieces[i]);
    ftl_free(whole->account, whole->pieces);
    ftl_table_close(whole->table);
    ftl_model_release(whole->model);
    ftl_arena_free(&whole->arena);
    *whole = (ftl_whole_table){0};
}
