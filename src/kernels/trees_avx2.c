#define TREES_NAME(name) name##_avx2
#include "kernels/trees_body.h"
#include "kernels/trees_masks_body.h"
