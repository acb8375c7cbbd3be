"""Points of rate and score in the form of CompressAI's result files: arrays, one entry a point.

Its tools plot these; an indicator's array has the indicator's name here.
"""

from collections.abc import Iterable
from typing import Any

from protocol.boards import Bench, bench_of
from protocol.counts import counted
from protocol.rate_curves import SystemCurve, by_request, indicator_names, system_curves
from protocol.records import Result


def compressai(results: Iterable[Result]) -> dict[str, dict[str, Any]]:
    """Return by request id the content of the file with the curve that it has a point of.

    A codec's qualities are the points of its curve, a pair's modes are the points of its own.
    """
    benches: dict[Bench, list[Result]] = {}
    for result in results:
        benches.setdefault(bench_of(result), []).append(result)
    found = {}
    for bench, of_bench in benches.items():
        for request_id, curve in by_request(system_curves(of_bench)).items():
            found[request_id] = _file(curve, bench, of_bench)
    return found


def _file(curve: SystemCurve, bench: Bench, results: list[Result]) -> dict[str, Any]:
    names = indicator_names(results)
    # An array with a hole in it would be plotted against other points' rates.
    points = [p for p in curve.points if all(dimension in p.scores for dimension in names)]
    left_out = len(curve.points) - len(points)
    scores = {name: [p.scores[dimension] for p in points] for dimension, name in names.items()}
    seconds = {
        "encoding_time": [point.encode_seconds for point in points],
        "decoding_time": [point.decode_seconds for point in points],
    }
    timed = {name: times for name, times in seconds.items() if None not in times}
    settings = ", ".join(point.setting for point in points)
    what = "qualities" if curve.is_codec else "modes"
    return {
        "name": curve.name,
        "description": f"{bench.label}; {what}: {settings}; means over the pictures; higher "
        "scores are better; bpp is of the whole .cmc file"
        + (f"; {counted(left_out, 'point')} without all scores left out" if left_out else ""),
        "results": {"bpp": [point.bits_per_pixel for point in points], **scores, **timed},
    }
