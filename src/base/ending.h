/* Endings of files' names, such as ".csv". Stateless. */
#ifndef FTL_BASE_ENDING_H
#define FTL_BASE_ENDING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether path[0..size) ends so, whatever its capitals and the locale: `ending` is in small
 * letters. A file whose whole name is the ending, such as ".csv", has none.
 */
bool ftl_has_ending(const char *path, size_t size, const char *ending);

#endif
