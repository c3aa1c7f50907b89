/* The foretell program: finds the command. */
#include "cli.h"

#include <string.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"predict", cli_predict},
    {"inspect", cli_inspect},
    {"check", cli_check},
    {"classes", cli_classes},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    if (strcmp(name, "--version") == 0) {
        printf("foretell %s\n", ftl_version());
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_DATA;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        fputs(cli_help_main, stdout);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_DATA;
    }
    if (argc < 2) {
        fputs(cli_help_main, stderr);
        return EXIT_USAGE;
    }
    return cli_usage("", "there is no command '%s'", name);
}
