/*
 * Files through models: predict-batch. A batch is worked on by threads of its own, whether its
 * client waits for it or asks for it as a job, which goes on when the client has gone and is told
 * of for a while when it is over. Thread-safe.
 */
#ifndef FTL_SERVER_SERVING_JOBS_H
#define FTL_SERVER_SERVING_JOBS_H

#include "serving/batch.h"

typedef struct srv_jobs srv_jobs;
typedef struct srv_job srv_job;

FTL_MUST_USE ftl_status srv_jobs_create(srv_server *server, srv_jobs **out, ftl_error *error);
/* Work that runs or waits. */
uint32_t srv_jobs_busy(srv_jobs *jobs);
/* Cancels everything, and waits until it has ended: no half of an output stays. */
void srv_jobs_stop(srv_jobs *jobs);
/* Stops, too. The loops may still run. NULL is allowed. */
void srv_jobs_destroy(srv_jobs *jobs);

/* A batch to be filled in; NULL: no memory. It is given to one of the next three. */
srv_job *srv_job_make(srv_jobs *jobs);
srv_batch *srv_job_batch(srv_job *job);
void srv_job_drop(srv_job *job);
/*
 * Answers the request when the batch is done (SRV_LATER); if the client goes, it is cancelled. On
 * the loop.
 */
srv_result srv_job_answer(srv_job *job, srv_request *request);
/* Makes a job of it: 202, or an error when a file is not as it should be. On a thread that may
 * wait.
 */
srv_result srv_job_submit(srv_job *job, srv_request *request);

/* GET of all jobs, of one, and DELETE of one, as replies. */
srv_result srv_jobs_list(srv_jobs *jobs, srv_request *request);
srv_result srv_jobs_show(srv_jobs *jobs, srv_request *request, srv_text id);
srv_result srv_jobs_cancel(srv_jobs *jobs, srv_request *request, srv_text id);

#endif
