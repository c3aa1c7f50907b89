/*
 * Preloaded before the program: its calls of one kind fail, as a full disk, a broken one and
 * signals make them. FTL_FAIL is CALL:N:HOW:PATH: the Nth call on files whose path has PATH in it;
 * HOW is a number of errno (and the device stays broken: all calls from the Nth on fail), EINTR
 * (every second call from the Nth on) or short (one byte is read or written, from the Nth call on).
 * When something failed, the file FTL_FAIL_MARK is made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum outcome { AS_EVER, FAILS, SHORT } outcome;

static atomic_ulong calls;

static void mark(void)
{
    const char *path = getenv("FTL_FAIL_MARK");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0666) : -1;
    if (fd >= 0)
        syscall(SYS_close, fd);
}

/* Another writer at work; `change` turns digits into others, so that most formats read on. */
static void meddle(const char *path, bool shrink)
{
    static char part[1 << 16];
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    off_t at = st.st_size / 2;
    if (shrink) {
        (void)!truncate(path, at);
        return;
    }
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
    for (ssize_t n; fd >= 0 && (n = syscall(SYS_pread64, fd, part, sizeof part, at)) > 0; at += n) {
        for (ssize_t i = 0; i < n; i++)
            part[i] = (char)(part[i] == '1' ? '2' : part[i] == '2' ? '1' : part[i]);
        (void)!syscall(SYS_pwrite64, fd, part, n, at);
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
}

typedef struct plan {
    char call[16], how[16], part[256];
    unsigned long first;
} plan;

/* The next word of *text, which ends at a colon. */
static void take(const char **text, char *out, size_t room)
{
    size_t n = strcspn(*text, ":");
    snprintf(out, room, "%.*s", (int)n, *text);
    *text += n + ((*text)[n] == ':');
}

static bool read_plan(plan *out)
{
    const char *text = getenv("FTL_FAIL");
    char number[16];
    if (!text)
        return false;
    take(&text, out->call, sizeof out->call);
    take(&text, number, sizeof number);
    out->first = strtoul(number, NULL, 10);
    take(&text, out->how, sizeof out->how);
    take(&text, out->part, sizeof out->part);
    return true;
}

/* What becomes of a call on the path; FAILS: errno is set. */
static outcome on_path(const char *call, const char *path)
{
    plan p;
    if (!read_plan(&p) || strcmp(p.call, call) != 0 || !strstr(path, p.part))
        return AS_EVER;
    bool interrupts = strcmp(p.how, "EINTR") == 0;
    unsigned long now = atomic_fetch_add(&calls, 1) + 1;
    if (now < p.first || (interrupts && (now - p.first) % 2))
        return AS_EVER;
    bool shrink = strcmp(p.how, "shrink") == 0;
    mark();
    if (shrink || strcmp(p.how, "change") == 0) {
        if (now == p.first)
            meddle(path, shrink);
        return AS_EVER;
    }
    if (strcmp(p.how, "short") == 0)
        return SHORT;
    errno = interrupts ? EINTR : (int)strtol(p.how, NULL, 10);
    return FAILS;
}

static outcome on_file(const char *call, int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return AS_EVER;
    path[n] = '\0';
    return on_path(call, path);
}

static size_t cut(outcome what, size_t size) { return what == SHORT && size > 1 ? 1 : size; }

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *out, size_t size)
{
    REAL(read);
    outcome what = on_file("read", fd);
    return what == FAILS ? -1 : real(fd, out, cut(what, size));
}

ssize_t pread(int fd, void *out, size_t size, off_t offset)
{
    REAL(pread);
    outcome what = on_file("pread", fd);
    return what == FAILS ? -1 : real(fd, out, cut(what, size), offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    outcome what = on_file("write", fd);
    return what == FAILS ? -1 : real(fd, data, cut(what, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(pwrite);
    outcome what = on_file("pwrite", fd);
    return what == FAILS ? -1 : real(fd, data, cut(what, size), offset);
}

int fsync(int fd)
{
    REAL(fsync);
    return on_file("fsync", fd) == FAILS ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return on_file("fdatasync", fd) == FAILS ? -1 : real(fd);
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    return on_file("ftruncate", fd) == FAILS ? -1 : real(fd, size);
}

int fchmod(int fd, mode_t mode)
{
    REAL(fchmod);
    return on_file("fchmod", fd) == FAILS ? -1 : real(fd, mode);
}

int close(int fd)
{
    REAL(close);
    outcome what = on_file("close", fd);
    int number = errno, done = real(fd);
    errno = number;
    return what == FAILS ? -1 : done;
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return on_path("rename", from) == FAILS ? -1 : real(from, to);
}

int open(const char *path, int flags, ...)
{
    REAL(open);
    mode_t mode = 0;
    if (flags & O_CREAT) {
        __builtin_va_list rest;
        __builtin_va_start(rest, flags);
        mode = __builtin_va_arg(rest, mode_t);
        __builtin_va_end(rest);
    }
    return on_path("open", path) == FAILS ? -1 : real(path, flags, mode);
}

/* What fortified programs call when the flags are no constant. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    REAL(__open_2);
    return on_path("open", path) == FAILS ? -1 : real(path, flags);
}
