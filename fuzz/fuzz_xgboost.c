/* XGBoost's own model files: JSON, UBJSON, the binary format, what pickles hold; other files are
 * the model target's. */
#include "fuzz_model.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4 &&
        (data[0] == '{' || memcmp(data, "binf", 4) == 0 || memcmp(data, "CONF", 4) == 0))
        fuzz_file(data, size, NULL);
    return 0;
}
