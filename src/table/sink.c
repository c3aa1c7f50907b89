#include "table/sink.h"

#include "base/ending.h"
#include "table/sink_impl.h"

#include <stdio.h>
#include <string.h>

#define FTL_ENTRY(name) &ftl_sink_##name,
static const ftl_sink_kind *const kinds[] = {FTL_SINK_KINDS(FTL_ENTRY)};
#undef FTL_ENTRY

/* Endings of formats that are not written, lest a file of another format gets such a name. */
static const struct {
    const char *ending, *what;
} unwritten[] = {
    {".orc", "ORC"},          {".avro", "Avro"},     {".xlsx", "Excel"},    {".xls", "Excel"},
    {".ods", "OpenDocument"}, {".npz", "npz"},       {".h5", "HDF5"},       {".hdf5", "HDF5"},
    {".pkl", "pickle"},       {".pickle", "pickle"}, {".joblib", "joblib"}, {".db", "SQLite"},
    {".sqlite", "SQLite"},    {".xml", "XML"},       {".html", "HTML"},     {".yaml", "YAML"},
    {".zip", "zip"},          {".lzma", "lzma"},     {".z", "compressed"},
};

static const ftl_sink_kind *kind_of_ending(const char *path, size_t size)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        for (const char *const *ending = kinds[i]->endings; *ending; ending++) {
            if (ftl_has_ending(path, size, *ending))
                return kinds[i];
        }
    }
    return NULL;
}

/* Appends a word to a list with commas, as far as there is room. */
static void list(char *out, size_t room, const char *word)
{
    size_t n = strlen(out);
    snprintf(out + n, room - n, "%s%s", n ? ", " : "", word);
}

/* "csv, npy" or ".csv, .tsv, .npy". */
static void list_kinds(bool endings, char out[256])
{
    out[0] = '\0';
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        if (!endings)
            list(out, 256, kinds[i]->keyword);
        for (const char *const *ending = kinds[i]->endings; endings && *ending; ending++)
            list(out, 256, *ending);
    }
}

static const ftl_sink_kind *kind_of_keyword(const char *keyword)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i]->keyword, keyword) == 0)
            return kinds[i];
    }
    return NULL;
}

bool ftl_sink_takes_json(const char *path, const char *format)
{
    size_t size = strlen(path);
    if (!format)
        (void)ftl_encoding_of_name(path, &size);
    const ftl_sink_kind *kind = format ? kind_of_keyword(format) : kind_of_ending(path, size);
    return kind && kind->json;
}

static ftl_status refuse_name(const char *path, const char *what, const char *known,
                              ftl_error *error)
{
    return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                            "cannot write %s: its name says %s, which is not written; give a name "
                            "that ends in one of %s",
                            path, what, known);
}

/* The kind that the first `size` characters of the path say. */
static ftl_status choose_kind(ftl_sink *sink, const ftl_sink_options *options, size_t size,
                              ftl_error *error)
{
    char known[256];
    const char *path = options->path;
    const ftl_sink_kind *expected = options->expected ? kind_of_keyword(options->expected)
                                                      : &ftl_sink_csv;
    if (!expected)
        return FTL_FAIL(error, FTL_INTERNAL, "there is no sink '%s'", options->expected);
    if (options->format) {
        list_kinds(false, known);
        sink->kind = kind_of_keyword(options->format);
        return sink->kind ? FTL_OK
                          : FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "output_format",
                                            "options.output_format '%.40s' is none of %s",
                                            options->format, known);
    }
    sink->kind = kind_of_ending(path, size);
    list_kinds(true, known);
    for (size_t i = 0; !sink->kind && i < FTL_ARRAY_LEN(unwritten); i++) {
        if (ftl_has_ending(path, size, unwritten[i].ending))
            return refuse_name(path, unwritten[i].what, known, error);
    }
    if (!sink->kind)
        sink->kind = expected;
    if (options->expected && sink->kind != expected)
        return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                                "cannot write %s: its name says %s, and the rows are written as %s "
                                "here",
                                path, sink->kind->name, expected->name);
    return FTL_OK;
}

