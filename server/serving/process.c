#include "serving/process.h"

#include "base/number.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number behind "NAME:" in a file of lines. */
static uint64_t line_of(const char *path, const char *name)
{
    char line[256];
    int64_t number = 0;
    FILE *file = fopen(path, "re");
    size_t size = strlen(name);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, size) != 0 || line[size] != ':')
            continue;
        const char *at = line + size + 1;
        at += strspn(at, " \t");
        if (!ftl_parse_i64(at, strspn(at, "0123456789"), &number))
            number = 0;
        break;
    }
    if (file)
        fclose(file);
    return (uint64_t)number;
}

static uint64_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    uint64_t n = 0;
    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

void srv_process_read(srv_process *out)
{
    struct rusage usage;
    struct rlimit limit;
    *out = (srv_process){0};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    out->resident_bytes = 1024 * line_of("/proc/self/status", "VmRSS");
    out->peak_bytes = 1024 * line_of("/proc/self/status", "VmHWM");
    out->threads = line_of("/proc/self/status", "Threads");
    out->read_bytes = line_of("/proc/self/io", "read_bytes");
    out->written_bytes = line_of("/proc/self/io", "write_bytes");
    out->open_files = count_entries("/proc/self/fd");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->most_files = (uint64_t)limit.rlim_cur;
}
