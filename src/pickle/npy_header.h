/* The header of a .npy file, as numpy's lib/format.py writes it (versions 1 to 3). */
#ifndef FTL_PICKLE_NPY_HEADER_H
#define FTL_PICKLE_NPY_HEADER_H

#include "pickle/vm.h"

/* Reads the header at the start of vm's stream; fills dtype, shape, order and size. The data come
 * next. */
FTL_MUST_USE ftl_status ftl_vm_npy_header(ftl_vm *vm, ftl_node_array *array);

#endif
