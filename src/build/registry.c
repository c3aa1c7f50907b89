#include "build/registry.h"

#include "base/hash.h"
#include "build/build.h"

#include <string.h>

enum { most_classes = FTL_REGISTRY_SLOTS / 2 };

static size_t first_slot(const ftl_registry *registry, const char *name)
{
    return (size_t)ftl_hash_bytes(registry->seed, name, strlen(name)) % FTL_REGISTRY_SLOTS;
}

bool ftl_registry_index(ftl_registry *registry)
{
    size_t n = 0;
    registry->seed = ftl_hash_seed();
    for (const ftl_estimator_class *const *family = registry->families; *family; family++) {
        for (const ftl_estimator_class *cls = *family; cls->name; cls++) {
            if (n++ == most_classes)
                return false;
            size_t at = first_slot(registry, cls->name);
            while (registry->slots[at])
                at = (at + 1) % FTL_REGISTRY_SLOTS;
            registry->slots[at] = cls;
        }
    }
    return true;
}

static bool module_in(const char *module, const char *package)
{
    size_t n = strlen(package);
    return strncmp(module, package, n) == 0 && (module[n] == '\0' || module[n] == '.');
}

const ftl_estimator_class *ftl_registry_find(const ftl_registry *registry, const char *module,
                                             const char *name)
{
    for (size_t at = first_slot(registry, name); registry->slots[at];
         at = (at + 1) % FTL_REGISTRY_SLOTS) {
        const ftl_estimator_class *cls = registry->slots[at];
        if (strcmp(cls->name, name) == 0 && module_in(module, cls->package))
            return cls;
    }
    return NULL;
}
