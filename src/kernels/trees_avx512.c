#define TREES_NAME(name) name##_avx512
#include "kernels/trees_body.h"
