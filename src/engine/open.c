/* A model file, or several → a model: codecs, the object graph, the IR, validation. */
#include "base/options.h"
#include "base/utf8.h"
#include "build/build.h"
#include "build/native_file.h"
#include "build/parts.h"
#include "engine/context.h"
#include "engine/only_plan.h"
#include "engine/plan_cache.h"
#include "estimators/families.h"
#include "io/codec.h"
#include "model/file.h"
#include "pickle/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
    ftl_stream *stream;
    uint64_t file_bytes;
    const char *path;   /* NULL: read from memory */
    const char *folder; /* for side files, with a slash at its end; NULL: refused */
} source;

/* ---- The model's files ------------------------------------------------------------------------ */

/* Notes a file that the model was read from. name: in folder, or the whole path when that is NULL.
 */
static ftl_status note_file(ftl_model *model, const char *folder, const char *name,
                            ftl_error *error)
{
    char real[PATH_MAX];
    const char *path = folder ? ftl_arena_printf(&model->arena, "%s%s", folder, name) : name;
    if (!path)
        return FTL_OOM(error);
    if (strcmp(name, "-") != 0 && realpath(path, real)) /* the working folder may change */
        path = real;
    ftl_model_file *file = FTL_ARENA_NEW(&model->arena, ftl_model_file);
    char *copy = ftl_arena_string(&model->arena, path, strlen(path));
    if (!file || !copy)
        return FTL_OOM(error);
    *file = (ftl_model_file){copy, model->files};
    model->files = file;
    return FTL_OK;
}

