#include "config.h"

#include "base/number.h"
#include "foretell/experimental.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { TEXT, SECRET, LIST, NUMBER, BYTES, SWITCH } kind;

typedef struct srv_setting {
    kind kind;
    const char *name, *value, *argument, *help;
    size_t offset;
} srv_setting;

static const srv_setting settings[] = {
#define SETTING(kind, field, name, value, argument, help) \
    {kind, name, value, argument, help, offsetof(srv_config, field)},
    SRV_SETTINGS(SETTING)
#undef SETTING
};

/* ---- Values ---------------------------------------------------------------------------------- */

static ftl_status copy_text(srv_config *config, const char *text, char **out, ftl_error *error)
{
    size_t size = strlen(text) + 1;
    char *copy = ftl_alloc(config->account, size);
    if (!copy)
        return FTL_OOM(error);
    memcpy(copy, text, size);
    ftl_free(config->account, *out);
    *out = copy;
    return FTL_OK;
}

static ftl_status add_item(srv_config *config, srv_list *list, const char *text, ftl_error *error)
{
    char *copy = NULL;
    FTL_TRY(ftl_grow(config->account, &list->items, &list->room, list->n + 1, sizeof *list->items,
                     error));
    FTL_TRY(copy_text(config, text, &copy, error));
    list->items[list->n++] = copy;
    return FTL_OK;
}

/* Digits, and behind them K, M, G or T where units are allowed. */
static bool parse_count(const char *text, bool units, uint64_t most, uint64_t *out)
{
    static const char letters[] = "KMGT";
    size_t size = strlen(text);
    int64_t number;
    unsigned shift = 0;
    const char *unit = size && units ? memchr(letters, text[size - 1], 4) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - letters + 1);
        size--;
    }
    if (size == 0 || text[0] == '-' || text[0] == '+' || !ftl_parse_i64(text, size, &number) ||
        (uint64_t)number > most >> shift)
        return false;
    *out = (uint64_t)number << shift;
    return true;
}

static ftl_status set_switch(const srv_setting *setting, bool *field, const char *text,
                             ftl_error *error)
{
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"", "0", "false",
                                                                                "no", "off"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(yes); i++) {
        if (strcmp(text, yes[i]) == 0) {
            *field = true;
            return FTL_OK;
        }
    }
    for (size_t i = 0; i < FTL_ARRAY_LEN(no); i++) {
        if (strcmp(text, no[i]) == 0) {
            *field = false;
            return FTL_OK;
        }
    }
    return FTL_FAIL(error, FTL_ARG, "%s takes true or false, not '%.60s'", setting->name, text);
}

/* origin: "--" and the like, for messages. */
static ftl_status set_value(srv_config *config, const srv_setting *setting, const char *text,
                            const char *origin, ftl_error *error)
{
    void *field = (char *)config + setting->offset;
    uint64_t number = 0;
    switch (setting->kind) {
    case TEXT:
    case SECRET:
        return copy_text(config, text, field, error);
    case LIST:
        return add_item(config, field, text, error);
    case SWITCH:
        return set_switch(setting, field, text, error);
    case NUMBER:
        if (!parse_count(text, false, UINT32_MAX, &number))
            return FTL_FAIL(error, FTL_ARG, "%s%s takes a whole number, not '%.60s'", origin,
                            setting->name, text);
        *(uint32_t *)field = (uint32_t)number;
        return FTL_OK;
    case BYTES:
        if (!parse_count(text, true, UINT64_MAX, &number))
            return FTL_FAIL(error, FTL_ARG,
                            "%s%s takes bytes, such as 500000, 64M or 2G, not '%.60s'", origin,
                            setting->name, text);
        *(uint64_t *)field = number;
        return FTL_OK;
    }
    return FTL_OK;
}

static const char *name_at(const void *user, size_t i)
{
    (void)user;
    return settings[i].name;
}

static ftl_status find_setting(const char *name, size_t size, const char *origin,
                               const srv_setting **out, ftl_error *error)
{
    char text[64];
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        if (strlen(settings[i].name) == size && memcmp(settings[i].name, name, size) == 0) {
            *out = &settings[i];
            return FTL_OK;
        }
    }
    snprintf(text, sizeof text, "%.*s", (int)(size < 60 ? size : 60), name);
    const char *near = ftl_name_nearest(text, name_at, NULL, FTL_ARRAY_LEN(settings));
    return FTL_FAIL(error, FTL_ARG, "there is no setting %s%s%s%s%s", origin, text,
                    near ? "; did you mean " : "", near ? origin : "", near ? near : "");
}

