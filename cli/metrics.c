/* --metrics: the figures of a finished job as one JSON object. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Linux counts in ru_maxrss what the process held before it became this program, when it was a
 * copy of the one that started it; VmHWM is of this program alone. 0: not known. */
static unsigned long long high_water_mark(void)
{
    char line[256];
    unsigned long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kilobytes = strtoull(line + 6, NULL, 10);
            break;
        }
    }
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

unsigned long long cli_peak_memory(void)
{
    struct rusage usage;
    unsigned long long peak = high_water_mark();
    if (peak || getrusage(RUSAGE_SELF, &usage) != 0)
        return peak;
#ifdef __APPLE__
    return (unsigned long long)usage.ru_maxrss;
#else
    return (unsigned long long)usage.ru_maxrss * 1024;
#endif
}

static void print_metrics(FILE *file, const ftl_score_result *r)
{
    double seconds = r->seconds > 0 ? r->seconds : 1e-9;
    fprintf(file,
            "{\"rows\": %llu, \"rows_resumed\": %llu, \"rows_written\": %llu, \"rows_rejected\": "
            "%llu, \"rows_nulled\": "
            "%llu,\n \"seconds\": %.6f, \"rows_per_second\": %.1f,\n \"bytes_read\": %llu, "
            "\"bytes_written\": %llu, \"megabytes_per_second\": %.3f,\n \"batch_rows\": %u, "
            "\"threads\": %u, \"peak_memory_bytes\": %llu,\n",
            (unsigned long long)r->rows_read, (unsigned long long)r->rows_resumed,
            (unsigned long long)r->rows_written, (unsigned long long)r->rows_rejected,
            (unsigned long long)r->rows_nulled, r->seconds,
            (double)(r->rows_read - r->rows_resumed) / seconds, (unsigned long long)r->bytes_read,
            (unsigned long long)r->bytes_written, (double)r->bytes_read / 1e6 / seconds,
            r->batch_rows, r->threads, cli_peak_memory());
    fprintf(file,
            " \"work_seconds\": {\"read\": %.6f, \"parse\": %.6f, \"predict\": %.6f, \"format\": "
            "%.6f, \"write\": %.6f}}\n",
            r->read_seconds, r->parse_seconds, r->predict_seconds, r->format_seconds,
            r->write_seconds);
}

int cli_write_metrics(const char *path, const ftl_score_result *result)
{
    char text[128];
    if (strcmp(path, "-") == 0) {
        print_metrics(stdout, result);
        return cli_end_output(-1);
    }
    FILE *file = fopen(path, "we");
    bool written = file != NULL;
    int number = errno;
    if (file) {
        print_metrics(file, result);
        written = !ferror(file);
        number = errno;
        written = fclose(file) == 0 && written;
        number = written ? 0 : errno ? errno : number;
    }
    if (written)
        return -1;
    fprintf(stderr, "foretell: error: IO: the predictions are written, but not the figures: ");
    cli_print_plain(stderr, path, strlen(path));
    fprintf(stderr, ": %s\n", strerror_r(number, text, sizeof text));
    return EXIT_DATA;
}
