#define _GNU_SOURCE
#include "CKernels.h"
#include <pthread.h>
#include <stdint.h>

long tributary_stack_left(void) {
    // Asking the system reads /proc/self/maps on the main thread: once a thread is enough.
    static _Thread_local uintptr_t low;
    if (!low) {
        pthread_attr_t attributes;
        if (pthread_getattr_np(pthread_self(), &attributes)) return -1;
        void *start;
        size_t size, guard = 0;
        int error = pthread_attr_getstack(&attributes, &start, &size);
        pthread_attr_getguardsize(&attributes, &guard);
        pthread_attr_destroy(&attributes);
        if (error) return -1;
        low = (uintptr_t)start + guard;
    }
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here > low ? (long)(here - low) : 0;
}

struct call {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct call *call = argument;
    call->body(call->context);
    return 0;
}

int tributary_call_on_stack(long size, void (*body)(void *), void *context) {
    pthread_attr_t attributes;
    pthread_t thread;
    struct call call = {body, context};
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    error = pthread_attr_setstacksize(&attributes, (size_t)size);
    if (!error) error = pthread_create(&thread, &attributes, run, &call);
    pthread_attr_destroy(&attributes);
    if (!error) pthread_join(thread, 0);
    return error;
}
