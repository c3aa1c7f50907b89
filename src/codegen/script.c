#include "codegen/script.h"

#include "foretell/experimental.h"

#include <stdlib.h>
#include <string.h>

enum { most_comment = 200, most_listed = 500 };

/* ---- Python's text --------------------------------------------------------------------------- */

/* The code point of the three bytes of a lone surrogate; 0: they are none. */
static unsigned surrogate_at(const unsigned char *text, size_t size)
{
    bool is = size >= 3 && text[0] == 0xed && text[1] >= 0xa0 && text[1] < 0xc0 &&
              (text[2] & 0xc0) == 0x80;
    return is ? 0xd000u | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu) : 0;
}

/* Writes one character that must not stand as it is; how many bytes it has. */
static size_t escape(ftl_emitter *out, const unsigned char *text, size_t size)
{
    unsigned surrogate = surrogate_at(text, size);
    if (surrogate) {
        ftl_emitf(out, "\\u%04x", surrogate);
        return 3;
    }
    if (text[0] < 0x80) {
        ftl_emitf(out, "\\x%02x", text[0]);
        return 1;
    }
    /* valid and not to be shown: C1, separators, marks of direction; all of two or three bytes */
    if (size >= 2 && text[0] >= 0xc2 && text[0] < 0xe0 && (text[1] & 0xc0) == 0x80) {
        ftl_emitf(out, "\\u%04x", (text[0] & 0x1fu) << 6 | (text[1] & 0x3fu));
        return 2;
    }
    unsigned three = size >= 3 && (text[0] & 0xf0) == 0xe0 && (text[1] & 0xc0) == 0x80 &&
                             (text[2] & 0xc0) == 0x80
                         ? (text[0] & 0xfu) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu)
                         : 0;
    if (three >= 0x800) {
        ftl_emitf(out, "\\u%04x", three);
        return 3;
    }
    ftl_emitf(out, "\\udc%02x", text[0]);
    return 1;
}

void ftl_emit_py_string(ftl_emitter *out, const char *text)
{
    size_t size = strlen(text);
    ftl_emit_text(out, "\"");
    for (size_t i = 0, n; i < size; i += n) {
        size_t length = 0;
        if (text[i] == '"' || text[i] == '\\') {
            n = 1;
            ftl_emitf(out, "\\%c", text[i]);
        } else if (ftl_utf8_unprintable(text + i, size - i, &length)) {
            n = escape(out, (const unsigned char *)text + i, size - i);
        } else {
            n = length;
            ftl_emit_bytes(out, text + i, n);
        }
    }
    ftl_emit_text(out, "\"");
}

void ftl_emit_py_comment(ftl_emitter *out, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0, n; i < size && i < most_comment; i += n) {
        size_t length = 0, bad = ftl_utf8_unprintable(text + i, size - i, &length);
        n = bad ? bad : length;
        if (bad)
            ftl_emit_text(out, "?");
        else
            ftl_emit_bytes(out, text + i, n);
    }
    if (size > most_comment)
        ftl_emit_text(out, "...");
}

void ftl_emit_py_constant(ftl_emitter *out, const char *name, const char *text)
{
    ftl_emitf(out, "%s = ", name);
    ftl_emit_py_string(out, text);
    ftl_emit_text(out, "\n");
}

void ftl_emit_py_names(ftl_emitter *out, const char *name, const ftl_model *model, uint32_t which,
                       size_t n, ftl_name_at *name_at)
{
    ftl_emitf(out, "%s = [\n", name);
    for (size_t i = 0; i < n; i++) {
        ftl_emit_text(out, "    ");
        ftl_emit_py_string(out, name_at(model, which, i));
        ftl_emit_text(out, ",\n");
    }
    ftl_emit_text(out, "]\n");
}

/* ---- Facts ----------------------------------------------------------------------------------- */

const char *ftl_script_input(const ftl_model *model, uint32_t unused, size_t i)
{
    ftl_schema_column column = {.struct_size = sizeof column};
    (void)unused;
    return ftl_model_input(model, i, &column) == FTL_OK && column.name ? column.name : "";
}

