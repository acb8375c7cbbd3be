"""Two ways to do the same, each in a process of its own, timed inside it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self


@dataclass
class Side:
    """A process that does one piece of work after another, and what each took."""

    threads: int
    """torch's."""
    keeps_freed_memory: bool = False
    """As `cmc evaluate` does on a CPU."""
    wall: dict[str, list[float]] = field(default_factory=dict)
    """Seconds by part, one value a piece."""
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Start the process."""
        self._pool = get_context("spawn").Pool(1, _begin, (self.threads, self.keeps_freed_memory))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self._pool.terminate()

    def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """Run `work` there, untimed."""
        return self._pool.apply(work, given)

    def take(self, part: str, work: Callable[..., Any], *given: Any) -> Any:
        """Run `work` there and note what it took."""
        answer, wall, cpu = self._pool.apply(_timed, (work, *given))
        self.wall.setdefault(part, []).append(wall)
        self.cpu.setdefault(part, []).append(cpu)
        return answer


def _begin(threads: int, keeps_freed_memory: bool) -> None:
    import torch

    from evaluator.allocator import keep_freed_memory

    torch.set_num_threads(threads)
    if keeps_freed_memory:
        keep_freed_memory()


def _timed(work: Callable[..., Any], *given: Any) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work(*given)
    return answer, time.perf_counter() - wall, time.process_time() - cpu
