/* foretell stats, health, load and unload: what a running server says of itself. */
#include "cli.h"
#include "http_client.h"
#include "json.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

typedef struct remote {
    const char *command;
    cli_http http;
    bool json, all, quiet;
    const char *url;
} remote;

/* Options; an exit code or -1. What stands without one begins at argv[optind]. */
static int parse(remote *to, int argc, char **argv, const char *help, int least, int most)
{
    static const struct option known[] = {
        {"url", required_argument, NULL, 'u'}, {"json", no_argument, NULL, 'j'},
        {"all", no_argument, NULL, 'a'},       {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
    *to = (remote){.command = argv[0]};
    opterr = 0;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "qh", known, NULL)) != -1;) {
        if (c == 'h')
            return cli_print(help);
        else if (c == 'u')
            to->url = optarg;
        else if (c == 'j')
            to->json = true;
        else if (c == 'a' && strcmp(to->command, "unload") == 0)
            to->all = true;
        else if (c == 'q')
            to->quiet = true;
        else
            return cli_usage(to->command, "%s is no option here, or lacks its value",
                             argv[optind - 1]);
    }
    int n = argc - optind;
    if (to->all ? n : n < least || n > most)
        return cli_usage(to->command, most == 0 ? "it takes no arguments"
                                      : to->all ? "--all goes without models"
                                                : "name a model");
    if (!cli_http_init(&to->http, to->url))
        return cli_usage(to->command, "%s", to->http.message);
    return -1;
}

static int unreachable(remote *to)
{
    fprintf(stderr, "foretell: error: ");
    cli_print_plain(stderr, to->http.message, strlen(to->http.message));
    fputc('\n', stderr);
    cli_http_close(&to->http);
    return EXIT_DATA;
}

/* The server's message of what is wrong. */
static void show_refusal(const cli_reply *reply)
{
    char message[1024] = "";
    cli_json body = cli_json_of(reply->body, reply->size);
    static const char *const names[] = {"detail", "error", "message"};
    for (size_t i = 0; i < 3 && !message[0]; i++) {
        cli_json value = cli_json_member(body, names[i]);
        size_t state = 0;
        if (cli_json_is_array(value))
            value = cli_json_member(cli_json_next(value, &state, NULL), "msg");
        if (cli_json_is_text(value))
            cli_json_text(value, message, sizeof message);
    }
    fprintf(stderr, "foretell: error: the server answers with status %d%s", reply->status,
            message[0] ? ": " : "");
    cli_print_plain(stderr, message, strlen(message));
    fputc('\n', stderr);
}

/* Asks, and shows a refusal; an exit code or -1 with a reply to free. */
static int ask(remote *to, const char *method, const char *path, const char *body, int accepted,
               cli_reply *reply)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "%s/api/v1/inference%s", to->http.path, path);
    if (!cli_http_ask(&to->http, method, whole, body, body ? strlen(body) : 0, reply))
        return unreachable(to);
    if (reply->status == 200 || reply->status == accepted)
        return -1;
    show_refusal(reply);
    free(reply->body);
    cli_http_close(&to->http);
    return EXIT_DATA;
}

/* Prints the reply as it came when that is wanted. */
static bool print_json(const remote *to, const cli_reply *reply)
{
    if (!to->json)
        return false;
    cli_put(reply->body, reply->size);
    cli_put("\n", 1);
    return true;
}

static int end(remote *to, cli_reply *reply, int code)
{
    free(reply->body);
    cli_http_close(&to->http);
    return cli_end_output(code);
}

static double number(cli_json object, const char *name)
{
    return cli_json_number(cli_json_member(object, name), 0);
}

static void put_bytes(double bytes, char out[32])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++)
        bytes /= 1000;
    snprintf(out, 32, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : 1, bytes, units[unit]);
}

/* ---- stats ----------------------------------------------------------------------------------- */

static void show_model(cli_json model)
{
    char name[256], bytes[32];
    cli_json_text(cli_json_member(model, "model_path"), name, sizeof name);
    put_bytes(number(model, "bytes"), bytes);
    cli_print_plain(stdout, name, strlen(name));
    printf("%*s %10s %10.0f %9.1f %9.0f %8.0f%s\n",
           strlen(name) < 32 ? (int)(32 - strlen(name)) : 0, "", bytes, number(model, "hits"),
           1e3 * number(model, "load_time_seconds"), number(model, "idle_seconds"),
           number(model, "in_use"),
           cli_json_is(cli_json_member(model, "stale"), "true") ? "  (its file has changed)" : "");
}

static void show_stats(cli_json stats)
{
    char bytes[32], most[32];
    cli_json latency = cli_json_member(stats, "latency");
    cli_json process = cli_json_member(stats, "process");
    cli_json models = cli_json_member(stats, "models");
    put_bytes(number(stats, "bytes"), bytes);
    put_bytes(number(stats, "max_bytes"), most);
    printf("models      %.0f of %.0f open, %s of %s\n", number(stats, "cache_size"),
           number(stats, "max_size"), bytes, number(stats, "max_bytes") > 0 ? most : "any");
    printf("cache       %.0f hits, %.0f misses (%.1f %%), %.0f evictions, %.0f failures\n",
           number(stats, "hits"), number(stats, "misses"), 100 * number(stats, "hit_rate"),
           number(stats, "evictions"), number(stats, "load_failures"));
    printf("latency     p50 %.3f ms, p95 %.3f ms, p99 %.3f ms, mean %.3f ms\n",
           1e3 * number(latency, "p50"), 1e3 * number(latency, "p95"), 1e3 * number(latency, "p99"),
           1e3 * number(latency, "mean"));
    printf("throughput  %.0f rows/s while predicting\n",
           number(stats, "throughput_samples_per_sec"));
    put_bytes(number(process, "resident_bytes"), bytes);
    put_bytes(number(process, "peak_bytes"), most);
    printf("process     %.1f s of CPU, %s of memory (at most %s), %.0f threads, %.0f files\n",
           number(process, "cpu_seconds"), bytes, most, number(process, "threads"),
           number(process, "open_files"));
    size_t state = 0;
    cli_json model = cli_json_next(models, &state, NULL);
    if (model.size)
        printf("\n%-32s %10s %10s %9s %9s %8s\n", "model", "memory", "hits", "load ms", "idle s",
               "in use");
    for (; model.size; model = cli_json_next(models, &state, NULL))
        show_model(model);
}