const char *ftl_script_output(const ftl_model *model, uint32_t which, size_t i)
{
    ftl_output_column column = {.struct_size = sizeof column};
    ftl_status status = ftl_model_output(model, (ftl_method)which, i, &column);
    return status == FTL_OK && column.name ? column.name : "";
}

const char *ftl_script_kind(const ftl_schema_column *column)
{
    static const char *const takes[][2] = {
        [FTL_KIND_NUMERIC] = {"number", "number, may be missing"},
        [FTL_KIND_STRING] = {"text", "text, may be missing"},
        [FTL_KIND_BOOL] = {"true or false", "true or false, may be missing"},
        [FTL_KIND_MIXED] = {"text or number", "text or number, may be missing"},
        [FTL_KIND_UNUSED] = {"not used", "not used"}};
    return takes[column->kind][column->missing != FTL_MISSING_REFUSED];
}

const ftl_script_comment ftl_comment_python = {.line = "#", .text = ftl_emit_py_comment};
const ftl_script_comment ftl_comment_c = {.line = " *", .text = ftl_emit_c_comment};

static void list_inputs(ftl_emitter *out, const ftl_model *model, size_t n,
                        const ftl_script_comment *comment)
{
    ftl_emitf(out, "%s\n%s Columns that it takes (%zu)%s:\n", comment->line, comment->line, n,
              model->has_input_names ? "" : ", without names, in this order");
    for (size_t i = 0; i < n && i < most_listed; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(model, i, &column) != FTL_OK)
            continue;
        ftl_emitf(out, "%s   %zu  ", comment->line, i);
        if (column.name)
            comment->text(out, column.name);
        ftl_emitf(out, "%s%s\n", column.name ? ": " : "", ftl_script_kind(&column));
    }
    if (n > most_listed)
        ftl_emitf(out, "%s   ... and %zu more\n", comment->line, n - most_listed);
}

static void list_outputs(ftl_emitter *out, const ftl_model *model, ftl_method method,
                         const ftl_script_comment *comment)
{
    size_t n = ftl_model_output_count(model, method);
    ftl_emitf(out, "%s   %s: ", comment->line, ftl_method_name(method));
    for (size_t i = 0; i < n && i < 20; i++) {
        ftl_emit_text(out, i ? ", " : "");
        comment->text(out, ftl_script_output(model, method, i));
    }
    ftl_emit_text(out, n > 20 ? ", ...\n" : "\n");
}

void ftl_script_facts(ftl_emitter *out, const ftl_generate_request *request,
                      const ftl_script_comment *comment)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(request->model, &info) != FTL_OK)
        return; /* only its struct_size could be wrong */
    ftl_emitf(out, "%s The model: ", comment->line);
    comment->text(out, info.class_name);
    ftl_emitf(out, ", a %s, written by ", ftl_model_kind_name(info.kind));
    comment->text(out, info.library);
    ftl_emit_text(out, info.library_version[0] ? " " : "");
    comment->text(out, info.library_version);
    ftl_emitf(out, ".\n%s Made by foretell %s.\n", comment->line, ftl_version());
    list_inputs(out, request->model, info.n_inputs, comment);
    ftl_emitf(out, "%s\n%s What it gives:\n", comment->line, comment->line);
    list_outputs(out, request->model, ftl_script_method(request), comment);
    if (ftl_script_has_probabilities(request))
        list_outputs(out, request->model, FTL_PREDICT_PROBA, comment);
}

ftl_method ftl_script_method(const ftl_generate_request *request)
{
    uint32_t others = request->methods & ~(1u << FTL_PREDICT_PROBA);
    return (ftl_method)__builtin_ctz(others ? others : request->methods);
}

