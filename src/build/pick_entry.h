/*
 * Files that hold several things: a dict, list or tuple with models among its entries, or in its
 * entries' entries.
 */
#ifndef FTL_BUILD_PICK_ENTRY_H
#define FTL_BUILD_PICK_ENTRY_H

#include "build/build.h"

/* What a file of several things is to be. */
typedef struct ftl_choice {
    const ftl_node *node; /* what is built; NULL: the models are listed, and none runs */
    /*
     * Nobody asked for this chain: when its parts do not fit together, the models are listed
     * (ftl_list_models).
     */
    bool guessed;
    ftl_build_wishes wishes; /* what stands beside: names of columns, a LabelEncoder */
} ftl_choice;

/*
 * The models are the objects whose classes registry has.
 *
 * The node that `select` names ("model", "0", "models.first"), several of them as a chain
 * ("scaler,model"), or, with select NULL, the only model of a container, or its only predictor with
 * the only transformer before it (parts.h); model->selected then names it. The root where it is no
 * container. Otherwise the model lists them as its steps and has no method. ARG when select names
 * nothing. What else stands in the container becomes model->found.
 */
FTL_MUST_USE ftl_status ftl_select(ftl_model *model, const ftl_registry *registry,
                                   const ftl_node *root, const char *select, ftl_choice *out,
                                   ftl_error *error);
/* Makes of a model that was begun one that lists the models of root and has no methods. */
FTL_MUST_USE ftl_status ftl_list_models(ftl_model *model, const ftl_registry *registry,
                                        const ftl_node *root, ftl_error *error);
/* The entry of that name or dotted path; the root when entry is NULL. NULL when there is none. */
const ftl_node *ftl_find_entry(const ftl_node *root, const char *entry);
/* The entry that such a name may be meant by; NULL: none. */
const char *ftl_near_entry(ftl_arena *arena, const ftl_node *root, const char *name);
/* The only model of a container, else the root itself: for parts that come from files of their own.
 */
const ftl_node *ftl_only_model(ftl_model *model, const ftl_registry *registry,
                               const ftl_node *root);

#endif
