"""TensorRT engines (`.engine`) on an NVIDIA GPU."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from kseg.inference.engines.base import runtime
from kseg.inference.engines.exported import ExportedEngine

_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


def cuda_devices() -> int:
    """Return how many NVIDIA GPUs the driver can use, 0 where there is no driver."""
    for name in _DRIVERS:
        with suppress(OSError):
            driver, count = ctypes.CDLL(name), ctypes.c_int(0)
            if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0:
                return count.value
    return 0


class TensorrtEngine(ExportedEngine):
    """An `.engine` file, for the kind of GPU that it was built on. See `Engine`.

    Besides the package tensorrt it needs cuda-python, to move images to the GPU and back.
    """

    program = "TensorRT"

    def open(self) -> None:
        """Load the engine."""
        self._trt = runtime("tensorrt", "tensorrt", self.path)
        self._cuda = _Cuda(self.path)
        logger = self._trt.Logger(self._trt.Logger.ERROR)
        # The engine lives no longer than the runtime that read it.
        self._runtime = self._trt.Runtime(logger)
        self._engine = self._runtime.deserialize_cuda_engine(self.path.read_bytes())
        if self._engine is None:
            raise ValueError(
                f"{self.path}: this engine is for another GPU or another version of TensorRT; "
                "build it here with build_engine.py of its folder"
            )
        self._context = self._engine.create_execution_context()

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the engine once."""
        source, target = self.sidecar.input, self.sidecar.outputs[0]
        if self._context.set_input_shape(source, batch.shape) is False:
            raise ValueError(
                f"{self.path}: the engine takes no images of shape {batch.shape}; export it again "
                "with --min_shape and --max_shape around that"
            )
        kind = self._trt.nptype(self._engine.get_tensor_dtype(target))
        answer = np.empty(tuple(self._context.get_tensor_shape(target)), kind)
        with _Buffers(self._cuda, batch.nbytes, answer.nbytes) as (image, scores):
            self._cuda.upload(image, batch)
            self._context.set_tensor_address(source, image)
            self._context.set_tensor_address(target, scores)
            self._context.execute_async_v3(0)
            self._cuda.download(answer, scores)
        return answer


class _Cuda:
    """The few functions of the CUDA runtime that are needed; all raise where one fails."""

    def __init__(self, path: Path):
        self._library = runtime("cuda.bindings.runtime", "cuda-python", path)

    def allocate(self, size: int) -> int:
        return self._call("cudaMalloc", size)

    def free(self, address: int) -> None:
        self._call("cudaFree", address)

    def upload(self, address: int, array: np.ndarray) -> None:
        kind = self._library.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpy", address, array.ctypes.data, array.nbytes, kind)

    def download(self, array: np.ndarray, address: int) -> None:
        kind = self._library.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpy", array.ctypes.data, address, array.nbytes, kind)

    def _call(self, name: str, *arguments: Any) -> Any:
        error, *values = getattr(self._library, name)(*arguments)
        if int(error) != 0:
            raise RuntimeError(f"CUDA's {name} failed: {error}")
        return values[0] if values else None


class _Buffers:
    """Memory on the GPU for a `with` block."""

    def __init__(self, cuda: _Cuda, *sizes: int):
        self._cuda, self._sizes = cuda, sizes
        self._addresses: list[int] = []

    def __enter__(self) -> list[int]:
        for size in self._sizes:
            self._addresses.append(self._cuda.allocate(size))
        return self._addresses

    def __exit__(self, *error: object) -> None:
        for address in self._addresses:
            self._cuda.free(address)
