// The functions of CUDA's driver, NVRTC and cuBLAS that are used, declared as cuda.h, nvrtc.h and cublas_v2.h do.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct CUctx_st *tributary_cuda_context;
typedef struct CUmod_st *tributary_cuda_module;
typedef struct CUfunc_st *tributary_cuda_function;
typedef struct CUstream_st *tributary_cuda_stream;
typedef struct CUevent_st *tributary_cuda_event;
typedef struct _nvrtcProgram *tributary_nvrtc_program;
typedef struct cublasContext *tributary_cublas_handle;
/// CUdeviceptr: an address of the device.
typedef unsigned long long tributary_cuda_address;

enum {
    TRIBUTARY_CUDA_COMPUTE_MAJOR = 75,
    TRIBUTARY_CUDA_COMPUTE_MINOR = 76,
    TRIBUTARY_CUDA_OUT_OF_MEMORY = 2,
    TRIBUTARY_CUDA_UNSUPPORTED_PTX = 222,
    TRIBUTARY_NVRTC_INVALID_OPTION = 5,
    TRIBUTARY_CUDA_R_32F = 0,
    TRIBUTARY_CUBLAS_COMPUTE_32F = 68,
    TRIBUTARY_CUBLAS_COMPUTE_32F_FAST_16BF = 75,
    TRIBUTARY_CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
    TRIBUTARY_CUBLAS_DEFAULT = -1,
};

/// Result, member, parameters and exported name of each function of libcuda.
#define TRIBUTARY_CUDA(F)                                                                                              \
    F(int32_t, cuInit, (uint32_t), "cuInit")                                                                           \
    F(int32_t, cuDriverGetVersion, (int32_t *), "cuDriverGetVersion")                                                  \
    F(int32_t, cuDeviceGetCount, (int32_t *), "cuDeviceGetCount")                                                      \
    F(int32_t, cuDeviceGet, (int32_t *, int32_t), "cuDeviceGet")                                                       \
    F(int32_t, cuDeviceGetName, (char *, int32_t, int32_t), "cuDeviceGetName")                                         \
    F(int32_t, cuDeviceTotalMem, (size_t *, int32_t), "cuDeviceTotalMem_v2")                                           \
    F(int32_t, cuDeviceGetAttribute, (int32_t *, int32_t, int32_t), "cuDeviceGetAttribute")                            \
    F(int32_t, cuDevicePrimaryCtxRetain, (tributary_cuda_context *, int32_t), "cuDevicePrimaryCtxRetain")              \
    F(int32_t, cuCtxSetCurrent, (tributary_cuda_context), "cuCtxSetCurrent")                                           \
    F(int32_t, cuMemAlloc, (tributary_cuda_address *, size_t), "cuMemAlloc_v2")                                        \
    F(int32_t, cuMemFree, (tributary_cuda_address), "cuMemFree_v2")                                                    \
    F(int32_t, cuMemAllocHost, (void **, size_t), "cuMemAllocHost_v2")                                                 \
    F(int32_t, cuMemFreeHost, (void *), "cuMemFreeHost")                                                               \
    F(int32_t, cuMemcpyHtoDAsync, (tributary_cuda_address, const void *, size_t, tributary_cuda_stream),               \
      "cuMemcpyHtoDAsync_v2")                                                                                          \
    F(int32_t, cuMemcpyDtoHAsync, (void *, tributary_cuda_address, size_t, tributary_cuda_stream),                     \
      "cuMemcpyDtoHAsync_v2")                                                                                          \
    F(int32_t, cuMemcpyDtoDAsync, (tributary_cuda_address, tributary_cuda_address, size_t, tributary_cuda_stream),     \
      "cuMemcpyDtoDAsync_v2")                                                                                          \
    F(int32_t, cuMemsetD8Async, (tributary_cuda_address, uint8_t, size_t, tributary_cuda_stream), "cuMemsetD8Async")   \
    F(int32_t, cuStreamCreate, (tributary_cuda_stream *, uint32_t), "cuStreamCreate")                                  \
    F(int32_t, cuStreamDestroy, (tributary_cuda_stream), "cuStreamDestroy_v2")                                         \
    F(int32_t, cuStreamSynchronize, (tributary_cuda_stream), "cuStreamSynchronize")                                    \
    F(int32_t, cuEventCreate, (tributary_cuda_event *, uint32_t), "cuEventCreate")                                     \
    F(int32_t, cuEventDestroy, (tributary_cuda_event), "cuEventDestroy_v2")                                            \
    F(int32_t, cuEventRecord, (tributary_cuda_event, tributary_cuda_stream), "cuEventRecord")                          \
    F(int32_t, cuEventSynchronize, (tributary_cuda_event), "cuEventSynchronize")                                       \
    F(int32_t, cuModuleLoadData, (tributary_cuda_module *, const void *), "cuModuleLoadData")                          \
    F(int32_t, cuModuleGetFunction, (tributary_cuda_function *, tributary_cuda_module, const char *),                  \
      "cuModuleGetFunction")                                                                                           \
    F(int32_t, cuLaunchKernel,                                                                                         \
      (tributary_cuda_function, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,                  \
       tributary_cuda_stream, void **, void **),                                                                       \
      "cuLaunchKernel")