/* What the sink becomes: by the options, by the name. */
static ftl_status choose_format(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    const char *path = options->path;
    size_t size = strlen(path);
    sink->encoding = ftl_encoding_of_name(path, &size);
    size_t inner = size;
    if (sink->encoding && ftl_encoding_of_name(path, &inner))
        return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                                "cannot write %s: its name says that it is compressed twice; give "
                                "a name with one such ending",
                                path);
    FTL_TRY(choose_kind(sink, options, size, error));
    if (sink->encoding && !sink->kind->text)
        return FTL_FAIL_BECAUSE(
            error, FTL_ARG, FTL_REASON_BAD_OPTION,
            "cannot write %s: its name says compressed %s, which is not written; "
            "leave the last ending away",
            path, sink->kind->name);
    bool tabs = ftl_has_ending(path, size, ".tsv") || ftl_has_ending(path, size, ".tab");
    sink->delimiter = options->delimiter ? options->delimiter : tabs ? '\t' : ',';
    if (tabs && sink->delimiter != '\t')
        return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                                "cannot write %s: its name says tabs between cells, and the rows "
                                "come with '%c'; give a name that ends in .csv",
                                path, options->delimiter);
    return FTL_OK;
}

static ftl_status choose_compression(ftl_sink *sink, const ftl_sink_options *options,
                                     ftl_error *error)
{
    char known[160] = "";
    const char *const *names = sink->kind->compressions, *wanted = options->compression;
    if (!names && !wanted)
        return FTL_OK;
    if (!names)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "compression",
                               "options.compression goes with formats that compress their parts, "
                               "such as Parquet; %s is written",
                               sink->kind->name);
    for (const char *const *name = names; *name; name++) {
        if (!wanted || strcmp(*name, wanted) == 0) {
            sink->compression = *name;
            return FTL_OK;
        }
        list(known, sizeof known, *name);
    }
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "compression",
                           "options.compression '%.40s' is none of %s, which %s can have here",
                           wanted, known, sink->kind->name);
}

