/*
 * Jobs over files and streams of tables, part of foretell.h: a table in, predictions out, in memory
 * that does not grow with the table. docs/FILES.md says what is read and written how.
 *
 * Thread-safety: jobs may run side by side on any threads; each uses the threads of its model's
 * context beside the calling one.
 */
#ifndef FORETELL_JOBS_H
#define FORETELL_JOBS_H

#include "foretell/foretell.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an empty text in a text column is. A cell without anything is missing in any case. */
typedef enum ftl_empty_text {
    /* what pandas reads: missing in CSV, also in quotes; a text where a format has nulls */
    FTL_EMPTY_AS_PANDAS = 0,
    FTL_EMPTY_IS_MISSING = 1,
    FTL_EMPTY_IS_TEXT = 2 /* in CSV: "" in quotes */
} ftl_empty_text;

typedef struct ftl_progress {
    size_t struct_size; /* set by the library */
    uint64_t rows;
    uint64_t bytes_read, bytes_total; /* total 0: unknown */
} ftl_progress;
/* return false to cancel */
typedef bool (*ftl_progress_fn)(void *user, const ftl_progress *progress);

typedef struct ftl_score_options {
    size_t struct_size;
    ftl_method method;   /* see method_set */
    bool method_set;     /* false: the model's default method */
    bool proba;          /* with predict: probability columns beside the prediction */
    uint32_t threads;    /* at most the context's; 0: all of them */
    uint32_t batch_rows; /* rows of a batch; 0: chosen by the columns and by memory */
    uint64_t limit;      /* rows to read at most; 0: all */
    /* input columns to copy to the output; "*" is all but those of types that are not read */
    const char *const *keep;
    size_t n_keep;
    /* input columns that are the model's inputs, in order, for models without names */
    const char *const *features;
    size_t n_features;
    ftl_on_error on_error;
    const char *reject_path;      /* bad rows with their reason go here; NULL: nowhere */
    char delimiter;               /* 0: sniffed */
    char decimal;                 /* 0: '.' */
    bool no_header;               /* the first record is data */
    const char *const *na_values; /* replaces the default NA list when n_na_values > 0 */
    size_t n_na_values;
    size_t max_record_bytes;  /* 0: 1 MiB */
    ftl_progress_fn progress; /* called at most every 100 ms */
    void *progress_user;
    const ftl_cancel *cancel; /* NULL: none */
    /*
     * of the input, such as "latin-1", "cp1252" or "utf-16": a name of Python's or of iconv(3).
     * NULL: UTF-8, and what a byte order mark says
     */
    const char *encoding;
    ftl_empty_text empty_text;
    /*
     * ftl_score: receives a line for everything about the table that is no error and yet hardly
     * meant, such as a column without any category that the model knows, after the last row;
     * NULL: nobody wants to know
     */
    ftl_text_fn warn;
    void *warn_user;
    /* ftl_check: a column of what is true, to compare the predictions with; NULL: none */
    const char *target;
    bool json; /* ftl_check: its report is one JSON object */
    /*
     * "csv", "json", "jsonl", "parquet", "arrow" or "npy": what the input is, NULL: what its first
     * bytes say, and its name where they leave a choice; and what is written, NULL: what the
     * output's name says
     */
    const char *input_format;
    const char *output_format;
    /*
     * ftl_score: further methods of the same rows, computed in one pass, whose columns come behind
     * those of method; those that other columns are called like get the method's name in front:
     * apply__tree_0
     */
    const ftl_method *more_methods;
    size_t n_more_methods;
    /*
     * ftl_score: further models of the same rows, which are read once. Each has the methods that
     * were asked for, or its default one; its columns come behind the first model's, with its name
     * in front: churn__prediction. A row that one of the models refuses is bad for all. The models
     * are of one context.
     */
    ftl_model *const *more_models;
    const char *const *more_names; /* [n_more_models] */
    size_t n_more_models;
    const char *name; /* of the first model, when its columns are to have it in front; NULL: not */
    /*
     * bytes that batches on their way may take, about; 0: as much as is useful, some megabytes a
     * thread. What the models need comes on top
     */
    uint64_t memory;
    /*
     * ftl_score: a job that can be taken up again. When it is stopped, by a signal, by kill -9, by
     * a power cut, what it has written stays beside the output, with a journal (.NAME.foretell-
     * partial, .NAME.foretell-journal, and .NAME.foretell-state of Parquet and Arrow); the same
     * call then goes on behind the last whole part, such as a row group, and the output has the
     * bytes that it would have had if nothing had stopped it; threads, batch_rows and memory may be
     * others. Inputs and outputs are plain files. A text that is compressed consists of parts, each
     * of 4 MiB of text, that the formats' readers read as one. Errors of the data remove what was
     * written, as ever.
     */
    bool resume;
    /*
     * more tables, which are read behind input_path as one table with it. The first has the names
     * and their order; the others need have each wanted column by its name, or without names as
     * many columns. In all of them, input_path as well, a folder stands for the files in it whose
     * names end as tables do (.csv, .npy, compressed, ..., those in its folders too; none whose
     * name begins with . or _), and a path of no file for all files that it matches as a pattern of
     * the shell (*, ?, [...]); both in the order of the names. "-" may be among them once. keep may
     * name "filename", if no column is called so: the path of the file that the row is from.
     */
    const char *const *more_inputs;
    size_t n_more_inputs;
    /*
     * how a format that compresses its parts does so: of Parquet "zstd", "snappy" or "none";
     * NULL: zstd where it was compiled in
     */
    const char *compression;
    /*
     * ftl_score: a file that the caller writes when the job is done, its figures say; "-": standard
     * output. It is not touched here, but what may not be a reject file may not be this one; NULL:
     * none
     */
    const char *metrics_path;
    bool flush_early; /* ftl_score_stream, and ftl_score of a pipe: see there */
} ftl_score_options;

