/*
 * CityHash64 of version 1.0.x, which differs from the later 1.1 (CatBoost names categories by its
 * low 32 bits). Not a security hash.
 */
#ifndef FTL_BASE_CITYHASH_H
#define FTL_BASE_CITYHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t ftl_cityhash64(const char *text, size_t size);

#endif