static ftl_status note_side_files(ftl_model *model, const char *folder,
                                  const ftl_pickle_report *report, ftl_error *error)
{
    for (const ftl_side_name *side = report->side_files; side; side = side->next)
        FTL_TRY(note_file(model, folder, side->name, error));
    return FTL_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/*
 * Asking for what follows the pickle makes a decoder verify its checksum and a file that it is
 * unchanged.
 */
static ftl_status check_end(ftl_stream *stream, ftl_error *error)
{
    const uint8_t *data;
    size_t available;
    return ftl_stream_ahead(stream, 1, &data, &available, error);
}

/*
 * A model that is damaged because it was rewritten while it was read is an IO error that says so.
 */
static ftl_status blame_change(ftl_stream *stream, ftl_error *error)
{
    ftl_error changed;
    ftl_status status = ftl_stream_verify(stream, &changed);
    if (status == FTL_OK)
        return FTL_CORRUPT;
    if (error)
        *error = changed;
    return status;
}

/*
 * Room for the file's own size at first, then it doubles: a size that only a header claims is not
 * believed.
 */
static ftl_status read_all(ftl_stream *stream, ftl_arena *arena, ftl_budget *budget,
                           uint64_t file_bytes, char **data, size_t *size, ftl_error *error)
{
    const uint64_t least = 64 << 10, most = 1 << 30;
    uint64_t begin = file_bytes < least ? least : file_bytes > most ? most : file_bytes + 2;
    size_t room = 0, used = 0, got = 1;
    char *bytes = NULL;
    while (got) {
        if (used + 1 >= room) {
            size_t bigger = room ? room * 2 : (size_t)begin;
            bytes = bigger > room ? ftl_arena_resize(arena, bytes, used, bigger) : NULL;
            if (!bytes)
                return FTL_OOM(error);
            room = bigger;
        }
        FTL_TRY(ftl_stream_read_some(stream, bytes + used, room - used - 1, &got, error));
        used += got;
        ftl_budget_read(budget, used);
    }
    bytes[used] = '\0';
    *data = bytes;
    *size = used;
    return FTL_OK;
}

static ftl_status load_native(ftl_model *model, const source *from, ftl_file_kind kind,
                              ftl_node **root, ftl_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    FTL_TRY(read_all(from->stream, &model->objects, model->account.budget, from->file_bytes, &bytes,
                     &size, error));
    return ftl_native_root(&model->objects, &model->objects_account, kind, bytes, size, root,
                           error);
}

static ftl_status keep_foreign(ftl_model *model, const ftl_pickle_report *report, ftl_error *error)
{
    size_t before = model->n_foreign; /* of the model's other files */
    const char **names = ftl_arena_array(&model->arena, before + report->n_foreign, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    if (before)
        memcpy(names, model->foreign, before * sizeof *names);
    for (size_t i = 0; i < report->n_foreign; i++) {
        const char *name = report->foreign[i].name;
        names[before + i] = ftl_arena_string(&model->arena, name, strlen(name));
        if (!names[before + i])
            return FTL_OOM(error);
    }
    model->foreign = names;
    model->n_foreign = before + report->n_foreign;
    model->more_foreign |= report->more_foreign;
    return FTL_OK;
}

/* A model that cannot be opened says, too, what its file would make Python call. */
static void warn_of_foreign(const ftl_model *model, ftl_error *error)
{
    if (!error || error->code == FTL_FORBIDDEN || model->n_foreign == 0)
        return;
    const char *name = model->foreign[0];
    bool named = strstr(error->message, name) != NULL;
    size_t used = strlen(error->message);
    (void)snprintf(error->message + used, sizeof error->message - used,
                   "%s%.120s: do not load it with Python unless you trust it",
                   named ? "; the file asks Python for it" : "; the file asks Python to call ",
                   named ? "" : name);
    ftl_utf8_make_printable(error->message, strlen(error->message), false);
}

static ftl_status load_pickle(ftl_model *model, const source *from,
                              const ftl_model_options *options, ftl_node **root, ftl_error *error)
{
    ftl_pickle_report report = {0};
    ftl_pickle_options pickle = {.report = &report,
                                 .max_objects = options->max_objects,
                                 .max_depth = options->max_depth,
                                 .folder = from->folder,
                                 .budget = model->account.budget,
                                 .max_side_bytes = options->max_bytes};
    pickle.projections = ftl_estimator_registry()->projections;
    pickle.n_projections = ftl_estimator_registry()->n_projections;
    /* A file that breaks off, or is no pickle any more, has done its work in Python before. */
    ftl_status status = ftl_pickle_load(from->stream, &model->objects, &pickle, root, error);
    if (report.dangerous && status != FTL_NOMEM)
        return FTL_FAIL_AT(error, FTL_FORBIDDEN, report.dangerous_offset,
                           "the file asks Python to call %.200s, which runs code or reaches the "
                           "system: do not load it with Python",
                           report.dangerous);
    if (status != FTL_NOMEM)
        FTL_TRY(keep_foreign(model, &report, error));
    if (status != FTL_OK)
        return status;
    FTL_TRY(note_side_files(model, from->folder, &report, error));
    return check_end(from->stream, error);
}

/* A file of foretell's own: the model lives in its bytes. */
static ftl_status load_written(ftl_model *model, source *from, const ftl_model_options *options,
                               ftl_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    if (options->select)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "select",
                               "options.select is for files that hold a dict, list or tuple; this "
                               "one holds one model");
    if (options->iterations)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "iterations",
                               "options.iterations is for the libraries' files; this one was "
                               "written with the iterations that it uses");
    const char *wish = options->n_then    ? "then"
                       : options->labels  ? "labels"
                       : options->inverse ? "inverse"
                                          : "threshold";
    if (options->n_then || options->labels || options->threshold_set || options->inverse)
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, wish,
            "options.%s is for the files of the libraries; a model that foretell "
            "wrote stays as it is",
            wish);
    FTL_TRY(read_all(from->stream, &model->arena, model->account.budget, from->file_bytes, &bytes,
                     &size, error));
    return ftl_file_read(model, bytes, size, &model->context->account, error);
}

/*
 * What looks like no model may be a pickle to Python, such as a text that is one of protocol 0:
 * FORBIDDEN when it names functions of the system, else CORRUPT as *error says.
 */
static ftl_status look_for_code(ftl_model *model, const source *from,
                                const ftl_model_options *options, ftl_error *error)
{
    ftl_error ignored;
    ftl_node *root;
    if (load_pickle(model, from, options, &root, &ignored) != FTL_FORBIDDEN)
        return FTL_CORRUPT;
    if (error)
        *error = ignored;
    return FTL_FORBIDDEN;
}

/* The codecs around a file, then what kind of file it is. */
static ftl_status decode(ftl_model *model, source *from, const ftl_model_options *options,
                         const char **codec, ftl_file_kind *kind, ftl_error *error)
{
    char codecs[64] = "";
    /* The streams outlive a model that fails to load: they are charged to the context. */
    FTL_TRY(ftl_codec_decode(&model->context->account, &from->stream,
                             ftl_codec_budget(from->file_bytes, options->max_bytes), codecs,
                             sizeof codecs, error));
    *codec = ftl_arena_string(&model->arena, codecs, strlen(codecs));
    if (!*codec)
        return FTL_OOM(error);
    ftl_status status = ftl_sniff(from->stream, kind, error);
    return status == FTL_CORRUPT && *kind == FTL_FILE_PICKLE
               ? look_for_code(model, from, options, error)
               : status;
}

