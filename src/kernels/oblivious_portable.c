#define OBLIVIOUS_NAME(name) name##_portable
#define OBLIVIOUS_BYTES 16
#include "kernels/oblivious_body.h"
