#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

int tributary_memory_make(size_t size) {
    int memory = memfd_create("tributary", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -errno;
    int error = posix_fallocate(memory, 0, (off_t)size);
    if (!error && fcntl(memory, F_ADD_SEALS, seals)) error = errno;
    if (!error) return memory;
    close(memory);
    return -error;
}

int tributary_memory_open(pid_t pid, int number, size_t size) {
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, number);
    // Looked at before it is opened, for opening a pipe or a device can have effects.
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return -errno;
    target[length] = 0;
    if (strncmp(target, "/memfd:tributary", 16)) return -EPERM;
    int memory = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (memory < 0) return -errno;
    struct stat facts;
    if (!fstat(memory, &facts) && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() && (size_t)facts.st_size == size
        && fcntl(memory, F_GET_SEALS) == seals)
        return memory;
    close(memory);
    return -EPERM;
}

typedef long long vector __attribute__((vector_size(16), may_alias));
typedef vector unaligned_vector __attribute__((aligned(1)));

void tributary_memory_stream(void *restrict target, const void *restrict source, size_t count) {
    size_t whole = (size_t)target % sizeof(vector) ? 0 : count / sizeof(vector);
    vector *to = target;
    const unaligned_vector *from = source;
    for (size_t i = 0; i < whole; i++) __builtin_nontemporal_store(from[i], to + i);
    // Such stores are not ordered with others: who is told of the bytes has to find them.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    memcpy((char *)target + whole * sizeof(vector), (const char *)source + whole * sizeof(vector),
           count - whole * sizeof(vector));
}
