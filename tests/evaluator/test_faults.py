"""Memory, devices, disks and models that fail: recorded, or a clean stop, and then the rest."""

import errno
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from evaluator import decode, outcomes
from evaluator.bench import Bench
from evaluator.decoders import Received, start_image
from evaluator.lazy_indicator import LazyIndicator
from evaluator.run import Evaluation, evaluate
from protocol.calibration import SIDE
from protocol.errors import DecodeError, DeviceLost
from protocol.records import Request
from protocol.rules import Mode

OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 20.00 GiB"


def rows(evaluation: Evaluation) -> dict[tuple[str, str, str], dict[str, Any]]:
    table = pq.read_table(io.BytesIO(evaluation.per_image)).to_pylist()
    return {(row["name"], row["mode"], row["dimension"]): row for row in table}


def pictures(evaluation: Evaluation) -> dict[tuple[str, Mode], str]:
    return {(d.encoded.sample.name, d.encoded.mode): d.entry.png_sha256 for d in evaluation.decoded}


class Faulty(start_image.StartImage):
    """The start picture, until `fault` raises."""

    fault: Callable[[Sequence[Received]], None]

    def decode(self, batch: Sequence[Received]) -> list[Image.Image | DecodeError]:
        type(self).fault(batch)
        return super().decode(batch)