static ftl_status copy_columns(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    sink->n_columns = options->n_columns;
    sink->n_json = options->n_json;
    sink->columns = ftl_arena_zero_array(&sink->arena, sink->n_columns, sizeof *sink->columns);
    if (!sink->columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < sink->n_columns; i++) {
        const ftl_sink_column *column = &options->columns[i];
        sink->columns[i].type = column->type;
        sink->columns[i].name = ftl_arena_string(&sink->arena, column->name, strlen(column->name));
        if (!sink->columns[i].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

bool ftl_sink_may_go_on(ftl_status status)
{
    return status == FTL_CANCELLED || status == FTL_IO || status == FTL_NOMEM ||
           status == FTL_INTERNAL;
}

/* Frees everything but the output. */
static void dismantle(ftl_sink *sink)
{
    if (sink->state && sink->kind->close)
        sink->kind->close(sink);
    ftl_free(sink->account, sink->state);
    ftl_sink_side_close(&sink->side);
    ftl_strbuf_free(&sink->log);
    ftl_strbuf_free(&sink->scratch);
    ftl_arena_free(&sink->arena);
    ftl_free(sink->account, sink);
}

void ftl_sink_abort(ftl_sink *sink)
{
    if (!sink)
        return;
    ftl_output_abort(&sink->output);
    ftl_sink_side_remove(&sink->side);
    dismantle(sink);
}

void ftl_sink_leave(ftl_sink *sink)
{
    if (!sink)
        return;
    ftl_output_leave(&sink->output);
    dismantle(sink);
}

/* Frees a sink that failed. */
static void give_up(ftl_sink *sink, ftl_status status)
{
    if (sink->resumable && ftl_sink_may_go_on(status))
        ftl_sink_leave(sink);
    else
        ftl_sink_abort(sink);
}

static ftl_status open_output(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    const ftl_sink_taker *taker = options->taker;
    return taker ? ftl_output_open_taker(&sink->output, sink->account, options->path, taker->write,
                                         taker->user, sink->encoding, error)
                 : ftl_output_open(&sink->output, sink->account, options->path, sink->encoding,
                                   options->resumable, options->cancel, error);
}

/* Whether a job that was stopped can be gone on with. */
static ftl_status check_resumable(const ftl_sink *sink, ftl_error *error)
{
    char endings[256] = "";
    if (sink->kind->grows || sink->kind->restore)
        return FTL_OK;
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        bool can = kinds[i]->grows || kinds[i]->restore;
        for (const char *const *ending = kinds[i]->endings; can && *ending; ending++)
            list(endings, sizeof endings, *ending);
    }
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "resume",
                           "options.resume needs an output that can be gone on with, which %s "
                           "cannot; write one of %s, or leave options.resume away",
                           sink->kind->name, endings);
}

/* What belongs to a resumable sink beside its output. */
static ftl_status prepare_resumable(ftl_sink *sink, ftl_error *error)
{
    if (!sink->resumable)
        return FTL_OK;
    FTL_TRY(check_resumable(sink, error));
    return sink->kind->restore && sink->output.temporary
               ? ftl_sink_side_name(&sink->side, sink->output.temporary, &sink->arena, error)
               : FTL_OK;
}

ftl_status ftl_sink_open(ftl_account *account, const ftl_sink_options *options, ftl_sink **out,
                         ftl_error *error)
{
    if (options->n_columns == 0)
        return FTL_FAIL(error, FTL_ARG, "an output table has one column at least");
    ftl_sink *sink = ftl_alloc_zero(account, 1, sizeof *sink);
    if (!sink)
        return FTL_OOM(error);
    sink->account = account;
    sink->output.fd = -1;
    sink->resumable = options->resumable;
    ftl_arena_init(&sink->arena, account);
    ftl_arena_init(&sink->output.arena, account);
    ftl_strbuf_init(&sink->scratch, account, 0);
    ftl_strbuf_init(&sink->log, account, FTL_SINK_SIDE_MOST);
    ftl_sink_side_init(&sink->side);
    ftl_status status = choose_format(sink, options, error);
    if (status == FTL_OK)
        status = choose_compression(sink, options, error);
    if (status == FTL_OK && sink->kind->state_size) {
        sink->state = ftl_alloc_zero(account, 1, sink->kind->state_size);
        if (!sink->state)
            status = FTL_OOM(error);
    }
    if (status == FTL_OK)
        status = copy_columns(sink, options, error);
    if (status == FTL_OK)
        status = open_output(sink, options, error);
    if (status == FTL_OK)
        status = prepare_resumable(sink, error);
    if (status == FTL_OK)
        status = sink->kind->begin(sink, error);
    sink->mark.packed = sink->output.packed;
    if (status != FTL_OK) {
        give_up(sink, status);
        return status;
    }
    *out = sink;
    return FTL_OK;
}

ftl_status ftl_sink_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                           ftl_strbuf *out, ftl_error *error)
{
    if (batch->n_columns != sink->n_columns)
        return FTL_FAIL(error, FTL_ARG, "%zu columns for an output table of %zu", batch->n_columns,
                        sink->n_columns);
    for (size_t i = 0; i < sink->n_columns; i++) {
        if (batch->columns[i].type != sink->columns[i].type)
            return FTL_FAIL(error, FTL_ARG, "output column '%s' changes its type",
                            sink->columns[i].name);
    }
    return sink->kind->format(sink, batch, skip, out, error);
}

ftl_status ftl_sink_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                           ftl_error *error)
{
    if (sink->kind->append)
        FTL_TRY(sink->kind->append(sink, data, size, rows, error));
    else
        FTL_TRY(ftl_output_write(&sink->output, data, size, error));
    sink->rows += rows;
    return FTL_OK;
}

/* ---- Going on -------------------------------------------------------------------------------- */

uint64_t ftl_sink_amount(const ftl_sink *sink)
{
    return sink->kind->restore ? sink->rows : sink->output.written;
}

static ftl_output_mark last_mark(const ftl_sink *sink)
{
    return sink->kind->restore ? sink->mark : ftl_output_last_mark(&sink->output);
}

