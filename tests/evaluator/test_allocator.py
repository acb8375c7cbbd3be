"""What a command frees it has at once when it wants it again, in every thread."""

import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, resource, sys, threading
from evaluator.__main__ import main

status = main(sys.argv[1:])
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.free.argtypes = [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
faults = []

def take(size):
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        block = c.malloc(size)
        c.memset(block, 1, size)
        c.free(block)
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)

thread = threading.Thread(target=take, args=(100 << 20,))
thread.start()
thread.join()
print(status, *faults)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
@pytest.mark.parametrize(
    ("command", "keeps"), [(["decode", "missing.cmc", "-o", "a.png"], True), (["systems"], False)]
)
def test_a_command_that_computes_keeps_what_a_thread_frees(command: list[str], keeps: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, check=True
    )
    status, first, *later = map(int, done.stdout.splitlines()[-1].split())
    assert status == (1 if keeps else 0)
    assert first > 1000
    assert all((count < 10) is keeps for count in later)
