#include "table/sink.h"

#include "table/sink_impl.h"

#include <string.h>
#include <strings.h>

/* What a file's name says of its contents. kind NULL: what, which is not written here. */
typedef struct ending {
    const char *ending;
    const ftl_sink_kind *kind;
    char delimiter; /* 0: what the options say */
    const char *what;
} ending;

/* Names that end otherwise are CSV. Another output format is another entry. */
static const ending endings[] = {
    {".npy", &ftl_sink_npy, 0, NULL},
    {".tsv", &ftl_sink_csv, '\t', NULL},
    {".tab", &ftl_sink_csv, '\t', NULL},
    {".parquet", NULL, 0, "Parquet"},
    {".pq", NULL, 0, "Parquet"},
    {".feather", NULL, 0, "Feather"},
    {".arrow", NULL, 0, "Arrow"},
    {".ipc", NULL, 0, "Arrow"},
    {".arrows", NULL, 0, "Arrow"},
    {".orc", NULL, 0, "ORC"},
    {".avro", NULL, 0, "Avro"},
    {".json", NULL, 0, "JSON"},
    {".jsonl", NULL, 0, "JSON lines"},
    {".ndjson", NULL, 0, "JSON lines"},
    {".xlsx", NULL, 0, "Excel"},
    {".xls", NULL, 0, "Excel"},
    {".ods", NULL, 0, "OpenDocument"},
    {".npz", NULL, 0, "npz"},
    {".h5", NULL, 0, "HDF5"},
    {".hdf5", NULL, 0, "HDF5"},
    {".pkl", NULL, 0, "pickle"},
    {".pickle", NULL, 0, "pickle"},
    {".joblib", NULL, 0, "joblib"},
    {".db", NULL, 0, "SQLite"},
    {".sqlite", NULL, 0, "SQLite"},
    {".xml", NULL, 0, "XML"},
    {".html", NULL, 0, "HTML"},
    {".yaml", NULL, 0, "YAML"},
    {".zip", NULL, 0, "zip"},
    {".bz2", NULL, 0, "bzip2"},
    {".xz", NULL, 0, "xz"},
    {".lzma", NULL, 0, "lzma"},
    {".zst", NULL, 0, "zstd"},
    {".lz4", NULL, 0, "lz4"},
    {".z", NULL, 0, "compressed"},
};

static bool ends_with(const char *path, size_t size, const char *text)
{
    size_t n = strlen(text);
    return size > n && strncasecmp(path + size - n, text, n) == 0;
}

/* What the sink becomes by the name, where the CSV's delimiter is none of its own. */
static ftl_status choose_format(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    const char *path = options->path;
    size_t size = strlen(path);
    sink->kind = &ftl_sink_csv;
    sink->delimiter = options->delimiter ? options->delimiter : ',';
    sink->packed = ends_with(path, size, ".gz");
    if (sink->packed)
        size -= strlen(".gz");
    for (size_t i = 0; i < FTL_ARRAY_LEN(endings); i++) {
        const ending *e = &endings[i];
        if (!ends_with(path, size, e->ending))
            continue;
        if (!e->kind || (sink->packed && e->kind == &ftl_sink_npy))
            return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                                    "cannot write %s: its name says %s%s, which is not written; "
                                    "give a name that ends in .csv, .csv.gz, .tsv or .npy",
                                    path, sink->packed ? "packed " : "",
                                    e->what ? e->what : e->ending);
        if (e->delimiter && options->delimiter && options->delimiter != e->delimiter)
            return FTL_FAIL_BECAUSE(error, FTL_ARG, FTL_REASON_BAD_OPTION,
                                    "cannot write %s: its name says tabs between cells, and the "
                                    "rows come with '%c'; give a name that ends in .csv",
                                    path, options->delimiter);
        sink->kind = e->kind;
        sink->delimiter = e->delimiter ? e->delimiter : sink->delimiter;
        break;
    }
    return FTL_OK;
}

static ftl_status copy_columns(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    sink->n_columns = options->n_columns;
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
    ftl_arena_init(&sink->arena, account);
    ftl_arena_init(&sink->output.arena, account);
    ftl_strbuf_init(&sink->scratch, account, 0);
    ftl_status status = choose_format(sink, options, error);
    if (status == FTL_OK)
        status = copy_columns(sink, options, error);
    if (status == FTL_OK)
        status = ftl_output_open(&sink->output, account, options->path, sink->packed,
                                 options->cancel, error);
    if (status == FTL_OK)
        status = sink->kind->begin(sink, error);
    if (status != FTL_OK) {
        ftl_sink_abort(sink);
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
    FTL_TRY(ftl_output_write(&sink->output, data, size, error));
    sink->rows += rows;
    return FTL_OK;
}

ftl_status ftl_sink_write(ftl_sink *sink, const ftl_batch *batch, ftl_error *error)
{
    ftl_strbuf_clear(&sink->scratch);
    FTL_TRY(ftl_sink_format(sink, batch, NULL, &sink->scratch, error));
    return ftl_sink_append(sink, sink->scratch.data, sink->scratch.size, batch->rows, error);
}

/* Frees everything but the output. */
static void dismantle(ftl_sink *sink)
{
    ftl_strbuf_free(&sink->scratch);
    ftl_arena_free(&sink->arena);
    ftl_free(sink->account, sink);
}

ftl_status ftl_sink_commit(ftl_sink *sink, ftl_error *error)
{
    ftl_status status = sink->kind->finish ? sink->kind->finish(sink, error) : FTL_OK;
    if (status == FTL_OK)
        status = ftl_output_commit(&sink->output, error);
    else
        ftl_output_abort(&sink->output);
    dismantle(sink);
    return status;
}

void ftl_sink_abort(ftl_sink *sink)
{
    if (!sink)
        return;
    ftl_output_abort(&sink->output);
    dismantle(sink);
}

const char *ftl_sink_temporary_path(const ftl_sink *sink) { return sink->output.temporary; }