static ftl_status load_objects(ftl_model *model, const source *from, ftl_file_kind kind,
                               const ftl_model_options *options, ftl_node **root, ftl_error *error)
{
    return kind == FTL_FILE_PICKLE ? load_pickle(model, from, options, root, error)
                                   : load_native(model, from, kind, root, error);
}

/* ---- Parts of other files -------------------------------------------------------------------- */

/* The stream of a path and the folder of its side files; both are freed by close_source. */
static ftl_status open_path(ftl_account *account, const char *path, source *out, ftl_error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = NULL;
    if (strcmp(path, "-") != 0) {
        size_t size = slash ? (size_t)(slash - path) + 1 : 2;
        folder = ftl_alloc(account, size + 1);
        if (!folder)
            return FTL_OOM(error);
        memcpy(folder, slash ? path : "./", size);
        folder[size] = '\0';
    }
    *out = (source){.path = path, .folder = folder};
    ftl_status status = ftl_stream_open_file(account, path, &out->stream, &out->file_bytes, error);
    if (status != FTL_OK)
        ftl_free(account, folder);
    return status;
}

static void close_source(ftl_account *account, source *from)
{
    ftl_stream_close(from->stream);
    ftl_free(account, (char *)(uintptr_t)from->folder);
}

/* An error in a file beside the model's own says which. */
static void name_file(ftl_error *error, const char *path)
{
    char message[FTL_ERROR_MESSAGE_SIZE];
    if (!error || strstr(error->message, path))
        return;
    (void)snprintf(message, sizeof message, "%.240s: %.500s", path, error->message);
    memcpy(error->message, message, sizeof message);
    ftl_utf8_make_printable(error->message, strlen(error->message), false);
}

/* The objects of one more file, which stay with the model's own. */
static ftl_status load_file(ftl_model *model, const char *path, const ftl_model_options *options,
                            ftl_node **root, ftl_error *error)
{
    ftl_account *account = &model->context->account;
    source from;
    const char *codec = NULL;
    ftl_file_kind kind;
    FTL_TRY(open_path(account, path, &from, error));
    ftl_status status = note_file(model, NULL, path, error);
    ftl_budget_next(model->account.budget, from.file_bytes);
    if (status == FTL_OK)
        status = decode(model, &from, options, &codec, &kind, error);
    if (status == FTL_OK && kind == FTL_FILE_FORETELL)
        status = FTL_FAIL(error, FTL_UNSUPPORTED,
                          "a model that foretell wrote is no part of another one");
    if (status == FTL_OK)
        status = load_objects(model, &from, kind, options, root, error);
    if (status != FTL_OK)
        name_file(error, path);
    model->file_bytes += from.file_bytes;
    close_source(account, &from);
    return status;
}

/*
 * "PATH" or "PATH:ENTRY" → the objects of the file, and the entry's name or NULL. A file whose name
 * has a colon goes by its whole name.
 */
static ftl_status load_part(ftl_model *model, const char *part, const ftl_model_options *options,
                            ftl_node **root, const char **entry, ftl_error *error)
{
    const char *colon = strrchr(part, ':');
    *entry = NULL;
    if (!colon || colon == part)
        return load_file(model, part, options, root, error);
    char *path = ftl_arena_string(&model->objects, part, (size_t)(colon - part));
    if (!path)
        return FTL_OOM(error);
    ftl_error local;
    ftl_status status = load_file(model, part, options, root, &local);
    if (status != FTL_IO) {
        if (error && status != FTL_OK)
            *error = local;
        return status;
    }
    *entry = colon + 1;
    return load_file(model, path, options, root, error);
}

