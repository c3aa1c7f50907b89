/* Telling what a file is that is not a pickle, so that the error names it and says what to do. */
#ifndef FTL_FORMATS_SNIFF_H
#define FTL_FORMATS_SNIFF_H

#include "io/stream.h"

/*
 * Looks at the first bytes of a decoded stream and consumes nothing. OK: these may be a pickle.
 * CORRUPT: not the model itself (empty file, Git LFS pointer, web page, text). UNSUPPORTED: another
 * known kind of file, named.
 */
FTL_MUST_USE ftl_status ftl_sniff_pickle(ftl_stream *stream, ftl_error *error);

#endif
