/*
 * Files that hold several things: a dict, list or tuple with models among its entries, or in its
 * entries' entries.
 */
#ifndef FTL_BUILD_PICK_ENTRY_H
#define FTL_BUILD_PICK_ENTRY_H

#include "build/registry.h"
#include "model/model.h"
#include "pickle/node.h"

/*
 * The models are the objects whose classes registry has.
 *
 * The node that `select` names ("model", "0", "models.first"), or, with select NULL, the only
 * model of a container, which model->selected then names; the root where it is no container.
 * With several models and none selected *chosen is NULL, and the model lists them as its steps and
 * has no method. ARG when select names nothing.
 */
FTL_MUST_USE ftl_status ftl_select(ftl_model *model, const ftl_registry *registry,
                                   const ftl_node *root, const char *select,
                                   const ftl_node **chosen, ftl_error *error);

#endif
