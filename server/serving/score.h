/*
 * The options of a table's predictions, as requests name them: in the JSON of predict-batch, and as
 * parameters of a query. What the names mean is what `foretell predict` does with its own.
 */
#ifndef FTL_SERVER_SERVING_SCORE_H
#define FTL_SERVER_SERVING_SCORE_H

#include "base/arena.h"
#include "http/http.h"

enum { SRV_SCORE_LIST = 1000 }; /* items of a list at most */

typedef struct srv_score {
    ftl_arena *arena; /* what the options point to */
    ftl_score_options options;
    ftl_method methods[FTL_METHOD_COUNT];
    size_t n_methods;
    const char **keep, **features;
} srv_score;

typedef struct srv_score_name {
    const char *name;
    bool is_list; /* takes several texts, in a query one with commas between */
} srv_score_name;

/* Every option that a request may name; NULL ends them. */
extern const srv_score_name srv_score_names[];

void srv_score_init(srv_score *score, ftl_arena *arena);
/* One value, of a list an item. ARG with a message for whoever sent it. */
FTL_MUST_USE ftl_status srv_score_set(srv_score *score, const char *name, srv_text value,
                                      ftl_error *error);
/* The parameters of a request's query, decoded. False: *result is its reply. */
bool srv_score_read_query(srv_score *score, srv_request *request, srv_result *result);
/* A parameter of the query, decoded, in the arena; data NULL: it is not there. */
bool srv_query_text(srv_request *request, const char *name, ftl_arena *arena, srv_text *out,
                    srv_result *result);
/* Completes the options: what was set is not changed any more. */
void srv_score_finish(srv_score *score);

/* Replaces a text in an error's message wherever it stands. */
void srv_error_replace(ftl_error *error, const char *from, const char *to);
/* What a client is told of a library's error: no option is called as in C. */
void srv_error_for_client(ftl_error *error);

#endif
