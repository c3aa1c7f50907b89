/* The foretell program: finds the command. */
#include "cli.h"

#include "foretell/experimental.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} command;

static const command commands[] = {
    {"predict", cli_predict, cli_help_predict},    {"inspect", cli_inspect, cli_help_inspect},
    {"check", cli_check, cli_help_check},          {"classes", cli_classes, cli_help_classes},
    {"serve", cli_serve, cli_help_serve},          {"stats", cli_stats, cli_help_stats},
    {"health", cli_health, cli_help_health},       {"load", cli_load, cli_help_load},
    {"unload", cli_unload, cli_help_unload},       {"verify", cli_verify, cli_help_verify},
    {"generate", cli_generate, cli_help_generate},
};

enum { n_commands = sizeof commands / sizeof commands[0] };

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < n_commands; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* ftl_known_name */
static const char *command_at(const void *unused, size_t i)
{
    (void)unused;
    return commands[i].name;
}

static int refuse_command(const char *name)
{
    const char *nearest = ftl_name_nearest(name, command_at, NULL, n_commands);
    if (nearest)
        return cli_usage("", "there is no command '%s'; did you mean %s?", name, nearest);
    return cli_usage("", "there is no command '%s', and no such file", name);
}

static int help(int argc, char **argv)
{
    if (argc < 3)
        return cli_print(cli_help_main);
    const command *about = find_command(argv[2]);
    return about ? cli_print(about->help) : refuse_command(argv[2]);
}

/*
 * A standard descriptor that is closed would be given to the next file that is opened, and what the
 * program prints would go into it. The stand-ins refuse what the descriptor is for, so that output
 * into a closed one is still an error.
 */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    /* Writing says so when nobody reads or a file may not grow; both then end in the usual way. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "";
    const command *found = find_command(name);
    if (found)
        return found->run(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        printf("foretell %s\n", ftl_version());
        return cli_end_output(EXIT_DONE);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc, argv);
    if (argc < 2) {
        fputs(cli_help_main, stderr);
        return EXIT_USAGE;
    }
    /* a file, or what is meant as one */
    if (name[0] != '-' && (access(name, F_OK) == 0 || strpbrk(name, "./")))
        return cli_open_door(argc, argv);
    return refuse_command(name);
}
