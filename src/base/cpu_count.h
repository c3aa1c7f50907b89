/*
 * How many processors this process may really use: what its affinity allows, and what the quotas of
 * its control groups (version 2 and version 1) leave of them. Stateless; reads a few small files.
 */
#ifndef FTL_BASE_CPU_COUNT_H
#define FTL_BASE_CPU_COUNT_H

#include <stdint.h>

/* 1 or more. */
uint32_t ftl_cpu_count(void);

/*
 * The quotas alone, rounded up to whole processors; 0 when there is none. root stands before the
 * paths /proc/self/cgroup and /sys/fs/cgroup: "" on a living system. Files that are missing or say
 * nothing usable count as no quota.
 */
uint32_t ftl_cpu_quota(const char *root);

#endif
