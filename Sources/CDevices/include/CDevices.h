// Drivers of GPUs, found when a GPU is first asked for. Nothing of them is needed to build or to start.
#pragma once

#include "cuda.h"
#include "opencl.h"
