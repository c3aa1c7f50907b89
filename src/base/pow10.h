/* Powers of ten to 128 bits, shared by number parsing and printing. */
#ifndef FTL_BASE_POW10_H
#define FTL_BASE_POW10_H

#include <stdint.h>

typedef struct ftl_pow10_entry {
    uint64_t high, low;
} ftl_pow10_entry;

enum {
    FTL_POW10_MIN = -342,
    FTL_POW10_MAX = 324,
    FTL_POW10_FIRST_ROUNDED_UP =
        -27,                  /* from here to -1 the entries are rounded up, elsewhere truncated */
    FTL_POW10_LAST_EXACT = 55 /* 5**55 is the last power of five below 2**128 */
};

/* ftl_pow10[q - FTL_POW10_MIN] is the normalised significand of 10**q. */
extern const ftl_pow10_entry ftl_pow10[FTL_POW10_MAX - FTL_POW10_MIN + 1];

#endif
