"""Controls: what they take away, that they are flagged and never ranked."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from conftest import paint

from evaluator.bench import Bench
from evaluator.captioners.file import read_captions
from evaluator.controls import run_controls, shuffle_captions
from evaluator.decoders import Received
from evaluator.decoders.control import KINDS, load
from evaluator.run import evaluate
from protocol.boards import result_rows
from protocol.controls import is_control
from protocol.errors import InputError, ModelError, StatisticsError
from protocol.records import Request
from protocol.rules import Mode, Track
from protocol.samples import Sample, parse_name
from protocol.versions import PROTOCOLS
from submission.beside import FolderBeside
from submission.evidence import read_evidence
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def received(seed: int = 1) -> Received:
    return Received(
        mode=Mode.IMAGE, width=61, height=47, caption=None, start=paint(61, 47, seed), seed=0
    )


def made_by(kind: str) -> Any:
    (picture,) = load(pin_system(f"control?kind={kind}"), DEMO, "cpu").decode([received()])
    return np.asarray(picture, dtype=float)


def test_each_kind_does_to_the_sent_picture_what_its_name_says() -> None:
    start = np.asarray(received().start, dtype=float)
    copy, blur, sharpen, flat = (made_by(kind) for kind in KINDS)
    assert (copy == start).all()
    assert made_by("blur").std() < start.std() < sharpen.std()
    assert np.abs(np.diff(blur, axis=1)).mean() < np.abs(np.diff(start, axis=1)).mean()
    assert (flat == flat[0, 0]).all()
    assert np.abs(flat[0, 0] - start.mean(axis=(0, 1))).max() <= 0.5


def test_an_unknown_kind_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="copy, blur, sharpen, mean-colour"):
        load(pin_system("control?kind=swirl"), DEMO, "cpu")
    with pytest.raises(ModelError, match="wanted a number above 0"):
        load(pin_system("control?kind=blur&radius=0"), DEMO, "cpu")


def samples_of(*names: str) -> list[Sample]:
    return [parse_name(name) for name in names]


def test_no_picture_keeps_its_caption_and_all_stay_within_their_content() -> None:
    names = [f"{c}_x_{n:03}.png" for c in ("NSI", "SCI") for n in range(5)]
    captions = {name: f"caption of {name}" for name in names}
    for seed in range(20):
        given = shuffle_captions(captions, samples_of(*names), seed)
        assert sorted(given.values()) == sorted(captions.values())
        assert all(given[name] != captions[name] for name in names)
        assert all(given[name].startswith(f"caption of {name[:3]}") for name in names)
    assert shuffle_captions(captions, samples_of(*names[::-1]), 1) == shuffle_captions(
        captions, samples_of(*names), 1
    )


def test_a_content_of_one_picture_is_given_anothers_caption() -> None:
    names = ["NSI_x_000.png", "SCI_x_000.png", "SCI_x_001.png"]
    given = shuffle_captions({name: name for name in names}, samples_of(*names), 0)
    assert all(given[name] != name for name in names)
    with pytest.raises(InputError, match="wanted two or more"):
        shuffle_captions({names[0]: "one"}, samples_of(names[0]), 0)


@pytest.fixture
def more_images(images: Path, captions: Path) -> None:
    """Put a second picture of each content beside the first, with a caption."""
    with captions.open("a") as file:
        for seed, name in enumerate(("NSI_pgc_003", "SCI_screen_004", "AIGI_SDXL_005"), start=5):
            paint(176, 170, seed=seed).save(images / f"{name}.png")
            file.write(f"{name}.png,Another picture {seed}.\n")


@pytest.mark.usefixtures("more_images")
def test_a_system_that_ignores_words_scores_the_same_whatever_they_are(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], captions: Path, tmp_path: Path
) -> None:
    request = ask(modes=(Mode.PIXEL,))
    found = run_controls(request, make_bench(), tmp_path / "out", secondary=["ssim"])
    by_control = {
        (row.control, row.indicator): row.comparison.difference.value for row in found.scores
    }
    for indicator in ("ms_ssim", "piqe", "ssim"):
        assert by_control["shuffled-captions", indicator] == 0
        assert by_control["empty-captions", indicator] == 0
        assert by_control["copy", indicator] == 0
    assert by_control["mean-colour", "ms_ssim"] > 0.01
    shuffled = read_captions(tmp_path / "out" / "control-shuffled-captions.csv")
    own = read_captions(captions)
    assert sorted(shuffled.values()) == sorted(own.values())
    assert all(shuffled[name] != own[name] for name in own)


@pytest.mark.usefixtures("more_images")
def test_an_indicator_that_scored_too_few_pictures_is_named(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path, tmp_path: Path
) -> None:
    for path in images.glob("*.png"):
        paint(128, 96, seed=1).save(path)
    with pytest.raises(
        StatisticsError, match="by ms_ssim in pixel mode, which scored 0 of 6 pictures"
    ):
        run_controls(ask(modes=(Mode.PIXEL,)), make_bench(), tmp_path / "out")


def test_a_control_is_named_as_one_and_has_no_rank(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], captions: Path
) -> None:
    bench = make_bench()
    control = ask(t2i="control?kind=blur", modes=(Mode.FULL, Mode.IMAGE))
    shuffled = captions.with_name("control-shuffled-captions.csv")
    shuffled.write_bytes(captions.read_bytes())
    mixed = ask(i2t=f"file:{shuffled}", modes=(Mode.FULL, Mode.IMAGE))
    plain = ask(modes=(Mode.FULL, Mode.IMAGE))
    results = [evaluate(request, bench).result for request in (control, mixed, plain)]
    assert [is_control(result.request) for result in results] == [True, True, False]
    rows = result_rows(results, Track.T2I_ULB, None)
    assert [row.overall is None for row in rows] == [False, True, True]
    assert {row.model for row in rows[1:]} == {"control (kind blur)", "start-image"}
    assert {row.partner for row in rows[1:]} == {"captions.csv", "control-shuffled-captions.csv"}


def test_a_codec_has_nothing_to_take_away(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no captions"):
        run_controls(ask(i2t=None, t2i=None, codec="vvc:53"), make_bench(), tmp_path)


@pytest.mark.usefixtures("more_images")
def test_the_command_prints_differences_and_keeps_them(
    images: Path, captions: Path, tmp_path: Path, cmc: Callable[..., CompletedProcess[str]]
) -> None:
    done = cmc(
        *("controls", "--i2t", f"file:{captions}", "--t2i", "start-image", "--modes", "pixel"),
        *("--protocol", "demo-0", "--images", images, "--out", tmp_path / "out"),
        *("--store", tmp_path / "store"),
    )
    assert "shuffled-captions  pixel  ms_ssim*" in done.stdout
    (kept,) = read_evidence(FolderBeside(tmp_path / "store")).controls
    assert len(kept.request_id) == 20
    # There is no such row there, whose page could show the flags.
    assert f"has no request {kept.request_id}, so no row" in done.stderr
    record = json.loads((tmp_path / "out" / "controls.json").read_text())
    assert record["images"] == 6
    assert {row["control"] for row in record["scores"]} == {
        *("shuffled-captions", "empty-captions"),
        *KINDS,
    }
