"""One run on Ray: actors for encoding, decoding and scoring, on one machine or a cluster.

The groups of pictures are those of a run in one process, so files, pictures and scores are the
same. Every node must see the folders of pictures, cache and weights under the same paths; what
was lost with a node is taken from the cache or made again. Ray would start a dead actor for ever:
here a group whose actor dies is given to new ones at most twice, and then recorded as lost.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluator.bench import Bench
from evaluator.calibration import merge
from evaluator.captioning import Captions
from evaluator.decode import START_IMAGE, Decoded, DecodeStage, lost
from evaluator.encode import Encoded, encode_groups, plan_groups
from evaluator.progress import silent
from evaluator.score import Scored, ScoredRun, ScoreStage, find_indicators
from evaluator.timesheet import Timesheet
from protocol.errors import CMCError, InputError
from protocol.records import Request, RunReport
from protocol.rules import Mode
from protocol.samples import Sample
from protocol.versions import find_protocol

STAGES = ("encode", "decode", "score")
_TRIES = 3
_CPUS_AN_ACTOR = 0.1
"""Little, so that the stages of a small machine all start: each waits for the one before it."""
_WAITING_A_DECODER = 2
"""Groups under way for each decoder: one that it is at, one that is ready."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many actors a stage has, and how much of a GPU each holds."""

    actors: int
    gpus: float


def parse_actors(text: str) -> dict[str, Pool]:
    """Return the pools that `encode=4x0,decode=8x1,score=2x0.25` names; every stage has one.

    Raises:
        InputError: the text has another form.
    """
    pools = {stage: Pool(1, 0.0) for stage in STAGES}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\w+)=(\d+)x(\d*\.?\d+)\s*", part)
        if match is None or match[1] not in STAGES or int(match[2]) < 1:
            raise InputError(
                f"actors {part!r}: wanted STAGE=NUMBERxGPUS with STAGE one of "
                f"{', '.join(STAGES)}, for example decode=8x1"
            )
        pools[match[1]] = Pool(int(match[2]), float(match[3]))
    return pools


class Worker:
    """What an actor holds: one stage, its model loaded when it is needed."""

    def __init__(self, stage: str, request: Request, bench: Bench) -> None:
        """Build the stage in the actor's process."""
        self._stage = stage
        self._request = request
        self._bench = bench
        self._timesheet = Timesheet()
        protocol = find_protocol(request.protocol)
        if stage == "encode":
            self._captions = None
            if request.i2t is not None:
                self._captions = Captions(request.i2t, protocol, bench, self._timesheet)
        elif stage == "decode":
            system = request.t2i or START_IMAGE
            self._decoder = DecodeStage(system, protocol, bench, self._timesheet)
        else:
            indicators = find_indicators(request.protocol, bench)
            self._scorer = ScoreStage(indicators, bench, self._timesheet)

    def encode(self, samples: Sequence[Sample]) -> list[Encoded]:
        """Return the files of one group."""
        groups = encode_groups(
            self._request, [samples], self._bench, self._timesheet, self._captions
        )
        return next(iter(list(groups)))

    def decode(self, files: Sequence[Encoded]) -> list[Decoded]:
        """Return the pictures of one group."""
        return next(iter(list(self._decoder.of_groups([files]))))

    def score(self, decoded: Sequence[Decoded]) -> list[Scored]:
        """Return the scores of one group, after those of the calibration pairs."""
        self._scorer.calibrate()
        return self._scorer.of_group(decoded)

    def calibration(self) -> Mapping[str, tuple[float, ...]]:
        """Return what this actor's indicators said of the calibration pairs, if they were asked."""
        return self._scorer.calibration

    def report(self) -> RunReport:
        """Return what this actor has counted."""
        smallest = self._bench.batch_size
        if self._stage == "decode":
            smallest = self._decoder.sizes.smallest
        return self._timesheet.report(smallest_batch=smallest, price_per_hour=None)


def run_on_ray(
    request: Request, samples: Sequence[Sample], bench: Bench, timesheet: Timesheet
) -> ScoredRun:
    """Return the scores by picture and mode.

    Raises:
        InputError: Ray is not installed, or the actors are written wrong.
        CMCError: as for a run in one process.
    """
    pools = parse_actors(bench.actors)
    groups = plan_groups(samples, bench)
    scored: dict[tuple[str, Mode], list[Scored]] = {}
    total = len(samples) * len(request.modes)
    with _ray() as ray, bench.report("ray", total) as advance:
        crew = _Crew(ray, request, replace(bench, report=silent, overlap=False), pools)
        for decoded in crew.run(groups):
            for item in decoded:
                file = item.decoded.encoded
                scored.setdefault((file.sample.name, file.mode), []).append(item)
            advance(len({id(item.decoded) for item in decoded}))
        reports: list[RunReport] = crew.ask("report", STAGES)
        calibration = merge(crew.ask("calibration", ["score"]))
    for report in reports:
        timesheet.absorb(report)
    smallest = min((r.smallest_batch for r in reports), default=bench.batch_size)
    return ScoredRun(scored, smallest, calibration)


