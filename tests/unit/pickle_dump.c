/* pickle_dump [-q] FILE…: the object graph of each file as text (graph_text.h); -q: only whether it
 * loads. */
#include "graph_text.h"

#include "io/codec.h"
#include "pickle/load.h"

#include <stdio.h>

static ftl_status load(ftl_account *account, ftl_arena *arena, const char *path, ftl_node **root,
                       ftl_pickle_report *report, ftl_error *error)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    ftl_pickle_options options = {.folder = folder, .report = report};
    ftl_stream *stream = NULL;
    uint64_t size;
    FTL_TRY(ftl_stream_open_file(account, path, &stream, &size, error));
    ftl_status status = ftl_codec_decode(account, &stream, 0, NULL, 0, error);
    if (status == FTL_OK)
        status = ftl_pickle_load(stream, arena, &options, root, error);
    ftl_stream_close(stream);
    return status;
}

static int show(const char *path, bool quiet)
{
    ftl_account account;
    ftl_arena arena;
    ftl_error error;
    ftl_node *root = NULL;
    ftl_pickle_report report = {0};
    ftl_account_init(&account, NULL, 0);
    ftl_arena_init(&arena, &account);
    ftl_status status = load(&account, &arena, path, &root, &report, &error);
    if (status == FTL_OK && !quiet) {
        ftl_strbuf text;
        ftl_strbuf_init(&text, &account, 0);
        graph_text(&text, root, 0);
        fputs(ftl_strbuf_text(&text), stdout);
        ftl_strbuf_free(&text);
    }
    if (status != FTL_OK)
        fprintf(stderr, "%s: %s at byte %lld: %s\n", path, ftl_status_name(status),
                (long long)error.offset, error.message);
    else if (report.dangerous || report.local_function)
        fprintf(stderr, "%s: holds %s\n", path,
                report.dangerous ? report.dangerous : report.local_function);
    ftl_arena_free(&arena);
    return status != FTL_OK;
}

int main(int argc, char **argv)
{
    int failed = 0, first = argc > 1 && strcmp(argv[1], "-q") == 0 ? 2 : 1;
    for (int i = first; i < argc; i++)
        failed |= show(argv[i], first == 2);
    return failed;
}