/* part: what the caller said; entry: the name in it that root has not. */
static ftl_status no_entry(ftl_model *model, const char *option, const char *part,
                           const ftl_node *root, const char *entry, ftl_error *error)
{
    const char *near = ftl_near_entry(&model->objects, root, entry);
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, option,
                           "options.%s: there is no entry '%.200s'%s%.100s%s", option, part,
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The name of the model's own file: the first that was noted. */
static const char *first_file(const ftl_model *model)
{
    const ftl_model_file *file = model->files;
    while (file && file->next)
        file = file->next;
    return file ? file_name(file->path) : "first";
}

/* info.parts: the names of the chain. */
static ftl_status note_parts(ftl_model *model, const char *const *names, size_t n, ftl_error *error)
{
    const char *parts = names[0];
    for (size_t i = 1; i < n && parts; i++)
        parts = ftl_arena_printf(&model->arena, "%s,%s", parts, names[i]);
    model->selected = parts;
    return parts ? FTL_OK : FTL_OOM(error);
}

/* The models of options->then behind the one that was chosen. */
static ftl_status chain_files(ftl_model *model, const ftl_model_options *options,
                              ftl_choice *choice, ftl_error *error)
{
    size_t n = options->n_then + 1;
    const char **names = ftl_arena_zero_array(&model->objects, n, sizeof *names);
    const ftl_node **nodes = ftl_arena_zero_array(&model->objects, n, sizeof(ftl_node *));
    if (!names || !nodes)
        return FTL_OOM(error);
    if (!choice->node)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_NEEDS_OPTION, "select",
                               "the first file holds several models: name one with options.select");
    names[0] = model->selected ? model->selected : first_file(model);
    nodes[0] = choice->node;
    for (size_t i = 1; i < n; i++) {
        const char *part = options->then[i - 1], *entry = NULL;
        ftl_node *root = NULL;
        if (!part)
            return FTL_FAIL(error, FTL_ARG, "options.then[%zu] is NULL", i - 1);
        FTL_TRY(load_part(model, part, options, &root, &entry, error));
        if (choice->wishes.n_features == 0) /* the names of columns may stand beside any part */
            FTL_TRY(ftl_parts_found(model, ftl_estimator_registry(), root, &choice->wishes, error));
        names[i] = ftl_arena_printf(&model->objects, "%s", file_name(part));
        nodes[i] = entry ? ftl_find_entry(root, entry)
                         : ftl_only_model(model, ftl_estimator_registry(), root);
        if (!nodes[i])
            return no_entry(model, "then", part, root, entry, error);
        if (!names[i])
            return FTL_OOM(error);
    }
    choice->guessed = false;
    model->note = NULL;
    FTL_TRY(note_parts(model, names, n, error));
    choice->node = ftl_chain_node(&model->objects, names, nodes, n, false);
    return choice->node ? FTL_OK : FTL_OOM(error);
}

static ftl_status load_labels(ftl_model *model, const ftl_node *own_root,
                              const ftl_model_options *options, ftl_build_wishes *wishes,
                              ftl_error *error)
{
    const char *part = options->labels, *entry = NULL;
    ftl_node *root = NULL;
    wishes->labels_only_if_fit = false;
    model->labels_entry = NULL;
    if (part[0] == ':') {
        entry = part + 1;
        wishes->labels = ftl_find_entry(own_root, entry);
    } else {
        FTL_TRY(load_part(model, part, options, &root, &entry, error));
        wishes->labels = ftl_find_entry(root, entry);
    }
    return wishes->labels ? FTL_OK
                          : no_entry(model, "labels", part, root ? root : own_root, entry, error);
}

static ftl_status add_files(ftl_model *model, const ftl_node *root,
                            const ftl_model_options *options, ftl_choice *choice, ftl_error *error)
{
    if (options->n_then && !options->then)
        return FTL_FAIL(error, FTL_ARG, "options.n_then is set, but options.then is not");
    if (options->n_then)
        FTL_TRY(chain_files(model, options, choice, error));
    if (options->labels)
        FTL_TRY(load_labels(model, root, options, &choice->wishes, error));
    choice->wishes.threshold = options->threshold;
    choice->wishes.threshold_set = options->threshold_set;
    choice->wishes.inverse = options->inverse;
    choice->wishes.classes = options->classes;
    return FTL_OK;
}

/* A chain that nobody asked for and that is none: the models are listed instead. */
static ftl_status do_not_fit(ftl_model *model, const ftl_node *root, ftl_error *error)
{
    model->note = NULL;
    model->labels_entry = NULL;
    model->has_inverse = false;
    return ftl_list_models(model, ftl_estimator_registry(), root, error);
}

/* What became of a LabelEncoder that stands beside the model. */
static ftl_status note_labels(ftl_model *model, ftl_error *error)
{
    if (!model->labels_entry)
        return FTL_OK;
    const char *before = model->note ? model->note : "";
    model->note = ftl_arena_printf(
        &model->arena,
        model->labels_used ? "%s%sclasses have the names of the file's %s (options.labels FILE:%s)"
                           : "%s%sthe file's %s does not fit the model's classes and is not used",
        before, before[0] ? "; " : "", model->labels_entry, model->labels_entry);
    return model->note ? FTL_OK : FTL_OOM(error);
}

