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

srv_model *srv_lookup_path(srv_request *request, srv_text path, int *status, ftl_error *error)
{
    srv_catalog *catalog = request->server->catalog;
    memo *place = request->on_loop ? memo_of(request->loop, path) : NULL;
    if (place && place->model && place->until > request->loop->now && place->size == path.size &&
        memcmp(place->text, path.data, path.size) == 0)
        return place->model;
    srv_model *model = srv_catalog_at_path(catalog, path, status, error);
    if (place && model) {
        *place = (memo){.model = model, .until = request->loop->now + memo_time, .size = path.size};
        memcpy(place->text, path.data, path.size);
    }
    return model;
}

void srv_lookup_free(srv_loop *loop)
{
    ftl_free(srv_account_of(loop->server), loop->memo);
    loop->memo = NULL;
}