@pytest.fixture
def break_decoder(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that puts a fault into start-image."""

    def put(fault: Callable[[Sequence[Received]], None]) -> None:
        monkeypatch.setattr(Faulty, "fault", staticmethod(fault), raising=False)
        monkeypatch.setattr(start_image, "load", lambda *_: Faulty())

    return put


@pytest.mark.parametrize("room", [2, 1])
def test_a_decoder_short_of_memory_makes_the_same_pictures_in_smaller_batches(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    break_decoder: Callable[..., None],
    room: int,
) -> None:
    expected = pictures(evaluate(ask(), make_bench("plenty")))

    def fault(batch: Sequence[Received]) -> None:
        if len(batch) > room:
            raise RuntimeError(OUT_OF_MEMORY)

    break_decoder(fault)
    found = evaluate(ask(), make_bench("short", 2))
    assert pictures(found) == expected
    assert found.result.run.smallest_batch == room


def test_a_picture_that_does_not_fit_alone_is_recorded_and_tried_again_next_time(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    break_decoder: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fault(batch: Sequence[Received]) -> None:
        if any(item.width == 201 for item in batch):
            raise RuntimeError(OUT_OF_MEMORY)

    break_decoder(fault)
    bench = make_bench("short", 2)
    first = rows(evaluate(ask(modes=(Mode.IMAGE,)), bench))
    failed = {key for key, row in first.items() if row["status"] == "OUT_OF_MEMORY"}
    assert {name for name, _, _ in failed} == {"AIGI_SDXL_002.png"}
    assert len(failed) == 2
    monkeypatch.undo()
    again = rows(evaluate(ask(modes=(Mode.IMAGE,)), bench))
    assert {row["status"] for row in again.values()} == {"scored"}


def test_scoring_short_of_memory_gives_the_same_scores(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = evaluate(ask(), make_bench("plenty")).result.scores
    score = LazyIndicator.score

    def hungry(self: LazyIndicator, pictures: Any, references: Any) -> list[float]:
        if len(pictures) > 1:
            raise RuntimeError(OUT_OF_MEMORY)
        return score(self, pictures, references)

    monkeypatch.setattr(LazyIndicator, "score", hungry)
    assert evaluate(ask(), make_bench("short", 2)).result.scores == expected


def test_a_score_that_does_not_fit_or_is_no_number_has_its_code(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: LazyIndicator, pictures: Any, references: Any) -> list[float]:
        del references
        if self.name == "piqe":
            raise MemoryError
        is_calibration = pictures[0].size == (SIDE, SIDE)
        return [0.5 if is_calibration else float("nan")] * len(pictures)

    with monkeypatch.context() as patch:
        patch.setattr(LazyIndicator, "score", broken)
        evaluation = evaluate(ask(modes=(Mode.IMAGE,)), make_bench())
    found = {(row["dimension"], row["status"]) for row in rows(evaluation).values()}
    assert found == {("fr", "NAN_SCORE"), ("nr", "OUT_OF_MEMORY")}
    assert all(score.mean is None for score in evaluation.result.scores)
    assert set(evaluation.result.provenance.calibration) == {"ms_ssim"}
    assert all(s.mean is not None for s in evaluate(ask(), make_bench()).result.scores)


def test_a_picture_too_small_for_an_indicator_has_its_code_and_the_others_their_scores(
    images: Path, ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    Image.effect_noise((150, 170), 40).convert("RGB").save(images / "NSI_small_001.png")
    found = rows(evaluate(ask(modes=(Mode.IMAGE,)), make_bench()))
    failed = {key: row["status"] for key, row in found.items() if row["status"] != "scored"}
    assert failed == {("NSI_small_001.png", "image", "fr"): "PICTURE_TOO_SMALL"}


def test_a_captioner_short_of_memory_says_the_same_in_smaller_batches(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    i2t: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from evaluator.captioners._generate import ModelCaptioner

    request = ask(i2t=i2t, modes=(Mode.PIXEL,))
    expected = {d.encoded.caption for d in evaluate(request, make_bench("plenty")).decoded}
    caption = ModelCaptioner.caption

    def hungry(self: ModelCaptioner, batch: Any) -> Any:
        if len(batch) > 1:
            raise RuntimeError(OUT_OF_MEMORY)
        return caption(self, batch)

    monkeypatch.setattr(ModelCaptioner, "caption", hungry)
    short = evaluate(request, make_bench("short", 2))
    assert {d.encoded.caption for d in short.decoded} == expected


def test_a_gpu_that_vanishes_stops_the_run_and_the_next_one_goes_on(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    break_decoder: Callable[..., None],
) -> None:
    expected = pictures(evaluate(ask(), make_bench("whole")))
    decoded: list[int] = []

    def fault(batch: Sequence[Received]) -> None:
        decoded.append(len(batch))
        if len(decoded) == 5:
            raise RuntimeError("CUDA error: unspecified launch failure")

    break_decoder(fault)
    with pytest.raises(DeviceLost, match="start again when it is back"):
        evaluate(ask(), make_bench("gone"))
    decoded[:] = [0] * 5
    assert pictures(evaluate(ask(), make_bench("gone"))) == expected
    assert sum(decoded) == 9 - 4


def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = pictures(evaluate(ask(), make_bench("whole")))
    bench = make_bench("full")
    kept: list[str] = []
    keep = bench.cache.keep_picture

    def full(key: str, entry: Any, png: bytes) -> None:
        if len(kept) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        keep(key, entry, png)
        kept.append(key)

    monkeypatch.setattr(bench.cache, "keep_picture", full)
    with pytest.raises(OSError, match="No space left"):
        evaluate(ask(), bench)
    made: list[int] = []
    original = outcomes.decode_batch

    def counted(decoder: Any, batch: Any) -> Any:
        made.append(len(batch))
        return original(decoder, batch)

    monkeypatch.setattr(decode, "decode_batch", counted)
    assert pictures(evaluate(ask(), make_bench("full"))) == expected
    assert sum(made) == 9 - 4


def test_an_i2t_model_that_says_nothing_is_recorded_and_the_rest_goes_on(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], captions: Path
) -> None:
    captions.write_text(
        captions.read_text().replace("A blue square in front of soft colours.", " ")
    )
    evaluation = evaluate(ask(), make_bench())
    by_status = {}
    for (name, mode, _), row in rows(evaluation).items():
        by_status[name, mode] = row["status"]
    assert {key for key, status in by_status.items() if status == "EMPTY_CAPTION"} == {
        ("NSI_pgc_000.png", "pixel"),
        ("NSI_pgc_000.png", "full"),
    }
    assert by_status["NSI_pgc_000.png", "image"] == "scored"
    assert set(by_status.values()) == {"scored", "EMPTY_CAPTION"}


@pytest.mark.parametrize("changes", [{"overlap": False}, {"lanes": 2}, {"batch_size": 2}])
def test_however_it_is_run_the_pictures_and_scores_are_the_same(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], changes: dict[str, Any]
) -> None:
    from dataclasses import replace

    plain = evaluate(ask(), make_bench("plain"))
    other = evaluate(ask(), replace(make_bench("other"), **changes))
    assert pictures(other) == pictures(plain)
    assert other.result.scores == plain.result.scores
    files = [[(d.encoded.sample, d.encoded.data) for d in e.decoded] for e in (plain, other)]
    assert files[0] == files[1]


def test_a_run_stopped_inside_a_batch_makes_that_batch_again_and_keeps_what_it_has(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = ask(t2i=t2i, modes=(Mode.PIXEL,))
    expected = pictures(evaluate(request, make_bench("whole", 2)))
    bench = make_bench("stopped", 2)
    first = evaluate(request, bench)
    key = next(d.key for d in first.decoded if d.encoded.sample.name == "SCI_screen_001.png")
    bench.cache.picture_path(key).unlink()
    kept: list[str] = []
    keep = bench.cache.keep_picture

    def counted(key: str, entry: Any, png: bytes) -> None:
        kept.append(key)
        keep(key, entry, png)

    monkeypatch.setattr(bench.cache, "keep_picture", counted)
    assert pictures(evaluate(request, bench)) == expected
    assert kept == [key]


def test_adding_an_indicator_decodes_nothing_and_adding_a_decoder_encodes_nothing(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench()
    first = evaluate(ask(modes=(Mode.IMAGE,)), bench).result.run
    assert first.cache_misses == {"reference": 3, "picture": 3, "score": 6}
    (bench.cache.folder / "score").rename(bench.cache.folder / "elsewhere")
    second = evaluate(ask(modes=(Mode.IMAGE,)), bench).result.run
    assert second.cache_misses.get("picture", 0) == second.cache_misses.get("reference", 0) == 0
    assert second.cache_misses["score"] == 6
    third = evaluate(ask(modes=(Mode.IMAGE,), protocol="demo-0"), bench).result.run
    assert not any(third.cache_misses.values())
    assert third.cache_hits == {"reference": 3, "picture": 3, "score": 6}
