#include "base/pow10.h"

const ftl_pow10_entry ftl_pow10[FTL_POW10_MAX - FTL_POW10_MIN + 1] = {
#include "base/pow10_table.h"
};
