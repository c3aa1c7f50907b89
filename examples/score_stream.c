/*
 * A job whose bytes come from one function and go to another: JSON lines in, JSON lines out, row by
 * row. Whoever sends a line has its answer before the next one, as over a socket.
 *
 *   score_stream MODEL <rows.jsonl >answers.jsonl
 *
 *   cc score_stream.c $(pkg-config --cflags --libs foretell) -o score_stream
 */
#include <foretell/foretell.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static ftl_cancel *cancel;

static void on_signal(int number)
{
    (void)number;
    ftl_cancel_trigger(cancel); /* what a signal handler may do */
}

/* As read(2): what is there, at least a byte; 0 at the end; -errno. */
static int64_t read_rows(void *user, void *data, size_t size)
{
    ssize_t n = read(*(const int *)user, data, size);
    return n < 0 ? -errno : n;
}

/* All of it, or an errno value. */
static int write_answers(void *user, const void *data, size_t size)
{
    const char *bytes = data;
    while (size) {
        ssize_t n = write(*(const int *)user, bytes, size);
        if (n < 0 && errno != EINTR)
            return errno;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static bool tell(void *user, const ftl_progress *progress)
{
    (void)user;
    fprintf(stderr, "%llu rows\n", (unsigned long long)progress->rows);
    return true; /* go on */
}

int main(int argc, char **argv)
{
    int in = STDIN_FILENO, out = STDOUT_FILENO;
    ftl_error error;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    const ftl_reader reader = {.struct_size = sizeof reader, .user = &in, .read = read_rows};
    const ftl_writer writer = {.struct_size = sizeof writer, .user = &out, .write = write_answers};
    ftl_score_result result = {.struct_size = sizeof result};
    if (argc != 2) {
        fprintf(stderr, "score_stream MODEL <rows.jsonl\n");
        return 2;
    }
    ftl_status status = ftl_context_create(NULL, &context, &error);
    if (status == FTL_OK)
        status = ftl_cancel_create(context, &cancel, &error);
    if (status == FTL_OK)
        status = ftl_model_open(context, argv[1], NULL, &model, &error);
    if (status == FTL_OK) {
        signal(SIGINT, on_signal);
        const ftl_score_options options = {.struct_size = sizeof options,
                                           .input_format = "jsonl",
                                           .output_format = "jsonl",
                                           .proba = true,
                                           .flush_early = true,
                                           .progress = tell,
                                           .cancel = cancel};
        status = ftl_score_stream(model, &reader, &writer, &options, &result, &error);
    }
    if (status == FTL_OK)
        fprintf(stderr, "%llu rows in %.3f s, %.3f s of them predicting\n",
                (unsigned long long)result.rows_written, result.seconds, result.predict_seconds);
    else
        fprintf(stderr, "%s: %s\n", ftl_status_name(error.code), error.message);
    ftl_model_release(model);
    ftl_cancel_destroy(cancel);
    ftl_context_destroy(context);
    return status != FTL_OK;
}
