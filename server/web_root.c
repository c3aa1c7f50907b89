/* Finds the web assets beside the program. CMake gives both places relative to the program's
 * folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "server.h"

enum { PATH_BYTES = 4096 };

/* Writes FOLDER/RELATIVE into root when the assets are there. */
static int found_below(const char *folder, const char *relative, char root[PATH_BYTES])
{
    char asset[PATH_BYTES];
    int n = snprintf(asset, sizeof asset, "%s/%s/swagger-ui/swagger-ui.css", folder, relative);
    if (n < 0 || (size_t)n >= sizeof asset || access(asset, R_OK) != 0) {
        return 0;
    }
    return snprintf(root, PATH_BYTES, "%s/%s", folder, relative) > 0;
}

const char *ftl_server_web_root(void)
{
    static char root[PATH_BYTES];
    static int looked;
    if (!looked) {
        looked = 1;
        char program[PATH_BYTES];
        size_t length = sizeof program;
        char *slash = uv_exepath(program, &length) == 0 ? strrchr(program, '/') : NULL;
        if (slash) {
            *slash = '\0';
            if (!found_below(program, FTL_WEB_INSTALLED, root) &&
                !found_below(program, FTL_WEB_BUILT, root)) {
                root[0] = '\0';
            }
        }
    }
    return root[0] ? root : NULL;
}
