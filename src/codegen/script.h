/*
 * Programs that run a model by foretell, or by the library that wrote it: what the files
 * target_python.c, target_fastapi.c and target_c.c share. Names come from files and are hostile: as
 * Python they are written by the functions below alone.
 */
#ifndef FTL_CODEGEN_SCRIPT_H
#define FTL_CODEGEN_SCRIPT_H

#include "base/arena.h"
#include "codegen/target.h"

/*
 * A literal of Python, with its quotes: what may be shown as it is, everything else escaped; bytes
 * that are no UTF-8 as Python's surrogateescape has them.
 */
void ftl_emit_py_string(ftl_emitter *out, const char *text);
/*
 * A text inside of a comment of Python: one line, nothing in it that must not be shown; at most 200
 * bytes of it.
 */
void ftl_emit_py_comment(ftl_emitter *out, const char *text);
/* NAME = "text" */
void ftl_emit_py_constant(ftl_emitter *out, const char *name, const char *text);
/* NAME = ["…", "…"], a line each. */
typedef const char *ftl_name_at(const ftl_model *model, uint32_t which, size_t i);
void ftl_emit_py_names(ftl_emitter *out, const char *name, const ftl_model *model, uint32_t which,
                       size_t n, ftl_name_at *name_at);

/* "number, may be missing" */
const char *ftl_script_kind(const ftl_schema_column *column);
/* How the lines of a comment begin, and what writes names into it. */
typedef struct ftl_script_comment {
    const char *line;
    void (*text)(ftl_emitter *out, const char *text);
} ftl_script_comment;
extern const ftl_script_comment ftl_comment_python, ftl_comment_c;
/* Lines of a comment that say what the model is, takes and gives. */
void ftl_script_facts(ftl_emitter *out, const ftl_generate_request *request,
                      const ftl_script_comment *comment);
/* The method whose results are the predictions: the first of the request's, but for predict_proba.
 */
ftl_method ftl_script_method(const ftl_generate_request *request);
/* Whether probabilities can be asked for beside that method. */
bool ftl_script_has_probabilities(const ftl_generate_request *request);
/* A name for each input that Python takes as an attribute's, all different. */
FTL_MUST_USE ftl_status ftl_script_fields(const ftl_generate_request *request, ftl_arena *arena,
                                          const char *const **out, ftl_error *error);
/* Whether the inputs have names, and all of them different. */
FTL_MUST_USE ftl_status ftl_script_by_name(const ftl_generate_request *request, bool *out,
                                           ftl_error *error);

/* ftl_name_at: of an input, and of an output of the method `which`; never NULL. */
const char *ftl_script_input(const ftl_model *model, uint32_t unused, size_t i);
const char *ftl_script_output(const ftl_model *model, uint32_t which, size_t i);

#endif
