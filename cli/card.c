/* The card of a model: what it is, takes and gives, and the line that predicts. */
#include "cli.h"

#include <string.h>

enum { SHOWN_NAMES = 8 };

/* A word as a shell takes it. */
static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./+:,@%";
    bool quoted = !word[0] || word[strspn(word, plain)];
    if (quoted)
        putchar('\'');
    while (*word) {
        size_t size = strcspn(word, "'");
        cli_print_plain(stdout, word, size);
        word += size;
        if (*word) {
            fputs("'\\''", stdout);
            word++;
        }
    }
    if (quoted)
        putchar('\'');
}

static void print_inputs(const ftl_model *model, const ftl_model_info *info)
{
    ftl_schema_column column = {.struct_size = sizeof column};
    if (info->open_width) {
        puts("takes    any number of columns");
        return;
    }
    printf("takes    %zu column%s", info->n_inputs, info->n_inputs == 1 ? "" : "s");
    bool text = info->n_inputs == 1 && ftl_model_input(model, 0, &column) == FTL_OK &&
                column.kind == FTL_KIND_STRING;
    if (!info->has_input_names)
        fputs(text ? " of text" : info->n_inputs ? ", by position" : "", stdout);
    for (size_t i = 0; info->has_input_names && i < info->n_inputs && i < SHOWN_NAMES; i++) {
        if (ftl_model_input(model, i, &column) != FTL_OK || !column.name)
            break;
        fputs(i ? ", " : ": ", stdout);
        cli_print_plain(stdout, column.name, strlen(column.name));
    }
    if (info->has_input_names && info->n_inputs > SHOWN_NAMES)
        printf(" and %zu more", info->n_inputs - SHOWN_NAMES);
    putchar('\n');
}

static void print_label(const ftl_label *label)
{
    switch (label->type) {
    case FTL_STRING:
        cli_print_plain(stdout, label->text, label->size);
        break;
    case FTL_BOOL:
        fputs(label->integer ? "True" : "False", stdout);
        break;
    case FTL_I64:
        printf("%lld", (long long)label->integer);
        break;
    default:
        printf("%g", label->number);
    }
}

static void print_outputs(const ftl_model *model, const ftl_model_info *info)
{
    size_t n = ftl_model_output_count(model, info->default_method);
    ftl_output_column column = {.struct_size = sizeof column};
    fputs("gives    ", stdout);
    for (size_t i = 0; i < n && i < SHOWN_NAMES; i++) {
        if (ftl_model_output(model, info->default_method, i, &column) != FTL_OK)
            break;
        fputs(i ? ", " : "", stdout);
        cli_print_plain(stdout, column.name, strlen(column.name));
    }
    if (n > SHOWN_NAMES)
        printf(" and %zu more", n - SHOWN_NAMES);
    if (n == 0)
        fputs("as many columns", stdout);
    size_t classes = ftl_model_target_count(model) == 1 ? ftl_model_class_count(model, 0) : 0;
    for (size_t i = 0; i < classes && i < SHOWN_NAMES; i++) {
        ftl_label label = {.struct_size = sizeof label};
        if (ftl_model_class(model, 0, i, &label) != FTL_OK)
            break;
        fputs(i == 0 ? ": " : i + 1 == classes ? " or " : ", ", stdout);
        print_label(&label);
    }
    if (classes > SHOWN_NAMES)
        printf(" … %zu classes", classes);
    putchar('\n');
}

static void print_option(const char *option, const char *value)
{
    printf(" %s ", option);
    print_word(value);
}

/* The model's files, and what they were opened with; what says it in between. */
static void print_command(const cli_options *options, const char *between)
{
    print_word(options->positional[0]);
    for (size_t i = 0; i < options->n_then; i++) {
        fputs(" + ", stdout);
        print_word(options->then[i]);
    }
    fputs(between, stdout);
    if (options->select)
        print_option("--select", options->select);
    if (options->labels)
        print_option("--labels", options->labels);
    if (options->threshold_set)
        printf(" --threshold %g", options->threshold);
    if (options->iterations == FTL_ITERATIONS_ALL)
        fputs(" --iterations all", stdout);
    else if (options->iterations)
        printf(" --iterations %u", (unsigned)options->iterations);
}

void cli_print_card(const ftl_model *model, const ftl_model_info *info, const cli_options *options)
{
    const char *dot = strrchr(info->class_name, '.');
    const char *name = dot ? dot + 1 : info->class_name;
    fputs("model    ", stdout);
    cli_print_plain(stdout, name, strlen(name));
    const char *kind = ftl_model_kind_name(info->kind);
    if (kind)
        printf(", %s %s", strchr("aeiou", kind[0]) ? "an" : "a", kind);
    fputs(" of ", stdout);
    cli_print_plain(stdout, info->library, strlen(info->library));
    putchar(' ');
    cli_print_plain(stdout, info->library_version, strlen(info->library_version));
    putchar('\n');
    print_inputs(model, info);
    print_outputs(model, info);
    fputs("\npredict  foretell predict ", stdout);
    print_command(options, " rows.csv -o predictions.csv");
    ftl_error error;
    if (info->default_method == FTL_PREDICT &&
        ftl_model_method_status(model, FTL_PREDICT_PROBA, &error) == FTL_OK)
        fputs(" --proba", stdout);
    fputs("\nlook     foretell ", stdout);
    print_command(options, " rows.csv");
    fputs("\nmore     foretell inspect ", stdout);
    print_command(options, "");
    putchar('\n');
}
