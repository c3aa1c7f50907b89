#include "serving/lookup.h"

#include "base/hash.h"

#include <string.h>

enum { MEMO_SLOTS = 256, MEMO_TEXT = 232 };

/* A second: as long as the cache takes to see that a file has changed. */
static const uint64_t memo_time = UINT64_C(1000000000);

typedef struct memo {
    srv_model *model;
    uint64_t until;
    size_t size;
    char text[MEMO_TEXT];
} memo;

static memo *memo_of(srv_loop *loop, srv_text path)
{
    if (path.size > MEMO_TEXT)
        return NULL;
    if (!loop->memo)
        loop->memo = ftl_alloc_zero(srv_account_of(loop->server), MEMO_SLOTS, sizeof(memo));
    memo *all = loop->memo;
    return all ? &all[ftl_hash_bytes(ftl_hash_seed(), path.data, path.size) % MEMO_SLOTS] : NULL;
}

/* What the loop remembers of a key; NULL: nothing that is still good. */
static srv_model *recall(const srv_request *request, const memo *place, srv_text key)
{
    bool good = place && place->model && place->until > request->loop->now &&
                place->size == key.size && memcmp(place->text, key.data, key.size) == 0;
    return good ? place->model : NULL;
}

static void remember(const srv_request *request, memo *place, srv_text key, srv_model *model)
{
    if (!place || !model)
        return;
    *place = (memo){.model = model, .until = request->loop->now + memo_time, .size = key.size};
    memcpy(place->text, key.data, key.size);
}

srv_model *srv_lookup_path(srv_request *request, srv_text path, int *status, ftl_error *error)
{
    memo *place = request->on_loop ? memo_of(request->loop, path) : NULL;
    srv_model *model = recall(request, place, path);
    if (!model) {
        model = srv_catalog_at_path(request->server->catalog, path, status, error);
        remember(request, place, path, model);
    }
    return model;
}

/* A key that no path is: a line break, the name, and behind another one the version. */
static srv_text key_of(srv_text name, srv_text version, char room[MEMO_TEXT])
{
    size_t size = 1 + name.size + (version.data ? 1 + version.size : 0);
    if (size > MEMO_TEXT)
        return (srv_text){0};
    room[0] = '\n';
    memcpy(room + 1, name.data, name.size);
    if (version.data) {
        room[1 + name.size] = '\n';
        memcpy(room + 2 + name.size, version.data, version.size);
    }
    return (srv_text){room, size};
}

static int printed(srv_text text) { return (int)(text.size < 100 ? text.size : 100); }

srv_model *srv_lookup_name(srv_request *request, srv_text name, srv_text version,
                           srv_result *result)
{
    char room[MEMO_TEXT];
    ftl_error error;
    int status = 404;
    srv_text key = key_of(name, version, room);
    memo *place = request->on_loop && key.data ? memo_of(request->loop, key) : NULL;
    srv_model *model = recall(request, place, key);
    if (model)
        return model;
    ftl_error_clear(&error);
    model = srv_catalog_named(request->server->catalog, name, version);
    if (!model && !version.data)
        model = srv_catalog_at_path(request->server->catalog, name, &status, &error);
    remember(request, place, key, model);
    if (!model && version.data)
        *result = srv_reply_error(request, 404, "there is no version %.*s of a model %.*s",
                                  printed(version), version.data, printed(name), name.data);
    else if (!model)
        *result = srv_reply_error(request, 404, "there is no model %.*s", printed(name), name.data);
    return model;
}

/* The models of the command line, for who names none. */
typedef struct name_list {
    srv_model *last; /* of the one that comes last, the latest version */
    size_t n;        /* different names */
    char text[400];  /* the names */
    size_t size;
} name_list;

static void add_name(void *user, srv_model *model)
{
    name_list *list = user;
    bool again = list->last && strcmp(list->last->name, model->name) == 0;
    list->last = model;
    if (again)
        return;
    size_t size = strlen(model->name), room = sizeof list->text - list->size;
    if (list->n++ < 20 && size + 2 < room) {
        memcpy(list->text + list->size, ", ", 2);
        memcpy(list->text + list->size + 2, model->name, size);
        list->size += size + 2;
    }
}

/* A query's value, as it is meant. */
static bool decode(srv_request *request, srv_text *text)
{
    char *copy = ftl_arena_string(&request->scratch, text->data, text->size);
    text->data = copy;
    return copy && srv_percent_decode(copy, &text->size);
}

srv_model *srv_lookup_only(srv_request *request, srv_result *result)
{
    name_list list = {0};
    srv_text given = srv_request_header(request, "x-foretell-model");
    if (!given.size) {
        given = srv_request_query(request, "model");
        if (given.size && !decode(request, &given)) {
            *result = srv_reply_error(request, 400, "the query's model is no text");
            return NULL;
        }
    }
    if (given.size)
        return srv_lookup_name(request, given, (srv_text){0}, result);
    const srv_text key = {"\n", 1}; /* of the model without a name; see key_of */
    memo *place = request->on_loop ? memo_of(request->loop, key) : NULL;
    srv_model *model = recall(request, place, key);
    if (model)
        return model;
    srv_catalog_each(request->server->catalog, add_name, &list);
    if (list.n == 1) {
        remember(request, place, key, list.last);
        return list.last;
    }
    *result = srv_reply_error(
        request, list.n ? 400 : 404,
        list.n ? "say which model: X-Foretell-Model or ?model= may be %.*s%s"
               : "the server has no model of its own%.*s%s; say a path beneath model-root with "
                 "X-Foretell-Model or ?model=",
        (int)(list.size ? list.size - 2 : 0), list.text + 2, list.n > 20 ? ", ..." : "");
    return NULL;
}

void srv_lookup_free(srv_loop *loop)
{
    ftl_free(srv_account_of(loop->server), loop->memo);
    loop->memo = NULL;
}
