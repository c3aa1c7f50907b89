/*
 * One file through one model: where the files lie, the work, and what came of it. Belongs to one
 * thread at a time; rows, bytes_read and bytes_total may be read by any, and srv_batch_cancel
 * called.
 */
#ifndef FTL_SERVER_SERVING_BATCH_H
#define FTL_SERVER_SERVING_BATCH_H

#include "serving/answer.h"
#include "serving/catalog.h"
#include "serving/confine.h"
#include "serving/score.h"

typedef struct srv_batch {
    srv_server *server;
    const srv_root *data_root, *output_root;
    ftl_arena arena;
    srv_score score;
    const char *model_path, *data_path; /* as the request names them, in the arena */
    const char *output_path;            /* NULL: the predictions are part of the answer */
    bool overwrite;
    ftl_cancel *cancel;

    srv_model *model;
    int data, folder;          /* descriptors of the input and of the output's folder; -1 */
    char name[NAME_MAX + 1];   /* of the output in its folder */
    char hidden[NAME_MAX + 1]; /* what it is called there until it is complete */
    char input[64], output[64 + NAME_MAX + 1]; /* what the library is told */

    _Atomic uint64_t rows, bytes_read, bytes_total;
    ftl_score_result result;
    srv_answer answer;

    int status;        /* of HTTP, when it failed; 0: it did not */
    const char *field; /* of the request that is to blame; static */
    ftl_error error;
} srv_batch;

/* Takes the cancel token's context from the server. NOMEM. To be freed in any case. */
FTL_MUST_USE ftl_status srv_batch_init(srv_batch *batch, srv_server *server, ftl_error *error);
void srv_batch_free(srv_batch *batch);
/* Finds the model and the files. Touches disks. False: status, field and error tell why. */
bool srv_batch_prepare(srv_batch *batch);
/* Predicts; the same. */
bool srv_batch_run(srv_batch *batch);
void srv_batch_cancel(srv_batch *batch);
/* Members of an object that tell what was done. */
void srv_batch_put_result(const srv_batch *batch, ftl_strbuf *out);
/* The figures of the work, as `foretell predict --metrics` has them. */
void srv_batch_put_metrics(const srv_batch *batch, ftl_strbuf *out);
srv_result srv_batch_reply_failure(const srv_batch *batch, srv_request *request);

#endif
