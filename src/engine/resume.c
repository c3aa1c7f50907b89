#include "engine/resume.h"

#include "base/crc64.h"
#include "base/number.h"
#include "foretell/experimental.h"
#include "io/file_id.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 64 * 1024, MOST_JOURNAL = 1 << 26, LONGEST_LINE = 512 };
/* Notes take a fiftieth of the time at most, whatever a sync takes. */
enum { SHARE = 50 };
static const double least_seconds = 0.02;

static ftl_status system_error(const char *what, const char *path, ftl_error *error)
{
    char text[128];
    int number = errno;
    return FTL_FAIL(error, FTL_IO, "cannot %s %s: %s", what, path,
                    strerror_r(number, text, sizeof text));
}

static ftl_status unfit(const char *why, ftl_error *error)
{
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "resume",
                           "options.resume cannot be: %s", why);
}

/* ---- Which job it is ------------------------------------------------------------------------- */

/* ftl_bytes_fn */
static bool add_bytes(void *user, const void *data, size_t size)
{
    uint64_t *sum = user;
    *sum = ftl_crc64(*sum, data, size);
    return true;
}

static ftl_status put_models(const ftl_job *job, ftl_strbuf *out, ftl_error *error)
{
    for (size_t i = 0; i < job->n_models; i++) {
        const ftl_job_model *model = &job->models[i];
        uint64_t sum = 0;
        FTL_TRY(ftl_model_write(model->model, add_bytes, &sum, error));
        ftl_strbuf_printf(out, "model %016" PRIx64 " as %s:", sum,
                          model->prefix ? model->prefix : "-");
        for (size_t k = 0; k < model->n_methods; k++)
            ftl_strbuf_printf(out, " %s", ftl_method_name(model->methods[k]));
        ftl_strbuf_putc(out, '\n');
    }
    return FTL_OK;
}

static ftl_status sum_of_head(const char *path, ftl_strbuf *scratch, struct stat *st, uint64_t *sum,
                              ftl_error *error)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return system_error("read", path, error);
    size_t size = 0;
    ssize_t n = fstat(fd, st);
    while (n >= 0 && size < HEAD_BYTES) {
        n = pread(fd, scratch->data + size, HEAD_BYTES - size, (off_t)size);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0)
            break;
        size += (size_t)n;
    }
    ftl_status status = n < 0 ? system_error("read", path, error) : FTL_OK;
    close(fd);
    *sum = ftl_crc64(0, scratch->data, size);
    return status;
}

