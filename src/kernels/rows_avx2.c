#define ROWS_NAME(name) ftl_##name##_avx2
#define ROWS_BYTES 32
#include "kernels/rows_body.h"
