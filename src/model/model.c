#include "model/model.h"

ftl_model *ftl_model_retain(ftl_model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

uint64_t ftl_model_serial(const ftl_model *model) { return model->serial; }

void ftl_model_release(ftl_model *model)
{
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    model->close(model);
}