typedef struct ftl_score_result {
    size_t struct_size; /* set by the caller */
    uint64_t rows_read, rows_written, rows_rejected, rows_nulled;
    double seconds;
    uint64_t bytes_read,
        bytes_written;   /* of tables: decoded, before packing; rejects not counted */
    uint32_t batch_rows; /* rows of a batch at most, as chosen */
    uint32_t threads;    /* that worked, the calling one among them */
    /*
     * seconds of work, added up over the threads: taking bytes from the input; making columns of
     * them; predicting; making bytes of the results; giving them to the output
     */
    double read_seconds, parse_seconds, predict_seconds, format_seconds, write_seconds;
    uint64_t rows_resumed; /* of rows_read, those that an earlier call had done */
} ftl_score_result;

/*
 * Reads a table (CSV, JSON, JSON lines, Parquet, Arrow IPC or .npy; "-" is standard input),
 * predicts and writes a table; "-" is standard output, as CSV. The name's ending decides what is
 * written: .tsv and .tab, CSV with tabs; .json, .jsonl and .ndjson; .parquet and .pq; .arrow, .ipc
 * and .feather, an Arrow file; .arrows, an Arrow stream; .npy; behind a text format's or alone .gz,
 * .zst, .bz2, .xz and .lz4, which compress. Endings of formats that are not written (.xlsx, ...)
 * are ARG, anything else is CSV. The output appears under its name only when complete (temporary
 * file, fsync, rename). An output, a reject file or a file of figures that is the input, a file of
 * the model or one of the others, by whatever name, is ARG.
 */
FTL_API FTL_MUST_USE ftl_status ftl_score(ftl_model *model, const char *input_path,
                                          const char *output_path, const ftl_score_options *options,
                                          ftl_score_result *result, ftl_error *error);
/*
 * Where a job's bytes come from and go to when those are no files. Both functions are called by the
 * thread that called ftl_score_stream, alone; they may wait.
 */
typedef struct ftl_reader {
    size_t struct_size;
    void *user;
    /* Fills up to size bytes, one at least; 0: the end; -errno: it failed. */
    int64_t (*read)(void *user, void *data, size_t size);
    const char *name; /* for messages, and for its ending; NULL: it has none */
} ftl_reader;

typedef struct ftl_writer {
    size_t struct_size;
    void *user;
    /* Takes all size bytes and returns 0, or fails with an errno value. */
    int (*write)(void *user, const void *data, size_t size);
    const char *name; /* for messages, and for its ending; NULL: it has none */
} ftl_writer;

/*
 * ftl_score with callbacks in the places of both files. What is read and written is what
 * options->input_format and output_format say, else the names' endings, else the first bytes and
 * CSV. What was written before a failure was written. ECANCELED of either function is CANCELLED,
 * anything else IO. Of the options, what speaks of files (reject_path, more_inputs, resume,
 * metrics_path) is ARG. .npy, which begins with the number of its rows, is not written.
 *
 * options->flush_early is for somebody who sends rows and waits for their results before sending
 * more: a read that gives fewer bytes than it was asked for ends the rows that are computed
 * together, behind the last whole record, and their results are written before the next read.
 * input_format is "jsonl" or "csv" then, the input is not compressed, and the calling thread does
 * all the work. The columns are those of the first record alone, so that nothing depends on how the
 * bytes arrive; of CSV without options->delimiter, what stands between cells is told by it as well.
 */
