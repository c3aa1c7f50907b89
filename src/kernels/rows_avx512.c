#define ROWS_NAME(name) ftl_##name##_avx512
#define ROWS_BYTES 64
#include "kernels/rows_body.h"
