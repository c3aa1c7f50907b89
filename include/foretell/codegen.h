/*
 * Code made from a model: a stand-alone C file with the model compiled in, and programs that run
 * the model by foretell. Conventions: foretell.h; docs/GENERATE.md explains.
 */
#ifndef FORETELL_CODEGEN_H
#define FORETELL_CODEGEN_H

#include "foretell/foretell.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Strings are borrowed for the call. What a target does not use is not looked at. */
typedef struct ftl_generate_options {
    size_t struct_size;
    const char *target; /* of ftl_generate_target; NULL: "standalone-c" */
    /*
     * the methods to generate, a bit 1u << FTL_PREDICT and so on each; 0: the model's default
     * method, and predict_proba beside predict where the model has it
     */
    uint32_t methods;
    ftl_type input_dtype; /* F64, or F32: rows are float32 and computed as the library does then */
    /* what the names of C code begin with, an identifier of at most 40 characters; NULL: "model" */
    const char *prefix;
    uint64_t max_code_bytes; /* of generated text; LIMIT beyond it. 0: 64 MiB */
    /* programs that run the model: the paths that they use unless told otherwise; NULL: theirs */
    const char *model_path, *data_path, *output_path;
    uint32_t batch_size; /* rows computed together; 0: the target's */
    bool plain;          /* without foretell, as the original library would be used */
    bool probabilities;  /* writes probabilities beside the predictions */
} ftl_generate_options;

/* What can be generated: index counts from 0; ARG behind the last. Static strings. */
typedef struct ftl_generate_target {
    size_t struct_size; /* set by the caller */
    const char *name;   /* such as standalone-c */
    const char *about;  /* one line */
} ftl_generate_target;
FTL_API FTL_MUST_USE ftl_status ftl_generate_target_at(size_t index, ftl_generate_target *out);

/*
 * Writes the code in pieces, in order. The same model and options give the same text. UNSUPPORTED
 * names the part of the model that a target cannot express, LIMIT says that the text would be too
 * long, CANCELLED that write stopped; what was written until then is not to be used.
 */
FTL_API FTL_MUST_USE ftl_status ftl_generate(const ftl_model *model,
                                             const ftl_generate_options *options, ftl_text_fn write,
                                             void *user, ftl_error *error);

#ifdef __cplusplus
}
#endif

#endif
