/* The foretell program: finds the command. */
#include "table.h"

#include "foretell/experimental.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int refuse_command(const char *name)
{
    if (strcmp(name, "patch") == 0)
        return cli_usage("",
                         "patch runs a script of Python's, and is a command of the Python package: "
                         "python -m foretell patch");
    const char *nearest = ftl_name_nearest(name, cli_command_at, NULL, CLI_COMMAND_COUNT - 1);
    if (nearest)
        return cli_usage("", "there is no command '%s'; did you mean %s?", name, nearest);
    return cli_usage("", "there is no command '%s', and no such file", name);
}

/* foretell help [--man | --json] [COMMAND] */
int cli_help(int argc, char **argv)
{
    bool manual = argc > 1 && strcmp(argv[1], "--man") == 0;
    if (argc > 1 && strcmp(argv[1], "--json") == 0)
        return argc > 2 ? cli_usage("help", "--json takes no arguments") : cli_print_table_json();
    int at = manual ? 2 : 1;
    if (argc > at + 1)
        return cli_usage("help", "there is one argument too many: '%s'", argv[at + 1]);
    if (argc == at)
        return manual ? cli_print_manual(NULL) : cli_print_help(CLI_DOOR);
    if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
        return cli_print_help(CLI_HELP);
    const cli_command *about = cli_find_command(argv[at]);
    if (!about)
        return refuse_command(argv[at]);
    return manual ? cli_print_manual(about)
                  : cli_print_help((cli_command_id)(about - cli_commands));
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
    const cli_command *found = cli_find_command(name);
    if (found)
        return found->run(argc - 1, argv + 1);
    if (strcmp(name, "__complete") == 0)
        return cli_complete(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) {
        printf("foretell %s\n", ftl_version());
        return cli_end_output(EXIT_DONE);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return cli_help(argc - 1, argv + 1);
    if (argc < 2 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return cli_welcome();
    if (argc < 2) {
        cli_print_program_help(stderr);
        return EXIT_USAGE;
    }
    /* a file, or what is meant as one */
    if (name[0] != '-' && (access(name, F_OK) == 0 || strpbrk(name, "./")))
        return cli_open_door(argc, argv);
    return refuse_command(name);
}
