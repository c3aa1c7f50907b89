/* Errors and progress on stderr. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Errors ---------------------------------------------------------------------------------- */

static int exit_code_of(const ftl_error *error, cli_phase phase)
{
    switch (error->code) {
    case FTL_OK:
    case FTL_END:
        return EXIT_DONE;
    case FTL_NOMEM:
    case FTL_INTERNAL:
    case FTL_CANCELLED:
        return EXIT_INTERNAL;
    case FTL_ARG:
        return EXIT_USAGE;
    default:
        return phase == PHASE_MODEL || error->reason == FTL_REASON_PLAN_SIZE ? EXIT_MODEL
                                                                             : EXIT_DATA;
    }
}

static uint64_t memory_limit;

void cli_set_memory_limit(uint64_t bytes) { memory_limit = bytes; }

/* A file's name may hold line breaks and terminal codes; an error is one line. */
static void print_name(const char *name) { cli_print_plain(stderr, name, strlen(name)); }

/* Messages about opening say "FILE", others may begin with it. */
static bool names_file(const char *message, const char *file)
{
    size_t size = strlen(file);
    const char *at = message;
    if (strncmp(message, file, size) == 0) /* or the name is empty */
        return true;
    while ((at = strstr(at, file)) != NULL && !(at > message && at[-1] == '"'))
        at++;
    return at;
}

int cli_fail(const ftl_error *error, cli_phase phase, const char *file)
{
    fprintf(stderr, "foretell: error: %s: ", ftl_status_name(error->code));
    /* Where: messages about opening and about cells carry their place themselves. */
    if (file && !names_file(error->message, file)) {
        print_name(file);
        fputs(": ", stderr);
    }
    if (error->path[0])
        fprintf(stderr, "%s: ", error->path);
    cli_print_message(stderr, error->message);
    if (phase == PHASE_MODEL && error->offset >= 0 && !strstr(error->message, "byte "))
        fprintf(stderr, " (at byte %lld)", (long long)error->offset);
    if (error->code == FTL_NOMEM && memory_limit)
        fprintf(stderr, " within the %llu bytes of --memory-limit",
                (unsigned long long)memory_limit);
    fputc('\n', stderr);
    return exit_code_of(error, phase);
}

void cli_warn(const char *file, const char *what, const char *text)
{
    fputs("foretell: warning: ", stderr);
    print_name(file);
    fprintf(stderr, ": %s ", what);
    print_name(text);
    fputs(": its answers may differ\n", stderr);
}

/* ---- Standard output ------------------------------------------------------------------------- */

void cli_end_unread(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

static int output_errno; /* why the first write failed */

bool cli_put(const char *text, size_t size)
{
    bool written = fwrite(text, 1, size, stdout) == size;
    if (!written && !output_errno)
        output_errno = errno;
    return written;
}

int cli_end_output(int code)
{
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed)
        return code;
    int number = output_errno ? output_errno : errno;
    if (number == EPIPE)
        cli_end_unread();
    char text[128];
    fprintf(stderr, "foretell: error: IO: cannot write standard output: %s\n",
            strerror_r(number, text, sizeof text));
    return EXIT_DATA;
}

int cli_print(const char *text)
{
    cli_put(text, strlen(text));
    return cli_end_output(EXIT_DONE);
}

/* ---- Progress -------------------------------------------------------------------------------- */

static _Atomic(ftl_cancel *) cancel_on_signal;
static _Atomic long first_signal; /* when, in seconds; 0: none came */

/*
 * The work ends by itself soon after the first signal and tidies up; a later one, when it did not,
 * ends the program as if nothing caught it. Impatient ones in between change nothing.
 */
static void on_signal(int number)
{
    enum { GRACE_SECONDS = 2 };
    struct timespec now = {0};
    ftl_cancel *cancel = cancel_on_signal;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (first_signal && now.tv_sec - first_signal > GRACE_SECONDS) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (!first_signal)
        first_signal = now.tv_sec + (now.tv_sec == 0);
    if (cancel)
        ftl_cancel_trigger(cancel);
}

void cli_catch_signals(ftl_cancel *cancel)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU};
    struct sigaction before, action = {.sa_handler = cancel ? on_signal : SIG_DFL};
    if (cancel)
        cancel_on_signal = cancel;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        /* nohup's programs outlive the terminal, those in a script's background its keys */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    if (!cancel)
        cancel_on_signal = NULL;
}

double cli_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 1234567 → 1,234,567 */
void cli_group_digits(unsigned long long value, char out[32])
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%llu", value), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

void cli_progress_init(cli_progress *progress)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    *progress = (cli_progress){.started = cli_now(), .shown = isatty(STDERR_FILENO) != 0};
    progress->colour = progress->shown && !(no_colour && no_colour[0]) && terminal &&
                       strcmp(terminal, "dumb") != 0;
}

static void show(cli_progress *progress, const ftl_progress *report)
{
    char rows[32], rate[32], line[160];
    double seconds = cli_now() - progress->started;
    cli_group_digits(report->rows, rows);
    cli_group_digits(seconds > 0 ? (unsigned long long)((double)report->rows / seconds) : 0, rate);
    int n = snprintf(line, sizeof line, "%s rows, %s rows/s", rows, rate);
    if (report->bytes_total && report->bytes_read <= report->bytes_total &&
        report->bytes_read > 0 && n > 0) {
        double part = (double)report->bytes_read / (double)report->bytes_total;
        unsigned long long left = (unsigned long long)(seconds * (1 - part) / part + 0.5);
        n += snprintf(line + n, sizeof line - (size_t)n, ", %.0f %%, %llu:%02llu left", 100 * part,
                      left / 60, left % 60);
    }
    size_t size = n > 0 ? (size_t)n : 0;
    fprintf(stderr, "\r%s%s%s%*s", progress->colour ? "\033[36m" : "", line,
            progress->colour ? "\033[0m" : "",
            progress->width > size ? (int)(progress->width - size) : 0, "");
    progress->width = size;
    fflush(stderr);
}

/* One JSON object a line, four a second at most. */
static void show_json(cli_progress *progress, const ftl_progress *report)
{
    double now = cli_now(), seconds = now - progress->started;
    if (now - progress->reported < 0.25)
        return;
    progress->reported = now;
    fprintf(stderr, "{\"rows\": %llu, \"bytes_read\": %llu, \"bytes_total\": ",
            (unsigned long long)report->rows, (unsigned long long)report->bytes_read);
    if (report->bytes_total)
        fprintf(stderr, "%llu", (unsigned long long)report->bytes_total);
    else
        fputs("null", stderr);
    fprintf(stderr, ", \"seconds\": %.3f, \"rows_per_second\": %.1f}\n", seconds,
            seconds > 0 ? (double)report->rows / seconds : 0);
    fflush(stderr);
}

bool cli_progress_report(void *user, const ftl_progress *report)
{
    cli_progress *progress = user;
    if (progress->json) {
        show_json(progress, report);
        return true;
    }
    /* Quick work needs no line. */
    if (progress->shown && cli_now() - progress->started > 0.5)
        show(progress, report);
    return true;
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->width)
        fprintf(stderr, "\r%*s\r", (int)progress->width, "");
    progress->width = 0;
}
