"""FID of sets and legibility of screens: against other implementations and closed forms."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from evaluator.indicators import find_indicator
from evaluator.indicators.legibility import character_error_rate, edit_distance
from evaluator.set_indicators import find_set_indicator, set_indicator_names
from evaluator.set_indicators.fid import Fid, frechet_distance
from protocol.errors import InputError, PictureError, WeightsError


def sample(count: int, seed: int, shift: float = 0.0) -> Any:
    return np.random.default_rng(seed).normal(shift, 1, (count, 6)) @ np.diag([1, 2, 3, 1, 1, 0.5])


def test_the_distance_is_pyiqas_and_torchmetrics() -> None:
    import torch
    from pyiqa.archs.fid_arch import frechet_distance as theirs
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(torch.nn.Module):
        """Takes its input for features."""

        num_features = 6

        def forward(self, values: Any) -> Any:
            return values.flatten(1)[:, :6]

    first, second = sample(60, 1), sample(40, 2, 0.7)
    ours = frechet_distance(first, second)
    moments = [m for x in (first, second) for m in (x.mean(axis=0), np.cov(x, rowvar=False))]
    assert ours == pytest.approx(theirs(*moments), abs=1e-5)
    metric: Any = FrechetInceptionDistance(feature=Given(), input_img_size=(3, 2, 1))
    metric.set_dtype(torch.float64)
    for features, is_real in ((first, True), (second, False)):
        metric.update(torch.tensor(features).reshape(-1, 3, 2, 1), real=is_real)
    assert ours == pytest.approx(float(metric.compute()), abs=1e-5)


def test_normals_a_known_distance_apart_are_that_distance_apart() -> None:
    first = sample(50, 3)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(first, first + 2.0) == pytest.approx(6 * 4)
    # Covariances C and 9C commute: tr(C + 9C - 2 * 3C) = 4 tr C.
    centred = first - first.mean(axis=0)
    trace = np.trace(np.cov(centred, rowvar=False))
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * trace)


@pytest.fixture(scope="module")
def fid(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """FID on an Inception of random weights, read from a file in the published layout."""
    import torch
    from pyiqa.archs import inception

    held: dict[str, Any] = {}
    patch = pytest.MonkeyPatch()
    patch.setattr(
        inception, "load_pretrained_network", lambda net, _: held.update(net.state_dict())
    )
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        inception.fid_inception_v3()
    patch.undo()
    folder = tmp_path_factory.mktemp("inception")
    module = find_set_indicator("fid")
    torch.save(held, folder / module.WEIGHTS)
    return module.load(folder / module.WEIGHTS, "cpu")


def test_features_are_pyiqas_of_a_folder(fid: Fid, tmp_path: Path) -> None:
    import torch
    from pyiqa.archs.fid_arch import get_folder_features

    pictures = [paint(70, 50, seed) for seed in range(2)]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number}.png")
    theirs = get_folder_features(
        str(tmp_path), fid._network, num_workers=0, device=torch.device("cpu"), verbose=False
    )
    np.testing.assert_allclose(fid.features(pictures), theirs, atol=1e-5)


def test_a_set_is_nearest_to_itself_and_needs_two_pictures(fid: Fid) -> None:
    pictures = [paint(60, 60, seed) for seed in range(3)]
    blurred = [picture.filter(ImageFilter.GaussianBlur(4)) for picture in pictures]
    assert fid.score(pictures, pictures) == pytest.approx(0, abs=1e-6)
    assert fid.score(blurred, pictures) < 0
    with pytest.raises(PictureError, match="1 pictures; a set needs two"):
        fid.score(pictures[:1], pictures)


def test_every_indicator_of_sets_says_where_its_weights_are() -> None:
    for name in set_indicator_names():
        with pytest.raises(WeightsError, match="curl -L -o"):
            find_set_indicator(name).load(None, "cpu")


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0), ("flaw", "lawn", 2)],
)
def test_edits_between_known_words(first: str, second: str, edits: int) -> None:
    assert edit_distance(first, second) == edits == edit_distance(second, first)


def test_the_error_rate_is_over_the_truths_length_and_at_most_1() -> None:
    assert character_error_rate("helo", "hello") == pytest.approx(1 / 5)
    assert character_error_rate("something else entirely", "no") == 1
    assert character_error_rate("", "") == 0
    assert character_error_rate("noise", "") == 1


def screen(text: str) -> Image.Image:
    picture = Image.new("RGB", (640, 120), "white")
    font = ImageFont.load_default(size=32)
    ImageDraw.Draw(picture).text((20, 40), text, fill="black", font=font)
    return picture


def test_text_on_a_screen_is_read_and_blur_loses_it() -> None:
    legibility = find_indicator("legibility").load(None, "cpu")
    truth = screen("The quick brown fox jumps")
    blurred = truth.filter(ImageFilter.GaussianBlur(9))
    equal, other, lost = legibility.score(
        [truth, screen("The quick brown dog jumps"), blurred], [truth] * 3
    )
    assert equal == 1
    assert other == pytest.approx(1 - 3 / 25, abs=0.05)
    assert lost < 0.3


def test_without_tesseract_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="apt-get install tesseract-ocr"):
        find_indicator("legibility").load(None, "cpu")


def test_real_screens_keep_their_text(shared: Path) -> None:
    legibility = find_indicator("legibility").load(None, "cpu")
    with Image.open(shared / "images" / "SCI_screen_002.png") as file:
        truth = file.convert("RGB")
    small = truth.resize((truth.width // 6, truth.height // 6)).resize(truth.size)
    equal, lost = legibility.score([truth, small], [truth, truth])
    assert equal == 1
    assert lost < 0.6


def test_folders_are_scored_as_sets_by_the_command(
    fid: Fid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evaluator import set_scores
    from evaluator.__main__ import main

    for folder, blur in (("a", 0), ("b", 5)):
        (tmp_path / folder).mkdir()
        for seed in range(2):
            picture = paint(48, 40, seed).filter(ImageFilter.GaussianBlur(blur))
            picture.save(tmp_path / folder / f"{seed}.png")
    monkeypatch.setattr(set_scores, "_load", lambda *_: fid)
    folders = ("--reference", str(tmp_path / "a"), "--distorted", str(tmp_path / "b"))
    assert main(["score", *folders, "--set-indicator", "fid", "--device", "cpu"]) == 0
    assert capsys.readouterr().out.startswith("set of 2                      fid -")
    assert main(["score", *folders, "--device", "cpu"]) == 1
    assert "nothing to score by" in capsys.readouterr().err
