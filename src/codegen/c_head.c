/* The beginning of the file: what it is, how it is used, and its types. */
#include "codegen/c_code.h"

#include "base/crc64.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>

enum { most_described = 200 }; /* columns in the comment */

/* ---- Names of members ------------------------------------------------------------------------ */

static const char reserved[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl "
    "const "
    "consteval constexpr constinit const_cast continue decltype default delete do double "
    "dynamic_cast else enum explicit export extern false float for friend goto if inline int long "
    "mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
    "register reinterpret_cast requires restrict return short signed sizeof static static_assert "
    "static_cast struct switch template this thread_local throw true try typedef typeid typename "
    "typeof union unsigned using virtual void volatile wchar_t while xor xor_eq "
    "linux unix i386 errno stdin stdout stderr assert offsetof complex imaginary near far "
    "isnan isinf isfinite isnormal signbit fpclassify main concept module import co_await ";

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_reserved(const char *name)
{
    char wanted[72];
    bool lower = false;
    for (const char *c = name; *c; c++)
        lower = lower || (*c >= 'a' && *c <= 'z');
    snprintf(wanted, sizeof wanted, " %s ", name);
    return !lower || strstr(reserved, wanted) != NULL; /* capitals alone are macros' */
}

/* At most 40 characters of the column's name, in those of C. */
static void plain_name(const char *name, char out[64])
{
    size_t n = 0;
    if (!name || !is_plain(name[0]) || name[0] == '_' || (name[0] >= '0' && name[0] <= '9'))
        out[n++] = 'x';
    for (const char *c = name ? name : ""; *c && n < 41; c++)
        out[n++] = is_plain(*c) ? *c : '_';
    out[n] = '\0';
    if (is_reserved(out)) {
        out[n++] = '_';
        out[n] = '\0';
    }
}

static int by_text(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* Columns whose names are the same in C have their number behind it: no plain name ends so. */
static ftl_status number_equal_ones(ftl_c_code *code, const char **members, size_t n,
                                    ftl_error *error)
{
    const char **sorted = ftl_arena_copy(&code->arena, members, n * sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    qsort(sorted, n, sizeof *sorted, by_text);
    for (size_t i = 0; i < n; i++) {
        const char **found = bsearch(&members[i], sorted, n, sizeof *sorted, by_text);
        bool twice = (found > sorted && strcmp(found[-1], members[i]) == 0) ||
                     (found + 1 < sorted + n && strcmp(found[1], members[i]) == 0);
        char *numbered = twice || strstr(members[i], "__")
                             ? ftl_arena_printf(&code->arena, "%s__%zu", members[i], i)
                             : NULL;
        if (numbered)
            members[i] = numbered;
        else if (twice)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

ftl_status ftl_c_name_members(ftl_c_code *code, ftl_error *error)
{
    size_t n = code->graph->n_inputs;
    const char **members = ftl_arena_zero_array(&code->arena, n + 1, sizeof *members);
    if (!members)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        char name[64];
        const char *given = code->request->model->inputs[i].name;
        plain_name(given && given[0] ? given : NULL, name);
        if (!given)
            snprintf(name, sizeof name, "x%zu", i);
        members[i] = ftl_arena_string(&code->arena, name, strlen(name));
        if (!members[i])
            return FTL_OOM(error);
    }
    FTL_TRY(number_equal_ones(code, members, n, error));
    code->members = members;
    return FTL_OK;
}

/* ---- The comment ----------------------------------------------------------------------------- */

static uint64_t digest(ftl_c_code *code)
{
    ftl_strbuf text;
    ftl_strbuf_init(&text, code->request->account, 0);
    ftl_graph_dump(code->graph, &text);
    uint64_t sum = ftl_crc64(0, text.data, text.size);
    code->failed = code->failed || text.failed;
    ftl_strbuf_free(&text);
    return sum;
}

static void describe_column(ftl_c_code *code, size_t i)
{
    static const char *const kinds[] = {"number", "text", "True or False", "text or number",
                                        "not looked at"};
    const ftl_input_schema *input = &code->request->model->inputs[i];
    ftl_emitf(code->out, " *   %4zu  ", i);
    if (input->name)
        ftl_emit_c_comment(code->out, input->name);
    if (code->cells && strcmp(code->members[i], input->name ? input->name : "") != 0)
        ftl_emitf(code->out, " (member %s)", code->members[i]);
    ftl_emitf(code->out, "%s%s%s\n", input->name ? ": " : "", kinds[input->kind],
              input->missing == FTL_MISSING_REFUSED ? ", never missing" : "");
}

static void describe_rows(ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    const char *type = code->request->input_dtype == FTL_F32 ? "float" : "double";
    if (code->cells)
        ftl_emitf(
            code->out,
            " * A row is a struct with a member a column: %s for numbers, where NAN is missing,\n"
            " * and const char * for texts in UTF-8, where NULL is missing. Columns:\n",
            type);
    else
        ftl_emitf(code->out,
                  " * A row is an array of %zu %ss, in which NAN is a missing value. Columns:\n",
                  model->graph.n_inputs, type);
    for (size_t i = 0; i < model->graph.n_inputs && i < most_described; i++)
        describe_column(code, i);
    if (model->graph.n_inputs > most_described)
        ftl_emitf(code->out, " *   and %zu more\n", model->graph.n_inputs - most_described);
}

static void write_comment(ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    ftl_emit_text(code->out, "/*\n * ");
    ftl_emit_c_comment(code->out, model->class_name);
    ftl_emit_text(code->out, " of ");
    ftl_emit_c_comment(code->out, model->library);
    ftl_emit_text(code->out, " ");
    ftl_emit_c_comment(code->out, model->library_version);
    ftl_emitf(
        code->out,
        " as plain C99, generated by foretell %s; graph %016llx.\n"
        " *\n"
        " * Results are those of foretell to the bit. Nothing is allocated, nothing is kept:\n"
        " * functions may be called from any thread.\n"
        " *\n",
        ftl_version(), (unsigned long long)digest(code));
    ftl_emitf(
        code->out,
        " *   cc -std=c99 -O2 -c FILE.c, and -lm where it is linked; not with -ffast-math. With\n"
        " *   -std=gnu99 and the like add -ffp-contract=off.\n"
        " *   cc -std=c99 -O2 -D%s_MAIN FILE.c -lm makes a program that reads rows as comma-\n"
        " *   separated values without a header and quotes, and writes a result a line.\n"
        " *   #define %s_DECLARATIONS before an #include of this file: declarations alone.\n"
        " *\n",
        code->upper, code->upper);
    describe_rows(code);
    ftl_emit_text(code->out, " */\n");
}

/* ---- Declarations ---------------------------------------------------------------------------- */

static void declare_rows(ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    const char *type = code->request->input_dtype == FTL_F32 ? "float" : "double";
    if (!code->cells) {
        ftl_emitf(code->out, "typedef %s %s_row; /* [%zu] */\n", type, code->prefix,
                  model->graph.n_inputs);
        return;
    }
    ftl_emitf(code->out, "typedef struct %s_row {\n", code->prefix);
    for (size_t i = 0; i < model->graph.n_inputs; i++)
        ftl_emitf(code->out, "    %s%s;\n",
                  model->inputs[i].batch_type == FTL_STRING ? "const char *"
                  : type[0] == 'f'                          ? "float "
                                                            : "double ",
                  code->members[i]);
    ftl_emitf(code->out, "} %s_row;\n", code->prefix);
}

static void declare_method(ftl_c_code *code, ftl_method method)
{
    const ftl_method_outputs *outputs = &code->graph->methods[method];
    const char *type = ftl_c_result_type(code, method), *name = ftl_method_name(method);
    ftl_emitf(code->out, "\n/* out[%zu]:", outputs->count);
    for (size_t i = 0; i < outputs->count && i < 20; i++) {
        ftl_emit_text(code->out, i ? ", " : " ");
        ftl_emit_c_comment(code->out, outputs->outputs[i].name);
    }
    ftl_emitf(code->out, "%s%s */\n", outputs->count > 20 ? ", ..." : "",
              type[0] == 'i' ? "; numbers of classes" : "");
    ftl_emitf(code->out,
              "int %s_%s(const %s_row *row, %s *out);\n"
              "size_t %s_%s_batch(const %s_row *rows, size_t n, %s *out, int *codes);\n",
              code->prefix, name, code->prefix, type, code->prefix, name, code->prefix, type);
}

static void declare(ftl_c_code *code)
{
    ftl_emitf(code->out,
              "#ifndef %s_DECLARED\n#define %s_DECLARED\n#include <stddef.h>\n\n"
              "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
              code->upper, code->upper);
    declare_rows(code);
    ftl_emit_text(
        code->out,
        "\n/*\n"
        " * Each function returns 0, or says why the row is refused, which leaves out as it\n"
        " * is. The batch forms take n rows that lie one behind another, write n results\n"
        " * likewise and the code of each row, where codes is not NULL; they return how many\n"
        " * rows are refused.\n"
        " */\n");
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        if (code->request->methods & 1u << m)
            declare_method(code, (ftl_method)m);
    }
    ftl_emitf(code->out,
              "\n/* What a code says, the column that it is about, counted from 0, or -1, and its "
              "name. */\n"
              "const char *%s_error(int code);\nint %s_error_column(int code);\n"
              "const char *%s_column_name(int column);\n",
              code->prefix, code->prefix, code->prefix);
    ftl_c_declare_classes(code);
    ftl_emit_text(code->out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

static void write_guards(ftl_c_code *code)
{
    ftl_emitf(code->out,
              "\n#ifndef %s_DECLARATIONS\n"
              "#include <float.h>\n#include <math.h>\n#include <stdint.h>\n#include <string.h>\n",
              code->upper);
    if (code->uses & FTL_C_TEXT_NUMBER)
        ftl_emit_text(code->out, "#include <stdlib.h>\n");
    ftl_emitf(
        code->out,
        "\n/* Sums and products are rounded one by one, or results would differ. */\n"
        "#if defined(__FAST_MATH__)\n#error \"-ffast-math changes results\"\n#endif\n"
        "#if FLT_EVAL_METHOD != 0\n#error \"use SSE arithmetic: -msse2 -mfpmath=sse\"\n#endif\n"
        "#if defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n"
        "#elif defined(__GNUC__)\n#pragma GCC optimize(\"fp-contract=off\")\n#endif\n");
}

void ftl_c_write_head(ftl_c_code *code)
{
    write_comment(code);
    declare(code);
    write_guards(code);
}
