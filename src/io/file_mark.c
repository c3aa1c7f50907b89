#include "io/file_mark.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

/* More than a grain of the clock on any kernel. */
enum { YOUNG_NS = 50 * 1000 * 1000 };

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int64_t ftl_wall_clock(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return nanoseconds(&now);
}

void ftl_file_mark_take(const char *path, int64_t since, ftl_file_mark *out)
{
    struct stat st;
    *out = (ftl_file_mark){0};
    if (stat(path, &st) != 0) {
        out->error = errno ? errno : EIO;
        return;
    }
    out->regular = S_ISREG(st.st_mode);
    out->device = st.st_dev;
    out->inode = st.st_ino;
    out->size = st.st_size;
    out->written = nanoseconds(&st.st_mtim);
    out->changed = nanoseconds(&st.st_ctim);
    out->young = out->changed > since - YOUNG_NS;
}

bool ftl_file_mark_equal(const ftl_file_mark *a, const ftl_file_mark *b)
{
    return a->error == b->error && a->regular == b->regular && a->device == b->device &&
           a->inode == b->inode && a->size == b->size && a->written == b->written &&
           a->changed == b->changed;
}

bool ftl_file_mark_gone(const ftl_file_mark *mark)
{
    return mark->error == ENOENT || mark->error == ENOTDIR;
}
