/*
 * The whole road of a model file: codecs, pickle, estimators, validation, plan, and a few awkward
 * rows through every method. Whatever the bytes are, nothing may crash, leak or read outside of
 * memory.
 */
#include "fuzz_model.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ftl_model_options limits = {.struct_size = sizeof limits,
                                      .max_bytes = 32 << 20,
                                      .max_objects = 200000,
                                      .max_depth = 200};
    fuzz_file(data, size, &limits);
    return 0;
}
