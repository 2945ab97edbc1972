#include <oneapi/dnnl/dnnl.h>

// GCC's OpenMP runtime, which oneDNN uses: Swift's compiler has no OpenMP of its own, and clang's <omp.h> is not
// everywhere. The two calls of its ABI that we need; sharing the pool keeps a second one from spinning beside it.
void omp_set_num_threads(int threads);
void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
