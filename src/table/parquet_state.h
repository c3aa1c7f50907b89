/* Whether the metadata that a Parquet file was left with can be its own. Stateless. */
#ifndef FTL_TABLE_PARQUET_STATE_H
#define FTL_TABLE_PARQUET_STATE_H

#include "base/strbuf.h"
#include "table/output.h"

/*
 * footer: a struct FileMetaData for a file up to `mark`, a place in bytes and rows. CORRUPT when it
 * cannot be read, has another number of rows, or its columns do not fill the file up to there, one
 * behind the other.
 */
FTL_MUST_USE ftl_status ftl_parquet_check_state(ftl_account *account, const ftl_strbuf *footer,
                                                const ftl_output_mark *mark, ftl_error *error);

#endif
