/*
 * The whole road of a model file: codecs, pickle, estimators, validation, plan, and a few awkward
 * rows through every method. Whatever the bytes are, nothing may crash, leak or read outside of
 * memory.
 */
#include "fuzz_model.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ftl_context *context = NULL;
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = (uint64_t)256 << 20, .threads = 1};
    if (ftl_context_create(&options, &context, NULL) != FTL_OK)
        return 0;
    ftl_model *model = NULL;
    ftl_error error;
    const ftl_model_options limits = {.struct_size = sizeof limits,
                                      .max_bytes = 32 << 20,
                                      .max_objects = 200000,
                                      .max_depth = 200};
    if (ftl_model_open_memory(context, data, size, &limits, &model, &error) == FTL_OK)
        fuzz_predict(model);
    ftl_model_release(model);
    if (ftl_context_memory_used(context) > 4096)
        abort(); /* something was not given back */
    ftl_context_destroy(context);
    return 0;
}
