#define VMATH_NAME(name) ftl_##name##_portable
#define VMATH_BYTES 16
#include "kernels/vmath_body.h"
