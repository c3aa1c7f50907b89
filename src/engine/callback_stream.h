/* A caller's function as a stream of bytes. */
#ifndef FTL_ENGINE_CALLBACK_STREAM_H
#define FTL_ENGINE_CALLBACK_STREAM_H

#include "io/stream.h"

/* reader is borrowed until the stream is closed. */
FTL_MUST_USE ftl_status ftl_stream_open_reader(ftl_account *account, const ftl_reader *reader,
                                               ftl_stream **out, ftl_error *error);

#endif
