#include "serving/batch.h"

#include "base/ending.h"
#include "io/codec.h"
#include "serving/process.h"
#include "serving/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

ftl_status srv_batch_init(srv_batch *batch, srv_server *server, ftl_error *error)
{
    *batch = (srv_batch){.server = server, .data = -1, .folder = -1};
    ftl_arena_init(&batch->arena, &server->account);
    srv_answer_init(&batch->answer, &server->account);
    srv_score_init(&batch->score, &batch->arena);
    ftl_error_clear(&batch->error);
    return ftl_cancel_create(server->context, &batch->cancel, error);
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void srv_batch_free(srv_batch *batch)
{
    close_descriptor(&batch->data);
    close_descriptor(&batch->folder);
    srv_answer_free(&batch->answer);
    ftl_cancel_destroy(batch->cancel);
    ftl_arena_free(&batch->arena);
}

void srv_batch_cancel(srv_batch *batch) { ftl_cancel_trigger(batch->cancel); }

/* ---- Failures -------------------------------------------------------------------------------- */

static bool fail(srv_batch *batch, int status, const char *field, const char *format, ...)
    FTL_PRINTF(4, 5);
static bool fail(srv_batch *batch, int status, const char *field, const char *format, ...)
{
    char message[sizeof batch->error.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ftl_error_set(&batch->error, FTL_ARG, "%s", message);
    batch->status = status;
    batch->field = field;
    return false;
}

static bool is_full(const char *message)
{
    static const int numbers[] = {ENOSPC, EDQUOT, EFBIG};
    for (size_t i = 0; i < FTL_ARRAY_LEN(numbers); i++) {
        if (strstr(message, strerror(numbers[i])))
            return true;
    }
    return false;
}

static int status_of(const ftl_error *error)
{
    switch (error->code) {
    case FTL_NOMEM:
    case FTL_CANCELLED:
        return 503;
    case FTL_LIMIT:
        return 413;
    case FTL_INTERNAL:
        return 500;
    case FTL_IO:
        return is_full(error->message) ? 507 : strstr(error->message, "cannot write") ? 500 : 422;
    default:
        return 422;
    }
}

/* An error of the library, in words of the request's. */
static bool fail_by(srv_batch *batch, const char *field)
{
    ftl_error *error = &batch->error;
    char folder[32];
    snprintf(folder, sizeof folder, "/proc/self/fd/%d/", batch->folder);
    if (batch->output_path)
        srv_error_replace(error, batch->output, batch->output_path);
    if (batch->folder >= 0)
        srv_error_replace(error, folder, "");
    if (batch->input[0])
        srv_error_replace(error, batch->input, batch->data_path);
    if (batch->model) /* it may be a name, whose file the client knows nothing of */
        srv_error_replace(error, batch->model->path, batch->model->shown);
    srv_error_for_client(error);
    batch->status = status_of(error);
    batch->field = field;
    return false;
}

srv_result srv_batch_reply_failure(const srv_batch *batch, srv_request *request)
{
    char message[sizeof batch->error.message + sizeof batch->error.path + 8];
    const ftl_error *error = &batch->error;
    snprintf(message, sizeof message, "%s%s%s", error->path, error->path[0] ? ": " : "",
             error->message);
    if (batch->status == 422)
        return srv_reply_invalid(request, "value_error", batch->field, "%s", message);
    if (batch->status == 503)
        srv_add_header(request, "Retry-After", "1");
    return srv_reply_error(request, batch->status, "%s", message);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static srv_text text_of(const char *text) { return (srv_text){text, strlen(text)}; }

static bool refuse_path(srv_batch *batch, int status, const char *field, const char *path,
                        const char *root, const char *what)
{
    if (status == 404)
        return fail(batch, 404, field, "%s %.200s is not there: a path is looked for beneath %s",
                    what, path, root);
    if (status == 403)
        return fail(batch, 403, field, "%s %.200s is not beneath %s", what, path, root);
    return fail(batch, status, field, "%s %.200s is no path of a file", what, path);
}

/*
 * The library is given a descriptor, whose name has no ending; what formats that look alike are
 * told by is said here.
 */
static const char *format_of_name(const char *name)
{
    static const struct {
        const char *ending, *format;
    } endings[] = {{".jsonl", "jsonl"}, {".ndjson", "jsonl"}, {".json", "json"}, {".csv", "csv"},
                   {".tsv", "csv"},     {".tab", "csv"},      {".txt", "csv"}};
    size_t size = ftl_codec_strip_ending(name, strlen(name));
    for (size_t i = 0; i < FTL_ARRAY_LEN(endings); i++) {
        if (ftl_has_ending(name, size, endings[i].ending))
            return endings[i].format;
    }
    return NULL;
}

static bool find_data(srv_batch *batch)
{
    struct stat about;
    int status = srv_root_open_file(batch->data_root, text_of(batch->data_path), &batch->data);
    if (status)
        return refuse_path(batch, status, "data_path", batch->data_path, "data-root", "the data");
    if (fstat(batch->data, &about) != 0 || !S_ISREG(about.st_mode))
        return fail(batch, 422, "data_path", "the data %.200s is no plain file", batch->data_path);
    snprintf(batch->input, sizeof batch->input, "/proc/self/fd/%d", batch->data);
    if (!batch->score.options.input_format)
        batch->score.options.input_format = format_of_name(batch->data_path);
    return true;
}

/* The output may replace neither what is read nor the model. */
static bool is_read(const srv_batch *batch, const struct stat *output)
{
    struct stat input, model;
    return (fstat(batch->data, &input) == 0 && input.st_dev == output->st_dev &&
            input.st_ino == output->st_ino) ||
           (stat(batch->model->path, &model) == 0 && model.st_dev == output->st_dev &&
            model.st_ino == output->st_ino);
}

/*
 * It is written under a name that nobody can guess, in a folder that is held: whatever is done to
 * the path meanwhile, it goes nowhere else. The name's ending says what is written.
 */
static bool name_output(srv_batch *batch)
{
    enum { TAIL = 60 };
    uint64_t number[2];
    size_t size = strlen(batch->name);
    if (getrandom(number, sizeof number, 0) != (ssize_t)sizeof number)
        return fail(batch, 503, "output_path", "the system gives no random numbers");
    snprintf(batch->hidden, sizeof batch->hidden, ".foretell-%016llx%016llx-%s",
             (unsigned long long)number[0], (unsigned long long)number[1],
             batch->name + (size > TAIL ? size - TAIL : 0));
    snprintf(batch->output, sizeof batch->output, "/proc/self/fd/%d/%s", batch->folder,
             batch->hidden);
    return true;
}

static bool find_output(srv_batch *batch)
{
    struct stat about;
    int status = srv_root_open_folder(batch->output_root, text_of(batch->output_path),
                                      &batch->folder, batch->name);
    if (status == 403 && batch->output_root->descriptor < 0)
        return fail(batch, 403, "output_path",
                    "this server writes no files: it was started without output-root");
    if (status)
        return refuse_path(batch, status, "output_path", batch->output_path, "output-root",
                           status == 404 ? "the folder of the output" : "the output");
    if (fstatat(batch->folder, batch->name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(about.st_mode))
            return fail(batch, 409, "output_path", "%.200s is a folder", batch->output_path);
        if (!batch->overwrite)
            return fail(batch, 409, "output_path",
                        "%.200s is there already; overwrite: true replaces it", batch->output_path);
        if (is_read(batch, &about))
            return fail(batch, 409, "output_path", "%.200s is read by this very request",
                        batch->output_path);
    }
    return name_output(batch);
}

bool srv_batch_prepare(srv_batch *batch)
{
    int status;
    const ftl_score_options *options = &batch->score.options;
    batch->model = srv_catalog_at_path(batch->server->catalog, text_of(batch->model_path), &status,
                                       &batch->error);
    if (!batch->model) {
        batch->status = status;
        batch->field = "model_path";
        return false;
    }
    if (!find_data(batch))
        return false;
    if (batch->output_path)
        return find_output(batch);
    if (options->n_keep || options->n_more_methods || options->output_format)
        return fail(batch, 422, "output_path",
                    "keep, several methods and output_format are for an output_path");
    return true;
}

/* ---- Work ------------------------------------------------------------------------------------ */

/* ftl_progress_fn */
static bool note_progress(void *user, const ftl_progress *progress)
{
    srv_batch *batch = user;
    batch->rows = progress->rows;
    batch->bytes_read = progress->bytes_read;
    batch->bytes_total = progress->bytes_total;
    return true;
}

static bool score_into_answer(srv_batch *batch, ftl_model *model)
{
    srv_answer *answer = &batch->answer;
    ftl_score_options *options = &batch->score.options;
    ftl_model_info info = {.struct_size = sizeof info};
    char path[64];
    answer->most_rows = batch->server->config->max_answer_rows;
    answer->cancel = batch->cancel;
    answer->n_probabilities = options->proba ? ftl_model_output_count(model, FTL_PREDICT_PROBA) : 0;
    if (ftl_model_get_info(model, &info) == FTL_OK)
        answer->nested = !srv_is_flat(options->method_set ? options->method : info.default_method,
                                      1);
    options->output_format = "jsonl";
    if (srv_answer_begin(answer, &batch->error) != FTL_OK) {
        srv_answer_end(answer);
        return fail_by(batch, NULL);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", answer->to);
    ftl_status status = ftl_score(model, batch->input, path, options, &batch->result,
                                  &batch->error);
    srv_answer_end(answer);
    if (answer->too_many)
        return fail(batch, 413, "output_path",
                    "there are more than %llu rows, which is the most that an answer holds "
                    "(max-answer-rows); name an output_path",
                    (unsigned long long)answer->most_rows);
    if (answer->status != FTL_OK)
        return fail(batch, 503, NULL, "the predictions are too much for the server's memory");
    return status == FTL_OK || fail_by(batch, "data_path");
}

/* Gives a file another name unless there is a file of that name; 0 or an errno value. */
static int give_name(int folder, const char *from, const char *to)
{
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    return linkat(folder, from, folder, to, 0) == 0 ? 0 : errno; /* the caller removes `from` */
}

/* Gives the complete file its name; an existing one is replaced when the request says so. */
static bool publish(srv_batch *batch)
{
    int why = 0;
    if (!batch->overwrite)
        why = give_name(batch->folder, batch->hidden, batch->name);
    else if (renameat(batch->folder, batch->hidden, batch->folder, batch->name) != 0)
        why = errno;
    unlinkat(batch->folder, batch->hidden, 0);
    if (why == 0)
        return true;
    if (why == EEXIST)
        return fail(batch, 409, "output_path", "%.200s has come to be there meanwhile",
                    batch->output_path);
    return fail(batch, why == ENOSPC ? 507 : 500, "output_path", "cannot write %.200s: %s",
                batch->output_path, strerror(why));
}

static bool score_into_file(srv_batch *batch, ftl_model *model)
{
    if (ftl_score(model, batch->input, batch->output, &batch->score.options, &batch->result,
                  &batch->error) != FTL_OK)
        return fail_by(batch, "data_path");
    return publish(batch);
}

bool srv_batch_run(srv_batch *batch)
{
    ftl_model *model = NULL;
    ftl_score_options *options = &batch->score.options;
    options->progress = note_progress;
    options->progress_user = batch;
    options->cancel = batch->cancel;
    batch->result.struct_size = sizeof batch->result;
    if (ftl_cancel_triggered(batch->cancel)) {
        ftl_error_set(&batch->error, FTL_CANCELLED, "cancelled");
        return fail_by(batch, NULL);
    }
    if (srv_model_take(batch->server, batch->model, NULL, NULL, &model, &batch->error) != FTL_OK)
        return fail_by(batch, "model_path");
    bool done = batch->output_path ? score_into_file(batch, model)
                                   : score_into_answer(batch, model);
    if (done && !batch->output_path && ftl_model_class_count(model, 0)) {
        srv_put_classes(&batch->answer.classes, model);
    }
    ftl_model_release(model);
    batch->rows = done ? batch->result.rows_read : batch->rows;
    batch->bytes_read = done ? batch->result.bytes_read : batch->bytes_read;
    return done;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void put_named(ftl_strbuf *out, const char *name, double value)
{
    ftl_strbuf_printf(out, "\"%s\":", name);
    srv_put_f64(out, value);
}

void srv_batch_put_result(const srv_batch *batch, ftl_strbuf *out)
{
    const ftl_score_result *result = &batch->result;
    const srv_answer *answer = &batch->answer;
    if (batch->output_path) {
        ftl_strbuf_puts(out, "\"output_path\":");
        ftl_strbuf_json_string(out, batch->output_path, strlen(batch->output_path));
    } else {
        ftl_strbuf_puts(out, "\"predictions\":[");
        ftl_strbuf_append(out, answer->predictions.data, answer->predictions.size);
        ftl_strbuf_putc(out, ']');
        if (answer->n_probabilities) {
            ftl_strbuf_puts(out, ",\"probabilities\":[");
            ftl_strbuf_append(out, answer->probabilities.data, answer->probabilities.size);
            ftl_strbuf_putc(out, ']');
        }
        if (answer->classes.size) {
            ftl_strbuf_puts(out, ",\"classes\":");
            ftl_strbuf_append(out, answer->classes.data, answer->classes.size);
        }
    }
    uint64_t rows = result->rows_read, size = result->batch_rows ? result->batch_rows : 1;
    ftl_strbuf_printf(out, ",\"n_samples\":%llu,\"n_batches\":%llu,\"n_rejected\":%llu,",
                      (unsigned long long)rows, (unsigned long long)((rows + size - 1) / size),
                      (unsigned long long)result->rows_rejected);
    ftl_strbuf_printf(out, "\"n_nulled\":%llu,", (unsigned long long)result->rows_nulled);
    put_named(out, "inference_time_seconds",
              result->predict_seconds / (result->threads ? result->threads : 1));
    ftl_strbuf_putc(out, ',');
    put_named(out, "total_time_seconds", result->seconds);
    ftl_strbuf_putc(out, ',');
    put_named(out, "throughput_samples_per_sec",
              result->seconds > 0 ? (double)rows / result->seconds : 0);
}

void srv_batch_put_metrics(const srv_batch *batch, ftl_strbuf *out)
{
    const ftl_score_result *r = &batch->result;
    srv_process process;
    double seconds = r->seconds > 0 ? r->seconds : 1e-9;
    srv_process_read(&process);
    ftl_strbuf_printf(out,
                      "{\"rows\":%llu,\"rows_resumed\":0,\"rows_written\":%llu,"
                      "\"rows_rejected\":%llu,\"rows_nulled\":%llu,\"seconds\":%.6f,"
                      "\"rows_per_second\":%.1f,\"bytes_read\":%llu,\"bytes_written\":%llu,"
                      "\"megabytes_per_second\":%.3f,\"batch_rows\":%u,\"threads\":%u,"
                      "\"peak_memory_bytes\":%llu,",
                      (unsigned long long)r->rows_read, (unsigned long long)r->rows_written,
                      (unsigned long long)r->rows_rejected, (unsigned long long)r->rows_nulled,
                      r->seconds, (double)r->rows_read / seconds, (unsigned long long)r->bytes_read,
                      (unsigned long long)r->bytes_written, (double)r->bytes_read / 1e6 / seconds,
                      r->batch_rows, r->threads, (unsigned long long)process.peak_bytes);
    ftl_strbuf_printf(out,
                      "\"work_seconds\":{\"read\":%.6f,\"parse\":%.6f,\"predict\":%.6f,"
                      "\"format\":%.6f,\"write\":%.6f}}",
                      r->read_seconds, r->parse_seconds, r->predict_seconds, r->format_seconds,
                      r->write_seconds);
}
