// Tells ThreadSanitizer what orders threads in libraries that are built without it: loaded before them by `deploy/sanitize`.
// Without this it reports as races what a Mutex or the thread pool orders.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// Not there in the programs that tests start.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

static void acquire(void *address) {
    if (__tsan_acquire) __tsan_acquire(address);
}

static void release(void *address) {
    if (__tsan_release) __tsan_release(address);
}

#define NEXT(name) dlsym(RTLD_NEXT, name)

// Swift's Mutex. It is compiled into our code, and seen there, as long as no other thread has it; if one has, the kernel
// hands it over (FUTEX_LOCK_PI), by calls within libswiftSynchronization.
#define HANDLE "$s15Synchronization12_MutexHandleV"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(HANDLE "9_lockSlowyys6UInt32VF");
SWIFT bool try_lock_slow(SELF) __asm__(HANDLE "12_tryLockSlowSbyF");
SWIFT void unlock_slow(SELF) __asm__(HANDLE "11_unlockSlowyyF");

SWIFT void lock_slow(uint32_t thread, SELF) {
    SWIFT void (*next)(uint32_t, SELF) = NEXT(HANDLE "9_lockSlowyys6UInt32VF");
    next(thread, mutex);
    acquire(mutex);
}

SWIFT bool try_lock_slow(SELF) {
    SWIFT bool (*next)(SELF) = NEXT(HANDLE "12_tryLockSlowSbyF");
    bool locked = next(mutex);
    if (locked) acquire(mutex);
    return locked;
}

SWIFT void unlock_slow(SELF) {
    SWIFT void (*next)(SELF) = NEXT(HANDLE "11_unlockSlowyyF");
    release(mutex);
    next(mutex);
}

// libgomp's thread pool: all that comes before a parallel region is before its parts, and they are before all that follows.
struct region {
    void (*body)(void *);
    void *context;
};

static void run(void *argument) {
    struct region *region = argument;
    acquire(region);
    region->body(region->context);
    release(region);
}

void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags) {
    void (*next)(void (*)(void *), void *, unsigned, unsigned) = NEXT("GOMP_parallel");
    struct region region = {body, context};
    release(&region);
    next(run, &region, threads, flags);
    acquire(&region);
}