int cli_stats(int argc, char **argv)
{
    remote to;
    cli_reply reply = {0};
    int code = parse(&to, argc, argv, cli_help_stats, 0, 0);
    if (code < 0)
        code = ask(&to, "GET", "/cache/stats", NULL, 0, &reply);
    if (code >= 0)
        return code;
    if (!print_json(&to, &reply))
        show_stats(cli_json_of(reply.body, reply.size));
    return end(&to, &reply, EXIT_DONE);
}

/* ---- health ---------------------------------------------------------------------------------- */

int cli_health(int argc, char **argv)
{
    remote to;
    cli_reply reply = {0};
    int code = parse(&to, argc, argv, cli_help_health, 0, 0);
    if (code < 0)
        code = ask(&to, "GET", "/health", NULL, 503, &reply);
    if (code >= 0)
        return code;
    cli_json health = cli_json_of(reply.body, reply.size);
    char status[64], version[64];
    cli_json_text(cli_json_member(health, "status"), status, sizeof status);
    cli_json_text(cli_json_member(health, "version"), version, sizeof version);
    if (!print_json(&to, &reply) && !to.quiet)
        printf("%s: version %s, up for %.0f s, %.0f models open\n", status, version,
               number(health, "uptime_seconds"), number(health, "models_loaded"));
    return end(&to, &reply, reply.status == 200 ? EXIT_DONE : EXIT_DATA);
}

/* ---- load and unload ------------------------------------------------------------------------- */

/* A text in JSON; false: it does not fit. */
static bool put_json_text(char *out, size_t room, size_t *at, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = *at;
    if (n + 1 < room)
        out[n++] = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (n + 8 >= room)
            return false;
        if (c < 0x20) {
            memcpy(out + n, "\\u00", 4);
            out[n + 4] = digits[c >> 4];
            out[n + 5] = digits[c & 15];
            n += 6;
            continue;
        }
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        out[n++] = (char)c;
    }
    if (n + 1 >= room)
        return false;
    out[n++] = '"';
    out[n] = '\0';
    *at = n;
    return true;
}

int cli_load(int argc, char **argv)
{
    remote to;
    cli_reply reply = {0};
    char body[65536];
    int code = parse(&to, argc, argv, cli_help_load, 1, CLI_ANY_NUMBER);
    if (code >= 0)
        return code;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"model_paths\":[");
    for (int i = optind; i < argc; i++) {
        if (i > optind)
            body[n++] = ',';
        if (!put_json_text(body, sizeof body - 8, &n, argv[i]))
            return cli_usage("load", "the names of the models are too long");
    }
    memcpy(body + n, "]}", 3);
    code = ask(&to, "POST", "/warmup", body, 0, &reply);
    if (code >= 0)
        return code;
    cli_json models = cli_json_member(cli_json_of(reply.body, reply.size), "models"), model;
    bool shown = print_json(&to, &reply) || to.quiet;
    for (size_t state = 0; !shown && (model = cli_json_next(models, &state, NULL)).size;) {
        char name[256], bytes[32];
        cli_json_text(cli_json_member(model, "model_path"), name, sizeof name);
        put_bytes(number(model, "bytes"), bytes);
        cli_print_plain(stdout, name, strlen(name));
        printf(": open, %s, %.1f ms\n", bytes, 1e3 * number(model, "load_time_seconds"));
    }
    return end(&to, &reply, EXIT_DONE);
}

/* What a query's value may not hold as it stands. */
static bool encode(const char *text, char *out, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~/", c);
        if (n + 4 >= room)
            return false;
        if (plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n] = '\0';
    return true;
}

int cli_unload(int argc, char **argv)
{
    remote to;
    cli_reply reply = {0};
    char path[1900], name[1800];
    int code = parse(&to, argc, argv, cli_help_unload, 1, CLI_ANY_NUMBER);
    if (code >= 0)
        return code;
    for (int i = optind; to.all || i < argc; i++) {
        if (!to.all && !encode(argv[i], name, sizeof name))
            return cli_usage("unload", "the name of the model is too long");
        snprintf(path, sizeof path, "/cache/clear%s%s",
                 to.all ? "" : "?model_path=", to.all ? "" : name);
        code = ask(&to, "DELETE", path, NULL, 0, &reply);
        if (code >= 0)
            return code;
        double n = number(cli_json_of(reply.body, reply.size), "models_cleared");
        if (!print_json(&to, &reply) && !to.quiet) {
            if (!to.all) {
                cli_print_plain(stdout, argv[i], strlen(argv[i]));
                fputs(": ", stdout);
            }
            printf(n == 1 ? "%.0f model closed\n" : "%.0f models closed\n", n);
        }
        if (to.all || i + 1 == argc)
            break;
        free(reply.body);
    }
    return end(&to, &reply, EXIT_DONE);
}
