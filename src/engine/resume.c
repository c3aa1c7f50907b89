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
                      "record %zu empty %d encoding %s from %s to %s packed %s",
                      o->limit, (int)o->on_error, o->delimiter, o->decimal, !o->no_header,
                      o->max_record_bytes, (int)o->empty_text, o->encoding ? o->encoding : "-",
                      o->input_format ? o->input_format : "-",
                      o->output_format ? o->output_format : "-",
                      o->compression ? o->compression : "-");
    put_list(out, "reject", &o->reject_path, o->reject_path != NULL);
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

/* A checksum as it is written: 16 digits and a blank. */
static bool take_sum(const char **line, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef";
    *out = 0;
    for (int i = 0; i < SUM_DIGITS; i++, ++*line) {
        const char *digit = **line ? strchr(digits, **line) : NULL;
        if (!digit)
            return false;
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return *(*line)++ == ' ';
}

static bool take_place(const char **line, const char *word, ftl_sink_place *out)
{
    return take(line, word, &out->bytes) && take(line, "", &out->done) &&
           take(line, "", &out->from) && take(line, "", &out->state) && take_sum(line, &out->sum);
}

/* One line of parts, without its end; false when it was not finished or is none. */
static bool parse_part(ftl_resume *resume, const char *line, size_t size)
{
    char sum[SUM_DIGITS + 1];
    const char *next = line;
    uint64_t at_line = 0;
    ftl_resume_spot read = {0};
    ftl_sink_place output = {0}, reject = {0};
    if (size < SUM_DIGITS)
        return false;
    print_sum(line, size - SUM_DIGITS, sum);
    if (memcmp(line + size - SUM_DIGITS, sum, SUM_DIGITS) != 0 ||
        !take(&next, "rows ", &read.at.rows) || !take(&next, "", &read.written) ||
        !take(&next, "", &read.rejected) || !take(&next, "", &read.nulled) ||
        !take_place(&next, "output ", &output) || !take_place(&next, "reject ", &reject) ||
        !take(&next, "at ", &read.at.offset) || !take(&next, "line ", &at_line) ||
        next != line + size - SUM_DIGITS)
        return false;
    read.at.line = (int64_t)at_line;
    read.amounts[0] = output.from;
    read.amounts[1] = reject.from;
    output.rows = read.written;
    reject.rows = read.rejected + read.nulled;
    resume->from = read;
    resume->output = output;
    resume->reject = reject;
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

/* Whether both files are as they were at the last note. */
static ftl_status find_files(const ftl_resume *resume, ftl_sink *sink, ftl_sink *reject,
                             bool *there, ftl_error *error)
{
    *there = resume->from.at.rows > 0;
    if (*there)
        FTL_TRY(ftl_sink_holds(sink, &resume->output, there, error));
    if (*there && reject)
        FTL_TRY(ftl_sink_holds(reject, &resume->reject, there, error));
    return FTL_OK;
}

static void count_amounts(ftl_resume_spot *spot, const ftl_sink *sink, const ftl_sink *reject)
{
    spot->amounts[0] = ftl_sink_amount(sink);
    spot->amounts[1] = reject ? ftl_sink_amount(reject) : 0;
}

ftl_status ftl_resume_go_on(ftl_resume *resume, ftl_table *table, ftl_sink *sink, ftl_sink *reject,
                            ftl_score_result *result, ftl_error *error)
{
    bool there;
    if (resume->fd < 0)
        return FTL_OK;
    FTL_TRY(find_files(resume, sink, reject, &there, error));
    resume->n_spots = resume->stride = 1;
    if (!there) { /* maybe it was stopped between completing them and its journal's end */
        FTL_TRY(begin_anew(resume, sink, reject, error));
        resume->spots[0] = (ftl_resume_spot){0};
        count_amounts(&resume->spots[0], sink, reject);
        return FTL_OK;
    }
    FTL_TRY(ftl_sink_go_on(sink, &resume->output, error));
    if (reject)
        FTL_TRY(ftl_sink_go_on(reject, &resume->reject, error));
    FTL_TRY(ftl_table_seek(table, &resume->from.at, error));
    resume->spots[0] = resume->from;
    resume->noted = resume->from.at.rows;
    result->rows_read = result->rows_resumed = resume->from.at.rows;
    result->rows_written = resume->from.written;
    result->rows_rejected = resume->from.rejected;
    result->rows_nulled = resume->from.nulled;
    return FTL_OK;
}

/* ---- Notes ----------------------------------------------------------------------------------- */

/*
 * Where many spots wait for a part to end, one of several blocks each is enough: there are fewer
 * and fewer of them, all as far apart. The last one is where the job is.
 */
static ftl_resume_spot *next_spot(ftl_resume *resume)
{
    size_t n = 0;
    if (resume->n_spots > 1 && ++resume->since < resume->stride)
        return &resume->spots[resume->n_spots - 1];
    resume->since = 0;
    if (resume->n_spots == FTL_RESUME_SPOTS) {
        for (size_t i = 0; i < FTL_RESUME_SPOTS; i += 2)
            resume->spots[n++] = resume->spots[i];
        resume->n_spots = n;
        resume->stride *= 2;
    }
    return &resume->spots[resume->n_spots++];
}

static void add_spot(ftl_resume *resume, const ftl_table_position *at, const ftl_sink *sink,
                     const ftl_sink *reject, const ftl_score_result *result)
{
    ftl_resume_spot *spot = next_spot(resume);
    *spot = (ftl_resume_spot){.at = *at,
                              .written = result->rows_written,
                              .rejected = result->rows_rejected,
                              .nulled = result->rows_nulled};
    count_amounts(spot, sink, reject);
}

/* Leaves the last spot alone up to which both sinks hold all in whole parts, and those behind. */
static void find_spot(ftl_resume *resume, const ftl_sink *sink, const ftl_sink *reject)
{
    const uint64_t done = ftl_sink_done(sink), reject_done = reject ? ftl_sink_done(reject) : 0;
    size_t n = 0;
    while (n + 1 < resume->n_spots && resume->spots[n + 1].amounts[0] <= done &&
           resume->spots[n + 1].amounts[1] <= reject_done)
        n++;
    resume->n_spots -= n;
    memmove(resume->spots, resume->spots + n, resume->n_spots * sizeof *resume->spots);
    if (n && resume->stride > 1 && resume->n_spots < FTL_RESUME_SPOTS / 4)
        resume->stride /= 2;
}

static int print_place(char *out, size_t room, const char *word, const ftl_sink_place *place)
{
    return snprintf(out, room, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 " ",
                    word, place->bytes, place->done, place->from, place->state, place->sum);
}

static ftl_status write_note(ftl_resume *resume, const ftl_resume_spot *spot,
                             const ftl_sink_place *output, const ftl_sink_place *reject,
                             ftl_error *error)
{
    char line[LONGEST_LINE], sum[SUM_DIGITS + 1];
    int n = snprintf(line, sizeof line, "rows %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ",
                     spot->at.rows, spot->written, spot->rejected, spot->nulled);
    n += print_place(line + n, sizeof line - (size_t)n, "output", output);
    n += print_place(line + n, sizeof line - (size_t)n, "reject", reject);
    n += snprintf(line + n, sizeof line - (size_t)n, "at %" PRIu64 " line %lld ", spot->at.offset,
                  (long long)spot->at.line);
    print_sum(line, (size_t)n, sum);
    n += snprintf(line + n, sizeof line - (size_t)n, "%s\n", sum);
    return append(resume, line, (size_t)n, error);
}

ftl_status ftl_resume_note(ftl_resume *resume, const ftl_table_position *at, ftl_sink *sink,
                           ftl_sink *reject, const ftl_score_result *result, ftl_error *error)
{
    ftl_sink_place output, rejected = {0};
    if (resume->fd < 0)
        return FTL_OK;
    add_spot(resume, at, sink, reject, result);
    double now = ftl_job_now();
    if (now - resume->last < resume->pause)
        return FTL_OK;
    find_spot(resume, sink, reject);
    const ftl_resume_spot *spot = &resume->spots[0];
    if (spot->at.rows == resume->noted)
        return FTL_OK;
    FTL_TRY(ftl_sink_settle(sink, &output, error));
    if (reject)
        FTL_TRY(ftl_sink_settle(reject, &rejected, error));
    output.from = spot->amounts[0];
    rejected.from = spot->amounts[1];
    FTL_TRY(write_note(resume, spot, &output, &rejected, error));
    resume->noted = spot->at.rows;
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
