/*
 * The state of a file, to tell later whether it is still the same: device, inode, size, and the
 * times when its bytes and its inode were last changed. The latter shows also writes by programs
 * that set the former back.
 *
 * Times have the grain of the kernel's clock: a file that is written twice within a grain has one
 * mark. So a mark that is taken just after a change says that it is young, and means nothing for
 * long.
 */
#ifndef FTL_IO_FILE_MARK_H
#define FTL_IO_FILE_MARK_H

#include "base/status.h"

#include <sys/types.h>

typedef struct ftl_file_mark {
    int error;    /* errno of looking; 0: it is there, and the rest is known */
    bool regular; /* its bytes stay: no pipe, terminal or folder */
    bool young;   /* changed since, or shortly before, the time that was given */
    dev_t device;
    ino_t inode;
    int64_t size;
    int64_t written, changed; /* nanoseconds of the wall clock */
} ftl_file_mark;

/* The wall clock, in nanoseconds. */
int64_t ftl_wall_clock(void);
/* since: when work with the file began, or now. Symbolic links are followed. */
void ftl_file_mark_take(const char *path, int64_t since, ftl_file_mark *out);
/* Whether it is the same file in the same state, however young. */
bool ftl_file_mark_equal(const ftl_file_mark *a, const ftl_file_mark *b);
/* There is no file of the name, rather than one that cannot be seen. */
bool ftl_file_mark_gone(const ftl_file_mark *mark);

#endif
