"""What a reader should know of a row before believing its score, in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocol.controls import ControlFlag, Controls
from protocol.eligibility import unscored
from protocol.evidence import Evidence
from protocol.families import family_of_system
from protocol.manifest import ManifestEntry, Milestone
from protocol.memorisation import Memorisation
from protocol.records import Result
from protocol.states import Action
from protocol.statistics.records import BoardStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One caution."""

    short: str
    """Two or three words, for the row."""
    text: str
    """A sentence that explains it."""


SHOWN_NAMES = 5
"""Of pictures, in a sentence."""

Flags = Mapping[str, tuple[Flag, ...]]
"""By request id."""


def row_flags(
    results: Sequence[Result], statistics: Sequence[BoardStatistics], evidence: Evidence
) -> Flags:
    """Return the flags of all rows that have any."""
    own = _own_family_counts(statistics, evidence)
    controls = {one.request_id: one for one in evidence.controls}
    memorised = {one.request_id: one for one in evidence.memorisation}
    flags: dict[str, tuple[Flag, ...]] = {}
    for result in results:
        request_id = result.request.request_id
        found = list(_disputes(controls.get(request_id)))
        if result.is_contradicted:
            found.append(Flag(short="audit differs", text=result.audit))
        if lost := unscored(result):
            found.append(Flag(short="not all scored", text=f"{lost[0].upper()}{lost[1:]}."))
        tested = memorised.get(request_id)
        found += _memorised(tested)
        if own.get(request_id):
            found.append(_own_family(result, own[request_id], tested))
        if found:
            flags[request_id] = tuple(found)
    return flags


def with_flags(flags: Flags, more: Flags) -> Flags:
    """Return flags with others after them."""
    return {key: (*flags.get(key, ()), *more.get(key, ())) for key in {**flags, **more}}


def removal_flags(manifest: Sequence[ManifestEntry], at: str) -> Flags:
    """Return the flags of rows that left after a time (UTC, ISO 8601): a frozen board keeps them.

    Args:
        manifest: of the store, as it is now.
        at: when the board was frozen.
    """
    removed = {entry.request_id: entry.removed_since(at) for entry in manifest}
    return {key: (_removal(one),) for key, one in removed.items() if one is not None}


def _removal(removal: Milestone) -> Flag:
    what = "superseded" if removal.action is Action.SUPERSEDE else "withdrawn"
    return Flag(
        short=f"{what} since",
        text=f"This row was {what} on {removal.at[:10]} by {removal.actor}, after the board was "
        f"frozen; the live board does not show this run of it. Reason: {removal.reason}",
    )


def _own_family_counts(statistics: Sequence[BoardStatistics], evidence: Evidence) -> dict[str, int]:
    counts = {one.request_id: one.own_pictures for one in evidence.memorisation}
    counts |= {one.request_id: len(one.own_family) for one in evidence.controls}
    for board in statistics:
        if board.content is None:
            counts |= {row.request_id: row.own_family for row in board.rows}
    return counts


def _own_family(result: Result, count: int, tested: Memorisation | None) -> Flag:
    family = family_of_system(result.request.t2i)
    pictures = "picture was" if count == 1 else "pictures were"
    text = (
        f"{count} of the AI-generated {pictures} made by a model of the decoder's own family, "
        f"{family}: it may paint them better than it would paint others. Compare it by NSI "
        "and SCI."
    )
    if tested is not None and tested.lead is not None:
        lead = tested.lead
        much = "more" if tested.own_come_nearer else "no more, beyond chance,"
        text += (
            f" Painted from words alone they were {much} like their originals than other models' "
            f"pictures: {lead.value:+.2f} [{lead.low:+.2f}, {lead.high:+.2f}] in correlation."
        )
    return Flag(short="own pictures", text=text)


def _memorised(tested: Memorisation | None) -> Iterator[Flag]:
    """Yield a flag where pictures came back that words alone do not explain."""
    if tested is None or not tested.copies:
        return
    count, more = len(tested.copies), len(tested.copies) - SHOWN_NAMES
    names = ", ".join(tested.copies[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
    own = ""
    if tested.own_copies:
        own = f", {len(tested.own_copies)} of them made by its own family, {tested.family}"
    yield Flag(
        short="known pictures",
        text=f"{count} of {tested.pictures} pictures that it painted from words alone are "
        f"near-duplicates of the originals{own}, which words alone do not explain: {names}.",
    )


def _disputes(controls: Controls | None) -> Iterator[Flag]:
    """Yield one flag for all disagreements: they cast the same doubt."""
    if controls is None or not controls.flags:
        return
    first, *others = controls.flags
    also = f" So do {len(others)} more comparisons." if others else ""
    yield Flag(
        short="disputed score",
        text=f"{_dispute(first)} Both are more than chance, so the score may speak of the "
        f"indicator and not of the picture.{also}",
    )


def _dispute(flag: ControlFlag) -> str:
    one = flag.disagreement
    ranks, doubts = "the system above", "the system below"
    if one.ranking_difference.value < 0:
        ranks, doubts = doubts, ranks
    return (
        f"In {flag.mode} mode {one.ranking}, which ranks here, puts {ranks} the control "
        f"{flag.control!r}, and {one.other} puts {doubts} it."
    )
