/*
 * What a JSON document is: where its rows stand, and what its columns are called.
 *
 *     {…}\n{…}                                  lines, or values one after the other
 *     [{…}, {…}]   [[…], […]]                   an array of rows
 *     {"columns": […], "data": [[…], […]]}      pandas' split; members before the data are passed
 *     {"schema": {…}, "data": [{…}, {…}]}       pandas' table; and any member that is such an array
 *     {"0": {"a": …}, "1": {…}}                 pandas' index: rows by their labels
 *     {"a": {"0": …, "1": …}, "b": {…}}         pandas' columns
 *     {"a": […], "b": […]}                      lists
 *
 * The last two have their columns one after the other, and are held in memory.
 */
#include "base/utf8.h"
#include "io/json.h"
#include "table/json.h"

#include <string.h>

/* Rows whose names are looked at before the first is read. */
enum { SHOWN = 64 << 10, MOST_SHOWN = FTL_RECORD_LIMIT + 1024 };

/* ---- Names ------------------------------------------------------------------------------------ */

/* The keys of an object, or how many elements an array has. */
static ftl_status see_row(const ftl_json_table *json, ftl_table *table, ftl_json_names *names,
                          ftl_arena *arena, const char *text, size_t size, size_t *n_elements,
                          ftl_error *error)
{
    ftl_json row;
    ftl_json_token token;
    ftl_json_init(&row, text, size, FTL_JSON_NONFINITE);
    FTL_TRY(ftl_json_next(&row, &token, error));
    if (token != (json->objects ? FTL_JSON_OBJECT : FTL_JSON_ARRAY))
        return FTL_FAIL(error, FTL_SCHEMA, "a row is no %s", json->objects ? "object" : "array");
    for (*n_elements = 0;; ++*n_elements) {
        FTL_TRY(ftl_json_next(&row, &token, error));
        if (token == FTL_JSON_OBJECT_END || token == FTL_JSON_ARRAY_END)
            return ftl_json_next(&row, &token, error); /* nothing follows */
        if (token == FTL_JSON_KEY) {
            const char *name;
            size_t length;
            FTL_TRY(ftl_json_copy(&row, arena, &name, &length, error));
            if (!memchr(name, 0, length)) /* no name of a column holds a NUL */
                FTL_TRY(ftl_json_add_name(names, &table->arena, name, length, NULL, error));
            FTL_TRY(ftl_json_next(&row, &token, error));
        }
        FTL_TRY(ftl_json_skip(&row, error));
    }
}

static ftl_status first_row_bad(const ftl_json_span *row, ftl_error *error)
{
    if (error) {
        ftl_error why = *error;
        ftl_error_set(error, why.code, "line %lld, the first row: %s", (long long)row->line,
                      why.message);
        error->line = row->line;
    }
    return error ? error->code : FTL_CORRUPT;
}

/* Looks at the rows in the bytes that are shown. *n_rows: how many there were; *more: the first row
 * needs more bytes. */
static ftl_status see_rows(ftl_table *table, ftl_json_names *names, ftl_arena *arena,
                           const uint8_t *data, size_t size, bool final, bool *more,
                           ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_cut cut = json->cut;
    const char *what = NULL;
    *more = false;
    for (size_t n = 0;; n++) {
        ftl_json_span row;
        size_t n_elements = 0;
        ftl_json_found found = ftl_json_cut_row(&cut, json->layout, data, size, final, &row, &what);
        if (n == 0 && found == FTL_JSON_DAMAGE)
            return ftl_json_damaged(json, what, error);
        if (n == 0 && found == FTL_JSON_END)
            return FTL_FAIL(error, FTL_SCHEMA,
                            "the table is empty: without a row its columns have no names");
        if (n == 0)
            *more = found == FTL_JSON_MORE;
        if (found != FTL_JSON_ROW || row.size > table->max_record)
            return n == 0 && found == FTL_JSON_ROW
                       ? FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE,
                                         "max_record_bytes",
                                         "line %lld: the first row is longer than %zu bytes; raise "
                                         "the limit with options.max_record_bytes",
                                         (long long)row.line, table->max_record)
                       : FTL_OK;
        const char *text = (const char *)data + row.start;
        if (n == 0 && (json->layout == FTL_JSON_LINES || json->layout == FTL_JSON_SEQUENCE))
            json->objects = text[0] == '{';
        if (n == 0 && !ftl_utf8_valid(text, row.size))
            return FTL_FAIL_OPTION(error, FTL_VALUE, FTL_REASON_BAD_CELL, "encoding",
                                   "line %lld: the first row is not UTF-8; give the encoding of "
                                   "the file with options.encoding, such as 'latin-1' or 'cp1252'",
                                   (long long)row.line);
        ftl_error why;
        ftl_error_clear(&why);
        ftl_status status = see_row(json, table, names, arena, text, row.size, &n_elements, &why);
        if (status == FTL_NOMEM || (status != FTL_OK && n == 0)) {
            if (error)
                *error = why;
            return status == FTL_NOMEM ? status : (first_row_bad(&row, error), status);
        }
        if (n == 0)
            table->info.n_columns = n_elements;
        if (status != FTL_OK || !json->objects) /* a bad row is told of when it is read */
            return FTL_OK;
    }
}

