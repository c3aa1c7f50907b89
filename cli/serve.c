/* foretell serve: the server is a program of its own, which this one becomes. */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* The i-th place where the server may lie, as a path; false: there are no more. */
static bool place_at(const char *folder, size_t i, char *path, size_t room)
{
    if (i >= sizeof places / sizeof places[0])
        return false;
    snprintf(path, room, "%s%s", folder, places[i]);
    return true;
}

/* All that comes from a descriptor, as a text; NULL: it cannot be read, or is too long. */
static char *read_all(int descriptor)
{
    enum { most = 1 << 20 };
    size_t size = 0, room = 16384;
    char *text = malloc(room);
    ssize_t n = 1;
    while (text && n > 0 && size < most) {
        if (size + 4096 > room) {
            char *longer = realloc(text, room *= 2);
            if (!longer)
                break;
            text = longer;
        }
        n = read(descriptor, text + size, room - size - 1);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            size += (size_t)n;
    }
    if (text)
        text[size] = '\0';
    if (n == 0 || !text)
        return text;
    free(text);
    return NULL;
}

/* Runs the program with one argument and keeps what it prints. */
static char *ask_program(char *path, char *argument)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        return NULL;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(path, (char *[]){path, argument, NULL});
        _exit(127);
    }
    close(ends[1]);
    char *text = child > 0 ? read_all(ends[0]) : NULL;
    close(ends[0]);
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
        return text;
    free(text);
    return NULL;
}

char *cli_server_settings(void)
{
    static char option[] = "--list-settings";
    char folder[PATH_MAX], path[PATH_MAX + 64];
    bool known = own_folder(folder);
    for (size_t i = 0; known && place_at(folder, i, path, sizeof path); i++) {
        if (access(path, X_OK) == 0)
            return ask_program(path, option);
    }
    return NULL;
}

int cli_serve(int argc, char **argv)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    static char name[] = "foretell-server";
    bool known = own_folder(folder);
    argv[0] = name;
    for (size_t i = 0; known && place_at(folder, i, path, sizeof path); i++) {
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
            return cli_print_help(CLI_SERVE);
    }
    fprintf(stderr,
            "foretell: error: foretell-server is not installed: it belongs beside this "
            "program%s%s; a build has it when libuv, OpenSSL and llhttp are there\n",
            known ? ", in " : "", known ? folder : "");
    return EXIT_INTERNAL;
}
