#define VMATH_NAME(name) ftl_##name##_avx2
#define VMATH_BYTES 32
#include "kernels/vmath_body.h"
