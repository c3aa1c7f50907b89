/*
 * Which file a name stands for, so that no output is written over what the work reads. Two names of
 * one file (links of either kind, other spellings, a descriptor) have one identity; names of which
 * there is no file yet have one when they lead to the same place of the same folder.
 */
#ifndef FTL_IO_FILE_ID_H
#define FTL_IO_FILE_ID_H

#include "base/status.h"

#include <limits.h>
#include <sys/types.h>

typedef struct ftl_file_id {
    bool known;  /* false: nothing can be said, or it is a terminal or the like, which keeps nothing
                  */
    bool exists; /* device and inode are the file's; otherwise those of its folder */
    dev_t device;
    ino_t inode;
    char name[NAME_MAX + 1]; /* in the folder, of what does not exist */
} ftl_file_id;

/*
 * Where path leads when the symbolic links at its end are followed, also when nothing is there. Out
 * has PATH_MAX bytes. False, with errno set, for circles of links and names that are too long.
 */
bool ftl_follow_links(const char *path, char out[PATH_MAX]);
void ftl_file_id_of_path(const char *path, ftl_file_id *out);
void ftl_file_id_of_descriptor(int descriptor, ftl_file_id *out);
bool ftl_file_id_equal(const ftl_file_id *a, const ftl_file_id *b);

#endif
