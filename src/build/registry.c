/* Classes by module and name. */
#include "build/build.h"

#include <string.h>

/* True when module is package or below it: sklearn.ensemble._forest is in sklearn.ensemble. */
static bool module_in(const char *module, const char *package)
{
    size_t n = strlen(package);
    return strncmp(module, package, n) == 0 && (module[n] == '\0' || module[n] == '.');
}

const ftl_estimator_class *ftl_estimator_lookup(const char *module, const char *name)
{
    for (const ftl_estimator_class *const *family = ftl_estimator_families; *family; family++) {
        for (const ftl_estimator_class *cls = *family; cls->name; cls++) {
            if (strcmp(cls->name, name) == 0 && module_in(module, cls->package))
                return cls;
        }
    }
    return NULL;
}
