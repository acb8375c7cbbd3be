"""Ray gives the bytes, pictures and scores of a run in one process; what dies is counted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from evaluator.bench import Bench
from evaluator.ray_engine import Pool, parse_actors
from evaluator.run import Evaluation, evaluate
from protocol.errors import CaptionError, InputError
from protocol.records import Request
from protocol.rules import Mode

ACTORS = "encode=1x0,decode=2x0,score=1x0"


def outcome(evaluation: Evaluation) -> list[object]:
    return [
        [(d.encoded.data, d.entry.png_sha256, d.seed) for d in evaluation.decoded],
        evaluation.result.scores,
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


@pytest.mark.ray
def test_ray_gives_what_one_process_gives(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = pytest.importorskip("ray")
    request = ask(t2i=t2i, modes=(Mode.PIXEL, Mode.IMAGE))
    expected = outcome(evaluate(request, make_bench("local")))
    # One Ray for both runs: starting it takes longer than they do.
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    try:
        cold = evaluate(request, replace(make_bench("ray"), actors=ACTORS))
        assert outcome(cold) == expected
        assert cold.result.run.cache_misses["picture"] == 6
        monkeypatch.setattr(ray, "init", lambda **_: None)
        warm = evaluate(request, replace(make_bench("ray"), actors=ACTORS))
        assert outcome(warm) == expected
        assert warm.result.run.cache_misses.get("picture", 0) == 0
        (make_bench("ray").images.parent / "captions.csv").write_text("name,text\n")
        uncaptioned = ask(modes=(Mode.PIXEL,))
        with pytest.raises(CaptionError, match="has no caption"):
            evaluate(uncaptioned, replace(make_bench("empty"), actors=ACTORS))
    finally:
        monkeypatch.undo()
        ray.shutdown()
