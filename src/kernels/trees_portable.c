#define TREES_NAME(name) name##_portable
#include "kernels/trees_body.h"
