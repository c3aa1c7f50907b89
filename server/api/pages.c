/* Pages for people. */
#include "api/pages.h"

#include "api/api.h"
#include "api/assets.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_POLICY(style, worker)                                                \
    "default-src 'none'; script-src 'self'; style-src " style "; img-src 'self' " \
    "data:; connect-src 'self'; font-src 'self' data:; worker-src " worker        \
    "; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
/* Ours need no exception. Swagger UI and ReDoc write styles, and ReDoc searches in a worker. */
static const char own_policy[] = PAGE_POLICY("'self'", "'none'");
static const char docs_policy[] = PAGE_POLICY("'self' 'unsafe-inline'", "'self' blob:");

/* Everything that /assets/ has. */
static const struct page_file {
    const char *name, *type;
    const char *installed; /* below the web root; NULL: compiled in */
} files[] = {
    {"app.js", "text/javascript; charset=utf-8", NULL},
    {"form.js", "text/javascript; charset=utf-8", NULL},
    {"style.css", "text/css; charset=utf-8", NULL},
    {"icon.svg", "image/svg+xml", NULL},
    {"docs.js", "text/javascript; charset=utf-8", NULL},
    {"redoc.js", "text/javascript; charset=utf-8", NULL},
    {"swagger-ui-bundle.js", "text/javascript; charset=utf-8", "swagger-ui/swagger-ui-bundle.js"},
    {"swagger-ui.css", "text/css; charset=utf-8", "swagger-ui/swagger-ui.css"},
    {"redoc.standalone.js", "text/javascript; charset=utf-8", "redoc/redoc.standalone.js"},
};

ftl_status srv_pages_init(srv_server *server, ftl_error *error)
{
    if (!ftl_server_web_root())
        srv_log(server, "warning", "pages",
                "/docs and /redoc need share/foretell/web beside the program's folder");
    return srv_openapi_init(server, error);
}

const srv_asset *srv_asset_find(const char *name)
{
    for (size_t i = 0; i < srv_n_embedded; i++) {
        if (strcmp(srv_embedded[i].name, name) == 0)
            return &srv_embedded[i];
    }
    return NULL;
}

/* ---- What the client has already ------------------------------------------------------------- */

/* If-None-Match: "a", W/"b" or *. */
static bool names_tag(srv_text list, const char *etag)
{
    size_t size = strlen(etag);
    if (srv_text_is(list, "*"))
        return true;
    for (size_t i = 0; i + size <= list.size; i++) {
        if (memcmp(list.data + i, etag, size) == 0)
            return true;
    }
    return false;
}

bool srv_not_modified(srv_request *request, const char *etag)
{
    srv_text known = srv_request_header(request, "if-none-match");
    srv_add_header(request, "ETag", etag);
    srv_add_header(request, "Cache-Control", "no-cache"); /* may be kept, is asked for again */
    if (!known.data || !names_tag(known, etag))
        return false;
    srv_reply(request, 304, NULL);
    return true;
}

static void put_safety(srv_request *request, const char *policy)
{
    srv_add_header(request, "Content-Security-Policy", policy);
    srv_add_header(request, "X-Content-Type-Options", "nosniff");
    srv_add_header(request, "Referrer-Policy", "no-referrer");
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* A page, with the way to the server's top where it says {{top}}: a proxy may add a prefix. */
static srv_result reply_page(srv_request *request, const char *name, const char *top,
                             const char *policy)
{
    static const char mark[] = "{{top}}";
    const srv_asset *page = srv_asset_find(name);
    if (!page)
        return srv_reply_error(request, 500, "the program was built without the page %s", name);
    put_safety(request, policy);
    if (srv_not_modified(request, page->etag))
        return SRV_DONE;
    const char *at = page->data, *end = page->data + page->size;
    for (;;) {
        const char *found = memmem(at, (size_t)(end - at), mark, sizeof mark - 1);
        ftl_strbuf_append(&request->out, at, (size_t)((found ? found : end) - at));
        if (!found)
            break;
        ftl_strbuf_puts(&request->out, top);
        at = found + sizeof mark - 1;
    }
    return srv_reply(request, 200, "text/html; charset=utf-8");
}

srv_result srv_page_models(srv_request *request)
{
    return reply_page(request, "index.html", "", own_policy);
}

static srv_result reply_docs(srv_request *request, const char *name, const char *top)
{
    if (!ftl_server_web_root())
        return srv_reply_error(request, 404,
                               "this page needs share/foretell/web beside the program's folder; "
                               "/openapi.json is the description itself");
    return reply_page(request, name, top, docs_policy);
}

srv_result srv_page_docs(srv_request *request) { return reply_docs(request, "docs.html", ""); }
srv_result srv_page_api_docs(srv_request *request)
{
    return reply_docs(request, "docs.html", "../../");
}
srv_result srv_page_redoc(srv_request *request) { return reply_docs(request, "redoc.html", ""); }

/* ---- Files of pages -------------------------------------------------------------------------- */

static bool read_whole(int descriptor, size_t size, ftl_strbuf *out)
{
    char *at = ftl_strbuf_extend(out, size);
    for (size_t done = 0; at && done < size;) {
        ssize_t n = read(descriptor, at + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return at != NULL;
}

/* From the installation: its names are ours, the client chose among them. */
static srv_result reply_installed(srv_request *request, const struct page_file *file)
{
    char path[PATH_MAX], etag[64];
    struct stat about;
    const char *root = ftl_server_web_root();
    if (request->on_loop)
        return SRV_DEFER;
    int size = snprintf(path, sizeof path, "%s/%s", root ? root : "", file->installed);
    int descriptor = root && size < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    srv_result result = SRV_DONE;
    if (descriptor < 0 || fstat(descriptor, &about) != 0) {
        result = srv_reply_error(request, 404, "%s is not installed", file->name);
    } else {
        snprintf(etag, sizeof etag, "\"%llx-%llx\"", (unsigned long long)about.st_mtime,
                 (unsigned long long)about.st_size);
        put_safety(request, own_policy);
        if (srv_not_modified(request, etag))
            result = SRV_DONE;
        else if (read_whole(descriptor, (size_t)about.st_size, &request->out))
            result = srv_reply(request, 200, file->type);
        else
            result = srv_reply_error(request, 500, "%s cannot be read", file->name);
    }
    if (descriptor >= 0)
        close(descriptor);
    return result;
}

srv_result srv_page_asset(srv_request *request)
{
    const struct page_file *file = NULL;
    for (size_t i = 0; i < FTL_ARRAY_LEN(files) && !file; i++)
        file = srv_text_is(request->params[0], files[i].name) ? &files[i] : NULL;
    if (!file)
        return srv_reply_error(request, 404, "the pages have no such file");
    if (file->installed)
        return reply_installed(request, file);
    const srv_asset *asset = srv_asset_find(file->name);
    if (!asset)
        return srv_reply_error(request, 500, "the program was built without %s", file->name);
    put_safety(request, own_policy);
    if (srv_not_modified(request, asset->etag))
        return SRV_DONE;
    ftl_strbuf_append(&request->out, asset->data, asset->size);
    return srv_reply(request, 200, file->type);
}
