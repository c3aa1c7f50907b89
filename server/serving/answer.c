#include "serving/answer.h"

#include "io/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_BYTES = 256 << 20, /* of predictions in an answer */
    PIECE = 64 << 10
};

void srv_answer_init(srv_answer *answer, ftl_account *account)
{
    *answer = (srv_answer){.from = -1, .to = -1};
    ftl_strbuf_init(&answer->predictions, account, MOST_BYTES);
    ftl_strbuf_init(&answer->probabilities, account, MOST_BYTES);
    ftl_strbuf_init(&answer->classes, account, MOST_BYTES);
    ftl_strbuf_init(&answer->line, account, MOST_BYTES);
}

static void close_pipe(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void srv_answer_free(srv_answer *answer)
{
    close_pipe(&answer->from);
    close_pipe(&answer->to);
    ftl_strbuf_free(&answer->predictions);
    ftl_strbuf_free(&answer->probabilities);
    ftl_strbuf_free(&answer->classes);
    ftl_strbuf_free(&answer->line);
}

/* Values at from..to of a row, as JSON has them; infinity, which it has no word for, is null. */
static void put_values(ftl_strbuf *out, const srv_text *values, size_t from, size_t to, bool flat)
{
    if (out->size)
        ftl_strbuf_putc(out, ',');
    if (!flat || to - from != 1)
        ftl_strbuf_putc(out, '[');
    for (size_t i = from; i < to; i++) {
        bool infinite = srv_text_is(values[i], "1e999") || srv_text_is(values[i], "-1e999");
        if (i > from)
            ftl_strbuf_putc(out, ',');
        ftl_strbuf_append(out, infinite ? "null" : values[i].data, infinite ? 4 : values[i].size);
    }
    if (!flat || to - from != 1)
        ftl_strbuf_putc(out, ']');
}

/* The values of an object, in their order; the caller frees *out. */
static ftl_status split_line(ftl_account *account, const char *line, size_t size, srv_text **out,
                             size_t *n, size_t *room, ftl_error *error)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, line, size, 0);
    FTL_TRY(ftl_json_next(&json, &token, error));
    for (*n = 0;; ++*n) {
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token != FTL_JSON_KEY)
            return FTL_OK;
        size_t at = json.at;
        FTL_TRY(ftl_json_next(&json, &token, error));
        FTL_TRY(ftl_json_skip(&json, error));
        FTL_TRY(ftl_grow(account, out, room, *n + 1, sizeof **out, error));
        while (line[at] == ' ')
            at++;
        (*out)[*n] = (srv_text){line + at, json.at - at};
    }
}

typedef struct row_reader {
    srv_answer *answer;
    srv_text *values;
    size_t room;
} row_reader;

static void take_line(row_reader *reader, const char *line, size_t size)
{
    srv_answer *answer = reader->answer;
    ftl_error error;
    size_t n = 0;
    if (answer->status != FTL_OK || answer->too_many)
        return;
    answer->too_many = answer->rows == answer->most_rows;
    if (answer->too_many) {
        ftl_cancel_trigger(answer->cancel);
        return;
    }
    answer->rows++;
    answer->status = split_line(answer->line.account, line, size, &reader->values, &n,
                                &reader->room, &error);
    if (answer->status != FTL_OK)
        return;
    size_t split = answer->n_probabilities <= n ? n - answer->n_probabilities : n;
    put_values(&answer->predictions, reader->values, 0, split, !answer->nested);
    if (answer->n_probabilities)
        put_values(&answer->probabilities, reader->values, split, n, false);
    if (answer->predictions.failed || answer->probabilities.failed)
        answer->status = FTL_NOMEM;
}

static void take_bytes(row_reader *reader, const char *data, size_t size)
{
    ftl_strbuf *line = &reader->answer->line;
    const char *end = data + size;
    for (const char *stop; (stop = memchr(data, '\n', (size_t)(end - data))) != NULL;
         data = stop + 1) {
        if (line->size) {
            ftl_strbuf_append(line, data, (size_t)(stop - data));
            take_line(reader, line->data, line->size);
            ftl_strbuf_clear(line);
        } else {
            take_line(reader, data, (size_t)(stop - data));
        }
    }
    ftl_strbuf_append(line, data, (size_t)(end - data));
    if (line->failed && reader->answer->status == FTL_OK)
        reader->answer->status = FTL_NOMEM;
}

/* Reads to the end in any case: whoever writes is not to wait for ever. */
static void read_rows(void *user)
{
    srv_answer *answer = user;
    row_reader reader = {.answer = answer};
    ftl_account *account = answer->line.account;
    char *buffer = ftl_alloc(account, PIECE);
    char small[256];
    if (!buffer)
        answer->status = FTL_NOMEM;
    for (;;) {
        ssize_t n = read(answer->from, buffer ? buffer : small, buffer ? PIECE : sizeof small);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (answer->status == FTL_OK)
            take_bytes(&reader, buffer, (size_t)n);
        if (answer->status != FTL_OK)
            ftl_cancel_trigger(answer->cancel);
    }
    ftl_free(account, buffer);
    ftl_free(account, reader.values);
}

ftl_status srv_answer_begin(srv_answer *answer, ftl_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return FTL_FAIL(error, FTL_NOMEM, "no pipe for the predictions: %s", strerror(errno));
    answer->from = ends[0];
    answer->to = ends[1];
    answer->running = uv_thread_create(&answer->thread, read_rows, answer) == 0;
    return answer->running ? FTL_OK : FTL_FAIL(error, FTL_NOMEM, "no thread for the predictions");
}

void srv_answer_end(srv_answer *answer)
{
    close_pipe(&answer->to);
    if (answer->running)
        uv_thread_join(&answer->thread);
    answer->running = false;
    close_pipe(&answer->from);
}
