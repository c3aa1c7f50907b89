/* foretell verify: does a service that runs answer as this program does? */
#include "verify.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const dialects[] = {"native", "v2", "mlflow", "tf", "plain"};

static bool set_count(const char *text, uint64_t *out)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    *out = n;
    return *text >= '0' && *text <= '9' && *end == '\0' && n > 0;
}

static int set_option(verify *v, int c)
{
    switch (c) {
    case 'a':
        v->url = optarg;
        return -1;
    case 'd':
        for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
            if (strcmp(optarg, dialects[i]) == 0) {
                v->dialect = (verify_dialect)i;
                return -1;
            }
        }
        return cli_usage("verify", "--dialect takes native, v2, mlflow, tf or plain, not '%s'",
                         optarg);
    case 'n':
        v->name = optarg;
        return -1;
    case 'p':
        v->proba = true;
        return -1;
    case 'r':
        return set_count(optarg, &v->rows_each) && v->rows_each <= 100000
                   ? -1
                   : cli_usage("verify", "--rows takes 1 to 100000, not '%s'", optarg);
    case 'l':
        return set_count(optarg, &v->limit)
                   ? -1
                   : cli_usage("verify", "--limit takes a number above 0, not '%s'", optarg);
    case 't':
        return ftl_number_parse(optarg, &v->tolerance) && v->tolerance >= 0
                   ? -1
                   : cli_usage("verify", "--tolerance takes a number such as 1e-9, not '%s'",
                               optarg);
    default:
        v->json = true;
        return -1;
    }
}

static int parse(verify *v, int argc, char **argv)
{
    static const struct option known[] = {{"against", required_argument, NULL, 'a'},
                                          {"dialect", required_argument, NULL, 'd'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"proba", no_argument, NULL, 'p'},
                                          {"rows", required_argument, NULL, 'r'},
                                          {"limit", required_argument, NULL, 'l'},
                                          {"tolerance", required_argument, NULL, 't'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'h')
            return cli_print(cli_help_verify);
        if (c == '?')
            return cli_usage("verify", "%s is no option here, or lacks its value",
                             argv[optind - 1]);
        int code = set_option(v, c);
        if (code >= 0)
            return code;
    }
    if (argc - optind != 2 || !v->url)
        return cli_usage("verify", "it takes --against URL, MODEL and ROWS.jsonl");
    if (v->proba && v->dialect != VERIFY_NATIVE && v->dialect != VERIFY_V2)
        return cli_usage("verify", "--proba is for the dialects native and v2");
    v->model_path = argv[optind];
    v->rows_path = argv[optind + 1];
    if (!cli_http_init(&v->http, v->url))
        return cli_usage("verify", "%s", v->http.message);
    return -1;
}

/* ---- Our own answers ------------------------------------------------------------------------- */

static int open_model(verify *v)
{
    ftl_error error;
    const ftl_context_options context = {.struct_size = sizeof context, .threads = 1};
    if (ftl_context_create(&context, &v->context, &error) != FTL_OK ||
        ftl_model_open(v->context, v->model_path, NULL, &v->model, &error) != FTL_OK)
        return cli_fail(&error, PHASE_MODEL, v->model_path);
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(v->model, &info) != FTL_OK)
        return EXIT_INTERNAL;
    v->method = v->proba && v->dialect == VERIFY_V2 ? FTL_PREDICT_PROBA : info.default_method;
    v->methods = 1u << v->method;
    if (v->proba)
        v->methods |= 1u << FTL_PREDICT_PROBA;
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = v->methods};
    ftl_plan *plan = NULL;
    ftl_status status = ftl_model_plan(v->model, &options, &plan, &error);
    if (status == FTL_OK)
        status = ftl_plan_borrow(plan, &v->session, &error);
    ftl_plan_release(plan);
    return status == FTL_OK ? -1 : cli_fail(&error, PHASE_MODEL, v->model_path);
}

