#include "base/cpu_count.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { file_room = 16384, path_room = 4096 };

/* The file's text, cut off at the room; false when it cannot be read or is empty. */
static bool read_text(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    size_t size = 0;
    for (;;) {
        ssize_t n = read(fd, out + size, room - 1 - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    close(fd);
    out[size] = '\0';
    return size > 0;
}

/* A whole number above 0 at *text, which moves behind it; false for anything else. */
static bool take_number(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *c = *text;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*c - '0');
    }
    if (c == *text || value == 0)
        return false;
    *text = c;
    *out = value;
    return true;
}

static bool at_end(const char *text) { return *text == '\0' || *text == '\n'; }

/* quota of every period, in whole processors; *fewest becomes it when it is less. */
static void note_quota(uint64_t quota, uint64_t period, uint32_t *fewest)
{
    uint64_t n = quota / period + (quota % period != 0);
    if (n <= UINT32_MAX && (*fewest == 0 || n < *fewest))
        *fewest = (uint32_t)n;
}

/* Version 2: "max 100000", no quota, or "150000 100000". */
static void read_version_2(const char *folder, uint32_t *fewest)
{
    char path[2 * path_room], text[64];
    const char *at = text;
    uint64_t quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (read_text(path, text, sizeof text) && take_number(&at, &quota) && *at++ == ' ' &&
        take_number(&at, &period) && at_end(at))
        note_quota(quota, period, fewest);
}

/* Version 1: a file each; a quota of -1 is none. */
static void read_version_1(const char *folder, uint32_t *fewest)
{
    char path[2 * path_room], quota_text[64], period_text[64];
    const char *quota_at = quota_text, *period_at = period_text;
    uint64_t quota, period;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_text(path, quota_text, sizeof quota_text))
        return;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_text(path, period_text, sizeof period_text))
        return;
    if (take_number(&quota_at, &quota) && at_end(quota_at) && take_number(&period_at, &period) &&
        at_end(period_at))
        note_quota(quota, period, fewest);
}

/* A group's quota holds for the groups in it: from the own group up to where the tree is mounted.
 */
static void read_ancestors(const char *mount, const char *group,
                           void (*read)(const char *folder, uint32_t *fewest), uint32_t *fewest)
{
    char folder[2 * path_room];
    size_t root = strlen(mount);
    /* A group outside the part of the tree that this process sees is shown with "..". */
    if (strstr(group, "..") || group[0] != '/')
        group = "";
    int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || (size_t)n >= sizeof folder)
        return;
    for (;;) {
        read(folder, fewest);
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + root)
            return;
        *slash = '\0';
    }
}

static bool has_name(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* "0::/group" (version 2) or "4:cpu,cpuacct:/group" (version 1). */
static void read_line(const char *root, char *line, uint32_t *fewest)
{
    char mount[path_room];
    char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
    if (!group)
        return;
    *names++ = *group++ = '\0';
    bool version_2 = strcmp(line, "0") == 0 && names[0] == '\0';
    if (!version_2 && !has_name(names, "cpu"))
        return;
    /* Beside version 1 the tree of version 2 is at "unified", without a cpu controller. */
    static const char *const places[] = {"", "/cpu", "/cpu,cpuacct"};
    size_t first = version_2 ? 0 : 1, end = version_2 ? 1 : 3;
    for (size_t i = first; i < end; i++) {
        int n = snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, places[i]);
        if (n > 0 && (size_t)n < sizeof mount)
            read_ancestors(mount, group, version_2 ? read_version_2 : read_version_1, fewest);
    }
}

uint32_t ftl_cpu_quota(const char *root)
{
    char path[path_room], text[file_room];
    uint32_t fewest = 0;
    int n = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (n < 0 || (size_t)n >= sizeof path || !read_text(path, text, sizeof text))
        return 0;
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        read_line(root, line, &fewest);
        line = end;
    }
    return fewest;
}

uint32_t ftl_cpu_count(void)
{
    cpu_set_t set;
    uint32_t allowed = 1, quota = ftl_cpu_quota("");
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        allowed = (uint32_t)CPU_COUNT(&set);
    else if (online > 0 && online <= UINT16_MAX)
        allowed = (uint32_t)online;
    return quota && quota < allowed ? quota : allowed;
}
