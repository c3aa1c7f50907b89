/* Text columns of pandas and Arrow as object arrays. */
#ifndef FTL_PICKLE_PANDAS_H
#define FTL_PICKLE_PANDAS_H

#include "pickle/vm.h"

/* pyarrow.lib._restore_array(state): *out stays untouched unless it is an array of texts. */
FTL_MUST_USE ftl_status ftl_vm_arrow_array(ftl_vm *vm, const ftl_node *args, ftl_node **out);
/* pyarrow.lib.chunked_array([arrays], type): *out stays untouched unless all are arrays of objects.
 */
FTL_MUST_USE ftl_status ftl_vm_arrow_chunks(ftl_vm *vm, const ftl_node *args, ftl_node **out);
/* The node has just got its state: when it is one of pandas' string arrays, becomes the array of
 * its texts. */
FTL_MUST_USE ftl_status ftl_vm_pandas(ftl_vm *vm, ftl_node *node);

#endif
