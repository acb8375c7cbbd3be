"""The test for memorised pictures: what is painted from words alone, beside all originals.

Words do not say where every pixel lies. A picture of text mode that is a near-duplicate of its
original was not painted from its caption (Carlini et al., "Extracting training data from diffusion
models", USENIX Security 2023, who take near-duplicates for memorised). That what a decoder's own
family made comes back more like the original than what other models made is a hint.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.decode import Decoded
from evaluator.looks import Look, look_alike, look_at
from evaluator.pictures import read_picture
from evaluator.rescore import Row, require_same
from evaluator.run import evaluate
from protocol.errors import InputError
from protocol.families import family_of_system, of_own_family
from protocol.memorisation import Memorisation, Origin
from protocol.rules import Content, Mode
from protocol.samples import Sample, list_samples

if TYPE_CHECKING:
    from protocol.statistics.bootstrap import Array, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A painted picture beside the originals."""

    sample: Sample
    likeness: float
    """Correlation of its small grey copy with its own original's, -1 to 1."""
    is_nearest: bool
    """Whether no other original has a higher one."""
    is_copy: bool
    """Whether it is nearest, and a near-duplicate."""


def find_memorised(row: Row, bench: Bench) -> Memorisation:
    """Compare a row's pictures of text mode with all originals.

    Args:
        row: what was run.
        bench: where; what its cache lacks of the pictures is made again.

    Raises:
        InputError: the row has no text mode, or what is decoded here is not what it was scored on.
        CMCError: as for `evaluate`.
    """
    request = row.request
    if request.t2i is None or Mode.TEXT not in request.modes:
        raise InputError(
            f"{request.request_id} has no text mode; where more than words is sent, a picture near "
            "the original says nothing of what the decoder has seen"
        )
    decoded = evaluate(replace(request, modes=(Mode.TEXT,)), bench).decoded
    require_same(row, decoded)
    samples = list_samples(bench.images)
    originals = {one: look_at(read_picture(bench.images / one.name)) for one in samples}
    matches = match(originals, _painted(decoded, bench))
    own = frozenset(of_own_family(request.t2i, samples))
    return Memorisation(
        request_id=request.request_id,
        per_image_sha256=row.per_image_sha256,
        family=family_of_system(request.t2i),
        originals=len(samples),
        origins=tuple(_origins(matches, own)),
        lead=_lead(matches, own),
    )


def match(originals: Mapping[Sample, Look], painted: Mapping[Sample, Look]) -> list[Match]:
    """Find the nearest original of every painted picture, by their small grey copies."""
    import numpy as np

    places = {sample: place for place, sample in enumerate(originals)}
    directions = np.array([_direction(look) for look in originals.values()])
    matches = []
    for sample, look in painted.items():
        likeness = directions @ _direction(look)
        own = likeness[places[sample]]
        is_nearest = bool(own > 0 and own >= likeness.max())
        matches.append(
            Match(
                sample=sample,
                likeness=float(own),
                is_nearest=is_nearest,
                is_copy=is_nearest and look_alike(look, originals[sample]),
            )
        )
    return matches


def _direction(look: Look) -> "Array":
    """Return a small copy as a vector of mean 0 and length 1, or of length 0 if it is flat."""
    import numpy as np

    vector = look.small.ravel() - look.small.mean()
    length = float(np.linalg.norm(vector))
    # A flat picture is like none; rounding alone would give it a direction.
    return vector / length if length > 1 else np.zeros_like(vector)


def _painted(decoded: Sequence[Decoded], bench: Bench) -> dict[Sample, Look]:
    return {
        item.encoded.sample: look_at(bench.cache.read_picture(item.key))
        for item in decoded
        if not item.entry.failure_code
    }


def _origins(matches: Sequence[Match], own: Collection[str]) -> Iterable[Origin]:
    for content, is_own in product(Content, (True, False)):
        of_origin = [
            one
            for one in matches
            if one.sample.content is content and (one.sample.name in own) is is_own
        ]
        if of_origin:
            yield Origin(
                content=content,
                is_own_family=is_own,
                pictures=len(of_origin),
                nearest=sum(one.is_nearest for one in of_origin),
                likeness=fmean(one.likeness for one in of_origin),
                copies=tuple(sorted(one.sample.name for one in of_origin if one.is_copy)),
            )


def _lead(matches: Sequence[Match], own: Collection[str]) -> "Estimate | None":
    """Return how much more like their originals the AIGI of the own family are than others."""
    import numpy as np

    from protocol.statistics.bootstrap import deviations, draw_resamples, estimates

    made = [one for one in matches if one.sample.content is Content.AIGI]
    is_own = np.array([one.sample.name in own for one in made], dtype=bool)
    if min(is_own.sum(), (~is_own).sum()) < 2:
        return None
    # The difference of two means as one mean over all pictures; each side is drawn by itself.
    sides = np.where(is_own, 1 / is_own.sum(), -1 / (~is_own).sum()) * len(made)
    values = (sides * [one.likeness for one in made])[:, None]
    drawn = draw_resamples(["own" if one else "others" for one in is_own])
    (lead,) = estimates(values.mean(axis=0), deviations(values, drawn), drawn.degrees_of_freedom)
    return lead