/* The bytes up to the end of the first line that is not blank, without those that follow. */
static ftl_status show_first_line(ftl_table *table, const uint8_t **data, size_t *size,
                                  ftl_error *error)
{
    const ftl_json_table *json = table->state;
    ftl_json_cut cut = json->cut;
    ftl_json_found found;
    for (size_t min = 1;; min = *size + 1) {
        ftl_json_span row;
        const char *what;
        FTL_TRY(ftl_stream_ahead(table->stream, min, data, size, error));
        found = ftl_json_cut_row(&cut, FTL_JSON_LINES, *data, *size, *size < min, &row, &what);
        if (found != FTL_JSON_MORE || *size - cut.at > table->max_record)
            break;
    }
    *size = found == FTL_JSON_ROW ? cut.at : *size; /* else see_rows tells what is wrong */
    return FTL_OK;
}

/* Names the columns by the first row alone. */
static ftl_status name_early(ftl_table *table, ftl_json_names *names, ftl_arena *arena,
                             ftl_error *error)
{
    const uint8_t *data;
    size_t size;
    bool more;
    FTL_TRY(show_first_line(table, &data, &size, error));
    return see_rows(table, names, arena, data, size, true, &more, error);
}

/* Names the columns by the first rows, unless names are known. */
static ftl_status name_columns(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_names names = {.account = table->account};
    ftl_arena arena;
    ftl_arena_init(&arena, table->account);
    ftl_status status = FTL_OK;
    bool more = !table->flush_early;
    if (table->flush_early)
        status = name_early(table, &names, &arena, error);
    for (size_t min = SHOWN; more && status == FTL_OK;) {
        const uint8_t *data;
        size_t size;
        status = ftl_stream_ahead(table->stream, min, &data, &size, error);
        if (status != FTL_OK)
            break;
        bool final = size < min;
        size = final ? size : min; /* whatever else is shown: names do not depend on it */
        status = see_rows(table, &names, &arena, data, size, final, &more, error);
        if (status == FTL_OK && more && size > table->max_record)
            status = FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
                                     "line %lld: the first row is longer than %zu bytes; raise the "
                                     "limit with options.max_record_bytes",
                                     (long long)json->cut.line, table->max_record);
        min = 2 * min < MOST_SHOWN ? 2 * min : MOST_SHOWN;
    }
    if (status == FTL_OK && json->objects)
        status = ftl_json_set_names(&names, table, error);
    if (status == FTL_OK && table->info.n_columns == 0)
        status = FTL_FAIL(error, FTL_SCHEMA, "the table has no columns: its rows are empty");
    ftl_json_names_free(&names);
    ftl_arena_free(&arena);
    return status;
}

/* The names in the array "columns" of a document. */
static ftl_status read_columns(ftl_table *table, ftl_error *error)
{
    const char *text;
    size_t size;
    ftl_json json;
    ftl_json_token token;
    FTL_TRY(ftl_json_show_value(table, &text, &size, error));
    /* an element has a comma or the bracket behind it */
    table->names = ftl_arena_array(&table->arena, size, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    ftl_json_init(&json, text, size, 0);
    FTL_TRY(ftl_json_next(&json, &token, error));
    size_t n = 0;
    for (;; n++) {
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token == FTL_JSON_ARRAY_END)
            break;
        if (token != FTL_JSON_STRING && token != FTL_JSON_NUMBER)
            return FTL_FAIL(error, FTL_SCHEMA, "the name of column %zu is no text", n + 1);
        size_t length;
        if (token == FTL_JSON_STRING)
            FTL_TRY(ftl_json_copy(&json, &table->arena, &table->names[n], &length, error));
        else
            table->names[n] = ftl_arena_string(&table->arena, json.text, json.text_size);
        if (!table->names[n])
            return FTL_OOM(error);
    }
    table->info.n_columns = n;
    ftl_stream_consume(table->stream, size);
    return n ? FTL_OK : FTL_FAIL(error, FTL_SCHEMA, "the table has no columns");
}

/* ---- Shapes ----------------------------------------------------------------------------------- */

