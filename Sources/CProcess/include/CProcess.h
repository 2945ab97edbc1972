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
