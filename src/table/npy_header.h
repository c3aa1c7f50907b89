/* The header of a .npy file, versions 1 to 3 (numpy's NEP 1). */
#ifndef FTL_TABLE_NPY_HEADER_H
#define FTL_TABLE_NPY_HEADER_H

#include "base/status.h"

enum { FTL_NPY_DIMENSIONS = 32, FTL_NPY_HEADER_LIMIT = 64 * 1024, FTL_NPY_PREFIX = 12 };

typedef struct ftl_npy_header {
    char kind;      /* f, i, u or b */
    unsigned width; /* bytes of an element: 1, 2, 4 or 8 */
    bool swapped;   /* the other byte order than this machine's */
    bool fortran_order;
    size_t n_dimensions;
    uint64_t shape[FTL_NPY_DIMENSIONS];
} ftl_npy_header;

/*
 * Size of everything before the array, from the first FTL_NPY_PREFIX bytes of the file. UNSUPPORTED
 * for an unknown version, LIMIT for a header beyond FTL_NPY_HEADER_LIMIT. *text receives where the
 * dictionary begins.
 */
FTL_MUST_USE ftl_status ftl_npy_header_size(const uint8_t *data, size_t size, size_t *text,
                                            size_t *out, ftl_error *error);
/* Parses the dictionary. UNSUPPORTED for element types that are no plain numbers. */
FTL_MUST_USE ftl_status ftl_npy_header_parse(const char *text, size_t size, ftl_npy_header *out,
                                             ftl_error *error);

#endif
