"""Where a run's time goes: which parts worked for how long, and what came from the cache."""

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from evaluator.devices import describe_device, loaded_cuda, peak_flops
from evaluator.operations import Tally
from protocol.records import RunReport


class Timesheet:
    """Adds up, from all threads of a run."""

    def __init__(self) -> None:
        """Start the clock."""
        self._lock = threading.Lock()
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()
        self._busy: defaultdict[str, float] = defaultdict(float)
        self._pictures: Counter[str] = Counter()
        self._hits: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._operations = Tally()
        self._active = 0
        self._active_since = 0.0
        self._covered = 0.0
        self._peaks = (0, 0)
        """Memory and GPU memory of the largest process that was absorbed."""

    @contextmanager
    def working(self, part: str, pictures: int = 1) -> Iterator[None]:
        """Count the time inside the block as a model's, a codec's or an indicator's.

        Args:
            part: `caption`, `decode`, or the codec's or the indicator's name.
            pictures: how many are worked on.
        """
        started = self._begin()
        try:
            yield
        finally:
            now = time.perf_counter()
            with self._lock:
                self._busy[part] += now - started
                self._pictures[part] += pictures
                self._active -= 1
                if not self._active:
                    self._covered += now - self._active_since

    def found(self, kind: str, count: int = 1) -> None:
        """Count what the cache had."""
        with self._lock:
            self._hits[kind] += count

    def made(self, kind: str, count: int = 1) -> None:
        """Count what the cache had not."""
        with self._lock:
            self._misses[kind] += count

    def operated(self, tally: Tally) -> None:
        """Count the operations of the T2I model's network."""
        with self._lock:
            self._operations.operations += tally.operations
            self._operations.is_complete &= tally.is_complete

    def absorb(self, report: RunReport) -> None:
        """Add what another process counted; its wall time runs beside this one's."""
        with self._lock:
            # When others worked at the same moment is not known; the busiest one's time is.
            self._covered = max(self._covered, report.wall_seconds - report.other_seconds)
            memory, gpu = self._peaks
            self._peaks = max(memory, report.peak_memory_bytes), max(gpu, report.peak_gpu_bytes)
            for part, seconds in report.busy_seconds.items():
                self._busy[part] += seconds
            for counter, counts in (
                (self._pictures, report.pictures),
                (self._hits, report.cache_hits),
                (self._misses, report.cache_misses),
            ):
                counter.update(counts)
            self._operations.operations += report.operations or 0
            self._operations.is_complete &= report.operations is not None

    def report(
        self, *, smallest_batch: int, price_per_hour: float | None, device: str = "cpu"
    ) -> RunReport:
        """Return the sums so far.

        Args:
            smallest_batch: that memory has allowed.
            price_per_hour: of the machine, or None.
            device: where the T2I model ran; its peak is what the operations are compared with.
        """
        wall = time.perf_counter() - self._started
        with self._lock:
            operations = self._operations.operations if self._operations.is_complete else None
            return RunReport(
                wall_seconds=wall,
                cpu_seconds=time.process_time() - self._cpu_started,
                other_seconds=max(0.0, wall - self._covered),
                busy_seconds=dict(self._busy),
                pictures=dict(self._pictures),
                cache_hits=dict(self._hits),
                cache_misses=dict(self._misses),
                peak_memory_bytes=max(peak_memory_bytes(), self._peaks[0]),
                peak_gpu_bytes=max(peak_gpu_bytes(), self._peaks[1]),
                smallest_batch=smallest_batch,
                operations=operations,
                flops_utilisation=_utilisation(operations, self._busy["decode"], device),
                cost=None if price_per_hour is None else wall / 3600 * price_per_hour,
            )

    def _begin(self) -> float:
        started = time.perf_counter()
        with self._lock:
            if not self._active:
                self._active_since = started
            self._active += 1
        return started


def _utilisation(operations: int | None, seconds: float, device: str) -> float | None:
    """Return the share of a device's peak, or None where one of the two is not known."""
    if not operations or device == "cpu":
        return None
    peak = peak_flops(describe_device(device))
    return None if peak is None else operations / (seconds * peak)


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_gpu_bytes() -> int:
    """Return the most GPU memory that torch has held in this process; 0 without torch or a GPU."""
    cuda = loaded_cuda()
    if cuda is None:
        return 0
    return sum(cuda.max_memory_reserved(n) for n in range(cuda.device_count()))
