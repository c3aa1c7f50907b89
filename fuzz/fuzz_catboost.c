/* CatBoost models; other files are the model target's. */
#include "fuzz_model.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4 && (memcmp(data, "CBM1", 4) == 0))
        fuzz_file(data, size, NULL);
    return 0;
}
