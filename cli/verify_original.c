/* foretell verify without --against: the library that wrote the model, in the user's own Python. */
#include "verify.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * What Python runs: the package's own command, or one line where the package is not there. %s is
 * not used in it: what the user typed goes in as arguments alone.
 */
static char script[] =
    "import sys\n"
    "try:\n"
    "    from foretell.__main__ import main\n"
    "except ImportError as error:\n"
    "    sys.stderr.write('foretell: error: verify runs the library that wrote the model in your "
    "'\n"
    "                     f'Python, and {sys.executable} cannot import the foretell package '\n"
    "                     f'({error}): pip install foretell there, or name another with '\n"
    "                     '--python PROGRAM\\n')\n"
    "    sys.exit(2)\n"
    "sys.exit(main(sys.argv[1:]))\n";

static bool begins_option(const char *argument, const char *option, size_t least)
{
    size_t size = strcspn(argument, "=");
    return size >= least && size <= strlen(option) && strncmp(argument, option, size) == 0;
}

bool verify_names_service(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (begins_option(argv[i], "--against", 3))
            return true;
    }
    return false;
}

/* The Python of the environment that this program is installed in; false: in none. */
static bool own_python(char out[PATH_MAX + 32])
{
    char folder[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (size <= 0)
        return false;
    folder[size] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return false;
    *slash = '\0';
    snprintf(out, PATH_MAX + 32, "%s/../pyvenv.cfg", folder);
    if (access(out, R_OK) != 0)
        return false;
    snprintf(out, PATH_MAX + 32, "%s/python3", folder);
    return access(out, X_OK) == 0;
}

/* Takes --python out of the arguments; its value, NULL where it is not given or has none. */
static const char *take_python(int *argc, char **argv, bool *bad)
{
    const char *python = NULL;
    int kept = 1;
    bool options = true;
    for (int i = 1; i < *argc; i++) {
        options = options && strcmp(argv[i], "--") != 0;
        if (!options || !begins_option(argv[i], "--python", 3)) {
            argv[kept++] = argv[i];
            continue;
        }
        char *value = strchr(argv[i], '=');
        python = value ? value + 1 : i + 1 < *argc ? argv[++i] : "";
        *bad = *bad || *python == '\0';
    }
    *argc = kept;
    argv[kept] = NULL;
    return python;
}

int cli_verify_original(int argc, char **argv)
{
    char own[PATH_MAX + 32];
    char command[] = "verify", dash_c[] = "-c", *run[260];
    bool bad = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return cli_print(cli_help_verify);
    }
    const char *python = take_python(&argc, argv, &bad);
    if (bad)
        return cli_usage("verify", "--python takes a program, such as python3.12");
    if (argc < 2 || argc > 250)
        return cli_usage("verify", "it takes MODEL and perhaps DATA, or --against URL, MODEL and "
                                   "ROWS.jsonl");
    if (!python)
        python = own_python(own) ? own : "python3";
    size_t n = 0;
    run[n++] = (char *)(uintptr_t)python;
    run[n++] = dash_c;
    run[n++] = script;
    run[n++] = command;
    for (int i = 1; i < argc; i++)
        run[n++] = argv[i];
    run[n] = NULL;
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    execvp(python, run);
    fprintf(stderr,
            "foretell: error: verify runs the library that wrote the model in Python, and ");
    cli_print_plain(stderr, python, strlen(python));
    fprintf(stderr, " cannot be run (%s): name one that has it with --python PROGRAM\n",
            strerror(errno));
    return EXIT_USAGE;
}
