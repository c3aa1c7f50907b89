#include "io/file_id.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* as the system itself */

/* Bytes of path up to and with its last slash. */
static size_t folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Puts the link's target in its place: beside the link unless it is absolute. */
static bool replace_link(char path[PATH_MAX], const char *target, size_t size)
{
    size_t begin = target[0] == '/' ? 0 : folder_size(path);
    if (begin + size >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path + begin, target, size);
    path[begin + size] = '\0';
    return true;
}

bool ftl_follow_links(const char *path, char out[PATH_MAX])
{
    char target[PATH_MAX];
    size_t size = strlen(path);
    if (size >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out, path, size + 1);
    for (int i = 0; i < MOST_LINKS; i++) {
        ssize_t n = readlink(out, target, sizeof target - 1);
        if (n < 0)
            return true; /* no link, or nothing at all */
        target[n] = '\0';
        if (!replace_link(out, target, (size_t)n))
            return false;
    }
    errno = ELOOP;
    return false;
}

static void fill(const struct stat *st, ftl_file_id *out)
{
    /* What is written to a terminal, /dev/null or a connection replaces nothing. */
    out->known = S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode) || S_ISBLK(st->st_mode);
    out->exists = true;
    out->device = st->st_dev;
    out->inode = st->st_ino;
}

void ftl_file_id_of_descriptor(int descriptor, ftl_file_id *out)
{
    struct stat st;
    *out = (ftl_file_id){0};
    if (fstat(descriptor, &st) == 0)
        fill(&st, out);
}

void ftl_file_id_of_path(const char *path, ftl_file_id *out)
{
    struct stat st;
    char real[PATH_MAX];
    *out = (ftl_file_id){0};
    if (stat(path, &st) == 0) {
        fill(&st, out);
        return;
    }
    if (errno != ENOENT || !ftl_follow_links(path, real))
        return;
    size_t folder = folder_size(real), name = strlen(real) - folder;
    if (name == 0 || name >= sizeof out->name)
        return;
    memcpy(out->name, real + folder, name + 1);
    real[folder] = '\0';
    if (stat(folder ? real : ".", &st) != 0)
        return;
    out->known = true;
    out->device = st.st_dev;
    out->inode = st.st_ino;
}

bool ftl_file_id_equal(const ftl_file_id *a, const ftl_file_id *b)
{
    return a->known && b->known && a->exists == b->exists && a->device == b->device &&
           a->inode == b->inode && (a->exists || strcmp(a->name, b->name) == 0);
}
