#define JSON_NAME(name) ftl_json_##name##_avx512
#include "kernels/json_vector.h"
