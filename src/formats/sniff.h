/* Telling what a file is by its first bytes, so that the right reader gets it or the error names
 * it. */
#ifndef FTL_FORMATS_SNIFF_H
#define FTL_FORMATS_SNIFF_H

#include "io/stream.h"

/* Files that hold a model. A booster's own files are told apart further by their readers. */
typedef enum ftl_file_kind {
    FTL_FILE_PICKLE,
    FTL_FILE_XGBOOST,
    FTL_FILE_LIGHTGBM,
    FTL_FILE_CATBOOST,
    FTL_FILE_FORETELL /* model/file.h */
} ftl_file_kind;

/*
 * Looks at the first bytes of a decoded stream and consumes nothing. OK: it may be a model of
 * *kind. CORRUPT: not the model itself (empty file, Git LFS pointer, web page, text). UNSUPPORTED:
 * another known kind of file, named.
 */
FTL_MUST_USE ftl_status ftl_sniff(ftl_stream *stream, ftl_file_kind *kind, ftl_error *error);

#endif
