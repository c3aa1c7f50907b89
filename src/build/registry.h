/*
 * The registry: the classes that foretell runs, found by module and name. Who opens a model hands
 * it in; nothing below src/estimators names a family. Immutable once it is indexed, and then usable
 * from any thread.
 */
#ifndef FTL_BUILD_REGISTRY_H
#define FTL_BUILD_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FTL_REGISTRY_SLOTS = 1024 };

struct ftl_estimator_class;
struct ftl_pickle_projection;

typedef struct ftl_registry {
    /* Tables of classes, NULL behind the last; the last entry of a table has no name. */
    const struct ftl_estimator_class *const *families;
    /* Structured arrays that estimators read only in part. */
    const struct ftl_pickle_projection *projections;
    size_t n_projections;
    /* The classes by the hash of their names; NULL: an empty slot. */
    const struct ftl_estimator_class *slots[FTL_REGISTRY_SLOTS];
    uint64_t seed;
} ftl_registry;

/* Fills the slots; once, before anything is looked up. false: there are more classes than slots
 * for them, and the rest cannot be found. */
bool ftl_registry_index(ftl_registry *registry);
/*
 * The class of that name whose package is module or holds it: sklearn.ensemble._forest is in
 * sklearn.ensemble. NULL when there is none.
 */
const struct ftl_estimator_class *ftl_registry_find(const ftl_registry *registry,
                                                    const char *module, const char *name);

#endif
