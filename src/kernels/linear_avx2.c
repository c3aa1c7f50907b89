#define LINEAR_NAME(name) ftl_##name##_avx2
#include "kernels/linear_body.h"
