#define OBLIVIOUS_NAME(name) name##_avx2
#define OBLIVIOUS_BYTES 32
#include "kernels/oblivious_body.h"
