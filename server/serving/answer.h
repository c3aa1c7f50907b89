/*
 * The predictions of a file as a part of a JSON answer. The library writes rows as JSON lines into
 * a pipe; a thread takes them from there and puts the values into lists. What they look like is
 * what a file of JSON lines would have.
 */
#ifndef FTL_SERVER_SERVING_ANSWER_H
#define FTL_SERVER_SERVING_ANSWER_H

#include "http/http.h"

typedef struct srv_answer {
    ftl_strbuf predictions, probabilities; /* "v,v" or "[v,v],[v,v]", without the outer brackets */
    ftl_strbuf classes;                    /* the caller's, a whole list */
    bool nested;                           /* predictions of one column are "[v],[v]" */
    size_t n_probabilities;                /* columns at the end of a row; 0: none */
    uint64_t rows, most_rows;
    ftl_cancel *cancel; /* triggered when there are more */
    bool too_many;
    ftl_status status; /* of reading; OK */
    int from, to;      /* the pipe; -1 */
    ftl_strbuf line;   /* a part of one */
    uv_thread_t thread;
    bool running;
} srv_answer;

void srv_answer_init(srv_answer *answer, ftl_account *account);
void srv_answer_free(srv_answer *answer);
/* Opens the pipe and begins to read; answer->to is what the library writes to. */
FTL_MUST_USE ftl_status srv_answer_begin(srv_answer *answer, ftl_error *error);
/* All was written: waits until it is read. */
void srv_answer_end(srv_answer *answer);

#endif
