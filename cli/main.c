/* The foretell program. */
#include <foretell/foretell.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("foretell %s\n", ftl_version());
        return 0;
    }
    return 2;
}
