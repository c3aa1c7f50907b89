/*
 * Writing Thrift's compact protocol (thrift.apache.org, thrift-compact-protocol) into a buffer:
 *
 *     ftl_thrift_begin_write(&writer, &buffer);
 *     ftl_thrift_put_i32(&writer, 1, 7);
 *     ftl_thrift_put_struct(&writer, 2);
 *     ftl_thrift_put_text(&writer, 1, "seven", 5);
 *     ftl_thrift_put_end(&writer);
 *     ftl_thrift_put_end(&writer);
 *
 * Fields come in ascending order. What fails is remembered in the buffer.
 */
#ifndef FTL_IO_THRIFT_WRITE_H
#define FTL_IO_THRIFT_WRITE_H

#include "base/strbuf.h"

enum { FTL_THRIFT_WRITE_DEPTH = 16 };

typedef struct ftl_thrift_writer {
    ftl_strbuf *out;
    unsigned depth;                         /* of structs that were begun and have not ended */
    int32_t fields[FTL_THRIFT_WRITE_DEPTH]; /* the last field of each */
} ftl_thrift_writer;

/* Begins the outermost struct. */
void ftl_thrift_begin_write(ftl_thrift_writer *writer, ftl_strbuf *out);
/* Ends the innermost struct. */
void ftl_thrift_put_end(ftl_thrift_writer *writer);

void ftl_thrift_put_bool(ftl_thrift_writer *writer, int32_t field, bool value);
void ftl_thrift_put_i8(ftl_thrift_writer *writer, int32_t field, int8_t value);
void ftl_thrift_put_i16(ftl_thrift_writer *writer, int32_t field, int16_t value);
void ftl_thrift_put_i32(ftl_thrift_writer *writer, int32_t field, int32_t value); /* enums, too */
void ftl_thrift_put_i64(ftl_thrift_writer *writer, int32_t field, int64_t value);
void ftl_thrift_put_text(ftl_thrift_writer *writer, int32_t field, const void *data, size_t size);
/* A struct's fields follow, then ftl_thrift_put_end. */
void ftl_thrift_put_struct(ftl_thrift_writer *writer, int32_t field);
/* So many structs follow, each from ftl_thrift_put_item to ftl_thrift_put_end. */
void ftl_thrift_put_structs(ftl_thrift_writer *writer, int32_t field, size_t count);
void ftl_thrift_put_item(ftl_thrift_writer *writer);
void ftl_thrift_put_i32s(ftl_thrift_writer *writer, int32_t field, const int32_t *values,
                         size_t count);
/* A list of one text. */
void ftl_thrift_put_lone_text(ftl_thrift_writer *writer, int32_t field, const void *data,
                              size_t size);

#endif
