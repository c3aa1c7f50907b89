/*
 * Lines on their way to stderr. A thread of its own writes them, so that nobody else ever waits for
 * a reader that has stopped; past a limit lines are lost, and how many is told. Any thread.
 */
#ifndef FTL_SERVER_LOG_WRITER_H
#define FTL_SERVER_LOG_WRITER_H

#include "base/alloc.h"

/* Starts the thread; before, and when it cannot start, lines are written at once. */
void srv_log_writer_start(ftl_account *account);
/* A line with its end, or several. */
void srv_log_write(const char *lines, size_t size);
/* Writes what is there, for a second at most, and ends the thread. */
void srv_log_writer_stop(void);

#endif
