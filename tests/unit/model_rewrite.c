/*
 * model_rewrite IN OUT: writes a model as a file of foretell's own, reads that back and checks that
 * the graph is the same and is written in the same bytes again. Nothing but the public interface.
 * Exit code 3 when the model cannot be opened or written, as the error says.
 */
#include "foretell/experimental.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, NOT_WRITTEN = 3 };

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bool append(void *user, const void *data, size_t size)
{
    bytes *to = user;
    char *bigger = realloc(to->data, to->size + size + 1);
    if (!bigger)
        return false;
    memcpy(bigger + to->size, data, size);
    to->data = bigger;
    to->size += size;
    return true;
}

static bool append_text(void *user, const char *text, size_t size)
{
    return append(user, text, size);
}

static bool same(const bytes *a, const bytes *b)
{
    return a->size == b->size && a->size && memcmp(a->data, b->data, a->size) == 0;
}

/* 0, or what to exit with. */
static int check(ftl_context *context, const ftl_model *model, const bytes *file, ftl_error *error)
{
    ftl_model *again = NULL;
    bytes graph = {0}, second_graph = {0}, second_file = {0};
    int code = FAILED;
    if (ftl_model_open_memory(context, file->data, file->size, NULL, &again, error) == FTL_OK &&
        ftl_model_graph(model, append_text, &graph, error) == FTL_OK &&
        ftl_model_graph(again, append_text, &second_graph, error) == FTL_OK &&
        ftl_model_write(again, append, &second_file, error) == FTL_OK) {
        code = same(&graph, &second_graph) && same(file, &second_file) ? 0 : FAILED;
        snprintf(error->message, sizeof error->message, "the copy is another model");
    }
    ftl_model_release(again);
    free(graph.data);
    free(second_graph.data);
    free(second_file.data);
    return code;
}

static int rewrite(ftl_context *context, const char *from, const char *to, ftl_error *error)
{
    ftl_model *model = NULL;
    bytes file = {0};
    int code = NOT_WRITTEN;
    if (ftl_model_open(context, from, NULL, &model, error) == FTL_OK &&
        ftl_model_write(model, append, &file, error) == FTL_OK) {
        code = check(context, model, &file, error);
        FILE *out = code == 0 ? fopen(to, "wb") : NULL;
        if (code == 0 && (!out || fwrite(file.data, 1, file.size, out) != file.size)) {
            snprintf(error->message, sizeof error->message, "%s cannot be written", to);
            code = FAILED;
        }
        if (out && fclose(out) != 0)
            code = FAILED;
    }
    ftl_model_release(model);
    free(file.data);
    return code;
}

int main(int argc, char **argv)
{
    ftl_context *context = NULL;
    ftl_error error;
    if (argc != 3 || ftl_context_create(NULL, &context, &error) != FTL_OK)
        return FAILED;
    int code = rewrite(context, argv[1], argv[2], &error);
    if (code)
        fprintf(stderr, "%s: %s\n", argv[1], error.message);
    ftl_context_destroy(context);
    return code;
}
