/* How each dialect has rows and answers; and the report. */
#include "verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Texts ----------------------------------------------------------------------------------- */

static bool put(verify_text *text, const char *data, size_t size)
{
    if (text->size + size + 1 > text->room) {
        size_t room = 2 * (text->size + size) + 256;
        char *grown = realloc(text->data, room);
        if (!grown)
            return false;
        text->data = grown;
        text->room = room;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
    return true;
}

static bool puts_to(verify_text *text, const char *data) { return put(text, data, strlen(data)); }

static bool put_quoted(verify_text *text, const char *data)
{
    bool ok = puts_to(text, "\"");
    for (; ok && *data; data++) {
        char escaped[8];
        unsigned char c = (unsigned char)*data;
        if (c < 0x20)
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
        else
            snprintf(escaped, sizeof escaped, "%s%c", c == '"' || c == '\\' ? "\\" : "", *data);
        ok = puts_to(text, escaped);
    }
    return ok && puts_to(text, "\"");
}

bool verify_add_row(verify *v, cli_json row)
{
    if (v->n_list) /* over the closing bracket */
        v->list.size--;
    v->n_list++;
    return puts_to(&v->list, v->n_list == 1 ? "[" : ",") && put(&v->list, row.at, row.size) &&
           puts_to(&v->list, "]");
}

void verify_clear_rows(verify *v) { v->list.size = v->n_list = 0; }

/* ---- Requests -------------------------------------------------------------------------------- */

/* "churn" of "models/churn.joblib". */
static void stem_of(const char *path, char out[256])
{
    const char *slash = strrchr(path, '/');
    snprintf(out, 256, "%s", slash ? slash + 1 : path);
    char *dot = strchr(out, '.');
    if (dot && dot != out)
        *dot = '\0';
}

static bool make_native(verify *v)
{
    char name[256];
    stem_of(v->model_path, name);
    return puts_to(&v->body, "{\"model_path\":") &&
           put_quoted(&v->body, v->name ? v->name : name) && puts_to(&v->body, ",\"features\":") &&
           put(&v->body, v->list.data, v->list.size) &&
           puts_to(&v->body, v->proba ? ",\"return_probabilities\":true}" : "}");
}

static cli_json rows_of(const verify *v) { return cli_json_of(v->list.data, v->list.size); }

/* An input of its own for a column: the values of all rows, null where a row has none. */
static bool put_column(verify *v, const ftl_schema_column *column)
{
    size_t state = 0;
    char head[96];
    bool text = column->batch_type == FTL_STRING;
    snprintf(head, sizeof head, ",\"shape\":[%zu,1],\"datatype\":\"%s\",\"data\":", v->n_list,
             text ? "BYTES" : "FP64");
    bool ok = puts_to(&v->body, "{\"name\":") && put_quoted(&v->body, column->name) &&
              puts_to(&v->body, head);
    const char *between = "[";
    for (cli_json row; ok && (row = cli_json_next(rows_of(v), &state, NULL)).size; between = ",") {
        cli_json value = cli_json_member(row, column->name);
        ok = puts_to(&v->body, between) &&
             put(&v->body, value.size ? value.at : "null", value.size ? value.size : 4);
    }
    return ok && puts_to(&v->body, "]}");
}

static bool make_v2(verify *v)
{
    size_t state = 0, n = 0, width = 0;
    cli_json first = cli_json_next(rows_of(v), &state, NULL);
    ftl_schema_column column = {.struct_size = sizeof column};
    bool ok = puts_to(&v->body, "{\"inputs\":[");
    if (cli_json_is_array(first)) {
        char head[96];
        for (size_t at = 0; cli_json_next(first, &at, NULL).size;)
            width++;
        snprintf(head, sizeof head,
                 "\"shape\":[%zu,%zu],\"datatype\":\"FP64\",\"data\":", v->n_list, width);
        ok = ok && puts_to(&v->body, "{\"name\":\"input\",") && puts_to(&v->body, head) &&
             put(&v->body, v->list.data, v->list.size) && puts_to(&v->body, "}");
    } else {
        for (; ok && ftl_model_input(v->model, n, &column) == FTL_OK; n++)
            ok = (n == 0 || puts_to(&v->body, ",")) && column.name && put_column(v, &column);
    }
    ok = ok && puts_to(&v->body, "]");
    if (v->proba)
        ok = ok && puts_to(&v->body, ",\"outputs\":[{\"name\":\"predict_proba\"}]");
    return ok && puts_to(&v->body, "}");
}

static bool make_wrapped(verify *v, const char *key)
{
    return puts_to(&v->body, "{\"") && puts_to(&v->body, key) && puts_to(&v->body, "\":") &&
           put(&v->body, v->list.data, v->list.size) && puts_to(&v->body, "}");
}

static void make_path(verify *v)
{
    char name[256];
    stem_of(v->model_path, name);
    const char *called = v->name ? v->name : name;
    if (v->http.path[0])
        snprintf(v->path, sizeof v->path, "%s", v->http.path);
    else if (v->dialect == VERIFY_NATIVE)
        snprintf(v->path, sizeof v->path, "/api/v1/inference/predict");
    else if (v->dialect == VERIFY_V2)
        snprintf(v->path, sizeof v->path, "/v2/models/%s/infer", called);
    else if (v->dialect == VERIFY_TF)
        snprintf(v->path, sizeof v->path, "/v1/models/%s:predict", called);
    else
        snprintf(v->path, sizeof v->path,
                 v->dialect == VERIFY_MLFLOW ? "/invocations" : "/predict");
}

bool verify_make_request(verify *v)
{
    size_t state = 0;
    bool arrays = cli_json_is_array(cli_json_next(rows_of(v), &state, NULL));
    v->body.size = 0;
    make_path(v);
    switch (v->dialect) {
    case VERIFY_NATIVE:
        return make_native(v);
    case VERIFY_V2:
        return make_v2(v);
    case VERIFY_MLFLOW:
        return make_wrapped(v, arrays ? "inputs" : "dataframe_records");
    case VERIFY_TF:
        return make_wrapped(v, "instances");
    case VERIFY_PLAIN:
        break;
    }
    return put(&v->body, v->list.data, v->list.size);
}

/* ---- Answers --------------------------------------------------------------------------------- */

/* The first member that is a list, at the names that services use. */
static cli_json first_list(cli_json object)
{
    static const char *const names[] = {"predictions", "prediction", "outputs", "result",
                                        "results",     "data",       "y"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cli_json value = cli_json_member(object, names[i]);
        if (cli_json_is_array(value))
            return value;
    }
    return (cli_json){0};
}

cli_json verify_answers(const verify *v, const cli_reply *reply, const char *member)
{
    cli_json body = cli_json_of(reply->body, reply->size);
    size_t state = 0;
    switch (v->dialect) {
    case VERIFY_NATIVE:
        return cli_json_member(body, member);
    case VERIFY_V2:
        return cli_json_member(cli_json_next(cli_json_member(body, "outputs"), &state, NULL),
                               "data");
    default:
        return cli_json_is_array(body) ? body : first_list(body);
    }
}

/* ---- The report ------------------------------------------------------------------------------ */

void verify_add_time(verify *v, verify_times *times, double seconds)
{
    (void)v;
    if (times->n == times->room) {
        size_t room = times->room ? 2 * times->room : 1024;
        double *grown = realloc(times->seconds, room * sizeof *grown);
        if (!grown)
            return; /* the times of later requests are not counted */
        times->seconds = grown;
        times->room = room;
    }
    times->seconds[times->n++] = seconds;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double quantile(verify_times *times, double share)
{
    if (times->n == 0)
        return 0;
    qsort(times->seconds, times->n, sizeof *times->seconds, by_size);
    return times->seconds[(size_t)(share * (double)(times->n - 1) + 0.5)];
}

static void put_difference(double difference)
{
    if (isinf(difference))
        fputs("null", stdout); /* not to be told in numbers */
    else
        printf("%.3g", difference);
}

static void report_json(verify *v)
{
    printf("{\"rows\": %llu, \"agreeing\": %llu, \"tolerance\": %.3g, \"largest_difference\": ",
           (unsigned long long)v->rows, (unsigned long long)v->agreeing, v->tolerance);
    put_difference(v->largest);
    fputs(", \"worst_row\": ", stdout);
    if (v->worst_row < 0)
        fputs("null", stdout);
    else
        printf("%lld", (long long)v->worst_row);
    printf(", \"requests\": %zu,\n \"theirs\": {\"p50_seconds\": %.9f, \"p95_seconds\": %.9f},"
           "\n \"ours\": {\"p50_seconds\": %.9f, \"p95_seconds\": %.9f}}\n",
           v->theirs.n, quantile(&v->theirs, 0.5), quantile(&v->theirs, 0.95),
           quantile(&v->ours, 0.5), quantile(&v->ours, 0.95));
}

void verify_report(verify *v)
{
    char rows[32], agreeing[32];
    if (v->json) {
        report_json(v);
        return;
    }
    cli_group_digits(v->rows, rows);
    cli_group_digits(v->agreeing, agreeing);
    printf("%s of %s rows agree within %.3g\n", agreeing, rows, v->tolerance);
    if (v->worst_row >= 0 && isinf(v->largest))
        printf("row %lld has another answer altogether\n", (long long)v->worst_row);
    else if (v->worst_row >= 0)
        printf("the largest difference is %.3g, in row %lld\n", v->largest,
               (long long)v->worst_row);
    else
        puts("there is no difference at all");
    printf("the service  p50 %.3f ms, p95 %.3f ms a request\n", 1e3 * quantile(&v->theirs, 0.5),
           1e3 * quantile(&v->theirs, 0.95));
    printf("here         p50 %.3f ms, p95 %.3f ms, without a network\n",
           1e3 * quantile(&v->ours, 0.5), 1e3 * quantile(&v->ours, 0.95));
}

void verify_free(verify *v)
{
    cli_http_close(&v->http);
    ftl_plan_return(v->session);
    ftl_model_release(v->model);
    ftl_context_destroy(v->context);
    free(v->list.data);
    free(v->body.data);
    free(v->ours.seconds);
    free(v->theirs.seconds);
}
