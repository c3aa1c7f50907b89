#define VMATH_NAME(name) ftl_##name##_avx512
#define VMATH_BYTES 64
#include "kernels/vmath_body.h"
