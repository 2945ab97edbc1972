// Processes: what Swift's Glibc module lacks, because it sees no _GNU_SOURCE declarations and no variadic functions.
#pragma once

#include <sys/types.h>

// Starts the program at `path` in a process group of its own, with standard input from /dev/null, standard output and
// error into `output`, no other descriptor, no blocked signal and every signal's default action.
// Returns 0 and the process in `pid`, or an errno.
int tributary_spawn(
    pid_t *pid, const char *path, char *const arguments[], char *const environment[], int output);

// A pipe, [read, write], that no child inherits. Returns 0, or an errno.
int tributary_pipe(int ends[2]);

// Has the system kill this process as soon as the thread that started it ends. Returns 0, or an errno.
int tributary_end_with_parent(void);

// The environment, as execve takes it.
char **tributary_environment(void);

// Memory that other processes of this machine and user can map: `size` bytes, all there, of a size that nobody can change
// any more. It has no name, so that nothing is left of it when the last process that has it ends, however it ends.
// Returns a descriptor that no child inherits, or an errno below zero.
int tributary_memory_make(size_t size);

// The memory that is descriptor `number` of process `pid`; refused with -EPERM unless it is of tributary_memory_make's
// kind and has this size. Returns a descriptor of this process's own, or an errno below zero.
int tributary_memory_open(pid_t pid, int number, size_t size);

// Copies to memory that nobody reads soon, past the caches, which are left to what is used. A plain copy reads each line of
// its target first, and so takes half as long again where both are larger than the caches.
void tributary_memory_stream(void *target, const void *source, size_t count);
