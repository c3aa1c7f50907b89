/* foretell help --json: the table of commands and options, for other programs. */
#include "table.h"

#include <string.h>

static void put_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", file);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

/* ,"KEY":"TEXT", or null. */
static void put_member(FILE *file, const char *key, const char *text)
{
    fprintf(file, ",\"%s\":", key);
    if (text)
        put_string(file, text);
    else
        fputs("null", file);
}

static void put_option(FILE *file, const cli_option *option, bool listed)
{
    static const char *const kinds[] = {
        [VALUE_NONE] = "switch",  [VALUE_TEXT] = "text",       [VALUE_FILE] = "file",
        [VALUE_WORD] = "word",    [VALUE_COLUMNS] = "columns", [VALUE_METHODS] = "methods",
        [VALUE_TARGET] = "target"};
    const char letter[] = {option->letter, '\0'};
    fputs("{\"name\":", file);
    put_string(file, option->name);
    put_member(file, "letter", option->letter ? letter : NULL);
    put_member(file, "argument", option->argument);
    put_member(file, "value", kinds[option->value]);
    put_member(file, "words", option->words);
    put_member(file, "field", option->field);
    put_member(file, "section", cli_section_titles[option->section]);
    put_member(file, "help", option->help);
    fprintf(file, ",\"repeats\":%s,\"listed\":%s}", option->repeats ? "true" : "false",
            listed ? "true" : "false");
}

static void put_command(FILE *file, cli_command_id id)
{
    const cli_command *command = &cli_commands[id];
    const char *between = "";
    fputs("{\"name\":", file);
    put_string(file, command->name);
    put_member(file, "synopsis", command->synopsis);
    put_member(file, "summary", command->summary);
    put_member(file, "about", command->about);
    put_member(file, "also", command->also);
    fprintf(file, ",\"remote\":%s,\"arguments\":[", command->remote ? "true" : "false");
    for (size_t i = 0; i < CLI_MAX_ARGUMENTS && command->arguments[i].name; i++) {
        fprintf(file, "%s{\"name\":", i ? "," : "");
        put_string(file, command->arguments[i].name);
        put_member(file, "help", command->arguments[i].help);
        fputc('}', file);
    }
    fputs("],\"options\":[", file);
    for (cli_section section = SECTION_NONE; section < N_SECTIONS; section++) {
        for (size_t i = 0; i < cli_option_count; i++) {
            const cli_option *option = &cli_option_table[i];
            if (option->section != section || !cli_takes(option, id))
                continue;
            fputs(between, file);
            put_option(file, option, cli_lists(option, id));
            between = ",";
        }
    }
    fputs("],\"examples\":[", file);
    for (size_t i = 0; i < CLI_MAX_EXAMPLES && command->examples[i]; i++) {
        fputs(i ? "," : "", file);
        put_string(file, command->examples[i]);
    }
    fputs("]}", file);
}

int cli_print_table_json(void)
{
    cli_text text;
    FILE *file = cli_begin_text(&text);
    if (!file)
        return EXIT_INTERNAL;
    fputs("{\"version\":", file);
    put_string(file, ftl_version());
    put_member(file, "about", cli_about);
    fputs(",\"exit_codes\":[", file);
    for (size_t i = 0; i < CLI_EXIT_CODES; i++) {
        fprintf(file, "%s{\"code\":%d", i ? "," : "", cli_exit_codes[i].code);
        put_member(file, "meaning", cli_exit_codes[i].meaning);
        fputc('}', file);
    }
    fputs("],\"commands\":[", file);
    for (cli_command_id i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++) {
        fputs(i > CLI_DOOR + 1 ? "," : "", file);
        put_command(file, i);
    }
    fputs("]}\n", file);
    return cli_end_text(&text);
}
