/* Each family's table of classes; the last entry of a table has no name. */
#ifndef FTL_ESTIMATORS_REGISTRY_H
#define FTL_ESTIMATORS_REGISTRY_H

#include "estimators/build.h"

#endif