class _Crew:
    """The actors, and which groups they are at."""

    def __init__(self, ray: Any, request: Request, bench: Bench, pools: Mapping[str, Pool]) -> None:
        self._ray = ray
        self._request = request
        self._bench = bench
        self._pools = pools
        _check_room(ray, pools)
        self._actors = {s: [self._hire(s) for _ in range(pools[s].actors)] for s in STAGES}
        self._turn = 0

    def run(self, groups: Sequence[Sequence[Sample]]) -> Iterator[list[Scored]]:
        """Yield the scores of the groups in their order, a bounded number under way."""
        window = _WAITING_A_DECODER * self._pools["decode"].actors + 1
        waiting: list[tuple[Sequence[Sample], dict[str, Any]]] = []
        for group in groups:
            waiting.append((group, self._send(group)))
            if len(waiting) >= window:
                yield self._collect(*waiting.pop(0))
        while waiting:
            yield self._collect(*waiting.pop(0))

    def ask(self, question: str, stages: Sequence[str]) -> list[Any]:
        """Return what the actors of the stages answer that are alive."""
        found = []
        for actor in (actor for stage in stages for actor in self._actors[stage]):
            try:
                found.append(self._ray.get(getattr(actor, question).remote()))
            except self._ray.exceptions.RayActorError:
                continue
        return found

    def _hire(self, stage: str) -> Any:
        # Per-picture errors are records already; an actor that dies is replaced here, by count.
        actor = self._ray.remote(Worker).options(
            num_cpus=_CPUS_AN_ACTOR, num_gpus=self._pools[stage].gpus, max_restarts=0
        )
        return actor.remote(stage, self._request, self._bench)

    def _send(self, group: Sequence[Sample]) -> dict[str, Any]:
        """Send a group through the stages; each takes the answer of the one before."""
        self._turn += 1
        answer: Any = group
        refs = {}
        for stage in STAGES:
            actors = self._actors[stage]
            answer = getattr(actors[self._turn % len(actors)], stage).remote(answer)
            refs[stage] = answer
        return refs

    def _collect(self, group: Sequence[Sample], refs: dict[str, Any]) -> list[Scored]:
        for left in reversed(range(_TRIES)):
            try:
                scored: list[Scored] = self._ray.get(refs["score"])
            except self._ray.exceptions.RayTaskError as error:
                cause = _cause(error)
                if not isinstance(cause, self._ray.exceptions.RayActorError):
                    raise cause from error
            except self._ray.exceptions.RayActorError:
                pass
            else:
                return scored
            self._replace_dead()
            if left:
                refs = self._send(group)
        return self._lost(group)

    def _replace_dead(self) -> None:
        for stage, actors in self._actors.items():
            for place, actor in enumerate(actors):
                try:
                    self._ray.get(actor.report.remote())
                except self._ray.exceptions.RayActorError:
                    actors[place] = self._hire(stage)

    def _lost(self, group: Sequence[Sample]) -> list[Scored]:
        """Return rows for a group whose actors die each time."""
        encoder = self._actors["encode"][0]
        try:
            files: list[Encoded] = self._ray.get(encoder.encode.remote(group))
        except self._ray.exceptions.RayActorError as error:
            # Without a file there is no rate to write down beside the code.
            raise CMCError(
                f"the process that captions and encodes died {_TRIES + 1} times at "
                f"{', '.join(sample.name for sample in group)}; what was done is kept"
            ) from error
        protocol = find_protocol(self._request.protocol)
        indicators = find_indicators(self._request.protocol, replace(self._bench, device="cpu"))
        message = f"the process that worked on this picture died {_TRIES} times"
        return [
            Scored(decoded, indicator.name, indicator.dimension, None, "WORKER_LOST")
            for decoded in (lost(file, protocol, message) for file in files)
            for indicator in indicators
        ]


def _check_room(ray: Any, pools: Mapping[str, Pool]) -> None:
    """Refuse actors that would wait for ever for a place."""
    resources = ray.cluster_resources()
    for kind, wanted in (
        ("GPU", sum(pool.actors * pool.gpus for pool in pools.values())),
        ("CPU", sum(pool.actors * _CPUS_AN_ACTOR for pool in pools.values())),
    ):
        there = float(resources.get(kind, 0.0))
        if wanted > there + 1e-6:
            raise InputError(
                f"the actors want {wanted:g} {kind}s and Ray has {there:g}; give fewer with "
                "--actors, or smaller parts of a GPU"
            )


def _cause(error: Any) -> BaseException:
    """Return the error that was raised inside an actor, at the bottom of those around it."""
    cause: BaseException = error
    while getattr(cause, "cause", None) is not None:
        cause = cause.cause  # type: ignore[attr-defined]
    return cause


@contextmanager
def _ray() -> Iterator[Any]:
    """Start Ray here, or join the cluster that `RAY_ADDRESS` names."""
    # Nobody asked for statistics to be sent.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise InputError("Ray is not installed; pip install 'cmc-bench[ray]'") from error
    address = os.environ.get("RAY_ADDRESS")
    here = str(Path(__file__).parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    ray.init(
        address=address,
        include_dashboard=None if address else False,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env=None if address else {"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}},
    )
    try:
        yield ray
    finally:
        ray.shutdown()