static ftl_status put_inputs(const ftl_inputs *inputs, ftl_account *account, ftl_strbuf *out,
                             ftl_error *error)
{
    ftl_strbuf head = {.account = account, .data = ftl_alloc(account, HEAD_BYTES)};
    ftl_status status = head.data ? FTL_OK : FTL_OOM(error);
    for (size_t i = 0; status == FTL_OK && i < inputs->n; i++) {
        struct stat st = {0};
        uint64_t sum = 0;
        if (strcmp(inputs->paths[i], "-") == 0)
            status = unfit("standard input cannot be read again; give a file", error);
        else
            status = sum_of_head(inputs->paths[i], &head, &st, &sum, error);
        if (status == FTL_OK && !S_ISREG(st.st_mode))
            status = unfit("the input is no plain file, which can be read again", error);
        if (status == FTL_OK)
            ftl_strbuf_printf(out, "input %016" PRIx64 " %lld %lld.%09ld %016" PRIx64 "\n",
                              ftl_crc64(0, inputs->paths[i], strlen(inputs->paths[i])),
                              (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                              st.st_mtim.tv_nsec, sum);
    }
    ftl_free(account, head.data);
    return status;
}

static void put_list(ftl_strbuf *out, const char *what, const char *const *items, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = ftl_crc64(sum, items[i], strlen(items[i]) + 1);
    ftl_strbuf_printf(out, " %s %zu %016" PRIx64, what, n, sum);
}

/* Whatever changes the bytes of the output. */
static void put_options(const ftl_score_options *o, ftl_strbuf *out)
{
    ftl_strbuf_printf(out,
                      "options limit %" PRIu64 " on_error %d delimiter %d decimal %d header %d "
                      "record %zu empty %d encoding %s from %s to %s reject %d",
                      o->limit, (int)o->on_error, o->delimiter, o->decimal, !o->no_header,
                      o->max_record_bytes, (int)o->empty_text, o->encoding ? o->encoding : "-",
                      o->input_format ? o->input_format : "-",
                      o->output_format ? o->output_format : "-", o->reject_path != NULL);
    put_list(out, "keep", o->keep, o->n_keep);
    put_list(out, "features", o->features, o->n_features);
    put_list(out, "na", o->na_values, o->n_na_values);
    ftl_strbuf_putc(out, '\n');
}

static ftl_status describe_job(const ftl_job *job, const ftl_inputs *inputs,
                               const ftl_score_options *options, ftl_strbuf *out, ftl_error *error)
{
    ftl_strbuf_printf(out, "foretell %s job\n", ftl_version());
    FTL_TRY(put_models(job, out, error));
    FTL_TRY(put_inputs(inputs, job->account, out, error));
    put_options(options, out);
    ftl_strbuf_puts(out, "parts\n");
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

/* ---- Reading the journal --------------------------------------------------------------------- */

/* "out.csv" → ".out.csv.foretell-journal" beside it. */
static ftl_status journal_path(ftl_resume *resume, const char *output, ftl_arena *arena,
                               ftl_error *error)
{
    char target[PATH_MAX];
    struct stat st;
    if (strcmp(output, "-") == 0)
        return unfit("standard output cannot be cut to what counts; give a file for the output",
                     error);
    if (stat(output, &st) == 0 && !S_ISREG(st.st_mode))
        return unfit("the output is no plain file", error);
    if (!ftl_follow_links(output, target))
        return system_error("write", output, error);
    const char *slash = strrchr(target, '/');
    const char *name = slash ? slash + 1 : target;
    resume->path = ftl_arena_printf(arena, "%.*s.%s.foretell-journal", (int)(name - target), target,
                                    name);
    return resume->path ? FTL_OK : FTL_OOM(error);
}

static ftl_status read_journal(const ftl_resume *resume, ftl_strbuf *out, ftl_error *error)
{
    char part[16 * 1024];
    for (off_t at = 0;;) {
        ssize_t n = pread(resume->fd, part, sizeof part, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read", resume->path, error);
        if (n == 0)
            return out->failed ? FTL_OOM(error) : FTL_OK;
        ftl_strbuf_append(out, part, (size_t)n);
        at += n;
        if (at > MOST_JOURNAL)
            return FTL_FAIL(error, FTL_CORRUPT, "%s is no journal; remove it to begin anew",
                            resume->path);
    }
}

/* Takes "WORD NUMBER " or "NUMBER " from the front of a line; false when something else is there.
 */
static bool take(const char **line, const char *word, uint64_t *out)
{
    size_t size = strlen(word), digits;
    int64_t number;
    if (strncmp(*line, word, size) != 0)
        return false;
    digits = strspn(*line + size, "0123456789");
    if (!ftl_parse_i64(*line + size, digits, &number) || (*line)[size + digits] != ' ')
        return false;
    *out = (uint64_t)number;
    *line += size + digits + 1;
    return true;
}

/* The checksum behind the numbers, as it is written. */
enum { SUM_DIGITS = 16 };
static void print_sum(const char *line, size_t size, char out[SUM_DIGITS + 1])
{
    snprintf(out, SUM_DIGITS + 1, "%016" PRIx64, ftl_crc64(0, line, size));
}

/* One line of parts, without its end; false when it was not finished or is none. */
static bool parse_part(ftl_resume *resume, const char *line, size_t size)
{
    char sum[SUM_DIGITS + 1];
    const char *next = line;
    uint64_t at_line = 0;
    ftl_resume read = *resume;
    if (size < SUM_DIGITS)
        return false;
    print_sum(line, size - SUM_DIGITS, sum);
    if (memcmp(line + size - SUM_DIGITS, sum, SUM_DIGITS) != 0 ||
        !take(&next, "rows ", &read.from.rows) || !take(&next, "", &read.from.written) ||
        !take(&next, "", &read.from.rejected) || !take(&next, "", &read.from.nulled) ||
        !take(&next, "bytes ", &read.from.output.bytes) ||
        !take(&next, "", &read.from.output.unpacked) || !take(&next, "", &read.from.reject.bytes) ||
        !take(&next, "", &read.from.reject.unpacked) || !take(&next, "at ", &read.from.at.offset) ||
        !take(&next, "line ", &at_line) || next != line + size - SUM_DIGITS)
        return false;
    read.from.at.rows = read.from.rows;
    read.from.output.rows = read.from.written;
    read.from.reject.rows = read.from.rejected + read.from.nulled;
    read.from.at.line = (int64_t)at_line;
    resume->from = read.from;
    return true;
}

static ftl_status other_job(const ftl_resume *resume, const char *was, const char *now,
                            ftl_error *error)
{
    /* the first line that differs tells what */
    while (*was && *was == *now) {
        was++;
        now++;
    }
    const char *begin = now;
    while (begin[-1] != '\n')
        begin--;
    const char *what = strncmp(begin, "model", 5) == 0   ? "another model or methods"
                       : strncmp(begin, "input", 5) == 0 ? "another input, or it was changed since"
                                                         : "other options";
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "resume",
                           "the job that options.resume would go on with had %s; give the "
                           "same command, or remove %s to begin anew",
                           what, resume->path);
}

/* Finds the last part that counts; a journal that was cut off in its head is a new one. */
static ftl_status find_place(ftl_resume *resume, ftl_strbuf *journal, const ftl_strbuf *head,
                             ftl_error *error)
{
    const char *text = ftl_strbuf_text(journal), *parts = strstr(text, "\nparts\n");
    resume->size = 0;
    if (!parts)
        return FTL_OK;
    size_t size = (size_t)(parts - text) + strlen("\nparts\n");
    if (size != head->size || memcmp(text, head->data, size) != 0)
        return other_job(resume, text + 1, head->data + 1, error);
    resume->size = size;
    for (const char *line = text + size, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (!parse_part(resume, line, (size_t)(end - line)))
            break;
        resume->size = (uint64_t)(end + 1 - text);
    }
    return FTL_OK;
}

/* Appends at resume->size, whatever stood there. */
static ftl_status append(ftl_resume *resume, const char *data, size_t size, ftl_error *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(resume->fd, data + done, size - done, (off_t)(resume->size + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("write", resume->path, error);
        done += (size_t)n;
    }
    int failed;
    do
        failed = fdatasync(resume->fd);
    while (failed && errno == EINTR);
    if (failed && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return system_error("write", resume->path, error);
    resume->size += size;
    return FTL_OK;
}

/* To what counts of it. */
static ftl_status cut(const ftl_resume *resume, ftl_error *error)
{
    int failed;
    do
        failed = ftruncate(resume->fd, (off_t)resume->size);
    while (failed && errno == EINTR);
    return failed ? system_error("write", resume->path, error) : FTL_OK;
}

static ftl_status take_up(ftl_resume *resume, const ftl_strbuf *head, ftl_error *error)
{
    ftl_strbuf journal;
    ftl_strbuf_init(&journal, resume->account, 2 * (size_t)MOST_JOURNAL);
    ftl_status status = read_journal(resume, &journal, error);
    if (status == FTL_OK)
        status = find_place(resume, &journal, head, error);
    ftl_strbuf_free(&journal);
    FTL_TRY(status);
    FTL_TRY(cut(resume, error));
    resume->head = head->size;
    return resume->size ? FTL_OK : append(resume, head->data, head->size, error);
}

ftl_status ftl_resume_open(ftl_resume *resume, const ftl_job *job, const ftl_inputs *inputs,
                           const char *output_path, const ftl_score_options *options,
                           ftl_arena *arena, ftl_error *error)
{
    *resume = (ftl_resume){.account = job->account, .fd = -1};
    if (!options->resume)
        return FTL_OK;
    if (options->reject_path)
        FTL_TRY(journal_path(resume, options->reject_path, arena, error)); /* for its checks */
    FTL_TRY(journal_path(resume, output_path, arena, error));
    ftl_strbuf head;
    ftl_strbuf_init(&head, job->account, MOST_JOURNAL);
    ftl_status status = describe_job(job, inputs, options, &head, error);
    if (status == FTL_OK) {
        do
            resume->fd = open(resume->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                              0666);
        while (resume->fd < 0 && errno == EINTR);
        if (resume->fd < 0)
            status = system_error("write", resume->path, error);
        else if (flock(resume->fd, LOCK_EX | LOCK_NB) != 0)
            status = unfit("another process works on the same output", error);
    }
    if (status == FTL_OK)
        status = take_up(resume, &head, error);
    ftl_strbuf_free(&head);
    if (status != FTL_OK)
        ftl_resume_close(resume, false);
    return status;
}

/* ---- Going on -------------------------------------------------------------------------------- */

/* Nothing counts of what the files hold behind their headers, nor of what the journal says. */
static ftl_status begin_anew(ftl_resume *resume, ftl_sink *sink, ftl_sink *reject, ftl_error *error)
{
    resume->size = resume->head;
    FTL_TRY(cut(resume, error));
    FTL_TRY(ftl_sink_begin_anew(sink, error));
    return reject ? ftl_sink_begin_anew(reject, error) : FTL_OK;
}

ftl_status ftl_resume_go_on(ftl_resume *resume, ftl_table *table, ftl_sink *sink, ftl_sink *reject,
                            ftl_score_result *result, ftl_error *error)
{
    if (resume->fd < 0)
        return FTL_OK;
    /* Files that are not there: the job was stopped between completing them and its journal's end.
     */
    if (resume->from.rows == 0 || !ftl_sink_holds(sink, resume->from.output.bytes) ||
        (reject && !ftl_sink_holds(reject, resume->from.reject.bytes)))
        return begin_anew(resume, sink, reject, error);
    FTL_TRY(ftl_sink_go_on(sink, &resume->from.output, error));
    if (reject)
        FTL_TRY(ftl_sink_go_on(reject, &resume->from.reject, error));
    FTL_TRY(ftl_table_seek(table, &resume->from.at, error));
    result->rows_read = result->rows_resumed = resume->from.rows;
    result->rows_written = resume->from.written;
    result->rows_rejected = resume->from.rejected;
    result->rows_nulled = resume->from.nulled;
    return FTL_OK;
}

ftl_status ftl_resume_note(ftl_resume *resume, const ftl_table_position *at, ftl_sink *sink,
                           ftl_sink *reject, const ftl_score_result *result, ftl_error *error)
{
    ftl_sink_place output, rejected = {0};
    double now = ftl_job_now();
    if (resume->fd < 0 || now - resume->last < resume->pause || !ftl_sink_may_settle(sink))
        return FTL_OK;
    FTL_TRY(ftl_sink_settle(sink, &output, error));
    if (reject)
        FTL_TRY(ftl_sink_settle(reject, &rejected, error));
    char line[LONGEST_LINE], sum[SUM_DIGITS + 1];
    int n = snprintf(line, sizeof line,
                     "rows %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " bytes %" PRIu64
                     " %" PRIu64 " %" PRIu64 " %" PRIu64 " at %" PRIu64 " line %lld ",
                     at->rows, result->rows_written, result->rows_rejected, result->rows_nulled,
                     output.bytes, output.unpacked, rejected.bytes, rejected.unpacked, at->offset,
                     (long long)at->line);
    print_sum(line, (size_t)n, sum);
    n += snprintf(line + n, sizeof line - (size_t)n, "%s\n", sum);
    FTL_TRY(append(resume, line, (size_t)n, error));
    resume->last = ftl_job_now();
    resume->pause = SHARE * (resume->last - now);
    if (resume->pause < least_seconds)
        resume->pause = least_seconds;
    return FTL_OK;
}

void ftl_resume_close(ftl_resume *resume, bool done)
{
    if (resume->fd < 0)
        return;
    if (done)
        unlink(resume->path); /* while it is locked: it is this job's */
    close(resume->fd);
    resume->fd = -1;
}
