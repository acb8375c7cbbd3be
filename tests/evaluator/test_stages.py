"""Stages in threads: order, back-pressure, errors, and an end to everything."""

import threading
import time
from collections.abc import Iterator

import pytest

from evaluator.batches import BatchSizes, group_by_shape, is_device_lost, is_out_of_memory
from evaluator.stages import ahead, in_pool
from evaluator.timesheet import Timesheet
from protocol.errors import DeviceLost


def counting(made: list[int], upto: int = 100) -> Iterator[int]:
    try:
        for number in range(upto):
            made.append(number)
            yield number
    finally:
        made.append(-1)


def test_a_stage_yields_in_order_and_no_further_ahead_than_it_may() -> None:
    made: list[int] = []
    stage = ahead(counting(made), 2)
    assert [next(stage) for _ in range(3)] == [0, 1, 2]
    time.sleep(0.3)
    # Three are taken, two wait, and one is in the hand of the thread.
    assert len(made) <= 6
    assert list(stage) == list(range(3, 100))
    assert made[-1] == -1


def test_closing_a_stage_ends_its_thread_and_closes_what_it_reads() -> None:
    made: list[int] = []
    before = threading.active_count()
    stage = ahead(ahead(counting(made), 1), 1)
    next(stage)
    stage.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert made[-1] == -1
    assert len(made) < 12


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_error_comes_after_what_was_made_before_it(error: BaseException) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise error

    stage = ahead(failing(), 3)
    assert next(stage) == 1
    with pytest.raises(type(error)):
        next(stage)


def test_a_pool_keeps_the_order_and_its_window() -> None:
    begun: list[int] = []

    def slow_first(number: int) -> int:
        begun.append(number)
        time.sleep(0.1 if number == 0 else 0)
        return number * number

    results = in_pool(slow_first, iter(range(50)), workers=3, window=5)
    assert next(results) == 0
    assert len(begun) <= 6
    assert list(results) == [n * n for n in range(1, 50)]


def test_groups_follow_from_the_list_alone() -> None:
    items = [("a", (8, 8)), ("b", (4, 4)), ("c", (8, 8)), ("d", (8, 8))]
    groups = group_by_shape(items, lambda item: item[1], 2)
    assert [[name for name, _ in group] for group in groups] == [["a", "c"], ["d"], ["b"]]


class Hungry:
    """Work that fits `room` pictures and no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def __call__(self, batch: list[int]) -> list[str]:
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return [str(item) for item in batch]


def test_a_batch_is_halved_until_it_fits_and_the_size_is_remembered() -> None:
    sizes, work = BatchSizes(8), Hungry(3)
    answers = sizes.run(work, list(range(8)), 100, too_large=lambda *_: "too large")
    assert answers == [str(n) for n in range(8)]
    assert work.tried == [8, 4, 2, 2, 2, 2]
    work.tried.clear()
    sizes.run(work, list(range(4)), 100, too_large=lambda *_: "too large")
    sizes.run(work, list(range(3)), 400, too_large=lambda *_: "too large")
    assert work.tried == [2, 2, 2, 1]
    assert (sizes.size_for(99), sizes.smallest) == (8, 2)
    sizes.run(Hungry(1), list(range(2)), 400, too_large=lambda *_: "too large")
    assert [sizes.size_for(pixels) for pixels in (99, 100, 399, 400, 900)] == [8, 2, 2, 1, 1]


def test_what_does_not_fit_alone_has_its_own_answer_and_the_others_theirs() -> None:
    def work(batch: list[int]) -> list[str]:
        if 2 in batch:
            raise MemoryError
        return [str(item) for item in batch]

    answers = BatchSizes(4).run(work, [1, 2, 3], 1, too_large=lambda item, why: f"{item}: {why}")
    assert answers == ["1", "2: MemoryError", "3"]


def test_a_lost_device_is_the_machines_fault_and_no_lack_of_memory() -> None:
    lost = RuntimeError("CUDA error: unspecified launch failure")
    assert is_device_lost(lost)
    assert not is_out_of_memory(lost)
    for words in (
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ):
        short = RuntimeError(words)
        assert is_out_of_memory(short)
        assert not is_device_lost(short)

    def work(batch: list[int]) -> list[int]:
        del batch
        raise lost

    with pytest.raises(DeviceLost, match="unspecified launch failure") as caught:
        BatchSizes(2).run(work, [1, 2], 1, too_large=lambda item, _: item)
    assert isinstance(caught.value, OSError)


def test_another_error_is_nobodys_business_here() -> None:
    def work(batch: list[int]) -> list[int]:
        raise RuntimeError(f"shape {batch}")

    with pytest.raises(RuntimeError, match="shape"):
        BatchSizes(2).run(work, [1], 1, too_large=lambda item, _: item)


def test_a_ledger_counts_overlapping_work_once_as_wall_time() -> None:
    timesheet = Timesheet()

    def work() -> None:
        with timesheet.working("decode", 3):
            time.sleep(0.2)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timesheet.found("picture", 2)
    report = timesheet.report(smallest_batch=4, price_per_hour=3600.0)
    assert 0.4 <= report.busy_seconds["decode"] <= 2 * report.wall_seconds
    assert 0.2 <= report.wall_seconds - report.other_seconds < report.busy_seconds["decode"]
    assert report.other_seconds >= 0
    assert report.pictures == {"decode": 6}
    assert report.cache_hits == {"picture": 2}
    assert report.cost == pytest.approx(report.wall_seconds)
    assert report.peak_memory_bytes > 10_000_000
