#define _GNU_SOURCE
#include "CKernels.h"
#include <errno.h>
#include <sched.h>
#include <unistd.h>

int tributary_usable_cores(void) {
    // The kernel refuses a mask that is shorter than its own, which may have more than the 1,024 bits of cpu_set_t.
    for (int bits = CPU_SETSIZE; bits <= 1 << 20; bits *= 2) {
        cpu_set_t *set = CPU_ALLOC(bits);
        if (!set) break;
        size_t size = CPU_ALLOC_SIZE(bits);
        int error = sched_getaffinity(0, size, set) ? errno : 0;
        int count = error ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (count > 0) return count;
        if (error != EINVAL) break;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
