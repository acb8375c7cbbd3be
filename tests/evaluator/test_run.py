"""A whole run: the same again in any order and after any interruption, and rates of real files."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evaluator import decode, outcomes, run
from evaluator.bench import Bench
from evaluator.codecs import load_codec
from evaluator.commands.leaderboard import print_board
from evaluator.decode import decode_all
from evaluator.decoders import Received, start_image
from evaluator.encode import encode_all
from evaluator.receive import receive, seed_of
from evaluator.run import Evaluation, evaluate
from protocol.boards import result_rows
from protocol.errors import DecodeError
from protocol.records import Request
from protocol.rules import Content, Dimension, Mode, Track
from protocol.samples import list_samples
from protocol.versions import PROTOCOLS, find_protocol

DEMO = PROTOCOLS["demo-0"]
SEED_OF_A_FILE = 7_345_835_859_334_442_746


def outcome(evaluation: Evaluation) -> list[tuple[object, ...]]:
    """Return what must be equal when a run is repeated: files, pictures and scores."""
    pictures = [
        (d.encoded.sample.name, d.encoded.mode, d.encoded.data, d.entry.png_sha256)
        for d in evaluation.decoded
    ]
    return [*sorted(pictures), *[(s.mode, s.content, s.mean) for s in evaluation.result.scores]]


def test_a_run_scores_every_mode_and_content(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    result = evaluate(ask(), make_bench()).result
    cells = {(s.mode, s.dimension, s.content): s for s in result.scores}
    assert set(cells) == {
        (mode, dimension, content)
        for mode in (Mode.FULL, Mode.IMAGE, Mode.PIXEL)
        for dimension in Dimension
        for content in (None, *Content)
    }
    assert all(score.mean is not None and score.not_scored == 0 for score in result.scores)
    everything = cells[Mode.IMAGE, Dimension.FR, None]
    single = [cells[Mode.IMAGE, Dimension.FR, content].mean for content in Content]
    assert everything.mean == pytest.approx(np.mean([mean for mean in single if mean]))


def test_the_rate_is_that_of_the_files(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path
) -> None:
    evaluation = evaluate(ask(), make_bench())
    for rate in evaluation.result.rates:
        if rate.content is None:
            files = [d.encoded for d in evaluation.decoded if d.encoded.mode is rate.mode]
            expected = []
            for file in files:
                with Image.open(images / file.sample.name) as picture:
                    expected.append(8 * len(file.data) / (picture.width * picture.height))
            assert rate.bits_per_pixel == pytest.approx(np.mean(expected))
            assert rate.file_bytes - rate.text_bytes - rate.image_bytes - rate.pixels_bytes <= 12


def test_a_diffusion_run_is_the_same_again_in_another_order_and_resumed(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    i2t: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = ask(t2i=f"{t2i}?steps=4", i2t=i2t)
    first = outcome(evaluate(request, make_bench("first")))
    assert outcome(evaluate(request, make_bench("second"))) == first

    with monkeypatch.context() as patch:
        patch.setattr(run, "list_samples", lambda folder: list_samples(folder)[::-1])
        backwards = evaluate(request, make_bench("backwards"))
    assert sorted(outcome(backwards)[:12], key=str) == sorted(first[:12], key=str)

    bench, painted = make_bench("killed"), 0
    keep = bench.cache.keep_picture

    def die_after_five(*arguments: Any) -> None:
        nonlocal painted
        painted += 1
        if painted == 6:
            raise KeyboardInterrupt
        keep(*arguments)

    monkeypatch.setattr(bench.cache, "keep_picture", die_after_five)
    with pytest.raises(KeyboardInterrupt):
        evaluate(request, bench)
    calls = count_decoded(monkeypatch)
    assert outcome(evaluate(request, make_bench("killed"))) == first
    assert sum(calls) == 12 - 5


def count_decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the size of every batch that is decoded from now on."""
    calls: list[int] = []
    original = outcomes.decode_batch

    def counted(*arguments: Any) -> Any:
        calls.append(len(arguments[1]))
        return original(*arguments)

    monkeypatch.setattr(decode, "decode_batch", counted)
    return calls