uint64_t ftl_sink_done(const ftl_sink *sink) { return last_mark(sink).written; }

ftl_status ftl_sink_cut(ftl_sink *sink, ftl_error *error)
{
    return sink->kind->cut ? sink->kind->cut(sink, error)
                           : ftl_output_end_part(&sink->output, error);
}

ftl_status ftl_sink_settle(ftl_sink *sink, ftl_sink_place *place, ftl_error *error)
{
    const ftl_output_mark mark = last_mark(sink);
    if (sink->log.failed)
        return FTL_OOM(error);
    FTL_TRY(ftl_output_sync(&sink->output, error));
    FTL_TRY(ftl_sink_side_append(&sink->side, sink->log.data, sink->log.size, error));
    ftl_strbuf_clear(&sink->log);
    *place = (ftl_sink_place){.bytes = mark.packed,
                              .done = mark.written,
                              .state = sink->side.size,
                              .sum = sink->side.sum};
    return FTL_OK;
}

/* Whether the records are those of the place; the kind has taken them then. */
static ftl_status take_records(ftl_sink *sink, const ftl_sink_place *place, bool *holds,
                               ftl_error *error)
{
    const ftl_output_mark mark = {place->bytes, place->done};
    ftl_strbuf records;
    ftl_strbuf_init(&records, sink->account, FTL_SINK_SIDE_MOST);
    ftl_status status = ftl_sink_side_read(&sink->side, place->state, place->sum, &records, holds,
                                           error);
    if (status == FTL_OK && *holds)
        status = sink->kind->restore(sink, records.data, records.size, &mark, error);
    ftl_strbuf_free(&records);
    if (status != FTL_CORRUPT)
        return status;
    *holds = false;
    ftl_error_clear(error);
    return FTL_OK;
}

ftl_status ftl_sink_holds(ftl_sink *sink, const ftl_sink_place *place, bool *holds,
                          ftl_error *error)
{
    const ftl_output_mark mark = {place->bytes, place->done};
    *holds = place->from <= place->done && ftl_output_holds(&sink->output, &mark);
    if (!sink->kind->restore) {
        *holds = *holds && place->state == 0;
        return FTL_OK;
    }
    *holds = *holds && place->from == place->rows;
    return *holds ? take_records(sink, place, holds, error) : FTL_OK;
}

ftl_status ftl_sink_begin_anew(ftl_sink *sink, ftl_error *error)
{
    const ftl_output_mark beginning = {sink->output.packed, 0};
    if (sink->kind->restore) /* what was taken does not count */
        FTL_TRY(sink->kind->restore(sink, NULL, 0, &beginning, error));
    ftl_sink_side_remove(&sink->side);
    return ftl_output_begin_anew(&sink->output, error);
}

ftl_status ftl_sink_go_on(ftl_sink *sink, const ftl_sink_place *place, ftl_error *error)
{
    ftl_output_mark mark = {place->bytes, place->done};
    sink->rows = place->rows;
    if (!sink->kind->restore)
        return ftl_output_go_on(&sink->output, &mark, place->from, error);
    sink->mark = mark;
    sink->skip = place->done - place->from;
    mark.written = mark.packed;
    return ftl_output_go_on(&sink->output, &mark, mark.packed, error);
}

void ftl_sink_share(ftl_sink *sink, ftl_task_group *group, uint32_t width)
{
    if (sink->kind->share)
        sink->kind->share(sink, group, width);
}

ftl_status ftl_sink_commit(ftl_sink *sink, uint64_t *bytes, ftl_error *error)
{
    ftl_status status = sink->kind->finish ? sink->kind->finish(sink, error) : FTL_OK;
    if (status == FTL_OK && bytes)
        *bytes = sink->output.written;
    if (status == FTL_OK)
        status = ftl_output_commit(&sink->output, error);
    if (status == FTL_OK)
        ftl_sink_side_remove(&sink->side);
    if (status == FTL_OK)
        dismantle(sink);
    else
        give_up(sink, status);
    return status;
}
