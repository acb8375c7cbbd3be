"""Figures of what lies beside the results: effects, ablations, viewers, correlations."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from protocol.ablations import AblationResult, Point, Repeated
from protocol.correlations import Correlations, Interval
from protocol.evidence import Evidence
from protocol.ratings import SCALE_HIGH, SCALE_LOW
from protocol.statistics.records import PairEffects
from protocol.studies import BIN_WIDTH, Spread, Study
from space.drawings.effects import effects_figure
from space.drawings.opinions import folders_figure, opinions_figure
from space.drawings.sweep import sweep_figure
from space.drawings.tables import measured_correlation_figure
from space.drawings.viewers import viewers_figure
from space.figure_entry import Drawn, Numbers, digest, entry
from space.words import TRACK_WORDS

_KIND_OF: Mapping[str, str] = {
    "strength": "strength",
    "prompt": "prompt",
    "vvc_qp": "quality",
    "seed": "repeats",
}
"""A figure's kind by what its plan varies."""


def evidence_figures(evidence: Evidence) -> Iterator[Drawn]:
    """Yield a figure for each piece."""
    tracks = list(TRACK_WORDS)
    for effects in sorted(evidence.effects, key=lambda one: tracks.index(one.track)):
        yield _effects(effects)
    for ablation in evidence.ablations:
        if ablation.points:
            yield _sweep(ablation)
    for study in evidence.studies:
        yield from _opinions(study)
        if study.viewers:
            yield _viewers(study)
    for correlations in evidence.correlations:
        if correlations.rows:
            yield _correlation(correlations)


def _effects(effects: PairEffects) -> Drawn:
    fitted = effects.result
    chance = ""
    if fitted.p_additive is not None:
        share = f"{fitted.p_additive:.1%}" if fitted.p_additive >= 0.001 else "less than 0.1%"
        chance = (
            " If no pair had anything of its own, what is left over would be as large in "
            f"{share} of the cases."
        )
    about = (
        f"Overall of a pair = {fitted.mean.value:.4f} + its encoder's effect + its decoder's + "
        f"what the two have beyond that; {fitted.images} images, intervals of 95 %.{chance}"
    )
    numbers: Numbers = [
        {"part": part, "name": name, "effect": e.value, "low": e.low, "high": e.high}
        for part, effects_of in (("encoder", fitted.encoders), ("decoder", fitted.decoders))
        for name, e in effects_of.items()
    ] + [
        {
            "part": "both beyond the sum",
            "name": f"{one.encoder} + {one.decoder}",
            "effect": one.value.value,
            "low": one.value.low,
            "high": one.value.high,
        }
        for one in fitted.interactions
    ]
    return Drawn(
        entry=entry(
            "effects",
            f"{effects.track}-{digest(effects.bench)}",
            f"{TRACK_WORDS[effects.track].tab}, {effects.bench}",
            about,
        ),
        draw=partial(effects_figure, fitted),
        numbers=numbers,
    )


def _sweep(found: AblationResult) -> Drawn:
    pair = f"{found.system} with {found.partner}" if found.partner else found.system
    about = (
        f"{found.plan.title}: {pair}, {found.images} images of {found.dataset}, "
        f"{found.protocol}. Higher is better in every panel; intervals of 95 % over the images."
    )
    if found.plan.cited:
        about += f" As in {found.plan.cited}."
    if found.repeated:
        about += (
            " Standard error of the mean of one decoding, from the seed and from the choice of "
            f"images: {'; '.join(map(_errors, found.repeated))}."
        )
    key = digest(
        *(found.plan.name, found.system, found.partner),
        *(found.protocol, found.dataset, *found.plan.modes),
    )
    return Drawn(
        entry=entry(
            _KIND_OF.get(found.plan.vary, "sweep"), key, f"{found.plan.title}, {pair}", about
        ),
        draw=partial(sweep_figure, found),
        numbers=[line for point in found.points for line in _lines(found, point)],
    )


def _errors(one: Repeated) -> str:
    parts = one.components
    return (
        f"{one.indicator} in {one.mode} mode {parts.standard_error_seed:.4f} and "
        f"{parts.standard_error_image:.4f}"
    )


