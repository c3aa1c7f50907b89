/* CatBoost models, from the first byte to predictions of awkward rows. */
#include "fuzz_model.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char begins[] = "CBM1";
    ftl_context *context = NULL;
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = (uint64_t)64 << 20, .threads = 1};
    if (size < sizeof begins || memcmp(data, begins, sizeof begins - 1) != 0 ||
        ftl_context_create(&options, &context, NULL) != FTL_OK)
        return 0;
    ftl_model *model = NULL;
    ftl_error error;
    if (ftl_model_open_memory(context, data, size, NULL, &model, &error) == FTL_OK)
        fuzz_predict(model);
    ftl_model_release(model);
    if (ftl_context_memory_used(context) > 4096)
        abort(); /* something was not given back */
    ftl_context_destroy(context);
    return 0;
}
