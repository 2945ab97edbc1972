#include "CDevices.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

// The first of `names` that is there.
static void *open_first(const char *const *names) {
    for (; *names != NULL; names++) {
        void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) return library;
    }
    return NULL;
}

// Finds every function that LIST names; the symbol is the last argument of its entries, or the name itself.
#define FIND_NAMED(result, name, parameters) FIND(result, name, parameters, #name)
#define FIND(result, name, parameters, symbol) complete &= (*(void **)&table.name = dlsym(library, symbol)) != NULL;

#define LIBRARY(type, LIST, ENTRY, ...)                                                                                \
    static type type##_table;                                                                                          \
    static bool type##_found;                                                                                          \
    static void type##_load(void) {                                                                                    \
        static const char *const names[] = {__VA_ARGS__, NULL};                                                        \
        void *library = open_first(names);                                                                             \
        if (library == NULL) return;                                                                                   \
        type table;                                                                                                    \
        bool complete = true;                                                                                          \
        LIST(ENTRY)                                                                                                    \
        type##_table = table;                                                                                          \
        type##_found = complete;                                                                                       \
    }                                                                                                                  \
    const type *type##_library(void) {                                                                                 \
        static pthread_once_t once = PTHREAD_ONCE_INIT;                                                                \
        pthread_once(&once, type##_load);                                                                              \
        return type##_found ? &type##_table : NULL;                                                                    \
    }

LIBRARY(tributary_opencl, TRIBUTARY_OPENCL, FIND_NAMED, "libOpenCL.so.1", "libOpenCL.so")
LIBRARY(tributary_clblast, TRIBUTARY_CLBLAST, FIND_NAMED, "libclblast.so.1", "libclblast.so")
LIBRARY(tributary_cuda, TRIBUTARY_CUDA, FIND, "libcuda.so.1", "libcuda.so")
LIBRARY(tributary_nvrtc, TRIBUTARY_NVRTC, FIND, "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so")
LIBRARY(tributary_cublas, TRIBUTARY_CUBLAS, FIND, "libcublas.so.13", "libcublas.so.12", "libcublas.so.11",
        "libcublas.so")
