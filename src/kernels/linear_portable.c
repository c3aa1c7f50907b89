#define LINEAR_NAME(name) ftl_##name##_portable
#define LINEAR_BYTES 16
#define LINEAR_VECTORS 2
#include "kernels/linear_body.h"
