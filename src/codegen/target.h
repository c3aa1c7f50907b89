/*
 * What can be generated: a file target_<name>.c each, and its line in generate.c. A target writes
 * its text from a validated model; it never computes with it.
 */
#ifndef FTL_CODEGEN_TARGET_H
#define FTL_CODEGEN_TARGET_H

#include "codegen/emit.h"
#include "foretell/codegen.h"
#include "model/model.h"

/* What a target is asked for: the options with their defaults filled in. */
typedef struct ftl_generate_request {
    const ftl_model *model; /* its graph is there, and its width is known */
    ftl_account *account;   /* for what is needed while generating */
    uint32_t methods;       /* bit set, not 0: all of them run */
    ftl_type input_dtype;
    const char *prefix;
    const char *model_path, *data_path, *output_path; /* NULL: not given */
    uint32_t batch_size;                              /* 0: not given */
    bool plain, probabilities;
} ftl_generate_request;

typedef struct ftl_target {
    const char *name, *about;
    ftl_status (*write)(const ftl_generate_request *request, ftl_emitter *out, ftl_error *error);
} ftl_target;

extern const ftl_target ftl_target_standalone_c, ftl_target_python, ftl_target_fastapi,
    ftl_target_c;

#endif
