#define LINEAR_NAME(name) ftl_##name##_portable
#include "kernels/linear_body.h"