/* Another library's file: its objects, those of the files beside it, then the graph they make. */
static ftl_status build_graph(ftl_model *model, source *from, ftl_file_kind kind,
                              const ftl_model_options *options, ftl_error *error)
{
    const ftl_registry *registry = ftl_estimator_registry();
    ftl_node *root = NULL;
    ftl_choice *choice = FTL_ARENA_NEW(&model->objects, ftl_choice);
    if (!choice)
        return FTL_OOM(error);
    FTL_TRY(load_objects(model, from, kind, options, &root, error));
    FTL_TRY(ftl_select(model, registry, root, options->select, choice, error));
    FTL_TRY(add_files(model, root, options, choice, error));
    if (choice->node) {
        ftl_status status = ftl_estimators_build(model, registry, choice->node, &choice->wishes, -1,
                                                 error);
        if (choice->guessed && (status == FTL_SHAPE || status == FTL_CORRUPT))
            status = do_not_fit(model, root, error);
        FTL_TRY(status);
        FTL_TRY(note_labels(model, error));
    }
    model->root = choice->node;
    model->wishes = &choice->wishes;
    return FTL_OK;
}

static ftl_status load_graph(ftl_model *model, source *from, const ftl_model_options *options,
                             ftl_error *error)
{
    ftl_file_kind kind;
    FTL_TRY(decode(model, from, options, &model->codec, &kind, error));
    ftl_status status = kind == FTL_FILE_FORETELL ? load_written(model, from, options, error)
                                                  : build_graph(model, from, kind, options, error);
    if (status != FTL_OK)
        warn_of_foreign(model, error);
    if (!model->open_width)
        ftl_arena_free(&model->objects);
    return status == FTL_CORRUPT ? blame_change(from->stream, error) : status;
}

/* What ftl_model_release does with the last reference. */
static void close_model(ftl_model *model)
{
    if (model->listed)
        ftl_context_remove_model(model->context, model);
    ftl_plan_cache_destroy(model);
    ftl_arena_free(&model->objects);
    ftl_arena_free(&model->arena);
    ftl_free(&model->context->account, model);
}

static ftl_status new_model(ftl_context *context, uint64_t file_bytes, ftl_model **out,
                            ftl_error *error)
{
    ftl_model *model = ftl_alloc_zero(&context->account, 1, sizeof *model);
    if (!model)
        return FTL_OOM(error);
    model->context = context;
    model->serial = atomic_fetch_add_explicit(&context->models_made, 1, memory_order_relaxed) + 1;
    atomic_init(&model->references, 1);
    model->close = close_model;
    ftl_account_init_child(&model->account, &context->account);
    ftl_model_init_accounts(model);
    ftl_arena_init(&model->arena, &model->account);
    ftl_account_init_child(&model->objects_account, &model->account);
    ftl_arena_init(&model->objects, &model->objects_account);
    model->file_bytes = file_bytes;
    ftl_status status = ftl_plan_cache_create(model, error);
    if (status != FTL_OK) {
        ftl_free(&context->account, model);
        return status;
    }
    *out = model;
    return FTL_OK;
}

/*
 * The model is open, or failed to: from here on it may hold what plans and sessions take. Whatever
 * a request beyond the budget led to (out of memory, a missing attribute), the file is at fault.
 */
static ftl_status end_budget(ftl_model *model, ftl_status status, ftl_error *error)
{
    const ftl_budget *budget = model->account.budget;
    model->account.budget = NULL;
    model->read_bytes = budget->bytes;
    if (!budget->passed)
        return status;
    return FTL_FAIL(error, FTL_LIMIT,
                    "the model blows up: making it of %llu bytes takes too much memory or time, as "
                    "it refers to the same parts over and over",
                    (unsigned long long)budget->bytes);
}

static void find_text_input(ftl_model *model)
{
    size_t i = 0;
    while (i < model->graph.n_inputs && model->inputs[i].batch_type != FTL_STRING)
        i++;
    model->first_text_input = i;
}

