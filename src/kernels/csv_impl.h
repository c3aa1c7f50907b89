/* What every instruction set's CSV kernels begin with. */
#ifndef FTL_KERNELS_CSV_IMPL_H
#define FTL_KERNELS_CSV_IMPL_H

#include "base/number.h"
#include "base/status.h"
#include "kernels/csv.h"

#include <math.h>
#include <string.h>

#define CSV_INLINE static inline __attribute__((always_inline))

/* Of 64 bytes, the first one's bit lowest. */
typedef struct csv_bytes {
    uint64_t delimiters, feeds, returns, quotes;
} csv_bytes;

#endif
