/*
 * Reading Thrift's compact protocol (thrift.apache.org, thrift-compact-protocol): structs of
 * numbered fields over bytes in memory, pulled field by field.
 *
 *     ftl_thrift_struct s;
 *     ftl_thrift_begin(&reader, &s);
 *     while (ftl_thrift_next(&reader, &s)) {
 *         switch (s.field) {
 *         case 1: version = ftl_thrift_i32(&reader, &s); break;
 *         default: ftl_thrift_skip(&reader, &s);
 *         }
 *     }
 *
 * The first damage makes the reader bad: all later reads give zeros, no field follows, and
 * ftl_thrift_status is asked once. Every field is read or skipped. A list never claims more items
 * than there are bytes left, so that counts bound what a caller allocates.
 */
#ifndef FTL_IO_THRIFT_H
#define FTL_IO_THRIFT_H

#include "base/status.h"

enum { FTL_THRIFT_DEPTH = 32 };

/* Types of fields and items as they stand in the bytes. */
typedef enum ftl_thrift_type {
    FTL_THRIFT_STOP = 0,
    FTL_THRIFT_TRUE = 1,
    FTL_THRIFT_FALSE = 2,
    FTL_THRIFT_I8 = 3,
    FTL_THRIFT_I16 = 4,
    FTL_THRIFT_I32 = 5,
    FTL_THRIFT_I64 = 6,
    FTL_THRIFT_DOUBLE = 7,
    FTL_THRIFT_BINARY = 8,
    FTL_THRIFT_LIST = 9,
    FTL_THRIFT_SET = 10,
    FTL_THRIFT_MAP = 11,
    FTL_THRIFT_STRUCT = 12,
    FTL_THRIFT_UUID = 13
} ftl_thrift_type;

typedef struct ftl_thrift {
    const uint8_t *data;
    size_t size, at;
    unsigned depth;     /* of structs that were begun and have not ended */
    const char *failed; /* what was wrong first; NULL: nothing */
    size_t failed_at;
    bool ended; /* it failed because the bytes end: more of them may help */
} ftl_thrift;

/* A struct that is being read, and the field at hand. */
typedef struct ftl_thrift_struct {
    int32_t field;
    ftl_thrift_type type;
} ftl_thrift_struct;

typedef struct ftl_thrift_items {
    uint32_t count;
    ftl_thrift_struct item; /* for the readers of values: item.type is every item's */
} ftl_thrift_items;

/* data is borrowed. */
void ftl_thrift_init(ftl_thrift *reader, const uint8_t *data, size_t size);
/* CORRUPT when something was wrong; what: "the footer"; base: where data lies in the file. */
FTL_MUST_USE ftl_status ftl_thrift_status(const ftl_thrift *reader, const char *what, uint64_t base,
                                          ftl_error *error);
/* Makes the reader bad, for what a caller finds to be missing or out of range. */
void ftl_thrift_fail(ftl_thrift *reader, const char *why);

void ftl_thrift_begin(ftl_thrift *reader, ftl_thrift_struct *s);
/* The next field; false at the struct's end, which is consumed, and when the reader is bad. */
bool ftl_thrift_next(ftl_thrift *reader, ftl_thrift_struct *s);

/* The value of the field at hand. Another type than the one asked for is damage. */
bool ftl_thrift_bool(ftl_thrift *reader, const ftl_thrift_struct *s);
int32_t ftl_thrift_i32(ftl_thrift *reader, const ftl_thrift_struct *s); /* i8 and i16, too */
int64_t ftl_thrift_i64(ftl_thrift *reader, const ftl_thrift_struct *s); /* any integer */
/* Bytes in the reader's data. */
const uint8_t *ftl_thrift_binary(ftl_thrift *reader, const ftl_thrift_struct *s, uint32_t *size);
/* count items follow, each read with &items.item or, structs, from ftl_thrift_begin on. */
ftl_thrift_items ftl_thrift_list(ftl_thrift *reader, const ftl_thrift_struct *s,
                                 ftl_thrift_type type);
/* Whether the field is a struct, which is then read from ftl_thrift_begin on; else the reader is
 * bad. */
bool ftl_thrift_is_struct(ftl_thrift *reader, const ftl_thrift_struct *s);
void ftl_thrift_skip(ftl_thrift *reader, const ftl_thrift_struct *s);

#endif
