/* What SVM and neighbours share: stored rows, dense or in scipy's compressed form. */
#ifndef FTL_ESTIMATORS_NEIGHBORS_STORED_ROWS_H
#define FTL_ESTIMATORS_NEIGHBORS_STORED_ROWS_H

#include "build/build.h"

/* A csr matrix whose columns ascend within each row, which is how the library keeps them. */
FTL_MUST_USE ftl_status ftl_sparse_rows_read(ftl_build *build, const ftl_node *node,
                                             ftl_sparse_rows *out, ftl_error *error);
#endif
