/*
 * The vector forms of the CSV kernels, included by instruction sets that define CSV_NAME, csv_find
 * and csv_put_ends (csv_body.h).
 */
#include "kernels/digits_vector.h"

CSV_INLINE bool csv_short(const uint8_t *end, size_t size, char decimal, double *out)
{
    if (size <= 16)
        return digits_number_16(end, size, decimal, out);
    return size <= 24 && digits_number_32(end, size, decimal, out);
}

#include "kernels/csv_body.h"
