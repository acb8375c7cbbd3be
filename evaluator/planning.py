"""From a store to the pairs that are worth running next, and into its queue."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from statistics import fmean

from evaluator.image_scores import one_bench, read_measured
from evaluator.statistics_answers import halves, measured_pairs, pair_means
from protocol.errors import StatisticsError
from protocol.records import Request, Result
from protocol.rules import TRACKS, Mode, Role, Track
from protocol.statistics.additive import Pair
from protocol.statistics.planning import PlannedPair, plan_pairs
from protocol.system_names import distinct_names, system_key
from submission.findings import Finding, refusals
from submission.history import history_of
from submission.intake import examine_again, examine_request
from submission.limits import Limits
from submission.store import QueueEntry, Store, now

PRIORITY = -1
"""Of planned requests: a worker takes them when nothing that people submitted waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A pair to run, as a request."""

    pair: PlannedPair
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlan:
    """What to run on one table next, best first."""

    track: Track
    bench: str
    """The label of the table."""
    devices: tuple[str, ...]
    """Where the seconds were measured; those of several machines are compared as they are."""
    planned: tuple[Planned, ...]
    sentence: str
    left_out: Mapping[str, int]
    """How many pairs that were not run could not be chosen, by reason."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of a planned pair."""

    request_id: str
    refused: tuple[Finding, ...]
    """Empty for one that waits now."""


def plan_store(
    store: Store, track: Track, *, submitter: str, limit: int, budget_hours: float = inf
) -> StorePlan:
    """Choose the pairs to run next, on the table with most pairs.

    Args:
        store: whose results.
        track: whose modes and weights make the Overall.
        submitter: who would queue the pairs.
        limit: how many at most.
        budget_hours: of the machine that the seconds were measured on.

    Raises:
        StatisticsError: no pair of the store has all of the track's modes.
    """
    measured = one_bench(measured_pairs(read_measured(store)))
    means = pair_means(measured, track)
    if not means:
        raise StatisticsError(f"no pair here has a score in all modes of {track}; see `cmc queue`")
    table = _Table([item.result for item in measured], track, means)
    asked = table.asked_for(store.queue())
    seconds: dict[Pair, float] = {}
    left_out = Counter[str]()
    for pair in table.gaps:
        took = table.seconds(pair)
        if pair in asked:
            left_out[f"already {asked[pair].lower()}"] += 1
        elif took is None:
            left_out["seconds not known of both systems"] += 1
        else:
            seconds[pair] = took
    plan = plan_pairs(means, seconds, limit=limit, budget_seconds=3600 * budget_hours)
    return StorePlan(
        track=track,
        bench=measured[0].bench.label,
        devices=table.devices,
        planned=tuple(
            Planned(pair=pair, request=table.request((pair.encoder, pair.decoder), submitter))
            for pair in plan.pairs
        ),
        sentence=plan.sentence,
        left_out=dict(left_out),
    )


def queue_plan(store: Store, plan: StorePlan, limits: Limits) -> list[Queued]:
    """Let the planned pairs wait behind all that people submitted, after the same checks.

    One that is refused is left out; those after it are tried.
    """
    answers = []
    for planned in plan.planned:
        request, gain = planned.request, planned.pair.gain
        # One after the other: each counts for the account's share of the queue.
        history = history_of(store.ledger.refresh())
        found = (*examine_again(request), *examine_request(request, {}, history, limits))
        refused = tuple(refusals(found))
        if not refused:
            why = "joins two groups of pairs" if gain is None else f"gain {gain:.4f}"
            store.submit(request, PRIORITY, remark=f"planned, {why}")
        answers.append(Queued(request.request_id, refused))
    return answers


class _Table:
    """The pairs of one table: who is in them, what they took, and which were asked for."""

    def __init__(
        self, results: Sequence[Result], track: Track, means: Mapping[Pair, float]
    ) -> None:
        self._track = track
        self._names = distinct_names(half for result in results for half in halves(result))
        self._results = sorted(results, key=lambda result: result.provenance.finished_at)
        self._images = max(result.images for result in results)
        self._with_encoder: dict[str, list[Result]] = {}
        """By its name, the newest result last."""
        self._with_decoder: dict[str, list[Result]] = {}
        for result in self._results:
            if (pair := self._pair(result.request)) is not None:
                self._with_encoder.setdefault(pair[0], []).append(result)
                self._with_decoder.setdefault(pair[1], []).append(result)
        # A table has a gap for every two systems: what one takes is found once.
        self._caption = {name: _caption_seconds(of) for name, of in self._with_encoder.items()}
        self._pictures = {
            name: _picture_seconds(of, TRACKS[track].modes)
            for name, of in self._with_decoder.items()
        }
        encoders, decoders = ({pair[half] for pair in means} for half in (0, 1))
        self.gaps = sorted(set(product(encoders, decoders)) - means.keys())
        self.devices = tuple(sorted({result.provenance.device for result in results}))

    def seconds(self, pair: Pair) -> float | None:
        """Return what a pair takes: a caption and all modes' pictures of every image.

        A caption is made once for all modes, and the mode with the least beside it tells what it
        takes; scoring is not counted.
        """
        caption, pictures = self._caption[pair[0]], self._pictures[pair[1]]
        if caption is None or pictures is None:
            return None
        return self._images * (caption + pictures)

    def request(self, pair: Pair, submitter: str) -> Request:
        """Return the request that runs a pair, with the systems as they were last asked for."""
        encoder = self._with_encoder[pair[0]][-1].request
        decoder = self._with_decoder[pair[1]][-1].request
        role = TRACKS[self._track].role
        same = encoder if role is Role.I2T else decoder
        return Request(
            role=role,
            i2t=encoder.i2t,
            t2i=decoder.t2i,
            codec=None,
            modes=TRACKS[self._track].modes,
            protocol=decoder.protocol,
            dataset=decoder.dataset,
            dataset_sha256=decoder.dataset_sha256,
            submitter=submitter,
            submitted_at=now(),
            fingerprints=same.fingerprints if same.role is role else (),
        )

    def asked_for(self, entries: Iterable[QueueEntry]) -> dict[Pair, str]:
        """Return the status of the pairs that somebody asked for in all of the track's modes."""
        wanted = set(TRACKS[self._track].modes)
        benches = {(r.request.protocol, r.request.dataset_sha256) for r in self._results}
        return {
            pair: entry.state.status.value
            for entry in entries
            if (entry.request.protocol, entry.request.dataset_sha256) in benches
            and wanted <= set(entry.request.modes)
            and (pair := self._pair(entry.request)) is not None
        }

    def _pair(self, request: Request) -> Pair | None:
        if request.i2t is None or request.t2i is None:
            return None
        encoder, decoder = (self._names.get(system_key(s)) for s in (request.i2t, request.t2i))
        return (encoder, decoder) if encoder is not None and decoder is not None else None


def _caption_seconds(results: Sequence[Result]) -> float | None:
    captions = [
        min(cost.encode_seconds for cost in costs)
        for result in results
        if (costs := [cost for cost in result.costs if cost.mode.has_caption])
    ]
    return fmean(captions) if captions else None


def _picture_seconds(results: Sequence[Result], modes: Sequence[Mode]) -> float | None:
    """Return what all modes' pictures of an image take; None where no result knows of a mode."""
    pictures = [
        [cost.decode_seconds for result in results for cost in result.costs if cost.mode is mode]
        for mode in modes
    ]
    return sum(map(fmean, pictures)) if all(pictures) else None
