"""Commands on a CPU keep the memory that they have freed, unless it is not theirs to decide."""

import platform
import subprocess
import sys

import pytest

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
BLOCKS = 10
MEGABYTES = 100
# A thread gets, fills and frees a large block several times; pages that were cleared for it.
SCRIPT = f"""
import ctypes, resource, threading
from pathlib import Path
from kseg import memory
memory.DEVICES = Path({{devices!r}})
memory.keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
def work():
    for _ in range({BLOCKS}):
        block = ctypes.c_void_p(library.malloc({MEGABYTES} << 20))
        library.memset(block, 1, {MEGABYTES} << 20)
        library.free(block)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=work)
thread.start()
thread.join()
after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print((after - before) * resource.getpagesize() >> 20)
"""


def megabytes_cleared(devices, **variables) -> int:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(devices=str(devices))],
        env={"PYTHONPATH": ":".join(sys.path), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@glibc
def test_the_same_pages_serve_again(tmp_path):
    assert megabytes_cleared(tmp_path) < 2 * MEGABYTES


@glibc
@pytest.mark.parametrize("variable", ["MALLOC_TOP_PAD_", "GLIBC_TUNABLES"])
def test_the_variables_of_the_user_decide(variable, tmp_path):
    assert megabytes_cleared(tmp_path, **{variable: ""}) >= BLOCKS * MEGABYTES


@glibc
@pytest.mark.parametrize("device", ["nvidia0", "accel0", "vfio/1"])
def test_with_an_accelerator_nothing_changes(device, tmp_path):
    path = tmp_path / device
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert megabytes_cleared(tmp_path) >= BLOCKS * MEGABYTES