static void free_list(srv_config *config, srv_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        ftl_free(config->account, list->items[i]);
    ftl_free(config->account, list->items);
}

/* ---- Where values come from ------------------------------------------------------------------ */

static ftl_status read_defaults(srv_config *config, ftl_error *error)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        if (settings[i].value)
            FTL_TRY(set_value(config, &settings[i], settings[i].value, "", error));
    }
    return FTL_OK;
}

static void trim(char **text)
{
    while (**text == ' ' || **text == '\t')
        ++*text;
    size_t size = strlen(*text);
    while (size && strchr(" \t\r\n", (*text)[size - 1]))
        (*text)[--size] = '\0';
}

/* "key = value", a line each; # begins a comment; "model = PATH" is what needs no option. */
static ftl_status read_line(srv_config *config, char *line, int number, ftl_error *error)
{
    trim(&line);
    if (*line == '\0' || *line == '#')
        return FTL_OK;
    char *value = strchr(line, '=');
    if (!value)
        return FTL_FAIL(error, FTL_ARG, "%s, line %d: KEY = VALUE is what a line holds",
                        config->file, number);
    *value++ = '\0';
    trim(&line);
    trim(&value);
    if (strcmp(line, "model") == 0)
        return add_item(config, &config->models, value, error);
    const srv_setting *setting = NULL;
    ftl_status status = find_setting(line, strlen(line), "", &setting, error);
    if (status == FTL_OK)
        status = set_value(config, setting, value, "", error);
    if (status == FTL_ARG && error) {
        char message[FTL_ERROR_MESSAGE_SIZE];
        snprintf(message, sizeof message, "%s", error->message);
        ftl_error_set(error, FTL_ARG, "%s, line %d: %.500s", config->file, number, message);
    }
    return status;
}

char *srv_config_line(char *line, int number)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool marked = number == 1 && strncmp(line, mark, sizeof mark - 1) == 0;
    return marked ? line + sizeof mark - 1 : line;
}

static ftl_status read_file(srv_config *config, ftl_error *error)
{
    char line[4096];
    FILE *file = fopen(config->file, "r");
    if (!file)
        return FTL_FAIL(error, FTL_ARG, "cannot read the configuration %s: %s", config->file,
                        strerror(errno));
    ftl_status status = FTL_OK;
    for (int number = 1; status == FTL_OK && fgets(line, sizeof line, file); number++) {
        if (!strchr(line, '\n') && !feof(file))
            status = FTL_FAIL(error, FTL_ARG, "%s, line %d: longer than 4 KB", config->file,
                              number);
        else
            status = read_line(config, srv_config_line(line, number), number, error);
    }
    fclose(file);
    return status;
}

/* FORETELL_SERVE_CACHE_SIZE */
static void variable_name(const srv_setting *setting, char out[80])
{
    size_t n = (size_t)snprintf(out, 80, "FORETELL_SERVE_%s", setting->name);
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] == '-' ? '_'
                               : (char)(out[i] >= 'a' && out[i] <= 'z' ? out[i] - 32 : out[i]);
}

/* Vertex AI tells a container so where it will call it. */
static ftl_status read_vertex(srv_config *config, ftl_error *error)
{
    static const char *const names[][2] = {{"AIP_HTTP_PORT", "port"},
                                           {"AIP_PREDICT_ROUTE", "predict-route"},
                                           {"AIP_HEALTH_ROUTE", "health-route"}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i][0]);
        const srv_setting *setting = NULL;
        if (!value || !*value)
            continue;
        FTL_TRY(find_setting(names[i][1], strlen(names[i][1]), "", &setting, error));
        FTL_TRY(set_value(config, setting, value, "", error));
    }
    return FTL_OK;
}

static ftl_status read_environment(srv_config *config, ftl_error *error)
{
    char name[80];
    FTL_TRY(read_vertex(config, error));
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        variable_name(&settings[i], name);
        const char *value = getenv(name);
        if (value)
            FTL_TRY(set_value(config, &settings[i], value, "", error));
    }
    return FTL_OK;
}

