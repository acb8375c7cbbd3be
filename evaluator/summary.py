"""A run's report in words: where the time went, and what the cache spared."""

from collections.abc import Iterator

from protocol.counts import counted
from protocol.records import RunReport


def summarise(report: RunReport) -> Iterator[str]:
    """Yield the lines of a report."""
    wall = max(report.wall_seconds, 1e-9)
    yield f"took {report.wall_seconds:.1f} s, {report.cpu_seconds:.1f} s of processor here"
    for part, seconds in sorted(report.busy_seconds.items(), key=lambda item: -item[1]):
        count = report.pictures.get(part, 0)
        pictures = counted(count, "picture")
        each = f", {seconds / count:.3f} s each" if count else ""
        yield f"  {part:<12} {seconds:>9.1f} s  {seconds / wall:>6.1%}  {pictures}{each}"
    yield f"  {'neither':<12} {report.other_seconds:>9.1f} s  {report.other_seconds / wall:>6.1%}"
    kinds = sorted({*report.cache_hits, *report.cache_misses})
    if kinds:
        counts = (
            f"{kind} {report.cache_hits.get(kind, 0)}"
            f" of {report.cache_hits.get(kind, 0) + report.cache_misses.get(kind, 0)}"
            for kind in kinds
        )
        yield f"  from the cache: {', '.join(counts)}"
    memory = f"  memory {report.peak_memory_bytes / 1e9:.2f} GB"
    if report.peak_gpu_bytes:
        memory += f", GPU {report.peak_gpu_bytes / 1e9:.2f} GB"
    yield memory + f", batches down to {report.smallest_batch}"
    if report.flops_utilisation is not None:
        yield f"  {report.flops_utilisation:.1%} of the device's peak while decoding"
    elif report.operations:
        yield f"  {report.operations / 1e12:.4g} TFLOP of the T2I model's network"
    if report.cost is not None:
        yield f"  cost {report.cost:.2f}"
