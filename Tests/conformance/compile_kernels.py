"""Compiles the CUDA text of kernels with NVRTC, CUDA's own compiler, which needs no GPU.

    python compile_kernels.py FOLDER [compute_80 …]

FOLDER holds files ENTRY-NUMBER.cu, as `tributary graph kernels` writes them. Each is compiled for each architecture with the
options that Tributary's CUDA backend gives (Sources/Dataflow/Devices/CUDADevice.swift), and for the real architecture
(sm_80) too, which runs the assembler. A kernel fails if it does not compile, if the compiler warns of it, or if the result
has no kernel named ENTRY. Prints the log of each that fails; exit status 0 if none does.

Needs nvidia-cuda-nvrtc-cu12.
"""

import ctypes
import glob
import importlib.util
import os
import re
import sys

# As the backend: nothing else changes what is compiled.
OPTIONS = ["--gpu-architecture=%s"]


def load():
    places = importlib.util.find_spec("nvidia.cuda_nvrtc").submodule_search_locations
    folder = os.path.join(list(places)[0], "lib")
    # NVRTC finds its builtins beside it once they are loaded.
    for name in sorted(os.listdir(folder)):
        if name.startswith("libnvrtc-builtins.so"):
            ctypes.CDLL(os.path.join(folder, name), ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(glob.glob(os.path.join(folder, "libnvrtc.so.*"))[0])


NVRTC = load()


def checked(status, what):
    if status != 0:
        NVRTC.nvrtcGetErrorString.restype = ctypes.c_char_p
        sys.exit("%s: %s" % (what, NVRTC.nvrtcGetErrorString(status).decode()))


def text(program, size, get):
    count = ctypes.c_size_t()
    checked(size(program, ctypes.byref(count)), "a size")
    buffer = ctypes.create_string_buffer(count.value + 1)
    checked(get(program, buffer), "a text")
    return buffer.raw[: count.value].rstrip(b"\0")


def compiled(source, architecture):
    """The log, and the code: PTX for compute_…, a binary for sm_…; no code if it does not compile."""
    program = ctypes.c_void_p()
    checked(NVRTC.nvrtcCreateProgram(ctypes.byref(program), source, b"kernel.cu", 0, None, None), "a program")
    options = [(o % architecture).encode() for o in OPTIONS]
    status = NVRTC.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = text(program, NVRTC.nvrtcGetProgramLogSize, NVRTC.nvrtcGetProgramLog).decode()
    code = None
    if status == 0:
        isReal = architecture.startswith("sm_")
        code = text(
            program, NVRTC.nvrtcGetCUBINSize if isReal else NVRTC.nvrtcGetPTXSize,
            NVRTC.nvrtcGetCUBIN if isReal else NVRTC.nvrtcGetPTX)
    checked(NVRTC.nvrtcDestroyProgram(ctypes.byref(program)), "destroying a program")
    return log, code


def problem(path, architecture):
    with open(path, "rb") as file:
        source = file.read()
    log, code = compiled(source, architecture)
    entry = re.sub(r"-\d+\.cu$", "", os.path.basename(path))
    if code is None:
        return "does not compile:\n" + log
    if log.strip():
        return "is warned of:\n" + log
    if architecture.startswith("compute_") and not re.search(r"\.visible \.entry %s\(" % re.escape(entry), code.decode()):
        return "has no kernel named %s" % entry
    return None if code else "gives no code"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    architectures = sys.argv[2:] or ["compute_80", "sm_80", "compute_90", "sm_90"]
    major, minor = ctypes.c_int(), ctypes.c_int()
    checked(NVRTC.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)), "the version")
    paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.cu")))
    failed = 0
    for path in paths:
        for architecture in architectures:
            found = problem(path, architecture)
            if found:
                failed += 1
                print("%s for %s %s" % (os.path.basename(path), architecture, found))
                break
    print(
        "kernels: %d of %d compile for %s with NVRTC %d.%d"
        % (len(paths) - failed, len(paths), ", ".join(architectures), major.value, minor.value))
    if failed or not paths:
        sys.exit(1)


if __name__ == "__main__":
    main()
