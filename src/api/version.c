#include "foretell/foretell.h"

const char *ftl_version(void) { return FTL_VERSION_STRING; }