/* The rows of v->list, predicted here. */
static int predict_here(verify *v)
{
    ftl_error error;
    ftl_batch in;
    const ftl_read_options options = {.struct_size = sizeof options, .format = "json"};
    double began = cli_now();
    if (ftl_session_read(v->session, v->list.data, v->list.size, &options, NULL, &in, &error) !=
            FTL_OK ||
        ftl_session_run(v->session, v->methods, &in, &error) != FTL_OK)
        return cli_fail(&error, PHASE_DATA, v->rows_path);
    verify_add_time(v, &v->ours, cli_now() - began);
    return -1;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* One value of a column of ours: a number, or a text in out. */
static bool our_value(const ftl_column *column, size_t row, double *number, const char **text,
                      size_t *size)
{
    size_t i = column->offset + row;
    const char *values = column->values;
    ptrdiff_t stride = column->stride;
    float f32;
    int64_t i64;
    *number = (double)NAN;
    *text = NULL;
    if (column->validity && !(column->validity[i / 8] >> (i % 8) & 1))
        return true;
    switch (column->type) {
    case FTL_F64:
        memcpy(number, values + (ptrdiff_t)i * (stride ? stride : 8), 8);
        return true;
    case FTL_F32:
        memcpy(&f32, values + (ptrdiff_t)i * (stride ? stride : 4), 4);
        *number = (double)f32;
        return true;
    case FTL_I64:
        memcpy(&i64, values + (ptrdiff_t)i * (stride ? stride : 8), 8);
        *number = (double)i64;
        return true;
    case FTL_BOOL:
        *number = values[(ptrdiff_t)i * (stride ? stride : 1)] != 0;
        return true;
    case FTL_STRING:
        *text = values + column->offsets[i];
        *size = column->offsets[i + 1] - column->offsets[i];
        return true;
    default:
        return false;
    }
}

/* What a service says instead of a number. */
static double their_number(cli_json value)
{
    if (cli_json_is(value, "true") || cli_json_is(value, "True"))
        return 1;
    if (cli_json_is(value, "false") || cli_json_is(value, "False"))
        return 0;
    if (cli_json_is_text(value)) {
        char text[64];
        double number;
        cli_json_text(value, text, sizeof text);
        return ftl_number_parse(text, &number) ? number : (double)INFINITY;
    }
    return cli_json_number(value, (double)NAN);
}

/* How far two values are apart: 0 is the same, INFINITY is something else altogether. */
static double difference(const ftl_column *column, size_t row, cli_json theirs)
{
    double ours;
    const char *text;
    size_t size = 0;
    if (theirs.size == 0 || !our_value(column, row, &ours, &text, &size))
        return (double)INFINITY;
    if (text) {
        char other[4096];
        cli_json_text(theirs, other, sizeof other);
        return strlen(other) == size && memcmp(other, text, size) == 0 ? 0 : (double)INFINITY;
    }
    double number = their_number(theirs);
    if (isnan(ours) || isnan(number))
        return isnan(ours) && isnan(number) ? 0 : (double)INFINITY;
    if (ours == number) /* infinities, too */
        return 0;
    double larger = fmax(fabs(ours), fabs(number));
    return fabs(ours - number) / fmax(larger, 1);
}

/* A row of theirs is a value, or an array of as many as we have columns. */
static double row_difference(const ftl_batch *ours, size_t row, cli_json theirs)
{
    double worst = 0;
    size_t state = 0;
    if (!cli_json_is_array(theirs))
        return ours->n_columns == 1 ? difference(&ours->columns[0], row, theirs) : (double)INFINITY;
    for (size_t i = 0; i < ours->n_columns; i++)
        worst = fmax(worst,
                     difference(&ours->columns[i], row, cli_json_next(theirs, &state, NULL)));
    return cli_json_next(theirs, &state, NULL).size ? (double)INFINITY : worst;
}

static int compare_method(verify *v, ftl_method method, cli_json answers, bool flat, double *worst)
{
    ftl_error error;
    ftl_batch ours;
    size_t state = 0;
    if (ftl_session_result(v->session, method, &ours, &error) != FTL_OK)
        return cli_fail(&error, PHASE_DATA, NULL);
    for (size_t row = 0; row < ours.rows; row++) {
        double by = 0;
        for (size_t i = 0; flat && i < ours.n_columns; i++)
            by = fmax(by, difference(&ours.columns[i], row, cli_json_next(answers, &state, NULL)));
        if (!flat)
            by = row_difference(&ours, row, cli_json_next(answers, &state, NULL));
        worst[row] = fmax(worst[row], by);
    }
    return -1;
}

static int compare(verify *v, const cli_reply *reply)
{
    cli_json answers = verify_answers(v, reply, "predictions");
    double *worst = calloc(v->n_list + 1, sizeof *worst);
    if (!worst)
        return EXIT_INTERNAL;
    int code = compare_method(v, v->method, answers, v->dialect == VERIFY_V2, worst);
    if (code < 0 && v->proba && v->dialect == VERIFY_NATIVE)
        code = compare_method(v, FTL_PREDICT_PROBA, verify_answers(v, reply, "probabilities"),
                              false, worst);
    for (size_t row = 0; code < 0 && row < v->n_list; row++) {
        v->agreeing += worst[row] <= v->tolerance;
        if (worst[row] > v->largest || (v->worst_row < 0 && worst[row] > 0)) {
            v->largest = worst[row];
            v->worst_row = (int64_t)(v->rows + row);
        }
    }
    v->rows += code < 0 ? v->n_list : 0;
    free(worst);
    return code;
}

static int send_rows(verify *v)
{
    cli_reply reply;
    int code = predict_here(v);
    if (code >= 0)
        return code;
    if (!verify_make_request(v)) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    if (!cli_http_ask(&v->http, "POST", v->path, v->body.data, v->body.size, &reply)) {
        fprintf(stderr, "foretell: error: ");
        cli_print_plain(stderr, v->http.message, strlen(v->http.message));
        fputc('\n', stderr);
        return EXIT_DATA;
    }
    if (reply.status != 200) {
        fprintf(stderr, "foretell: error: row %llu: the service answers with status %d: ",
                (unsigned long long)v->rows, reply.status);
        cli_print_plain(stderr, reply.body, reply.size < 300 ? reply.size : 300);
        fputc('\n', stderr);
        code = EXIT_DATA;
    } else {
        verify_add_time(v, &v->theirs, reply.seconds);
        code = compare(v, &reply);
    }
    free(reply.body);
    return code;
}

/* Each line a row; sent when there are as many as a request has. */
static int send_all(verify *v)
{
    char *line = NULL;
    size_t room = 0;
    int code = -1;
    FILE *file = fopen(v->rows_path, "re");
    if (!file) {
        fprintf(stderr, "foretell: error: IO: cannot read %s\n", v->rows_path);
        return EXIT_DATA;
    }
    for (ssize_t n; code < 0 && (v->limit == 0 || v->rows + v->n_list < v->limit) &&
                    (n = getline(&line, &room, file)) >= 0;) {
        cli_json row = cli_json_of(line, (size_t)n);
        if (row.size == 0 && strspn(line, " \t\r\n") == (size_t)n)
            continue;
        if (row.size == 0 || (*row.at != '{' && *row.at != '[')) {
            fprintf(stderr, "foretell: error: %s: row %llu is no JSON object or array\n",
                    v->rows_path, (unsigned long long)(v->rows + v->n_list));
            code = EXIT_DATA;
        } else if (!verify_add_row(v, row)) {
            code = EXIT_INTERNAL;
        } else if (v->n_list == v->rows_each) {
            code = send_rows(v);
            verify_clear_rows(v);
        }
    }
    if (code < 0 && v->n_list)
        code = send_rows(v);
    free(line);
    fclose(file);
    return code;
}

int cli_verify(int argc, char **argv)
{
    if (!verify_names_service(argc, argv))
        return cli_verify_original(argc, argv);
    verify v = {.rows_each = 1, .tolerance = 1e-9, .worst_row = -1, .http = {.descriptor = -1}};
    int code = parse(&v, argc, argv);
    if (code < 0)
        code = open_model(&v);
    if (code < 0)
        code = send_all(&v);
    if (code < 0 && v.rows == 0) {
        fprintf(stderr, "foretell: error: %s holds no rows\n", v.rows_path);
        code = EXIT_DATA;
    }
    if (code < 0) {
        verify_report(&v);
        code = cli_end_output(v.agreeing == v.rows ? EXIT_DONE : EXIT_REJECTED);
    }
    verify_free(&v);
    return code;
}