def _lines(found: AblationResult, point: Point) -> Numbers:
    shared = {
        "vary": found.plan.vary,
        "value": point.value,
        "system": found.system if point.system == "system" else point.system,
        "mode": str(point.mode),
        "bpp": point.bits_per_pixel,
    }
    repeated = {one.indicator: one.components for one in found.repeated if one.mode is point.mode}
    lines: Numbers = []
    for name in sorted({*point.means, *point.sets}):
        mean = point.means.get(name)
        lines.append(
            {
                **shared,
                "indicator": name,
                "mean": point.sets.get(name) if mean is None else mean.value,
                "low": mean and mean.low,
                "high": mean and mean.high,
                "paper": point.published.get(name),
            }
            | (
                {
                    "error_from_seed": repeated[name].standard_error_seed,
                    "error_from_images": repeated[name].standard_error_image,
                }
                if name in repeated
                else {}
            )
        )
    return lines


def _opinions(study: Study) -> Iterator[Drawn]:
    everything = [one for one in study.opinions if not one.folder]
    folders = [one for one in study.opinions if one.folder]
    if everything:
        about = (
            f"{study.name}: how many of {study.images} images have which mean opinion score; 0 is "
            "the worst, 5 the best. As in the paper's figure A3."
        )
        if any(one.low < SCALE_LOW or one.high > SCALE_HIGH for one in everything):
            about += " Normalised scores off the scale are in the outermost bars."
        yield Drawn(
            entry=entry("opinions", digest(study.name), study.name, about),
            draw=partial(opinions_figure, everything),
            numbers=[
                {
                    "dimension": str(one.dimension),
                    "from": SCALE_LOW + BIN_WIDTH * place,
                    "to": SCALE_LOW + BIN_WIDTH * (place + 1),
                    "images": count,
                }
                for one in everything
                for place, count in enumerate(one.counts)
            ],
        )
    if folders:
        about = (
            f"{study.name}: mean opinion scores of each folder's images, by their mean (the broken "
            "line), with median, quartiles and extremes; higher is better. As in the paper's "
            "figure 6 where each system's images lay in a folder of their own."
        )
        yield Drawn(
            entry=entry(
                "opinions", f"folders-{digest(study.name)}", f"{study.name}, by folder", about
            ),
            draw=partial(folders_figure, folders),
            numbers=[
                {"dimension": str(one.dimension), "folder": one.folder, "images": sum(one.counts)}
                | _spread(one)
                for one in folders
            ],
        )


def _spread(one: Spread) -> dict[str, Any]:
    return {
        "mean": one.mean,
        "low": one.low,
        "lower quartile": one.lower,
        "median": one.middle,
        "upper quartile": one.upper,
        "high": one.high,
    }


def _viewers(study: Study) -> Drawn:
    used = sum(viewer.is_used for viewer in study.viewers)
    about = (
        f"{study.name}: {study.images} images; the columns are viewers by their mean rating, "
        f"darker where more of one's ratings lie. {used} of {len(study.viewers)} columns were "
        "used for the mean opinion scores"
        + ("." if used == len(study.viewers) else ", the others are marked as out.")
    )
    numbers: Numbers = [
        {
            "dimension": str(viewer.dimension),
            "viewer": viewer.number,
            "ratings": sum(viewer.counts),
        }
        | _spread(viewer)
        | {"used": viewer.is_used}
        for viewer in study.viewers
    ]
    return Drawn(
        entry=entry("viewers", digest(study.name), study.name, about),
        draw=partial(viewers_figure, study),
        numbers=numbers,
    )


def _correlation(found: Correlations) -> Drawn:
    about = (
        "Rank correlation of indicators with mean opinion scores, intervals of 95 % over the "
        "pictures; the paper's values are of its own pictures and weights."
    )
    numbers: Numbers = [
        {
            "indicator": row.indicator,
            "dimension": str(row.dimension),
            "pictures": row.measured.pictures,
            **{
                f"{name}{end}": value
                for name in ("srocc", "krocc", "plcc")
                for end, value in _ends(getattr(row.measured, name))
            },
            "srocc_paper": row.published_srocc,
            "krocc_paper": row.published_krocc,
        }
        for row in found.rows
    ]
    return Drawn(
        entry=entry("correlation", digest(found.opinions), found.opinions, about),
        draw=partial(measured_correlation_figure, found.rows),
        numbers=numbers,
    )


def _ends(found: Interval) -> Iterator[tuple[str, float]]:
    yield from (("", found.value), ("_low", found.low), ("_high", found.high))
