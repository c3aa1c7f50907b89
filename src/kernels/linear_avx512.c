#define LINEAR_NAME(name) ftl_##name##_avx512
#include "kernels/linear_body.h"