static ftl_status open_source(ftl_context *context, source *from, const ftl_model_options *options,
                              ftl_model **out, ftl_error *error)
{
    ftl_model *model = NULL;
    FTL_TRY(new_model(context, from->file_bytes, &model, error));
    model->iterations = options->iterations;
    /*
     * Those of another width than a file says (ftl_model_with_inputs) are not listed: sessions hold
     * some, and end while the list is walked.
     */
    ftl_context_add_model(context, model);
    model->listed = true;
    ftl_budget budget = {.bytes = from->file_bytes};
    model->account.budget = &budget;
    ftl_status status = from->path ? note_file(model, NULL, from->path, error) : FTL_OK;
    if (status == FTL_OK)
        status = load_graph(model, from, options, error);
    if (status == FTL_OK)
        status = ftl_model_validate(model, &model->account, error);
    status = end_budget(model, status, error);
    find_text_input(model);
    if (status == FTL_OK && options->only_plan)
        status = ftl_model_keep_only_plan(model, options->only_plan, error);
    if (status != FTL_OK) {
        ftl_model_release(model);
        return status;
    }
    *out = model;
    return FTL_OK;
}

/* "PATH:ENTRY", of a file that is not called so: the path alone, and the entry to select. */
static ftl_status open_entry(ftl_context *context, const char *path, ftl_model_options *options,
                             source *from, char **alone, ftl_error *error)
{
    ftl_status status = open_path(&context->account, path, from, error);
    const char *colon = strrchr(path, ':');
    if (status != FTL_IO || options->select || !colon || colon == path)
        return status;
    size_t size = (size_t)(colon - path);
    char *copy = ftl_alloc(&context->account, size + 1);
    if (!copy)
        return FTL_OOM(error);
    memcpy(copy, path, size);
    copy[size] = '\0';
    ftl_error ignored;
    if (open_path(&context->account, copy, from, &ignored) != FTL_OK) {
        ftl_free(&context->account, copy);
        return status;
    }
    *alone = copy;
    options->select = colon + 1;
    return FTL_OK;
}

ftl_status ftl_model_open(ftl_context *context, const char *path, const ftl_model_options *options,
                          ftl_model **out, ftl_error *error)
{
    if (!context || !path || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_model_open needs a context, a path and a place for the model");
    ftl_model_options chosen;
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_model_options", error));
    source from;
    char *alone = NULL;
    FTL_TRY(open_entry(context, path, &chosen, &from, &alone, error));
    ftl_status status = open_source(context, &from, &chosen, out, error);
    close_source(&context->account, &from);
    ftl_free(&context->account, alone);
    return status;
}

ftl_status ftl_model_open_memory(ftl_context *context, const void *data, size_t size,
                                 const ftl_model_options *options, ftl_model **out,
                                 ftl_error *error)
{
    if (!context || (!data && size) || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_model_open_memory needs a context, bytes and a place for the model");
    ftl_model_options chosen;
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_model_options", error));
    source from = {.file_bytes = size};
    FTL_TRY(ftl_stream_open_memory(&context->account, data, size, &from.stream, error));
    ftl_status status = open_source(context, &from, &chosen, out, error);
    ftl_stream_close(from.stream);
    return status;
}

ftl_status ftl_model_with_inputs(const ftl_model *model, size_t n_inputs, ftl_model **out,
                                 ftl_error *error)
{
    if (!model || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_model_with_inputs needs a model and a place for the new one");
    if (!model->open_width)
        return FTL_FAIL(error, FTL_ARG, "%s says itself that it takes %zu columns",
                        model->class_name, model->graph.n_inputs);
    if (n_inputs > 1 << 20)
        return FTL_FAIL(error, FTL_LIMIT, "more than a million columns");
    ftl_model *made = NULL;
    FTL_TRY(new_model(model->context, model->file_bytes, &made, error));
    made->iterations = model->iterations;
    made->codec = ftl_arena_string(&made->arena, model->codec, strlen(model->codec));
    ftl_budget budget = {.bytes = model->read_bytes};
    made->account.budget = &budget;
    ftl_status status = made->codec ? FTL_OK : FTL_OOM(error);
    for (const ftl_model_file *file = model->files; file && status == FTL_OK; file = file->next)
        status = note_file(made, NULL, file->path, error);
    if (status == FTL_OK)
        status = ftl_estimators_build(made, ftl_estimator_registry(), model->root, model->wishes,
                                      (int64_t)n_inputs, error);
    if (status == FTL_OK)
        status = ftl_model_validate(made, &made->account, error);
    status = end_budget(made, status, error);
    find_text_input(made);
    if (status != FTL_OK) {
        ftl_model_release(made);
        return status;
    }
    *out = made;
    return FTL_OK;
}
