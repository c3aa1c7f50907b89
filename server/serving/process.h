/* What the system says of this process. */
#ifndef FTL_SERVER_SERVING_PROCESS_H
#define FTL_SERVER_SERVING_PROCESS_H

#include <stdint.h>

typedef struct srv_process {
    double cpu_seconds; /* user and system */
    uint64_t resident_bytes, peak_bytes;
    uint64_t read_bytes, written_bytes; /* of disks; 0 where the system does not say */
    uint64_t open_files, most_files, threads;
} srv_process;

void srv_process_read(srv_process *out);

#endif
