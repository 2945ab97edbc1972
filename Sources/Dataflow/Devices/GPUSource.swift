/// What stands before the source of every GPU kernel, so that one text is both OpenCL C and CUDA C++.
///
/// Kernels use `KERNEL`, `GLOBAL` (pointers), `LOCAL` (memory of a group), `INDEX` (of the work item), `GROUP`, `GROUPS`,
/// `LANE` (within the group of `LANES`), `BARRIER`, and C's functions of `float`.
enum GPUSource {
    static func openCL(_ body: String) -> String { openCLPrelude + common + body }
    static func cuda(_ body: String) -> String { cudaPrelude + common + body }

    private static let openCLPrelude = """
        #define KERNEL __kernel
        #define GLOBAL __global
        #define LOCAL __local
        #define FUNCTION
        #define INDEX ((int)get_global_id(0))
        #define GROUP ((int)get_group_id(0))
        #define GROUPS ((int)get_num_groups(0))
        #define LANE ((int)get_local_id(0))
        #define BARRIER barrier(CLK_LOCAL_MEM_FENCE)
        #define HIGH(a, b) mul_hi(a, b)
        #define BITS_TO_FLOAT(x) as_float(x)
        #define FLOAT_TO_BITS(x) as_uint(x)
        #ifdef cl_khr_fp64
        #pragma OPENCL EXTENSION cl_khr_fp64 : enable
        typedef double real;
        #else
        typedef float real;
        #endif

        """

    /// The first line: this text and the kernels' templates name what not every kernel uses.
    private static let cudaPrelude = """
        #pragma nv_diag_suppress 177
        #define KERNEL extern "C" __global__
        #define GLOBAL
        #define LOCAL __shared__
        #define FUNCTION static __device__ inline
        #define INDEX ((int)(blockIdx.x * blockDim.x + threadIdx.x))
        #define GROUP ((int)blockIdx.x)
        #define GROUPS ((int)gridDim.x)
        #define LANE ((int)threadIdx.x)
        #define BARRIER __syncthreads()
        #define HIGH(a, b) __umulhi(a, b)
        #define BITS_TO_FLOAT(x) __uint_as_float(x)
        #define FLOAT_TO_BITS(x) __float_as_uint(x)
        #define INFINITY __int_as_float(0x7f800000)
        #define NAN __int_as_float(0x7fffffff)
        typedef double real;
        typedef unsigned char uchar;
        typedef unsigned short ushort;
        typedef unsigned int uint;
        typedef unsigned long long ulong;

        """

    /// NaN comes through a maximum or minimum, as on the CPU.
    private static let common = """
        #define LANES \(GPULaunch.width)
        FUNCTION float maximum(float x, float y) { return x >= y || x != x ? x : y; }
        FUNCTION float minimum(float x, float y) { return x <= y || x != x ? x : y; }
        FUNCTION float sigmoid(float x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
        FUNCTION float floor_mod(float x, float y) {
            float m = fmod(x, y);
            return m != 0 && (m < 0) != (y < 0) ? m + y : m;
        }

        """
}