FTL_API FTL_MUST_USE ftl_status ftl_score_stream(ftl_model *model, const ftl_reader *input,
                                                 const ftl_writer *output,
                                                 const ftl_score_options *options,
                                                 ftl_score_result *result, ftl_error *error);
/*
 * ftl_score with Arrow C streams (foretell/arrow.h) in the places of both files: record batches are
 * taken from `in` as somebody takes batches from *out, a few of them are on their way at a time,
 * and memory stays the same however many there are. Columns are matched as those of a file with
 * names; they are read where they lie. Results are record batches of batch_rows rows at most with
 * the columns to keep, as int64, uint64, float64, float32, bool or utf8, and the outputs; bad rows
 * are errors, left out or null by options->on_error.
 *
 * Ownership: on success `in` is moved, its release becomes NULL, and *out is the caller's to
 * release; on failure `in` is still the caller's. As long as *out has neither ended nor failed it
 * needs the context, the cancel token, the callbacks of the options and `result`; the model is
 * held, and `in` released at the end. What *out yields owns its memory and outlives everything but
 * the context's allocator.
 *
 * Threads: `in` is used by the thread that calls *out's get_next or release, never by two at once,
 * and so must *out be; record batches of `in` are read by the context's threads (options->threads
 * at most) until they are released. get_next fails with an errno value, and get_last_error begins
 * with the status: "VALUE: row 7: ...". A failed stream fails again.
 *
 * result (NULL: not wanted) is filled when *out has ended. Of the options, what speaks of files
 * (reject_path, encoding, the formats) is ARG, and what speaks of text changes nothing, but for
 * empty_text.
 */
struct ArrowArrayStream;
FTL_API FTL_MUST_USE ftl_status ftl_score_arrow(ftl_model *model, struct ArrowArrayStream *in,
                                                const ftl_score_options *options,
                                                struct ArrowArrayStream *out,
                                                ftl_score_result *result, ftl_error *error);
/*
 * Would it run, and how well? Matches the columns of the table against the schema, predicts all
 * rows (or options->limit of them) and writes nothing but a report: the table's format, what is
 * missing and which categories are unknown in each column, names that nearly fit where columns are
 * missing, rows that would be refused, and with options->target how good the predictions are:
 * accuracy and, for two classes with probabilities, the area under the ROC curve; or the root of
 * the mean squared error. The report comes also when columns are missing or rows would be refused,
 * which is an error. Of the options, on_error, reject_path and what says how to run change nothing.
 */
FTL_API FTL_MUST_USE ftl_status ftl_check(ftl_model *model, const char *input_path,
                                          const ftl_score_options *options, ftl_text_fn write,
                                          void *user, ftl_error *error);

/* ---- Tables alone ---------------------------------------------------------------------------- */

/*
 * A table as an Arrow C stream: of files that ftl_score reads, batch by batch. Columns have their
 * types where the format has types: float64, float32, int64, uint64, bool or utf8; columns of other
 * types are left out. Cells of CSV and JSON are utf8 as they stand, those of CSV without nulls. Of
 * the options count: keep (the columns, in this order; none: all that can be read), more_inputs,
 * batch_rows, memory, limit, cancel, and what says how a table is read. options may be NULL.
 *
 * *out is released by the caller; it is used by one thread at a time, and before the context is
 * destroyed, unless it has ended or failed. What lists in the options name stays the caller's and
 * in place until then. get_next fails with an errno value, and get_last_error begins with the
 * status. *out stays untouched on failure.
 */
FTL_API FTL_MUST_USE ftl_status ftl_read_table(ftl_context *context, const char *input_path,
                                               const ftl_score_options *options,
                                               struct ArrowArrayStream *out, ftl_error *error);
/*
 * Writes a stream of record batches as a file, as ftl_score writes its results: by the name's
 * ending or options->output_format, and under its name only when it is complete. Of the options
 * count: keep (the columns; none: all that can be read), output_format, compression, delimiter,
 * batch_rows, limit, progress and cancel. in is taken over by success and failure alike: it is
 * released. result and options may be NULL.
 */
FTL_API FTL_MUST_USE ftl_status ftl_write_table(ftl_context *context, struct ArrowArrayStream *in,
                                                const char *output_path,
                                                const ftl_score_options *options,
                                                ftl_score_result *result, ftl_error *error);

#ifdef __cplusplus
}
#endif
#endif
