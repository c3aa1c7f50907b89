/*
 * A model as a file of foretell's own, format 1: what front ends made of another library's file,
 * ready to run. Pointers became offsets, so that a file can be mapped and its arrays used where
 * they lie. It holds the numbers as this machine has them; another byte order, or other
 * descriptions of operations (model/ops/), are refused by name.
 *
 *   header    64 bytes, see ftl_file_header
 *   records   from byte 64 on: the record of the model (ops/model.def), field after field, those
 *             within it where they are met. Numbers: as they are in memory, without gaps. Texts:
 * size (uint32_t, UINT32_MAX: NULL), bytes, NUL. Cells: tag and size, then text and NUL, or 8
 * bytes. Arrays of numbers: how many (uint64_t, UINT64_MAX: NULL), and, unless it is 0, where in
 * the file (uint64_t). Other arrays: how many, then each. Pointers to records: 0 is NULL, i the
 * i-th record that was met behind a pointer, one more than there were: a new one, which follows
 *   arrays    from a multiple of 64 on, each at the next multiple of 64, in the order of the
 * records
 */
#ifndef FTL_MODEL_FILE_H
#define FTL_MODEL_FILE_H

#include "model/model.h"

#define FTL_FILE_MAGIC \
    "\x89"             \
    "FTLM\r\n\x1a"

enum { FTL_FILE_VERSION = 1, FTL_FILE_ALIGNMENT = 64, FTL_FILE_BYTE_ORDER = 0x01020304 };

typedef struct ftl_file_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t descriptions;    /* ftl_description_digest */
    uint64_t size;            /* of the file */
    uint64_t arrays;          /* where they begin; also where the records' padding ends */
    uint64_t records_size;    /* without the padding */
    uint64_t checksum;        /* CRC-64 of all behind the header */
    uint64_t header_checksum; /* CRC-64 of the header before it */
} ftl_file_header;

/* Receives the file's bytes in order; false: stop. */
typedef bool (*ftl_file_sink)(void *user, const void *data, size_t size);

/*
 * UNSUPPORTED for models of open width, which are what their file says and not a graph. CANCELLED
 * when the sink stops. scratch: what is needed meanwhile.
 */
FTL_MUST_USE ftl_status ftl_file_write(const ftl_model *model, ftl_file_sink sink, void *user,
                                       ftl_account *scratch, ftl_error *error);
/*
 * Fills the model, whose arena holds bytes[0..size), aligned to 64: arrays and texts are used
 * there. CORRUPT, with the offset, for bytes that are no such file; the model is not validated.
 */
FTL_MUST_USE ftl_status ftl_file_read(ftl_model *model, const void *bytes, size_t size,
                                      ftl_account *scratch, ftl_error *error);

#endif
