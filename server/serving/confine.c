#include "serving/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ftl_status srv_root_open(srv_root *root, const char *folder, const char *setting, ftl_error *error)
{
    root->descriptor = -1;
    root->path[0] = '\0';
    if (*folder == '\0')
        return FTL_OK;
    int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || !realpath(folder, root->path)) {
        int why = errno;
        if (descriptor >= 0)
            close(descriptor);
        return FTL_FAIL(error, FTL_ARG, "%s: the folder %s cannot be opened: %s", setting, folder,
                        strerror(why));
    }
    root->descriptor = descriptor;
    return FTL_OK;
}

void srv_root_close(srv_root *root)
{
    if (root->descriptor >= 0)
        close(root->descriptor);
    root->descriptor = -1;
}

/* Component by component, no link followed and no way back: for kernels without openat2. */
static int walk(int folder, const char *path)
{
    char component[NAME_MAX + 1];
    int at = dup(folder);
    while (at >= 0 && *path) {
        size_t size = strcspn(path, "/");
        if (size > NAME_MAX || (size == 2 && memcmp(path, "..", 2) == 0)) {
            close(at);
            errno = EXDEV;
            return -1;
        }
        memcpy(component, path, size);
        component[size] = '\0';
        path += size;
        bool last = *path == '\0';
        path += !last;
        if (size == 0 || strcmp(component, ".") == 0)
            continue;
        int next = openat(at, component,
                          O_PATH | O_NOFOLLOW | O_CLOEXEC | (last ? 0 : O_DIRECTORY));
        close(at);
        at = next;
    }
    struct stat about;
    if (at >= 0 && (fstat(at, &about) != 0 || S_ISLNK(about.st_mode))) {
        close(at); /* O_PATH opens a link that comes last instead of refusing it */
        errno = ELOOP;
        return -1;
    }
    return at;
}

static int open_beneath(int folder, const char *path)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int descriptor = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM))
        descriptor = walk(folder, path);
    return descriptor;
}

static int status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return 404;
    case ENAMETOOLONG:
        return 422;
    default: /* EXDEV, ELOOP, EACCES */
        return 403;
    }
}

/* What the descriptor is, without links. */
static int real_path(int descriptor, char out[PATH_MAX])
{
    char link[40];
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, out, PATH_MAX - 1);
    if (size <= 0 || fstat(descriptor, &about) != 0 || about.st_nlink == 0)
        return 404;
    out[size] = '\0';
    /* opening a pipe or a device may wait for ever, or do something */
    return S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) ? 0 : 403;
}

/* The path below the root, in text; 0 or a status. */
static int below_root(const srv_root *root, srv_text path, char text[PATH_MAX], const char **below)
{
    size_t size = strlen(root->path);
    if (path.size == 0 || path.size >= PATH_MAX || memchr(path.data, '\0', path.size))
        return 422;
    memcpy(text, path.data, path.size);
    text[path.size] = '\0';
    *below = text;
    if (text[0] == '/') {
        if (size == 0 || strncmp(text, root->path, size) != 0 || (text[size] != '/' && size > 1))
            return 403;
        *below = text + size;
        *below += strspn(*below, "/");
    }
    return root->descriptor < 0 || **below == '\0' ? 403 : 0;
}

int srv_root_find(const srv_root *root, srv_text path, char out[PATH_MAX])
{
    int descriptor;
    int status = srv_root_open_file(root, path, &descriptor);
    if (status)
        return status;
    status = real_path(descriptor, out);
    close(descriptor);
    return status;
}

int srv_root_open_file(const srv_root *root, srv_text path, int *descriptor)
{
    char text[PATH_MAX];
    const char *below;
    int status = below_root(root, path, text, &below);
    if (status)
        return status;
    int opened = open_beneath(root->descriptor, below);
    if (opened < 0)
        return status_of(errno);
    *descriptor = opened;
    return 0;
}

int srv_root_open_folder(const srv_root *root, srv_text path, int *folder, char name[NAME_MAX + 1])
{
    char text[PATH_MAX];
    const char *below;
    int status = below_root(root, path, text, &below);
    if (status)
        return status;
    char *slash = strrchr(text, '/');
    const char *last = slash && slash >= below ? slash + 1 : below;
    size_t size = strlen(last);
    if (size == 0 || size > NAME_MAX || strcmp(last, ".") == 0)
        return 422;
    if (strcmp(last, "..") == 0)
        return 403;
    memcpy(name, last, size + 1);
    text[last - text] = '\0';
    int opened = open_beneath(root->descriptor, *below ? below : ".");
    if (opened < 0)
        return status_of(errno);
    struct stat about;
    if (fstat(opened, &about) != 0 || !S_ISDIR(about.st_mode)) {
        close(opened);
        return 404;
    }
    *folder = opened;
    return 0;
}

const char *srv_root_shown(const srv_root *root, const char *path)
{
    size_t size = strlen(root->path);
    if (size > 1 && strncmp(path, root->path, size) == 0 && path[size] == '/')
        return path + size + 1;
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