bool ftl_script_has_probabilities(const ftl_generate_request *request)
{
    return ftl_script_method(request) == FTL_PREDICT &&
           ftl_model_output_count(request->model, FTL_PREDICT_PROBA) > 0 &&
           ftl_model_has_method(request->model, FTL_PREDICT_PROBA);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Words of Python, and names that a class of pydantic has already. */
static bool is_taken(const char *name)
{
    static const char *const words[] = {
        "False",       "None",       "True",      "and",
        "as",          "assert",     "async",     "await",
        "bool",        "break",      "class",     "construct",
        "continue",    "copy",       "def",       "del",
        "dict",        "elif",       "else",      "except",
        "finally",     "float",      "for",       "from",
        "from_orm",    "global",     "if",        "import",
        "in",          "int",        "is",        "json",
        "lambda",      "list",       "nonlocal",  "not",
        "or",          "parse_file", "parse_obj", "parse_raw",
        "pass",        "raise",      "return",    "schema",
        "schema_json", "str",        "try",       "validate",
        "while",       "with",       "yield",     "update_forward_refs"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(words); i++) {
        if (strcmp(words[i], name) == 0)
            return true;
    }
    return strncmp(name, "model_", 6) == 0 || strncmp(name, "field_", 6) == 0;
}

/* The name with _ for what no attribute has; NULL: nothing is left of it, or no memory. */
static const char *attribute_of(const char *name, ftl_arena *arena)
{
    enum { most = 60 };
    char text[most + 1];
    size_t n = 0;
    for (; *name && n < most; name++) {
        bool good = is_letter(*name) || (n && is_digit(*name));
        if (good)
            text[n++] = *name;
        else if (n && text[n - 1] != '_')
            text[n++] = '_';
    }
    while (n && text[n - 1] == '_')
        n--;
    text[n] = '\0';
    return n == 0 || *name || is_taken(text) ? NULL : ftl_arena_string(arena, text, n);
}

static ftl_status sorted(const char *const *names, size_t n, ftl_arena *arena, const char ***out,
                         ftl_error *error)
{
    *out = ftl_arena_array(arena, n ? n : 1, sizeof **out);
    if (!*out)
        return FTL_OOM(error);
    if (n)
        memcpy(*out, names, n * sizeof **out);
    qsort(*out, n, sizeof **out, compare_texts);
    return FTL_OK;
}

/* How often a name is among sorted ones, 2 at most. */
static int count_of(const char *name, const char *const *names, size_t n)
{
    const char *const *found = bsearch(&name, names, n, sizeof *names, compare_texts);
    if (!found)
        return 0;
    bool before = found > names && strcmp(found[-1], name) == 0;
    bool behind = found + 1 < names + n && strcmp(found[1], name) == 0;
    return before || behind ? 2 : 1;
}

ftl_status ftl_script_fields(const ftl_generate_request *request, ftl_arena *arena,
                             const char *const **out, ftl_error *error)
{
    size_t n = request->model->graph.n_inputs;
    const char **names = ftl_arena_array(arena, n ? n : 1, sizeof *names), **order;
    if (!names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        const char *attribute = attribute_of(ftl_script_input(request->model, 0, i), arena);
        names[i] = attribute ? attribute : "";
    }
    FTL_TRY(sorted(names, n, arena, &order, error));
    for (size_t i = 0; i < n; i++) {
        bool alone = names[i][0] && count_of(names[i], order, n) == 1;
        if (!alone) /* is_taken: no other name begins so */
            names[i] = ftl_arena_printf(arena, "field_%zu", i);
        if (!names[i])
            return FTL_OOM(error);
    }
    *out = names;
    return FTL_OK;
}

ftl_status ftl_script_by_name(const ftl_generate_request *request, bool *out, ftl_error *error)
{
    size_t n = request->model->graph.n_inputs;
    ftl_arena arena;
    const char **order = NULL;
    *out = false;
    if (!request->model->has_input_names)
        return FTL_OK;
    ftl_arena_init(&arena, request->account);
    const char **names = ftl_arena_array(&arena, n ? n : 1, sizeof *names);
    ftl_status status = names ? FTL_OK : FTL_OOM(error);
    for (size_t i = 0; names && i < n; i++)
        names[i] = ftl_script_input(request->model, 0, i);
    if (status == FTL_OK)
        status = sorted(names, n, &arena, &order, error);
    *out = status == FTL_OK;
    for (size_t i = 0; *out && i + 1 < n; i++)
        *out = strcmp(order[i], order[i + 1]) != 0;
    ftl_arena_free(&arena);
    return status;
}
