"""Why a row came, left or moved: what the records say, and nothing that they do not."""

from collections.abc import Iterator, Mapping

from protocol.manifest import REMOVALS, ManifestEntry, Milestone
from protocol.records import Result
from protocol.standings import Place
from protocol.states import Action

Reason = tuple[str, Milestone | None]
"""A sentence's worth of words, and what in the ledger says so."""

OTHERS_MOVED = "its scores are the same; other rows came, left or moved"
_ENOUGH = 1e-9
"""Two means that are closer are equal: they were added up in another order."""


def why_came(
    new: Place, entries: Mapping[str, ManifestEntry], *, other_bench: bool = False
) -> Reason:
    """Return why a row is there now."""
    if new.result is None:
        return "published with this version of the code", None
    if other_bench:
        return "was run on this bench alone", None
    entry = entries.get(new.row.request_id)
    finished = entry.last(Action.FINISH, Action.RESTORE) if entry else None
    if entry is None or finished is None:
        return "a new result", None
    if finished.action is Action.RESTORE:
        return f"stands again: {finished.reason}", finished
    asked = entry.last(Action.SUBMIT)
    names = ", ".join(former.text for former in entry.formerly)
    what = f"a new result; formerly {names}" if names else "a new result"
    return what, Milestone(
        action=Action.FINISH,
        at=finished.at,
        actor=asked.actor if asked else entry.submitter,
        reason=finished.reason,
    )


def why_left(
    old: Place, entries: Mapping[str, ManifestEntry], *, other_bench: bool = False
) -> Reason:
    """Return why a row is gone."""
    if old.result is None:
        return "not published with this version of the code", None
    if other_bench:
        return "was not run on the other bench", None
    entry = entries.get(old.row.request_id)
    removal = entry.last(*REMOVALS) if entry else None
    if removal is None:
        return "the ledger does not say", None
    if removal.action is Action.SUPERSEDE:
        return f"superseded by {removal.successor}", removal
    return _withdrawn(removal), removal


def why_moved(old: Place, new: Place, entries: Mapping[str, ManifestEntry]) -> Reason:
    """Return why a row is not where or what it was; no words where it is."""
    if old.result is None or new.result is None:
        return (OTHERS_MOVED if old.rank != new.rank else ""), None
    parts = list(_parts(old, new, old.result, new.result, entries))
    if parts:
        removal, finished = _events(old, new, entries)
        is_other = old.row.request_id != new.row.request_id
        return "; ".join(parts), (removal if is_other else None) or finished
    if not _equal(old.overall, new.overall):
        return "its Overall was computed anew from the same scores", None
    if old.rank != new.rank:
        return OTHERS_MOVED, None
    if old.interval != new.interval:
        gone = "no interval is stored for the rows as they are now"
        return ("its interval was computed anew" if new.interval else gone), None
    return "", None


def _parts(
    old: Place,
    new: Place,
    before: Result,
    after: Result,
    entries: Mapping[str, ManifestEntry],
) -> Iterator[str]:
    """Yield what is known of how a result came to be another one."""
    if old.row.request_id != new.row.request_id:
        removal, brought = _events(old, new, entries)
        is_back = brought is not None and brought.action is Action.RESTORE
        which = "an earlier result" if is_back else "a new result"
        if old.row.bench != new.row.bench:
            yield from _benches(old, new)
        elif removal is not None and removal.action is Action.SUPERSEDE:
            yield f"superseded: {old.row.request_id[:8]} by {new.row.request_id[:8]}"
        elif removal is not None:
            yield f"{which} of the same system; the one before was {_withdrawn(removal)}"
        else:
            yield f"{which} of the same system"
        yield from _revisions(before, after)
    elif before.per_image_sha256 != after.per_image_sha256:
        yield "run again"
    yield from _weights(before, after)
    versions = before.provenance.code_version, after.provenance.code_version
    if before != after and versions[0] != versions[1]:
        yield f"code {versions[0]} → {versions[1]}"


def _benches(old: Place, new: Place) -> Iterator[str]:
    before, after = old.row.bench, new.row.bench
    if before.protocol != after.protocol:
        yield f"protocol {before.protocol} → {after.protocol}"
    if before.dataset != after.dataset:
        yield f"images {before.dataset} → {after.dataset}"
    if before.indicators != after.indicators:
        yield f"indicators {before.indicators} → {after.indicators}"


def _revisions(before: Result, after: Result) -> Iterator[str]:
    pairs = (
        (before.request.i2t, after.request.i2t),
        (before.request.t2i, after.request.t2i),
        (before.request.codec, after.request.codec),
    )
    for old, new in pairs:
        if old and new and old.model != new.model:
            yield f"formerly {old.label}"
        elif old and new and old.revision != new.revision:
            yield f"{new.label}: commit {old.revision[:8]} → {new.revision[:8]}"


def _weights(before: Result, after: Result) -> Iterator[str]:
    old = {(use.dimension, use.name): use.weights_sha256 for use in before.provenance.indicators}
    for use in after.provenance.indicators:
        was = old.get((use.dimension, use.name))
        if was is not None and was != use.weights_sha256:
            yield f"weights of {use.name} {was[:8] or 'none'} → {use.weights_sha256[:8] or 'none'}"


def _events(
    old: Place, new: Place, entries: Mapping[str, ManifestEntry]
) -> tuple[Milestone | None, Milestone | None]:
    """Return what took the old result away, and what brought the new one."""
    before, after = entries.get(old.row.request_id), entries.get(new.row.request_id)
    removal = before.last(*REMOVALS) if before else None
    return removal, after.last(Action.FINISH, Action.RESTORE) if after else None


def _withdrawn(removal: Milestone) -> str:
    given = removal.reason.strip()
    return f"withdrawn: {given}" if given not in ("", "withdrawn") else "withdrawn"


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < _ENOUGH
