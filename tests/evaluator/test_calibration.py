"""Scorers that answer otherwise than they should write no row."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_bundle import write_bundle
from PIL import Image

from evaluator import lazy_indicator
from evaluator.bench import Bench
from evaluator.calibration import calibrate, merge
from evaluator.intake import receive_all
from evaluator.lazy_indicator import LazyIndicator
from evaluator.reported import files_of, read_bundle
from evaluator.run import evaluate
from evaluator.worker import work
from protocol.calibration import pairs
from protocol.errors import MachineFault
from protocol.records import Request
from protocol.rules import Mode
from protocol.states import Status
from submission.store import FolderStore

Ask = Callable[..., Request]
MakeBench = Callable[..., Bench]


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes the scores of a device other by `by`."""
    score = LazyIndicator.score

    def put(by: float, device: str = "cpu") -> None:
        def shifted(self: LazyIndicator, pictures: Any, references: Any) -> list[float]:
            moved = by if self._device == device else 0.0
            return [one + moved for one in score(self, pictures, references)]

        monkeypatch.setattr(LazyIndicator, "score", shifted)

    return put


def scores_of_pairs(name: str) -> Sequence[float]:
    indicator = LazyIndicator(name, None, "cpu")
    pictures = [[Image.fromarray(p) for p in pair] for pair in pairs()]
    return [indicator.score([there], [truth])[0] for truth, there in pictures]


def test_a_result_says_what_its_indicators_say_of_the_pairs(
    ask: Ask, make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, bench = ask(modes=(Mode.IMAGE,)), make_bench()
    found = evaluate(request, bench).result.provenance.calibration
    assert {name: list(scores) for name, scores in found.items()} == {
        name: scores_of_pairs(name) for name in ("ms_ssim", "piqe")
    }
    # The processor's are kept: a run of which all is in the cache loads nothing.
    monkeypatch.setattr(lazy_indicator, "_load", None)
    assert evaluate(request, bench).result.provenance.calibration == found


def test_a_device_that_scores_otherwise_than_the_processor_scores_nothing(
    make_bench: MakeBench, shift: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No GPU is here: the processor answers for it, shifted.
    load = lazy_indicator._load
    monkeypatch.setattr(lazy_indicator, "_load", lambda *which: load(*which[:2], "cpu"))
    bench = replace(make_bench(), device="cuda")
    indicators = [LazyIndicator("ms_ssim", None, "cuda")]
    shift(0.001, "cuda")
    (scores,) = calibrate(indicators, bench).values()
    assert scores == pytest.approx([s + 0.001 for s in scores_of_pairs("ms_ssim")])
    shift(0.005, "cuda")
    with pytest.raises(MachineFault, match=r"ms_ssim on cuda is 0\.0050 off from the processor"):
        calibrate(indicators, bench)


def test_an_indicator_that_knows_no_number_stops_the_run(
    ask: Ask, make_bench: MakeBench, shift: Callable[..., None]
) -> None:
    shift(float("nan"))
    request = ask(modes=(Mode.IMAGE,))
    with pytest.raises(MachineFault, match="answers nan of a calibration pair"):
        evaluate(request, make_bench())


def test_an_indicator_that_memory_is_too_short_for_says_nothing_of_either_pair(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    answers = iter([[0.5]])

    def once(*_: object) -> list[float]:
        if scores := next(answers, None):
            return scores
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(LazyIndicator, "score", once)
    assert calibrate([LazyIndicator("ms_ssim", None, "cpu")], make_bench()) == {}


def test_scorers_of_one_run_that_differ_stop_it() -> None:
    same = {"ms_ssim": (0.5, 0.7)}
    assert merge([{}, same, same]) == same
    with pytest.raises(MachineFault, match=r"two scorers' ms_ssim differ by 0\.0500"):
        merge([same, {"ms_ssim": (0.5, 0.8)}])


def test_a_worker_that_scores_otherwise_than_the_first_row_gives_the_request_back(
    tmp_path: Path, ask: Ask, make_bench: MakeBench, shift: Callable[..., None]
) -> None:
    store = FolderStore(tmp_path / "store")
    first, second = ask(i2t=None, modes=(Mode.IMAGE,)), ask(modes=(Mode.PIXEL,))
    store.submit(first)
    work(store, make_bench(), once=True, say=print)
    store.submit(second)
    shift(0.1)
    with pytest.raises(MachineFault, match=r"0\.1000 off from request .* No row was written"):
        work(store, make_bench("other"), once=True, say=print)
    state = store.state(second.request_id)
    assert (state.status, state.attempt) == (Status.PENDING, 0)


def test_reported_results_that_were_scored_otherwise_are_refused(
    tmp_path: Path, ask: Ask, make_bench: MakeBench, shift: Callable[..., None]
) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(ask(i2t=None, modes=(Mode.IMAGE,)))
    work(store, make_bench(), once=True, say=print)
    shift(0.1)
    request = ask(modes=(Mode.PIXEL,))
    bundle = read_bundle(write_bundle(tmp_path / "sent", evaluate(request, make_bench("other"))))
    store.submit(request, attached=files_of(request.request_id, bundle))
    (state,) = receive_all(store, "tests")
    assert state.failure is not None
    assert "ms_ssim is 0.1000 off from request" in state.failure.message