/// Of libnvrtc.
#define TRIBUTARY_NVRTC(F)                                                                                             \
    F(int32_t, nvrtcCreateProgram,                                                                                     \
      (tributary_nvrtc_program *, const char *, const char *, int32_t, const char *const *, const char *const *),      \
      "nvrtcCreateProgram")                                                                                            \
    F(int32_t, nvrtcCompileProgram, (tributary_nvrtc_program, int32_t, const char *const *), "nvrtcCompileProgram")    \
    F(int32_t, nvrtcGetPTXSize, (tributary_nvrtc_program, size_t *), "nvrtcGetPTXSize")                                \
    F(int32_t, nvrtcGetPTX, (tributary_nvrtc_program, char *), "nvrtcGetPTX")                                          \
    F(int32_t, nvrtcGetProgramLogSize, (tributary_nvrtc_program, size_t *), "nvrtcGetProgramLogSize")                  \
    F(int32_t, nvrtcGetProgramLog, (tributary_nvrtc_program, char *), "nvrtcGetProgramLog")                            \
    F(int32_t, nvrtcDestroyProgram, (tributary_nvrtc_program *), "nvrtcDestroyProgram")

/// Of libcublas.
#define TRIBUTARY_CUBLAS(F)                                                                                            \
    F(int32_t, cublasCreate, (tributary_cublas_handle *), "cublasCreate_v2")                                           \
    F(int32_t, cublasDestroy, (tributary_cublas_handle), "cublasDestroy_v2")                                           \
    F(int32_t, cublasSetStream, (tributary_cublas_handle, tributary_cuda_stream), "cublasSetStream_v2")                \
    F(int32_t, cublasGemmStridedBatchedEx,                                                                             \
      (tributary_cublas_handle, int32_t, int32_t, int32_t, int32_t, int32_t, const void *, const void *, int32_t,      \
       int32_t, long long, const void *, int32_t, int32_t, long long, const void *, void *, int32_t, int32_t,          \
       long long, int32_t, int32_t, int32_t),                                                                          \
      "cublasGemmStridedBatchedEx")

#define TRIBUTARY_CUDA_MEMBER(result, name, parameters, symbol) result(*name) parameters;
typedef struct tributary_cuda {
    TRIBUTARY_CUDA(TRIBUTARY_CUDA_MEMBER)
} tributary_cuda;
typedef struct tributary_nvrtc {
    TRIBUTARY_NVRTC(TRIBUTARY_CUDA_MEMBER)
} tributary_nvrtc;
typedef struct tributary_cublas {
    TRIBUTARY_CUBLAS(TRIBUTARY_CUDA_MEMBER)
} tributary_cublas;

/// Each loads its library when first called; NULL where there is none, or one without these functions.
const tributary_cuda *tributary_cuda_library(void);
const tributary_nvrtc *tributary_nvrtc_library(void);
const tributary_cublas *tributary_cublas_library(void);