static ftl_status begin_array(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    char c;
    FTL_TRY(ftl_json_expect(table, '[', "an array is missing", error));
    FTL_TRY(ftl_json_peek(table, &c, error));
    if (c == '{' || c == '[' || c == ']') {
        json->layout = FTL_JSON_ELEMENTS;
        json->objects = c == '{';
        if (c == '[' && table->names)
            return FTL_OK;
        if (c == ']' && table->names)
            return FTL_OK;
        if (c == '{')
            table->names = NULL; /* of the schema; the rows have their own */
        return name_columns(table, error);
    }
    if (c == 0)
        return ftl_json_damaged(json, "it ends too early", error);
    return FTL_FAIL(error, FTL_SCHEMA,
                    "line %lld: the array holds single values, not rows; rows are objects or "
                    "arrays, as in [[1, 2], [3, 4]]",
                    (long long)json->cut.line);
}

/* An object of which a member is the array of rows: the members before it are passed. */
static ftl_status begin_wrapped(ftl_table *table, const char *rows, ftl_error *error)
{
    ftl_json_table *json = table->state;
    char c;
    json->wrapped = true;
    FTL_TRY(ftl_json_expect(table, '{', "an object is missing", error));
    for (;;) {
        const char *text;
        size_t size;
        FTL_TRY(ftl_json_peek(table, &c, error));
        if (c != '"')
            return ftl_json_damaged(
                json, c ? "the name of a member is missing" : "it ends too early", error);
        FTL_TRY(ftl_json_show_value(table, &text, &size, error));
        bool is_rows = size == strlen(rows) + 2 && memcmp(text + 1, rows, size - 2) == 0;
        bool is_names = size == 9 && memcmp(text, "\"columns\"", 9) == 0;
        ftl_stream_consume(table->stream, size);
        FTL_TRY(ftl_json_expect(table, ':', "there is no colon behind a name", error));
        FTL_TRY(ftl_json_peek(table, &c, error));
        if (is_rows && c == '[')
            return begin_array(table, error);
        if (is_names && c == '[')
            FTL_TRY(read_columns(table, error));
        else
            FTL_TRY(ftl_json_pass_value(table, error));
        FTL_TRY(ftl_json_peek(table, &c, error));
        if (c == '}')
            return FTL_FAIL(error, FTL_SCHEMA, "the document has no array \"%s\" of rows", rows);
        FTL_TRY(ftl_json_expect(table, ',', "a comma is missing", error));
    }
}

/* What the first members of an object look like, as far as they are shown. */
typedef struct glance {
    bool incomplete;          /* more bytes are needed to tell */
    bool another;             /* something follows the whole object */
    bool line;                /* the object stands on a line of its own */
    const char *first, *next; /* first bytes of keys, behind their quotes */
    size_t first_size;
    char value, inner; /* the first byte of the first value, and the first inside of it */
    const char *inner_key;
    size_t inner_size;
    bool next_is_columns;
} glance;

static size_t pass_space(const uint8_t *data, size_t at, size_t size)
{
    while (at < size && memchr(" \t\r\n", data[at], 4))
        at++;
    return at;
}

/* The key at `at`: its size between the quotes; false: it is none, or not wholly shown. */
static bool glance_key(const uint8_t *data, size_t *at, size_t size, const char **key, size_t *n)
{
    ftl_json_scan scan = {0};
    *at = pass_space(data, *at, size);
    if (*at == size || data[*at] != '"' ||
        !ftl_json_scan_value(&scan, data + *at, size - *at, false))
        return false;
    *key = (const char *)data + *at + 1;
    *n = scan.at - 2;
    *at = pass_space(data, *at + scan.at, size);
    if (*at == size || data[*at] != ':')
        return false;
    *at = pass_space(data, *at + 1, size);
    return *at < size;
}

/* data begins with the brace. */
static void look(const uint8_t *data, size_t size, glance *g)
{
    *g = (glance){.incomplete = true};
    ftl_json_scan whole = {0}, value = {0};
    if (ftl_json_scan_value(&whole, data, size, false)) {
        size_t behind = pass_space(data, whole.at, size);
        g->incomplete = false;
        g->another = behind < size;
        g->line = !memchr(data, '\n', whole.at) && memchr(data + whole.at, '\n', behind - whole.at);
    }
    size_t at = 1;
    if (!glance_key(data, &at, size, &g->first, &g->first_size))
        return;
    g->value = (char)data[at];
    size_t inside = pass_space(data, at + 1, size);
    if (g->value == '[' || g->value == '{')
        g->inner = inside < size ? (char)data[inside] : 0;
    if (g->value == '{' && !glance_key(data, &inside, size, &g->inner_key, &g->inner_size))
        g->inner_key = NULL;
    bool tells = g->value != '[' && (g->value != '{' || g->inner_key);
    bool index = g->first_size == 5 && memcmp(g->first, "index", 5) == 0;
    if (g->value == '[' && g->inner)
        tells = !index;
    if (index && ftl_json_scan_value(&value, data + at, size - at, false)) {
        const char *key;
        size_t n;
        at = pass_space(data, at + value.at, size);
        if (at < size && data[at++] == ',' && glance_key(data, &at, size, &key, &n)) {
            tells = true;
            g->next_is_columns = n == 7 && memcmp(key, "columns", 7) == 0;
        }
    }
    if (tells)
        g->incomplete = false;
}

