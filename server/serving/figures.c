#include "serving/figures.h"

ftl_status srv_figures_create(ftl_account *account, srv_figures **out, ftl_error *error)
{
    *out = ftl_alloc_zero(account, 1, sizeof **out);
    return *out ? FTL_OK : FTL_OOM(error);
}

void srv_figures_destroy(ftl_account *account, srv_figures *figures) { ftl_free(account, figures); }

void srv_figures_request(srv_figures *figures, int status, double seconds)
{
    srv_histogram_add(&figures->requests, seconds);
    unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
    atomic_fetch_add_explicit(&figures->statuses[class], 1, memory_order_relaxed);
}

void srv_figures_rows(srv_figures *figures, srv_model_figures *model, bool done, uint64_t rows)
{
    srv_model_figures *both[] = {&figures->models, model};
    for (size_t i = 0; i < FTL_ARRAY_LEN(both); i++) {
        if (!both[i])
            continue;
        both[i]->requests++;
        both[i]->failures += !done;
        both[i]->rows += done ? rows : 0;
    }
}
