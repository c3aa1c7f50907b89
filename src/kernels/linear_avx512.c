#define LINEAR_NAME(name) ftl_##name##_avx512
#define LINEAR_BYTES 64
#define LINEAR_VECTORS 4
#include "kernels/linear_body.h"
