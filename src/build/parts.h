/*
 * Bundles: a file's dict, list or tuple of a model with what belongs to it, as people save them:
 * {"scaler": …, "model": …, "features": […], "threshold": 0.4, "encoder": …, "metrics": {…}}.
 */
#ifndef FTL_BUILD_PARTS_H
#define FTL_BUILD_PARTS_H

#include "build/pick_entry.h"

/* A model among the entries. */
typedef struct ftl_part {
    const char *path; /* printable; selects the entry */
    const ftl_node *node;
    const ftl_estimator_class *cls;
    bool nested; /* in an entry's entry */
} ftl_part;

/*
 * What the parts are together, n >= 1: the only one; or one predictor behind the only transformer
 * (out->guessed). A LabelEncoder whose name says that it is of labels joins out->wishes.
 * out->node is NULL when the parts could mean several things. Sets model->selected and model->note.
 */
FTL_MUST_USE ftl_status ftl_parts_arrange(ftl_model *model, const ftl_registry *registry,
                                          const ftl_part *parts, size_t n, ftl_choice *out,
                                          ftl_error *error);
/*
 * Notes the entries that are no models in model->found, and those that could name the model's
 * columns in wishes.
 */
FTL_MUST_USE ftl_status ftl_parts_found(ftl_model *model, const ftl_registry *registry,
                                        const ftl_node *root, ftl_build_wishes *wishes,
                                        ftl_error *error);

#endif