def test_another_batch_size_changes_a_picture_by_one_grey_level_at_most(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], t2i: str, images: Path
) -> None:
    with Image.open(images / "NSI_pgc_000.png") as picture:
        for number in range(10, 13):
            picture.rotate(number).save(images / f"NSI_pgc_0{number}.png")
    captions = images.parent / "captions.csv"
    with captions.open("a") as file:
        file.writelines(f"NSI_pgc_0{number}.png,Turned by {number}.\n" for number in range(10, 13))
    request = ask(t2i=f"{t2i}?steps=4")
    pictures = {}
    for size in (1, 2, 7):
        bench = make_bench(f"batch{size}", size)
        pictures[size] = {
            (d.encoded.sample.name, d.encoded.mode): np.asarray(
                Image.open(bench.cache.picture_path(d.key)).convert("RGB"), int
            )
            for d in evaluate(request, bench).decoded
        }
    assert len(pictures[1]) == 24
    for size in (2, 7):
        for key, alone in pictures[1].items():
            assert np.abs(pictures[size][key] - alone).max() <= 1


def test_a_second_decoder_captions_and_encodes_nothing_again(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    i2t: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = make_bench()
    evaluate(ask(i2t=i2t), bench)

    def refuse(*_: object) -> None:
        pytest.fail("was called again")

    monkeypatch.setattr("evaluator.captioners.transformers.load", refuse)
    monkeypatch.setattr("evaluator.codecs.vvc.encode", refuse)
    assert evaluate(ask(i2t=i2t, t2i=f"{t2i}?steps=4"), bench).result.images == 3


def test_what_was_made_is_found_again_under_all_that_it_depends_on(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench()

    def made(**changes: object) -> tuple[int, int]:
        run = evaluate(ask(modes=(Mode.IMAGE,), **changes), bench).result.run
        return run.cache_misses.get("reference", 0), run.cache_misses.get("picture", 0)

    assert made() == (3, 3)
    assert made(t2i="control?kind=blur") == (0, 3)
    assert made(t2i="control?kind=sharpen") == (0, 3)
    assert made(protocol="demo-0?seed=43") == (0, 3)
    assert made(protocol="demo-0?vvc_qp=48") == (3, 3)
    with monkeypatch.context() as patch:
        patch.setattr("evaluator.decoders.start_image.describe", lambda *_: {"library": "2.0"})
        assert made() == (0, 3)
    assert made() == (0, 0)


def test_a_picture_s_seed_is_the_same_in_every_version_of_the_code() -> None:
    cmc_1 = PROTOCOLS["cmc-1"]
    assert seed_of(b"a file", cmc_1) == SEED_OF_A_FILE
    assert seed_of(b"another", cmc_1) != SEED_OF_A_FILE
    assert seed_of(b"a file", find_protocol("cmc-1?seed=43")) != SEED_OF_A_FILE


def test_a_damaged_picture_in_the_cache_is_made_again(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench()
    first = evaluate(ask(), bench)
    path = bench.cache.picture_path(first.decoded[0].key)
    path.write_bytes(path.read_bytes()[:-9])
    assert outcome(evaluate(ask(), bench)) == outcome(first)


def test_a_codecs_row_is_the_start_image_row_at_the_same_qp(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench()
    codec = evaluate(ask(i2t=None, t2i=None, codec="vvc:53"), bench).result
    baseline = evaluate(ask(), bench).result
    (row,) = result_rows([codec, baseline], Track.CODEC, None)
    (plain,) = result_rows([codec, baseline], Track.T2I_ULB, None)
    assert row.model == "VVC QP 53"
    assert row.scores[Mode.IMAGE, Dimension.FR] == plain.scores[Mode.IMAGE, Dimension.FR]
    assert row.bits_per_pixel[Mode.IMAGE] == plain.bits_per_pixel[Mode.IMAGE]


def test_a_row_without_text_mode_is_shown_on_elb_and_not_ranked(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    (row,) = result_rows([evaluate(ask(), make_bench()).result], Track.T2I_ELB, None)
    assert row.overall is None
    assert row.missing_modes == (Mode.TEXT,)
    assert (Mode.PIXEL, Dimension.FR) in row.scores


class Failing(start_image.StartImage):
    """A decoder that fails on pictures of odd width."""

    def decode(self, batch: Sequence[Received]) -> list[Image.Image | DecodeError]:
        return [
            DecodeError("NAN_OUTPUT", "not a number") if item.width % 2 else picture
            for item, picture in zip(batch, super().decode(batch), strict=True)
        ]


def test_a_picture_that_failed_is_not_scored_and_not_left_out_in_silence(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(start_image, "load", lambda *_: Failing())
    evaluation = evaluate(ask(modes=(Mode.IMAGE,)), make_bench())
    scores = {s.content: s for s in evaluation.result.scores if s.dimension is Dimension.FR}
    assert (scores[None].mean, scores[None].images, scores[None].not_scored) == (None, 3, 1)
    assert scores[Content.AIGI].mean is None
    assert scores[Content.NSI].mean is not None
    table = pq.read_table(__import__("io").BytesIO(evaluation.per_image)).to_pylist()
    (failed,) = [row for row in table if row["status"] != "scored" and row["dimension"] == "fr"]
    assert (failed["name"], failed["status"], failed["score"]) == (
        "AIGI_SDXL_002.png",
        "NAN_OUTPUT",
        None,
    )
    print_board(result_rows([evaluation.result], Track.T2I_ULB, None))
    assert "image bpp" in capsys.readouterr().out


def test_a_decoder_knows_the_bytes_and_nothing_else(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench()
    files = encode_all(ask(), list_samples(bench.images), bench)
    for file in files:
        received = receive(file.data, DEMO)
        assert (received.width, received.height) == (file.stream.width, file.stream.height)
        assert received.caption == (file.caption if file.mode.has_caption else None)
        assert received.seed == seed_of(file.data, DEMO)
    assert len({seed_of(file.data, DEMO) for file in files}) == len(files)
    again = decode_all(ask().t2i or decode.START_IMAGE, DEMO, files, bench)
    assert [d.encoded for d in again] == files


def test_provenance_names_everything(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], t2i: str
) -> None:
    provenance = evaluate(ask(t2i=t2i, modes=(Mode.IMAGE,)), make_bench()).result.provenance
    assert {"torch", "diffusers", "pyiqa", "pillow"} <= set(provenance.libraries)
    assert [use.name for use in provenance.indicators] == ["ms_ssim", "piqe"]
    assert provenance.ffmpeg
    assert provenance.start_sigma[Mode.IMAGE] == pytest.approx(1.62, abs=0.01)
    assert provenance.started_at <= provenance.finished_at


def test_decoding_the_picture_that_was_sent_is_part_of_decoding(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    vvc = load_codec("vvc")

    def slowly(stream: bytes, width: int, height: int) -> Image.Image:
        time.sleep(0.2)
        return decode_vvc(stream, width, height)

    decode_vvc = vvc.decode
    monkeypatch.setattr(vvc, "decode", slowly)
    result = evaluate(ask(modes=(Mode.FULL, Mode.IMAGE, Mode.PIXEL)), make_bench()).result
    seconds = {cost.mode: cost.decode_seconds for cost in result.costs}
    # The two modes send the same picture; it is decoded once and counts in both.
    assert seconds[Mode.IMAGE] > 0.2
    assert seconds[Mode.FULL] > 0.2
    assert seconds[Mode.PIXEL] < seconds[Mode.IMAGE]
