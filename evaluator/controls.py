"""The same system with what it is told taken away or mixed up, and pictures that nobody painted.

Every control runs through `evaluate` as any system does; its label says what it is, and no board
ranks it.
"""

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evaluator.bench import Bench
from evaluator.image_arrays import ImageArrays, image_arrays, require_indicators
from evaluator.run import Evaluation, evaluate
from protocol.controls import PREFIX, ControlFlag, Controls, ControlScore
from protocol.errors import InputError, StatisticsError
from protocol.families import of_own_family
from protocol.files import write_whole
from protocol.flags import disagreements
from protocol.records import Request
from protocol.rules import Role
from protocol.samples import Sample, list_samples
from protocol.statistics.pairs import compare
from protocol.versions import find_protocol
from submission.systems import pin_system

CAPTION_CONTROLS: Mapping[str, str] = {
    "shuffled-captions": "the captions of other pictures of the same content",
    "empty-captions": "no words at all",
}
PICTURE_CONTROLS: Mapping[str, str] = {
    "copy": "what was sent, unchanged",
    "blur": "what was sent, blurred",
    "sharpen": "what was sent, sharpened",
    "mean-colour": "one colour, the mean of what was sent",
}


def run_controls(
    request: Request, bench: Bench, folder: Path, *, secondary: Sequence[str] = (), seed: int = 0
) -> Controls:
    """Run a system and its controls; `folder` keeps the captions that are put in place of its own.

    Args:
        request: of a pair with a T2I model.
        bench: where to run.
        folder: for the captions' files.
        secondary: further indicators.
        seed: of the mixing.

    Raises:
        CMCError: as for `evaluate`.
    """
    if request.role is Role.CODEC:
        raise InputError("a codec of its own has no captions and no T2I model to take away")
    require_indicators(secondary, (), bench.weights)
    samples = list_samples(bench.images)
    run = evaluate(request, bench)
    system = image_arrays(run, secondary, bench)
    scores: list[ControlScore] = []
    flags: list[ControlFlag] = []
    for name, changed in _requests(request, run, samples, folder, seed).items():
        control = image_arrays(evaluate(changed, bench), secondary, bench)
        scores += _compare(name, request, system, control)
        flags += _flags(name, request, system, control)
    return Controls(
        request_id=request.request_id,
        system=request.label,
        partner=request.partner,
        protocol=request.protocol,
        images=len(samples),
        scores=tuple(scores),
        flags=tuple(flags),
        own_family=tuple(of_own_family(request.t2i, samples)),
    )


def shuffle_captions(
    captions: Mapping[str, str], samples: Sequence[Sample], seed: int
) -> dict[str, str]:
    """Give every picture the caption of another one, of its own content where there is one.

    Within a content, so that a screen is not told to be a landscape: that would be easy to see.

    Raises:
        InputError: there is one picture only.
    """
    if len(samples) < 2:
        raise InputError("one picture has no other's caption to be given; wanted two or more")
    groups: dict[str, list[str]] = {}
    for sample in sorted(samples):
        groups.setdefault(sample.content, []).append(sample.name)
    if any(len(names) < 2 for names in groups.values()):
        groups = {"all": sorted(sample.name for sample in samples)}
    given: dict[str, str] = {}
    for content in sorted(groups):
        order = groups[content]
        random.Random(f"{seed} {content}").shuffle(order)
        given |= {
            name: captions[other] for name, other in zip(order, order[1:] + order[:1], strict=True)
        }
    return given


def _requests(
    request: Request, run: Evaluation, samples: Sequence[Sample], folder: Path, seed: int
) -> dict[str, Request]:
    """Return the controls' requests by name, each in the modes where it differs."""
    requests = {}
    captions = {
        item.encoded.sample.name: item.encoded.caption
        for item in run.decoded
        if item.encoded.caption is not None
    }
    spoken = tuple(mode for mode in request.modes if mode.has_caption)
    if spoken:
        told = {
            "shuffled-captions": shuffle_captions(captions, samples, seed),
            # A caption without a character is an I2T model's failure and would not be decoded.
            "empty-captions": dict.fromkeys(captions, "."),
        }
        for name in CAPTION_CONTROLS:
            path = _write_captions(folder / f"{PREFIX}{name}.csv", told[name])
            requests[name] = replace(request, i2t=pin_system(f"file:{path}"), modes=spoken)
    started = tuple(mode for mode in request.modes if mode.has_start)
    if started:
        for kind in PICTURE_CONTROLS:
            t2i = pin_system(f"control?kind={kind}")
            requests[kind] = replace(request, t2i=t2i, modes=started)
    return requests


def _write_captions(path: Path, captions: Mapping[str, str]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("name", "text"), *sorted(captions.items())])
    write_whole(path, text.getvalue().encode())
    return path


def _compare(
    name: str, request: Request, system: ImageArrays, control: ImageArrays
) -> list[ControlScore]:
    import numpy as np

    ranking = set(find_protocol(request.protocol).indicators.values())
    scores = []
    for mode, by_name in control.scores.items():
        for indicator, values in by_name.items():
            own = system.scores[mode][indicator]
            both = ~(np.isnan(own) | np.isnan(values))
            try:
                comparison = compare(own, values, system.strata)
            except StatisticsError as error:
                raise StatisticsError(
                    f"{name} cannot be compared by {indicator} in {mode} mode, which scored "
                    f"{both.sum()} of {len(both)} pictures: {error}"
                ) from error
            scores.append(
                ControlScore(
                    control=name,
                    shows={**CAPTION_CONTROLS, **PICTURE_CONTROLS}[name],
                    mode=mode,
                    indicator=indicator,
                    is_ranking=indicator in ranking,
                    system=float(own[both].mean()),
                    comparison=comparison,
                )
            )
    return scores


def _flags(
    name: str, request: Request, system: ImageArrays, control: ImageArrays
) -> list[ControlFlag]:
    from evaluator.indicators import find_indicator

    flags = []
    for mode, by_name in control.scores.items():
        for dimension, ranking in find_protocol(request.protocol).indicators.items():
            same = [i for i in by_name if find_indicator(i).DIMENSION is dimension]
            found = disagreements(
                {indicator: system.scores[mode][indicator] for indicator in same},
                {indicator: by_name[indicator] for indicator in same},
                system.strata,
                ranking,
            )
            flags += [ControlFlag(control=name, mode=mode, disagreement=flag) for flag in found]
    return flags
