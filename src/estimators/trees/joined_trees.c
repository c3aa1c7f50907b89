#include "estimators/trees/joined_trees.h"

#include <string.h>

/*
 * An ensemble of this many classes is always joined; one of more when its trees know half of them,
 * so that what leaves hold stays in proportion to the file.
 */
enum { few_classes = 16 };

static bool is_tree(const ftl_estimator *e, ftl_model_kind kind)
{
    return strcmp(e->cls->package, "sklearn.tree") == 0 && e->cls->kind == kind;
}

static bool is_extra_tree(const ftl_estimator *e)
{
    return strncmp(e->cls->name, "ExtraTree", 9) == 0;
}

static ftl_status read_tree(ftl_build *build, const ftl_estimator *e, bool classifier,
                            ftl_tree_child *out, ftl_error *error)
{
    ftl_node *self = (ftl_node *)(uintptr_t)e->node;
    ftl_tree_view *view = NULL;
    FTL_TRY(ftl_tree_targets_read(build, e, classifier, &out->targets, error));
    FTL_TRY(ftl_tree_targets_views(build, e, &out->targets, &self, 1, &view, error));
    out->view = *view;
    return FTL_OK;
}

/* Where the child's classes are among own's; *fits: each has a place of its own. */
static ftl_status place_classes(ftl_build *build, const ftl_labels *own, ftl_encoding encoding,
                                ftl_tree_child *child, bool *fits, ftl_error *error)
{
    const ftl_labels *labels = child->targets.labels[0];
    uint32_t n = labels->count;
    *fits = n <= own->count && (own->count <= few_classes || own->count / 2 <= n);
    if (!*fits)
        return FTL_OK;
    uint32_t *place = ftl_arena_array(build->scratch, n, sizeof *place);
    bool *taken = ftl_arena_zero_array(build->scratch, own->count, sizeof *taken);
    child->probabilities = ftl_arena_array(build->scratch, n, sizeof *child->probabilities);
    if (!place || !taken || !child->probabilities)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n && *fits; i++) {
        place[i] = ftl_class_index(own, encoding, &labels->cells[i]);
        *fits = place[i] < own->count && !taken[place[i]];
        if (*fits)
            taken[place[i]] = true;
    }
    child->n_classes = n;
    child->place = place;
    child->width = own->count;
    child->weight = child->hit = 1.0;
    return FTL_OK;
}

static bool same_kind(const ftl_children *children, ftl_model_kind kind)
{
    const ftl_estimator *first = &children->items[0];
    bool extra = is_extra_tree(first), classifier = kind == FTL_CLASSIFIER;
    for (uint32_t i = 0; i < children->n; i++) {
        const ftl_estimator *e = &children->items[i];
        if (!is_tree(e, kind) || ftl_tree_refusals(e, is_extra_tree(e), classifier) !=
                                     ftl_tree_refusals(first, extra, classifier))
            return false;
    }
    return true;
}

ftl_status ftl_tree_children_read(ftl_build *build, const ftl_children *children,
                                  const ftl_labels *own, ftl_encoding encoding,
                                  ftl_tree_children *out, ftl_error *error)
{
    const ftl_estimator *first = &children->items[0];
    *out = (ftl_tree_children){0};
    if (!same_kind(children, own ? FTL_CLASSIFIER : FTL_REGRESSOR))
        return FTL_OK;
    ftl_tree_child *items = ftl_arena_zero_array(build->scratch, children->n, sizeof *items);
    if (!items)
        return FTL_OOM(error);
    bool fits = true;
    for (uint32_t i = 0; i < children->n && fits; i++) {
        FTL_TRY(read_tree(build, &children->items[i], own != NULL, &items[i], error));
        fits = items[i].targets.n_outputs == (own ? 1 : items[0].targets.n_outputs);
        if (own && fits)
            FTL_TRY(place_classes(build, own, encoding, &items[i], &fits, error));
    }
    if (fits)
        *out = (ftl_tree_children){
            .n = children->n,
            .items = items,
            .first = first,
            .refuse = ftl_tree_refusals(first, is_extra_tree(first), own != NULL)};
    return FTL_OK;
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

void ftl_child_probabilities(const void *user, const double *from, double *to)
{
    const ftl_tree_child *child = user;
    ftl_leaf_probabilities(&child->targets, from, child->probabilities);
    for (uint32_t k = 0; k < child->width; k++)
        to[k] = 0;
    for (uint32_t i = 0; i < child->n_classes; i++)
        to[child->place[i]] = child->probabilities[i] * child->weight;
}

void ftl_child_vote(const void *user, const double *from, double *to)
{
    const ftl_tree_child *child = user;
    double index;
    ftl_leaf_classes(&child->targets, from, &index);
    for (uint32_t k = 0; k < child->width; k++)
        to[k] = child->miss;
    to[child->place[(uint32_t)index]] = child->hit;
}

void ftl_child_means(const void *user, const double *from, double *to)
{
    const ftl_tree_child *child = user;
    ftl_leaf_means(&child->targets, from, to);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

ftl_status ftl_tree_children_join(ftl_build *build, const ftl_estimator *e,
                                  const ftl_tree_children *trees, uint32_t first, uint32_t n,
                                  ftl_leaf_fn *write, uint32_t width, ftl_tree_nodes **out,
                                  ftl_error *error)
{
    ftl_tree_view *views = ftl_arena_array(build->scratch, n, sizeof *views);
    if (!views)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++)
        views[i] = trees->items[first + i].view;
    const ftl_tree_leaves leaves = {.write = write,
                                    .user = &trees->items[first],
                                    .user_step = sizeof *trees->items,
                                    .width = width,
                                    .plain = write == ftl_child_means};
    return ftl_tree_views_join(build, views, n, &leaves, e->path, out, error);
}
