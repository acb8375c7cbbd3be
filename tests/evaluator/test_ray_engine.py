"""Ray gives the bytes, pictures and scores of a run in one process; what dies is counted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluator import ray_engine
from evaluator.bench import Bench
from evaluator.ray_engine import Pool, parse_actors
from evaluator.run import Evaluation, evaluate
from protocol.errors import CaptionError, CMCError, InputError
from protocol.records import Request
from protocol.rules import Mode

ACTORS = "encode=1x0,decode=2x0,score=1x0"
ALONE = "encode=1x0,decode=1x0,score=1x0"
"""Where actors die: each that takes a dead one's place is a process that imports torch."""


def outcome(evaluation: Evaluation) -> list[object]:
    return [
        [(d.encoded.data, d.entry.png_sha256, d.seed) for d in evaluation.decoded],
        evaluation.result.scores,
        evaluation.result.provenance.calibration,
    ]


def test_actors_are_written_by_stage() -> None:
    assert parse_actors("decode=8x1, score=2x0.25") == {
        "encode": Pool(1, 0.0),
        "decode": Pool(8, 1.0),
        "score": Pool(2, 0.25),
    }


@pytest.mark.parametrize("text", ["", "decode=0x1", "paint=1x1", "decode=2", "decode=ax1"])
def test_actors_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="wanted STAGE=NUMBERxGPUS"):
        parse_actors(text)


@pytest.fixture(scope="module")
def one_ray() -> Iterator[None]:
    """One Ray for all runs of this file: starting it takes longer than they do."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        stop, start = ray.shutdown, ray.init
        patch.setattr(ray, "shutdown", lambda: None)
        patch.setattr(ray, "init", lambda **options: ray.is_initialized() or start(**options))
        yield
        stop()


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_ray_gives_what_one_process_gives_cold_and_warm(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], t2i: str
) -> None:
    request = ask(t2i=f"{t2i}?steps=4", modes=(Mode.PIXEL,))
    expected = outcome(evaluate(request, make_bench("local")))
    bench = replace(make_bench("ray"), actors=ACTORS)
    for misses in (3, 0):
        evaluation = evaluate(request, bench)
        assert outcome(evaluation) == expected
        assert evaluation.result.run.cache_misses.get("picture", 0) == misses


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_an_error_in_an_actor_is_the_error_of_the_run(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], captions: Path
) -> None:
    captions.write_text("name,text\n")
    bench = replace(make_bench(), actors=ACTORS)
    request = ask(modes=(Mode.PIXEL,))
    with pytest.raises(CaptionError, match="has no caption"):
        evaluate(request, bench)


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_actors_without_a_place_are_refused(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = replace(make_bench(), actors="decode=1x500")
    request = ask()
    with pytest.raises(InputError, match="the actors want 500 GPUs"):
        evaluate(request, bench)


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
@pytest.mark.parametrize("deaths", [1, 99])
def test_what_dies_is_replaced_and_what_dies_each_time_is_recorded(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    deaths: int,
) -> None:
    import ray

    send = ray_engine._Crew._send
    killed: list[Any] = []

    def kill_then_send(crew: ray_engine._Crew, group: Any) -> Any:
        if len(killed) < deaths:
            for actor in crew._actors["decode"]:
                ray.kill(actor)
            killed.append(group)
        return send(crew, group)

    monkeypatch.setattr(ray_engine._Crew, "_send", kill_then_send)
    bench = replace(make_bench("ray"), actors=ALONE)
    evaluation = evaluate(ask(modes=(Mode.IMAGE,)), bench)
    codes = {d.entry.failure_code for d in evaluation.decoded}
    if deaths == 1:
        assert codes == {""}
        assert outcome(evaluation) == outcome(evaluate(ask(modes=(Mode.IMAGE,)), make_bench("l")))
    else:
        assert codes == {"WORKER_LOST"}
        assert {score.mean for score in evaluation.result.scores} == {None}
        assert len(killed) == 3 * ray_engine._TRIES


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_an_encoder_that_dies_each_time_ends_the_run_with_the_pictures_it_died_at(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    hire = ray_engine._Crew._hire

    def stillborn(crew: ray_engine._Crew, stage: str) -> Any:
        actor = hire(crew, stage)
        if stage == "encode":
            ray.kill(actor)
        return actor

    monkeypatch.setattr(ray_engine._Crew, "_hire", stillborn)
    bench = replace(make_bench("ray"), actors=ALONE)
    with pytest.raises(CMCError, match=r"captions and encodes died 4 times at \w+\.png;"):
        evaluate(ask(modes=(Mode.IMAGE,)), bench)
