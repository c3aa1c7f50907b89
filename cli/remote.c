/* foretell stats, health, load and unload: what a running server says of itself. */
#include "cli.h"
#include "http_client.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

typedef struct remote {
    cli_http http;
    cli_options options;
} remote;

/* Reads the command line; an exit code, or -1 with a remote to end. */
static int begin(remote *to, int argc, char **argv, cli_command_id command)
{
    const char *name = argv[0];
    to->http = (cli_http){.descriptor = -1};
    int code = cli_parse(argc, argv, command, &to->options);
    const cli_options *options = &to->options;
    if (code < 0 && command == CLI_UNLOAD && options->all && options->n_positional)
        code = cli_usage(name, "--all goes without models");
    if (code < 0 && command == CLI_UNLOAD && !options->all && !options->n_positional)
        code = cli_usage(name, "name a model");
    if (code < 0 && !cli_http_init(&to->http, options->url))
        code = cli_usage(name, "%s", to->http.message);
    if (code >= 0)
        cli_options_free(&to->options);
    return code;
}

static void close_remote(remote *to)
{
    cli_http_close(&to->http);
    cli_options_free(&to->options);
}

static int unreachable(remote *to)
{
    fprintf(stderr, "foretell: error: ");
    cli_print_plain(stderr, to->http.message, strlen(to->http.message));
    fputc('\n', stderr);
    close_remote(to);
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
    close_remote(to);
    return EXIT_DATA;
}

/* Prints the reply as it came when that is wanted. */
static bool print_json(const remote *to, const cli_reply *reply)
{
    if (!to->options.json)
        return false;
    cli_put(reply->body, reply->size);
    cli_put("\n", 1);
    return true;
}

static int end(remote *to, cli_reply *reply, int code)
{
    free(reply->body);
    close_remote(to);
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
    int code = begin(&to, argc, argv, CLI_STATS);
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
    int code = begin(&to, argc, argv, CLI_HEALTH);
    if (code < 0)
        code = ask(&to, "GET", "/health", NULL, 503, &reply);
    if (code >= 0)
        return code;
    cli_json health = cli_json_of(reply.body, reply.size);
    char status[64], version[64];
    cli_json_text(cli_json_member(health, "status"), status, sizeof status);
    cli_json_text(cli_json_member(health, "version"), version, sizeof version);
    if (!print_json(&to, &reply) && !to.options.quiet)
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
    const char *name;
    int code = begin(&to, argc, argv, CLI_LOAD);
    if (code >= 0)
        return code;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"model_paths\":[");
    for (size_t i = 0; (name = cli_argument_at(&to.options, i)) != NULL; i++) {
        if (i > 0)
            body[n++] = ',';
        if (!put_json_text(body, sizeof body - 8, &n, name)) {
            close_remote(&to);
            return cli_usage("load", "the names of the models are too long");
        }
    }
    memcpy(body + n, "]}", 3);
    code = ask(&to, "POST", "/warmup", body, 0, &reply);
    if (code >= 0)
        return code;
    cli_json models = cli_json_member(cli_json_of(reply.body, reply.size), "models"), model;
    bool shown = print_json(&to, &reply) || to.options.quiet;
    for (size_t state = 0; !shown && (model = cli_json_next(models, &state, NULL)).size;) {
        char path[256], bytes[32];
        cli_json_text(cli_json_member(model, "model_path"), path, sizeof path);
        put_bytes(number(model, "bytes"), bytes);
        cli_print_plain(stdout, path, strlen(path));
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

/* Closes one model, or all: model is NULL then. An exit code, or -1 with a reply to free. */
static int unload(remote *to, const char *model, cli_reply *reply)
{
    char path[1900], name[1800] = "";
    if (model && !encode(model, name, sizeof name)) {
        close_remote(to);
        return cli_usage("unload", "the name of the model is too long");
    }
    snprintf(path, sizeof path, "/cache/clear%s%s", model ? "?model_path=" : "", name);
    int code = ask(to, "DELETE", path, NULL, 0, reply);
    if (code >= 0)
        return code;
    double n = number(cli_json_of(reply->body, reply->size), "models_cleared");
    if (print_json(to, reply) || to->options.quiet)
        return -1;
    if (model) {
        cli_print_plain(stdout, model, strlen(model));
        fputs(": ", stdout);
    }
    printf(n == 1 ? "%.0f model closed\n" : "%.0f models closed\n", n);
    return -1;
}

int cli_unload(int argc, char **argv)
{
    remote to;
    cli_reply reply = {0};
    int code = begin(&to, argc, argv, CLI_UNLOAD);
    if (code < 0 && to.options.all) {
        code = unload(&to, NULL, &reply);
        return code < 0 ? end(&to, &reply, EXIT_DONE) : code;
    }
    const char *model;
    for (size_t i = 0; code < 0 && (model = cli_argument_at(&to.options, i)) != NULL; i++) {
        free(reply.body);
        reply.body = NULL;
        code = unload(&to, model, &reply);
    }
    return code < 0 ? end(&to, &reply, EXIT_DONE) : code;
}