/* "--name value" or "--name=value" at argv[*i]. */
static ftl_status read_option(srv_config *config, int argc, char **argv, int *i, ftl_error *error)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const srv_setting *setting = NULL;
    FTL_TRY(find_setting(name, size, "--", &setting, error));
    if (setting->kind == SWITCH)
        return set_value(config, setting, equals ? equals + 1 : "true", "--", error);
    if (setting->kind == SECRET)
        return FTL_FAIL(error, FTL_ARG,
                        "%s is a secret, which other users see on a command line; it is given in "
                        "the environment or in the file of --config",
                        setting->name);
    if (!equals && *i + 1 >= argc)
        return FTL_FAIL(error, FTL_ARG, "--%s needs a value: %s", setting->name, setting->argument);
    return set_value(config, setting, equals ? equals + 1 : argv[++*i], "--", error);
}

/* What must be known before all else. */
static ftl_status read_first(srv_config *config, int argc, char **argv, ftl_error *error)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            config->help = true;
        else if (strcmp(argv[i], "--version") == 0)
            config->version = true;
        else if (strcmp(argv[i], "--list-settings") == 0)
            config->list = true;
        else if (strcmp(argv[i], "--check-config") == 0)
            config->check = true;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            FTL_TRY(copy_text(config, argv[++i], &config->file, error));
        else if (strncmp(argv[i], "--config=", 9) == 0)
            FTL_TRY(copy_text(config, argv[i] + 9, &config->file, error));
    }
    const char *file = getenv("FORETELL_SERVE_CONFIG");
    return config->file || !file ? FTL_OK : copy_text(config, file, &config->file, error);
}

static ftl_status read_options(srv_config *config, int argc, char **argv, ftl_error *error)
{
    bool models = false;
    for (int i = 1; i < argc; i++) {
        if (models || argv[i][0] != '-' || argv[i][1] == '\0')
            FTL_TRY(add_item(config, &config->models, argv[i], error));
        else if (strcmp(argv[i], "--") == 0)
            models = true;
        else if (strcmp(argv[i], "--config") == 0)
            i++;
        else if (strncmp(argv[i], "--config=", 9) == 0 || strcmp(argv[i], "--check-config") == 0)
            continue;
        else if (strncmp(argv[i], "--", 2) == 0)
            FTL_TRY(read_option(config, argc, argv, &i, error));
        else
            return FTL_FAIL(error, FTL_ARG, "there is no option %s; --help lists them", argv[i]);
    }
    return FTL_OK;
}

static ftl_status read_all(srv_config *config, int argc, char **argv, ftl_error *error)
{
    FTL_TRY(read_first(config, argc, argv, error));
    FTL_TRY(read_defaults(config, error));
    if (config->help || config->version || config->list)
        return FTL_OK;
    if (config->file)
        FTL_TRY(read_file(config, error));
    FTL_TRY(read_environment(config, error));
    FTL_TRY(read_options(config, argc, argv, error));
    if (config->port > UINT16_MAX)
        return FTL_FAIL(error, FTL_ARG, "port: %u is above 65535", config->port);
    return FTL_OK;
}

ftl_status srv_config_read(ftl_account *account, int argc, char **argv, srv_config *out,
                           ftl_error *error)
{
    *out = (srv_config){.account = account, .argc = argc, .argv = argv};
    ftl_status status = read_all(out, argc, argv, error);
    if (status != FTL_OK)
        srv_config_free(out);
    return status;
}

void srv_config_free(srv_config *config)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        void *field = (char *)config + settings[i].offset;
        if (settings[i].kind == TEXT || settings[i].kind == SECRET)
            ftl_free(config->account, *(char **)field);
        else if (settings[i].kind == LIST)
            free_list(config, field);
    }
    free_list(config, &config->models);
    ftl_free(config->account, config->file);
    *config = (srv_config){0};
}

/* ---- Another reading -------------------------------------------------------------------------- */

static bool same_lists(const srv_list *a, const srv_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static bool same_values(const srv_setting *setting, const void *a, const void *b)
{
    switch (setting->kind) {
    case TEXT:
    case SECRET:
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    case LIST:
        return same_lists(a, b);
    case NUMBER:
        return *(const uint32_t *)a == *(const uint32_t *)b;
    case BYTES:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case SWITCH:
        return *(const bool *)a == *(const bool *)b;
    }
    return true;
}

bool srv_config_is_same(const srv_config *a, const srv_config *b)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        size_t at = settings[i].offset;
        if (!same_values(&settings[i], (const char *)a + at, (const char *)b + at))
            return false;
    }
    return same_lists(&a->models, &b->models);
}

