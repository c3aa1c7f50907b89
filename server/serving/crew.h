/*
 * Threads for work that takes long, such as jobs over files and streams of predictions: they are
 * started when there is work and stay, as many as are allowed at most. The pool of libuv is for
 * short work alone. Thread-safe.
 */
#ifndef FTL_SERVER_SERVING_CREW_H
#define FTL_SERVER_SERVING_CREW_H

#include "http/http.h"

typedef struct srv_crew srv_crew;

/* most_waiting: tasks that may wait while all threads are busy. */
FTL_MUST_USE ftl_status srv_crew_create(ftl_account *account, uint32_t most_threads,
                                        uint32_t most_waiting, srv_crew **out, ftl_error *error);
/* Runs the task soon; false: there is no thread for it, and no place to wait. */
bool srv_crew_give(srv_crew *crew, srv_task *task);
/* Tasks that run or wait. */
uint32_t srv_crew_busy(srv_crew *crew);
/* Runs what waits, and ends the threads. NULL is allowed. */
void srv_crew_destroy(srv_crew *crew);

#endif
