/*
 * Times what a server pays for a request of JSON: ftl_session_read of rows as arrays and as
 * objects, and ftl_session_run of what was read, warm, on one thread. Prints one JSON line.
 *
 *     time_rows MODEL N_ROWS METHOD
 *
 * Rows are made up: numbers of some digits for inputs that are numbers, short texts for others.
 */
#include "timing.h"

#include <foretell/foretell.h>
#include <foretell/rows.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rounds = 21 };

/* A growing text. */
typedef struct text {
    char *data;
    size_t size, room;
} text;

static void put(text *t, const char *format, ...)
{
    va_list args;
    if (t->room - t->size < 1024) {
        t->room = 2 * t->room + 4096;
        t->data = realloc(t->data, t->room);
        if (!t->data)
            exit(1);
    }
    va_start(args, format);
    t->size += (size_t)vsnprintf(t->data + t->size, t->room - t->size, format, args);
    va_end(args);
}

static void put_rows(text *t, const ftl_model *model, size_t n_inputs, size_t n_rows, bool objects)
{
    uint64_t state = 1;
    put(t, "[");
    for (size_t row = 0; row < n_rows; row++) {
        put(t, row ? ", %c" : "%c", objects ? '{' : '[');
        for (size_t i = 0; i < n_inputs; i++) {
            ftl_schema_column column = {.struct_size = sizeof column};
            check(ftl_model_input(model, i, &column), &(ftl_error){.message = "no input"});
            state = state * UINT64_C(6364136223846793005) + 1;
            double number = (double)(int64_t)(state >> 20) / 1e13;
            put(t, i ? ", " : "");
            if (objects)
                put(t, "\"%s\": ", column.name);
            if (column.batch_type == FTL_STRING)
                put(t, "\"text%d\"", (int)(state >> 60));
            else
                put(t, "%.9f", number);
        }
        put(t, objects ? "}" : "]");
    }
    put(t, "]");
}

typedef struct timed {
    size_t bytes;
    double read_ns, both_ns; /* of a call */
} timed;

static timed time_text(ftl_plan *plan, const text *t, uint32_t methods, size_t n_rows)
{
    double reads[rounds], both[rounds];
    ftl_session *session;
    ftl_batch in;
    ftl_error error;
    size_t calls = 200000 / n_rows + 1;
    check(ftl_plan_borrow(plan, &session, &error), &error);
    for (int i = 0; i < rounds; i++) {
        double start = thread_nanoseconds();
        for (size_t k = 0; k < calls; k++)
            check(ftl_session_read(session, t->data, t->size, NULL, NULL, &in, &error), &error);
        reads[i] = (thread_nanoseconds() - start) / (double)calls;
        start = thread_nanoseconds();
        for (size_t k = 0; k < calls; k++) {
            check(ftl_session_read(session, t->data, t->size, NULL, NULL, &in, &error), &error);
            check(ftl_session_run(session, methods, &in, &error), &error);
        }
        both[i] = (thread_nanoseconds() - start) / (double)calls;
    }
    ftl_plan_return(session);
    return (timed){t->size, median_of(reads, rounds), median_of(both, rounds)};
}

static void show(const char *name, timed t)
{
    printf("\"%s\": {\"bytes\": %zu, \"read_ns\": %.0f, \"read_and_run_ns\": %.0f}", name, t.bytes,
           t.read_ns, t.both_ns);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: time_rows MODEL N_ROWS METHOD\n");
        return 1;
    }
    ftl_error error;
    ftl_context *context;
    ftl_model *model;
    ftl_plan *plan;
    ftl_method method;
    size_t n_rows = strtoull(argv[2], NULL, 10);
    check(ftl_method_parse(argv[3], &method, &error), &error);
    check(ftl_context_create(NULL, &context, &error), &error);
    check(ftl_model_open(context, argv[1], NULL, &model, &error), &error);
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = 1u << method};
    check(ftl_model_plan(model, &options, &plan, &error), &error);
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK || n_rows == 0)
        return 1;
    text arrays = {0}, objects = {0};
    put_rows(&arrays, model, info.n_inputs, n_rows, false);
    printf("{\"rows\": %zu, ", n_rows);
    show("arrays", time_text(plan, &arrays, options.methods, n_rows));
    if (info.has_input_names) {
        put_rows(&objects, model, info.n_inputs, n_rows, true);
        printf(", ");
        show("objects", time_text(plan, &objects, options.methods, n_rows));
    }
    printf("}\n");
    free(arrays.data);
    free(objects.data);
    ftl_plan_release(plan);
    ftl_model_release(model);
    ftl_context_destroy(context);
    return 0;
}
