/* foretell classes: what it runs. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* Alphabetically, as people look for a name. */
static int by_name(const void *a, const void *b)
{
    const ftl_class_info *left = a, *right = b;
    int library = strcmp(left->library, right->library);
    int package = strcmp(left->package, right->package);
    return library ? library : package ? package : strcmp(left->name, right->name);
}

int cli_classes(int argc, char **argv)
{
    cli_options options;
    int code = cli_parse(argc, argv, CLI_CLASSES, &options);
    if (code >= 0)
        return code;
    ftl_class_info *classes = NULL, next = {.struct_size = sizeof next};
    size_t n = 0;
    while (ftl_supported_class(n, &next) == FTL_OK)
        n++;
    classes = calloc(n, sizeof *classes);
    if (!classes) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < n; i++) {
        classes[i].struct_size = sizeof *classes;
        (void)!ftl_supported_class(i, &classes[i]);
    }
    qsort(classes, n, sizeof *classes, by_name);
    for (size_t i = 0; i < n && !options.json; i++)
        printf("%-13s %s.%s\n", classes[i].library, classes[i].package, classes[i].name);
    for (size_t i = 0; i < n && options.json; i++)
        printf("%s{\"library\": \"%s\", \"package\": \"%s\", \"name\": \"%s\"}%s\n", i ? " " : "[",
               classes[i].library, classes[i].package, classes[i].name, i + 1 < n ? "," : "]");
    free(classes);
    cli_options_free(&options);
    return cli_end_output(EXIT_DONE);
}
