/*
 * Files of foretell's own. The header is made to fit what follows, so that the reader comes to the
 * records whatever the bytes are: checksums keep out accidents, not this.
 */
#include "fuzz_model.h"

#include "base/crc64.h"
#include "model/describe.h"
#include "model/file.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t at_most(uint64_t value, uint64_t most) { return value < most ? value : most; }

static void fit_header(uint8_t *bytes, size_t size)
{
    ftl_file_header header;
    memcpy(&header, bytes, sizeof header);
    memcpy(header.magic, FTL_FILE_MAGIC, sizeof header.magic);
    header.version = FTL_FILE_VERSION;
    header.byte_order = FTL_FILE_BYTE_ORDER;
    header.descriptions = ftl_description_digest();
    header.size = size;
    header.arrays = at_most(header.arrays / FTL_FILE_ALIGNMENT * FTL_FILE_ALIGNMENT, size);
    header.arrays = header.arrays < sizeof header ? sizeof header : header.arrays;
    header.records_size = at_most(header.records_size, header.arrays - sizeof header);
    header.checksum = ftl_crc64(0, bytes + sizeof header, size - sizeof header);
    header.header_checksum = ftl_crc64(0, &header, offsetof(ftl_file_header, header_checksum));
    memcpy(bytes, &header, sizeof header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < sizeof(ftl_file_header) || size > 1 << 20)
        return 0;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    fit_header(bytes, size);
    fuzz_file(bytes, size, NULL);
    free(bytes);
    return 0;
}
