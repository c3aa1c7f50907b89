/*
 * Predictions as an Arrow C stream, from one of the program's own: no file, no copy of the rows.
 *
 *   arrow_stream MODEL BATCHES VALUE...    the row of these values ("" is missing) as so many
 * record batches, and the first output of each
 *
 *   cc arrow_stream.c $(pkg-config --cflags --libs foretell) -o arrow_stream
 */
#include <foretell/arrow.h>
#include <foretell/foretell.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The producer: a stream of record batches of one row ------------------------------------- */

/* A column: its Arrow array, and what that points at. Texts are read as cells of a CSV file are. */
typedef struct cell {
    int32_t offsets[2];
    uint8_t validity;
    const void *buffers[3];
    struct ArrowArray array;
} cell;

typedef struct producer {
    ftl_model *model;
    char **values;
    size_t n_columns;
    long batches; /* still to come */
} producer;

static void release_schema(struct ArrowSchema *schema)
{
    free(schema->children ? schema->children[0] : NULL);
    free(schema->children);
    schema->release = NULL;
}

static void release_child_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const producer *from = stream->private_data;
    size_t n = from->n_columns;
    struct ArrowSchema *fields = calloc(n, sizeof *fields);
    *out = (struct ArrowSchema){.format = "+s",
                                .n_children = (int64_t)n,
                                .children = calloc(n, sizeof *out->children),
                                .release = release_schema};
    if (!fields || !out->children) {
        free(fields);
        free(out->children);
        return ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(from->model, i, &column) != FTL_OK)
            column.name = NULL;
        fields[i] = (struct ArrowSchema){.format = "u",
                                         .name = column.name ? column.name : "",
                                         .flags = ARROW_FLAG_NULLABLE,
                                         .release = release_child_schema};
        out->children[i] = &fields[i];
    }
    return 0;
}

/* The library gives the batch back when it needs it no more. */
static void release_array(struct ArrowArray *array)
{
    free(array->private_data);
    free(array->children);
    array->release = NULL;
}

static void release_child(struct ArrowArray *array) { array->release = NULL; }

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    static const void *const no_validity[1] = {NULL};
    producer *from = stream->private_data;
    size_t n = from->n_columns;
    *out = (struct ArrowArray){0};
    if (from->batches-- <= 0)
        return 0; /* released: the end */
    cell *cells = calloc(n, sizeof *cells);
    struct ArrowArray **children = calloc(n, sizeof *children);
    if (!cells || !children) {
        free(cells);
        free(children);
        return ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        cell *c = &cells[i];
        c->offsets[1] = (int32_t)strlen(from->values[i]);
        c->validity = c->offsets[1] > 0;
        c->buffers[0] = &c->validity;
        c->buffers[1] = c->offsets;
        c->buffers[2] = from->values[i];
        c->array = (struct ArrowArray){.length = 1,
                                       .null_count = !c->validity,
                                       .n_buffers = 3,
                                       .buffers = c->buffers,
                                       .release = release_child};
        children[i] = &c->array;
    }
    *out = (struct ArrowArray){.length = 1,
                               .n_buffers = 1,
                               .buffers = (const void **)no_validity,
                               .n_children = (int64_t)n,
                               .children = children,
                               .release = release_array,
                               .private_data = cells};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "out of memory";
}

static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

/* ---- The consumer ---------------------------------------------------------------------------- */

/* One value of an output: the few types that outputs have. */
static void print_value(const struct ArrowSchema *type, const struct ArrowArray *array)
{
    size_t at = (size_t)array->offset;
    const uint8_t *validity = array->buffers[0];
    if (validity && !(validity[at / 8] >> at % 8 & 1)) {
        printf("null\n");
        return;
    }
    const void *values = array->buffers[1];
    const int32_t *offsets = values;
    switch (type->format[0]) {
    case 'g':
        printf("%.17g\n", ((const double *)values)[at]);
        break;
    case 'f':
        printf("%.9g\n", (double)((const float *)values)[at]);
        break;
    case 'l':
        printf("%lld\n", (long long)((const int64_t *)values)[at]);
        break;
    case 'b':
        printf("%s\n", ((const uint8_t *)values)[at / 8] >> at % 8 & 1 ? "True" : "False");
        break;
    default:
        printf("%.*s\n", (int)(offsets[at + 1] - offsets[at]),
               (const char *)array->buffers[2] + offsets[at]);
    }
}

static int consume(struct ArrowArrayStream *results)
{
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int code = results->get_schema(results, &schema);
    if (code == 0) {
        while ((code = results->get_next(results, &batch)) == 0 && batch.release) {
            print_value(schema.children[0], batch.children[0]);
            batch.release(&batch);
        }
        schema.release(&schema);
    }
    if (code != 0)
        fprintf(stderr, "%s\n", results->get_last_error(results));
    return code != 0;
}

static int score(ftl_model *model, long batches, char **values, size_t n, ftl_error *error)
{
    producer from = {model, values, n, batches};
    struct ArrowArrayStream results;
    struct ArrowArrayStream rows = {.get_schema = get_schema,
                                    .get_next = get_next,
                                    .get_last_error = get_last_error,
                                    .release = release_stream,
                                    .private_data = &from};
    if (ftl_score_arrow(model, &rows, NULL, &results, NULL, error) != FTL_OK) {
        fprintf(stderr, "%s: %s\n", ftl_status_name(error->code), error->message);
        rows.release(&rows); /* still ours */
        return 1;
    }
    int failed = consume(&results);
    results.release(&results); /* and rows with it */
    return failed;
}

int main(int argc, char **argv)
{
    ftl_context *context;
    ftl_model *model;
    ftl_error error;
    if (argc < 4) {
        fprintf(stderr, "arrow_stream MODEL BATCHES VALUE...\n");
        return 2;
    }
    if (ftl_context_create(NULL, &context, &error) != FTL_OK)
        return 1;
    int failed = 1;
    if (ftl_model_open(context, argv[1], NULL, &model, &error) == FTL_OK) {
        failed = score(model, strtol(argv[2], NULL, 10), argv + 3, (size_t)argc - 3, &error);
        ftl_model_release(model);
    } else {
        fprintf(stderr, "%s: %s\n", ftl_status_name(error.code), error.message);
    }
    ftl_context_destroy(context);
    return failed;
}
