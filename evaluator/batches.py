"""Batches: which pictures go together, and what becomes of a batch that does not fit in memory."""

import gc
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import TypeVar

from protocol.errors import DeviceLost, KernelFault, ModelError

T = TypeVar("T")
R = TypeVar("R")

_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    # cuBLAS and cuDNN, whose workspaces find no room, behind torch's "CUDA error".
    "alloc_failed",
    "allocation_failed",
)
_STOPPED = ("device-side assert", "illegal memory access", "misaligned address")
"""Of these the GPU gets over and the process does not: it is what was computed that fails."""
_LOST = (*_STOPPED, "CUDA error", "HIP error", "cudaError", "GPU is lost")


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """Yield consecutive lists of at most `size` items."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def group_by_shape(
    items: Iterable[T], shape: Callable[[T], tuple[int, int]], size: int
) -> list[list[T]]:
    """Return groups of at most `size` items of one shape, the largest shapes first.

    Several lanes then end together: what is left over is small. And memory that is short is found
    out at once.

    The groups follow from the list alone and not from what is in the cache, so a run that was
    stopped makes the same batches when it goes on.
    """
    ordered = sorted(items, key=lambda item: (prod(shape(item)), shape(item)), reverse=True)
    return [
        group
        for _, members in itertools.groupby(ordered, key=shape)
        for group in chunks(list(members), size)
    ]


class BatchSizes:
    """The largest batches that have not run out of memory so far, by the size of their pictures."""

    def __init__(self, size: int) -> None:
        """Start at `size`."""
        self._size = size
        self._limits: dict[int, int] = {}
        self._lock = threading.Lock()

    @property
    def smallest(self) -> int:
        """The smallest batch that memory has forced so far."""
        with self._lock:
            return min(self._limits.values(), default=self._size)

    def size_for(self, pixels: int) -> int:
        """Return how many pictures of `pixels` pixels go together."""
        with self._lock:
            limits = [size for least, size in self._limits.items() if pixels >= least]
        return min(limits, default=self._size)

    def run(
        self,
        work: Callable[[list[T]], list[R]],
        items: Sequence[T],
        pixels: int,
        *,
        too_large: Callable[[T, str], R],
    ) -> list[R]:
        """Return `work`'s answers for all items, in batches that fit.

        A batch that runs out of memory is tried again in halves; the size is remembered.

        Args:
            work: one answer an item.
            items: pictures of one shape.
            pixels: of each of them.
            too_large: the answer for an item that does not fit alone, with the reason.

        Raises:
            DeviceLost: the device no longer answers.
            KernelFault: it stopped the computation.
        """
        done: list[R] = []
        while len(done) < len(items):
            batch = list(items[len(done) : len(done) + self.size_for(pixels)])
            try:
                done += work(batch)
            except (MemoryError, RuntimeError) as error:
                if is_device_lost(error):
                    raise _lost(error) from error
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    done.append(too_large(batch[0], _first_line(error)))
                self._halve(pixels, len(batch))
            else:
                continue
            # Outside the handler: the error's traceback holds the tensors that did not fit.
            _free_memory()
        return done

    def _halve(self, pixels: int, size: int) -> None:
        with self._lock:
            self._limits[pixels] = max(1, size // 2)


@contextmanager
def fitting(label: str) -> Iterator[None]:
    """Say in words, of the model that is loaded inside the block, what torch says of its device.

    Raises:
        DeviceLost: the device no longer answers.
        KernelFault: it stopped the computation.
        ModelError: the model does not fit in memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_device_lost(error):
            raise _lost(error) from error
        if is_out_of_memory(error):
            raise ModelError(f"{label} does not fit in memory ({_first_line(error)})") from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch or Python says that memory is short."""
    return isinstance(error, MemoryError) or any(
        words in str(error).lower() for words in _NO_MEMORY
    )


def is_device_lost(error: BaseException) -> bool:
    """Return whether an error says that the GPU is gone for this process, not that it is full."""
    return not is_out_of_memory(error) and any(words in str(error) for words in _LOST)


def is_kernel_fault(error: BaseException) -> bool:
    """Return whether an error says that the GPU stopped a computation."""
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _STOPPED)


def _lost(error: BaseException) -> DeviceLost | KernelFault:
    """Return in words what an error says for which `is_device_lost` holds."""
    if is_kernel_fault(error):
        return KernelFault(
            f"the GPU stopped a computation of the model ({_first_line(error)}); "
            "CUDA_LAUNCH_BLOCKING=1 shows where"
        )
    return DeviceLost(
        f"the device no longer answers ({_first_line(error)}); "
        "what was done is kept, start again when it is back"
    )


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
