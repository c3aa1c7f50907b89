/* foretell verify: what its files share. */
#ifndef FTL_CLI_VERIFY_H
#define FTL_CLI_VERIFY_H

#include "cli.h"
#include "http_client.h"
#include "json.h"

#include <foretell/experimental.h>
#include <foretell/rows.h>

typedef enum verify_dialect {
    VERIFY_NATIVE,
    VERIFY_V2,
    VERIFY_MLFLOW,
    VERIFY_TF,
    VERIFY_PLAIN
} verify_dialect;

typedef struct verify_text {
    char *data;
    size_t size, room;
} verify_text;

typedef struct verify_times {
    double *seconds;
    size_t n, room;
} verify_times;

typedef struct verify {
    const char *url, *model_path, *rows_path, *name;
    verify_dialect dialect;
    bool proba, json;
    uint64_t rows_each, limit;
    double tolerance;
    cli_http http;
    ftl_context *context;
    ftl_model *model;
    ftl_session *session;
    ftl_method method;
    uint32_t methods;
    verify_text list; /* the rows of a request: a JSON array */
    size_t n_list;
    verify_text body;
    char path[2048];
    uint64_t rows, agreeing;
    double largest;    /* relative difference */
    int64_t worst_row; /* -1: none */
    verify_times ours, theirs;
} verify;

bool verify_add_row(verify *v, cli_json row);
void verify_clear_rows(verify *v);
/* v->body and v->path, of the rows and the dialect; false: no memory. */
bool verify_make_request(verify *v);
/* The list of answers in a reply; native's member is named. */
cli_json verify_answers(const verify *v, const cli_reply *reply, const char *member);
void verify_add_time(verify *v, verify_times *times, double seconds);
void verify_report(verify *v);
void verify_free(verify *v);

/* verify_original.c: whether --against is among the arguments; and what runs where it is not. */
bool verify_names_service(int argc, char **argv);
int cli_verify_original(int argc, char **argv);

#endif
