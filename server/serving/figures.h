/* What the server counts, of all requests and of each model. Any thread, at any time. */
#ifndef FTL_SERVER_SERVING_FIGURES_H
#define FTL_SERVER_SERVING_FIGURES_H

#include "base/alloc.h"
#include "serving/histogram.h"

/* What a prediction's time goes to. */
#define SRV_PHASES(X) X(queue) X(load) X(parse) X(predict) X(format)
typedef struct srv_model_figures {
#define SRV_FIELD_OF_PHASE(name) srv_histogram name;
    SRV_PHASES(SRV_FIELD_OF_PHASE)
#undef SRV_FIELD_OF_PHASE
    srv_histogram total; /* queue to format */
    _Atomic uint64_t requests, failures, rows;
} srv_model_figures;

typedef struct srv_figures {
    srv_histogram requests;       /* from the first byte to the reply */
    _Atomic uint64_t statuses[6]; /* [4]: 400 to 499 */
    srv_model_figures models;     /* all predictions together */
} srv_figures;

FTL_MUST_USE ftl_status srv_figures_create(ftl_account *account, srv_figures **out,
                                           ftl_error *error);
void srv_figures_destroy(ftl_account *account, srv_figures *figures);
/* Rows of a table that went through a model, or did not. */
void srv_figures_rows(srv_figures *figures, srv_model_figures *model, bool done, uint64_t rows);
void srv_figures_request(srv_figures *figures, int status, double seconds);

#endif