static bool is_label(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return size > 0;
}

/* A document that is one object. */
static ftl_status begin_object(ftl_table *table, const glance *g, ftl_error *error)
{
    ftl_json_table *json = table->state;
    bool columns = g->first_size == 7 && memcmp(g->first, "columns", 7) == 0;
    bool schema = g->first_size == 6 && memcmp(g->first, "schema", 6) == 0;
    if (g->incomplete)
        return ftl_json_damaged(json, "it ends too early", error);
    if (!g->first)
        return FTL_FAIL(error, FTL_SCHEMA, "the document is an object without rows");
    if (g->value != '[' && g->value != '{') {
        json->layout = FTL_JSON_SEQUENCE; /* the one row */
        return name_columns(table, error);
    }
    if ((columns && g->value == '[') || (schema && g->value == '{') || g->next_is_columns)
        return begin_wrapped(table, "data", error);
    if (g->value == '[' && g->inner == '{') {
        const char *rows = ftl_arena_string(&table->arena, g->first, g->first_size);
        if (!rows)
            return FTL_OOM(error);
        return begin_wrapped(table, rows, error);
    }
    if (g->value == '[' && g->inner == '[')
        return FTL_FAIL(error, FTL_SCHEMA,
                        "the document begins with an array of arrays, and the names of its columns "
                        "are not there yet: \"columns\" stands before \"data\"");
    if (g->value == '[')
        return ftl_json_columns_open(table, false, error);
    bool outer = is_label(g->first, g->first_size);
    bool inner = g->inner_key && is_label(g->inner_key, g->inner_size);
    if (g->inner_key && inner == outer)
        return FTL_FAIL(
            error, FTL_UNSUPPORTED,
            "the document is an object of objects, and nothing tells rows from columns; "
            "write it with pandas' orient='records', or as JSON lines");
    if (inner || !g->inner_key)
        return ftl_json_columns_open(table, true, error);
    json->layout = FTL_JSON_MEMBERS;
    json->objects = true;
    FTL_TRY(ftl_json_expect(table, '{', "an object is missing", error));
    return name_columns(table, error);
}

/* Whether another value follows the array that begins the document; its elements are no rows. */
static ftl_status begin_lists(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    const uint8_t *data;
    size_t size;
    ftl_json_scan scan = {0};
    FTL_TRY(ftl_stream_ahead(table->stream, SHOWN, &data, &size, error));
    bool final = size < SHOWN;
    size = final ? size : SHOWN;
    size_t inside = pass_space(data, 1, size);
    bool single = inside < size && !strchr("[{]", data[inside]);
    if (!single || !ftl_json_scan_value(&scan, data, size, final))
        return begin_array(table, error);
    size_t behind = pass_space(data, scan.at, size);
    if (behind == size || data[behind] != '[')
        return begin_array(table, error);
    json->layout = memchr(data, '\n', scan.at) ? FTL_JSON_SEQUENCE : FTL_JSON_LINES;
    return name_columns(table, error);
}

ftl_status ftl_json_begin(ftl_table *table, bool lines, ftl_error *error)
{
    ftl_json_table *json = table->state;
    const uint8_t *data;
    size_t size;
    char c;
    FTL_TRY(ftl_stream_ahead(table->stream, 3, &data, &size, error));
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        ftl_stream_consume(table->stream, 3);
    FTL_TRY(ftl_json_peek(table, &c, error));
    if (c == 0)
        return FTL_FAIL(error, FTL_SCHEMA,
                        "the table is empty: without a row its columns have no names");
    if (lines) {
        json->layout = FTL_JSON_LINES;
        return name_columns(table, error);
    }
    if (c == '[')
        return begin_lists(table, error);
    if (c != '{')
        return ftl_json_damaged(json, "it begins with no bracket", error);
    glance g;
    size_t shown = SHOWN;
    for (;; shown = shown * 2 < MOST_SHOWN ? shown * 2 : MOST_SHOWN) {
        FTL_TRY(ftl_stream_ahead(table->stream, shown, &data, &size, error));
        look(data, size < shown ? size : shown, &g);
        if (!g.incomplete || size < shown)
            break;
        if (shown == MOST_SHOWN)
            return FTL_FAIL(error, FTL_LIMIT,
                            "the first member of the document is longer than %d bytes, so that its "
                            "form cannot be told; write pandas' orient='records', or JSON lines",
                            MOST_SHOWN);
    }
    if (!g.another)
        return begin_object(table, &g, error);
    json->layout = g.line ? FTL_JSON_LINES : FTL_JSON_SEQUENCE;
    return name_columns(table, error);
}
