#define ROWS_NAME(name) ftl_##name##_portable
#define ROWS_BYTES 16
#include "kernels/rows_body.h"