static ftl_status copy_list(srv_config *config, srv_list *to, const srv_list *from,
                            ftl_error *error)
{
    free_list(config, to);
    *to = (srv_list){0};
    for (size_t i = 0; i < from->n; i++)
        FTL_TRY(add_item(config, to, from->items[i], error));
    return FTL_OK;
}

static ftl_status copy_value(srv_config *config, const srv_setting *setting, void *to,
                             const void *from, ftl_error *error)
{
    switch (setting->kind) {
    case TEXT:
    case SECRET:
        return copy_text(config, *(char *const *)from, to, error);
    case LIST:
        return copy_list(config, to, from, error);
    case NUMBER:
        memcpy(to, from, sizeof(uint32_t));
        return FTL_OK;
    case BYTES:
        memcpy(to, from, sizeof(uint64_t));
        return FTL_OK;
    case SWITCH:
        memcpy(to, from, sizeof(bool));
        return FTL_OK;
    }
    return FTL_OK;
}

ftl_status srv_config_keep(srv_config *config, const srv_config *running, const char *const *names,
                           size_t n, char *kept, size_t kept_size, ftl_error *error)
{
    size_t used = 0;
    kept[0] = '\0';
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        const srv_setting *setting = &settings[i];
        void *to = (char *)config + setting->offset;
        const void *from = (const char *)running + setting->offset;
        bool named = false;
        for (size_t k = 0; k < n && !named; k++)
            named = strcmp(setting->name, names[k]) == 0;
        if (named || same_values(setting, to, from))
            continue;
        FTL_TRY(copy_value(config, setting, to, from, error));
        int more = snprintf(kept + used, kept_size - used, "%s%s", used ? ", " : "", setting->name);
        used += more > 0 && used + (size_t)more < kept_size ? (size_t)more : 0;
    }
    return FTL_OK;
}

/* ---- Showing --------------------------------------------------------------------------------- */

void srv_config_print(const srv_config *config)
{
    for (size_t i = 0; i < config->models.n; i++)
        printf("model = %s\n", config->models.items[i]);
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        const srv_setting *setting = &settings[i];
        const void *field = (const char *)config + setting->offset;
        const srv_list *list = field;
        switch (setting->kind) {
        case TEXT:
            printf("%s = %s\n", setting->name, *(char *const *)field);
            break;
        case SECRET:
            printf("%s = %s\n", setting->name, **(char *const *)field ? "(hidden)" : "");
            break;
        case LIST:
            for (size_t k = 0; k < list->n; k++)
                printf("%s = %s\n", setting->name, list->items[k]);
            break;
        case NUMBER:
            printf("%s = %u\n", setting->name, *(const uint32_t *)field);
            break;
        case BYTES:
            printf("%s = %llu\n", setting->name, *(const unsigned long long *)field);
            break;
        case SWITCH:
            printf("%s = %s\n", setting->name, *(const bool *)field ? "true" : "false");
            break;
        }
    }
}

void srv_config_help(void)
{
    printf("usage: foretell serve [MODEL_OR_DIR...] [options]\n\n"
           "Serves models over HTTP: `foretell serve model.joblib` alone is enough to start.\n\n");
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        char option[40];
        const srv_setting *setting = &settings[i];
        snprintf(option, sizeof option, "--%s%s%s", setting->name, setting->argument ? " " : "",
                 setting->argument ? setting->argument : "");
        printf("  %-26s %s%s%s%s\n", option, setting->help,
               setting->value && *setting->value ? " (" : "", setting->value ? setting->value : "",
               setting->value && *setting->value ? ")" : "");
    }
    printf("  %-26s %s\n  %-26s %s\n", "--config FILE", "settings, a line each: KEY = VALUE",
           "--check-config", "print the settings as they are understood, and end");
    printf("\nAn environment variable FORETELL_SERVE_CACHE_SIZE sets cache-size, and so on.\n");
}

void srv_config_list(void)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(settings); i++) {
        const srv_setting *setting = &settings[i];
        printf("%s\t%s\t%s\t%s\n", setting->name, setting->argument ? setting->argument : "",
               setting->value ? setting->value : "", setting->help);
    }
    puts("config\tFILE\t\tsettings, a line each: KEY = VALUE\n"
         "check-config\t\t\tprint the settings as they are understood, and end");
}
