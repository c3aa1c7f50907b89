/* Arrays that joblib up to 0.9 keeps in files beside the model. */
#ifndef FTL_PICKLE_SIDE_FILE_H
#define FTL_PICKLE_SIDE_FILE_H

#include "pickle/vm.h"

/* node: an NDArrayWrapper (an .npy file) or ZNDArrayWrapper (compressed bytes) with its state;
 * becomes the array. */
FTL_MUST_USE ftl_status ftl_vm_side_npy(ftl_vm *vm, ftl_node *node);
FTL_MUST_USE ftl_status ftl_vm_side_z(ftl_vm *vm, ftl_node *node);

#endif
