/* foretell serve: the server is a program of its own, which this one becomes. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Where it lies, seen from this program's folder. */
static const char *const places[] = {"foretell-server", "../libexec/foretell/foretell-server",
                                     "../lib/foretell/foretell-server"};

static bool own_folder(char out[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (size <= 0)
        return false;
    out[size] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        slash[1] = '\0';
    return slash != NULL;
}

int cli_serve(int argc, char **argv)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    static char name[] = "foretell-server";
    bool known = own_folder(folder);
    argv[0] = name;
    for (size_t i = 0; known && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%s", folder, places[i]);
        if (access(path, X_OK) != 0)
            continue;
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        execv(path, argv);
        fprintf(stderr, "foretell: error: %s cannot be run: %s\n", path, strerror(errno));
        return EXIT_INTERNAL;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return cli_print(cli_help_serve);
    }
    fprintf(stderr,
            "foretell: error: foretell-server is not installed: it belongs beside this "
            "program%s%s; a build has it when libuv, OpenSSL and llhttp are there\n",
            known ? ", in " : "", known ? folder : "");
    return EXIT_INTERNAL;
}
