/*
 * Tables without a program around them: a file is read as an Arrow C stream, a model scores the
 * stream, and what comes out is written as a file. Any format in, any format out, in memory that
 * does not grow with the file.
 *
 *   convert MODEL INPUT OUTPUT      the predictions beside the column "id"
 *   convert - INPUT OUTPUT          the table itself, in another format
 *
 *   cc convert.c $(pkg-config --cflags --libs foretell) -o convert
 */
#include <foretell/arrow.h>
#include <foretell/foretell.h>

#include <stdio.h>
#include <string.h>

static int fail(const ftl_error *error)
{
    fprintf(stderr, "%s: %s\n", ftl_status_name(error->code), error->message);
    return 1;
}

/* Puts a model between a stream and who reads it; *stream becomes the stream of its results. */
static ftl_status score(ftl_model *model, struct ArrowArrayStream *stream, ftl_error *error)
{
    static const char *const keep[] = {"id"};
    const ftl_score_options options = {.struct_size = sizeof options, .keep = keep, .n_keep = 1};
    struct ArrowArrayStream results;
    ftl_status status = ftl_score_arrow(model, stream, &options, &results, NULL, error);
    if (status == FTL_OK)
        *stream = results; /* what went in is the results' now */
    return status;
}

int main(int argc, char **argv)
{
    ftl_error error;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    struct ArrowArrayStream stream = {0};
    ftl_score_result result = {.struct_size = sizeof result};
    if (argc != 4) {
        fprintf(stderr, "convert MODEL|- INPUT OUTPUT\n");
        return 2;
    }
    ftl_status status = ftl_context_create(NULL, &context, &error);
    if (status == FTL_OK && strcmp(argv[1], "-") != 0)
        status = ftl_model_open(context, argv[1], NULL, &model, &error);
    if (status == FTL_OK)
        status = ftl_read_table(context, argv[2], NULL, &stream, &error);
    if (status == FTL_OK && model)
        status = score(model, &stream, &error);
    if (status == FTL_OK)
        status = ftl_write_table(context, &stream, argv[3], NULL, &result, &error);
    if (stream.release) /* it was not taken over */
        stream.release(&stream);
    ftl_model_release(model);
    ftl_context_destroy(context);
    if (status != FTL_OK)
        return fail(&error);
    printf("%llu rows\n", (unsigned long long)result.rows_written);
    return 0;
}
