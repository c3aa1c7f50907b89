/* CRC-64/XZ (ECMA-182, reflected): a checksum against damage, not against malice. */
#ifndef FTL_BASE_CRC64_H
#define FTL_BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of the bytes so far, crc, and these behind them; begin with 0. */
uint64_t ftl_crc64(uint64_t crc, const void *data, size_t size);

#endif
