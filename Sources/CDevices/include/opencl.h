// The functions of OpenCL 1.2 and CLBlast that are used, declared as the Khronos headers and clblast_c.h do.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct _cl_platform_id *cl_platform_id;
typedef struct _cl_device_id *cl_device_id;
typedef struct _cl_context *cl_context;
typedef struct _cl_command_queue *cl_command_queue;
typedef struct _cl_mem *cl_mem;
typedef struct _cl_program *cl_program;
typedef struct _cl_kernel *cl_kernel;
typedef struct _cl_event *cl_event;

typedef enum tributary_cl_constant {
    TRIBUTARY_CL_DEVICE_CPU = 1 << 1,
    TRIBUTARY_CL_DEVICE_GPU = 1 << 2,
    TRIBUTARY_CL_PLATFORM_VERSION = 0x0901,
    TRIBUTARY_CL_DEVICE_TYPE = 0x1000,
    TRIBUTARY_CL_MAX_WORK_GROUP_SIZE = 0x1004,
    TRIBUTARY_CL_MAX_ALLOCATION = 0x1010,
    TRIBUTARY_CL_BASE_ALIGNMENT = 0x1019,
    TRIBUTARY_CL_GLOBAL_MEMORY = 0x101F,
    TRIBUTARY_CL_DEVICE_NAME = 0x102B,
    TRIBUTARY_CL_DRIVER_VERSION = 0x102D,
    TRIBUTARY_CL_DEVICE_VERSION = 0x102F,
    TRIBUTARY_CL_UNIFIED_MEMORY = 0x1035,
    TRIBUTARY_CL_PROGRAM_BINARY_SIZES = 0x1165,
    TRIBUTARY_CL_PROGRAM_BINARIES = 0x1166,
    TRIBUTARY_CL_BUILD_LOG = 0x1183,
    TRIBUTARY_CL_READ_WRITE = 1 << 0,
    TRIBUTARY_CL_ALLOCATE_HOST = 1 << 4,
    TRIBUTARY_CL_BUFFER_REGION = 0x1220,
    TRIBUTARY_CL_MAP_READ_WRITE = 3,
} tributary_cl_constant;

enum { TRIBUTARY_CL_OUT_OF_MEMORY = -4, TRIBUTARY_CL_OUT_OF_RESOURCES = -5 };

/// Result, name and parameters of each function.
#define TRIBUTARY_OPENCL(F)                                                                                            \
    F(int32_t, clGetPlatformIDs, (uint32_t, cl_platform_id *, uint32_t *))                                             \
    F(int32_t, clGetPlatformInfo, (cl_platform_id, uint32_t, size_t, void *, size_t *))                                \
    F(int32_t, clGetDeviceIDs, (cl_platform_id, uint64_t, uint32_t, cl_device_id *, uint32_t *))                       \
    F(int32_t, clGetDeviceInfo, (cl_device_id, uint32_t, size_t, void *, size_t *))                                    \
    F(cl_context, clCreateContext,                                                                                     \
      (const intptr_t *, uint32_t, const cl_device_id *, void (*)(const char *, const void *, size_t, void *),         \
       void *, int32_t *))                                                                                             \
    F(cl_command_queue, clCreateCommandQueue, (cl_context, cl_device_id, uint64_t, int32_t *))                         \
    F(int32_t, clReleaseCommandQueue, (cl_command_queue))                                                              \
    F(cl_mem, clCreateBuffer, (cl_context, uint64_t, size_t, void *, int32_t *))                                       \
    F(cl_mem, clCreateSubBuffer, (cl_mem, uint64_t, uint32_t, const void *, int32_t *))                                \
    F(int32_t, clReleaseMemObject, (cl_mem))                                                                           \
    F(cl_program, clCreateProgramWithSource, (cl_context, uint32_t, const char **, const size_t *, int32_t *))         \
    F(cl_program, clCreateProgramWithBinary,                                                                           \
      (cl_context, uint32_t, const cl_device_id *, const size_t *, const unsigned char **, int32_t *, int32_t *))      \
    F(int32_t, clBuildProgram,                                                                                         \
      (cl_program, uint32_t, const cl_device_id *, const char *, void (*)(cl_program, void *), void *))                \
    F(int32_t, clGetProgramBuildInfo, (cl_program, cl_device_id, uint32_t, size_t, void *, size_t *))                  \
    F(int32_t, clGetProgramInfo, (cl_program, uint32_t, size_t, void *, size_t *))                                     \
    F(int32_t, clReleaseProgram, (cl_program))                                                                         \
    F(cl_kernel, clCreateKernel, (cl_program, const char *, int32_t *))                                                \
    F(int32_t, clReleaseKernel, (cl_kernel))                                                                           \
    F(int32_t, clSetKernelArg, (cl_kernel, uint32_t, size_t, const void *))                                            \
    F(int32_t, clEnqueueNDRangeKernel,                                                                                 \
      (cl_command_queue, cl_kernel, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t,                \
       const cl_event *, cl_event *))                                                                                  \
    F(int32_t, clEnqueueWriteBuffer,                                                                                   \
      (cl_command_queue, cl_mem, uint32_t, size_t, size_t, const void *, uint32_t, const cl_event *, cl_event *))      \
    F(int32_t, clEnqueueReadBuffer,                                                                                    \
      (cl_command_queue, cl_mem, uint32_t, size_t, size_t, void *, uint32_t, const cl_event *, cl_event *))            \
    F(int32_t, clEnqueueCopyBuffer,                                                                                    \
      (cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, uint32_t, const cl_event *, cl_event *))              \
    F(int32_t, clEnqueueFillBuffer,                                                                                    \
      (cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, uint32_t, const cl_event *, cl_event *))        \
    F(void *, clEnqueueMapBuffer,                                                                                      \
      (cl_command_queue, cl_mem, uint32_t, uint64_t, size_t, size_t, uint32_t, const cl_event *, cl_event *,           \
       int32_t *))                                                                                                     \
    F(int32_t, clWaitForEvents, (uint32_t, const cl_event *))                                                          \
    F(int32_t, clReleaseEvent, (cl_event))                                                                             \
    F(int32_t, clFlush, (cl_command_queue))                                                                            \
    F(int32_t, clFinish, (cl_command_queue))

#define TRIBUTARY_CLBLAST(F)                                                                                           \
    F(int32_t, CLBlastSgemm,                                                                                           \
      (uint32_t, uint32_t, uint32_t, size_t, size_t, size_t, float, cl_mem, size_t, size_t, cl_mem, size_t, size_t,    \
       float, cl_mem, size_t, size_t, cl_command_queue *, cl_event *))                                                 \
    F(int32_t, CLBlastSgemmStridedBatched,                                                                             \
      (uint32_t, uint32_t, uint32_t, size_t, size_t, size_t, float, cl_mem, size_t, size_t, size_t, cl_mem, size_t,    \
       size_t, size_t, float, cl_mem, size_t, size_t, size_t, size_t, cl_command_queue *, cl_event *))

#define TRIBUTARY_MEMBER(result, name, parameters) result(*name) parameters;
/// Functions of libOpenCL.
typedef struct tributary_opencl {
    TRIBUTARY_OPENCL(TRIBUTARY_MEMBER)
} tributary_opencl;
/// Functions of libclblast.
typedef struct tributary_clblast {
    TRIBUTARY_CLBLAST(TRIBUTARY_MEMBER)
} tributary_clblast;

/// Each loads its library when first called; NULL where there is none, or one without these functions.
const tributary_opencl *tributary_opencl_library(void);
const tributary_clblast *tributary_clblast_library(void);
