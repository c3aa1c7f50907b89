#define LINEAR_NAME(name) ftl_##name##_avx2
#define LINEAR_BYTES 32
#define LINEAR_VECTORS 2
#include "kernels/linear_body.h"
