"""Indicators: higher is better, no reference is mixed up, and weights are the ones wanted."""

import hashlib
import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint
from PIL import Image, ImageFilter

from evaluator.indicators import find_indicator, indicator_names
from evaluator.lazy_indicator import LazyIndicator
from evaluator.score import match_folders, score_folders
from evaluator.weights import find_weights
from protocol.errors import ModelError, PictureError, WeightsError
from protocol.rules import Dimension
from protocol.versions import PROTOCOLS

FORMULAS = [
    name
    for name in indicator_names()
    if not find_indicator(name).WEIGHTS and not find_indicator(name).FACTS.program
]


def test_every_protocols_indicators_are_there_and_of_their_dimension() -> None:
    for protocol in PROTOCOLS.values():
        for dimension, name in protocol.indicators.items():
            assert find_indicator(name).DIMENSION is dimension


@pytest.mark.parametrize("name", FORMULAS)
def test_a_blurred_photograph_scores_lower(name: str, photograph: Image.Image) -> None:
    module = find_indicator(name)
    truth = photograph.crop((100, 100, 356, 356))
    blurred = truth.filter(ImageFilter.GaussianBlur(3))
    is_fr = module.DIMENSION is Dimension.FR
    good, bad = module.load(None, "cpu").score([truth, blurred], [truth, truth] if is_fr else None)
    assert good > bad


@pytest.mark.parametrize("name", ["psnr", "vsi", "piqe"])
def test_a_formula_answers_as_pyiqa_called_directly(name: str, photograph: Image.Image) -> None:
    import pyiqa
    from torchvision.transforms.functional import to_tensor

    truth = photograph.crop((40, 60, 261, 237))
    picture = truth.filter(ImageFilter.GaussianBlur(2))
    module = find_indicator(name)
    is_fr = module.DIMENSION is Dimension.FR
    (ours,) = module.load(None, "cpu").score([picture], [truth] if is_fr else None)
    both = [to_tensor(one)[None] for one in (picture, truth)]
    theirs = float(pyiqa.create_metric(name, device="cpu")(*both[: 2 if is_fr else 1]))
    assert ours == pytest.approx(1 - theirs / 100 if name == "piqe" else theirs, abs=1e-5)
    if name == "psnr":
        gap = np.asarray(picture, dtype=float) - np.asarray(truth, dtype=float)
        assert ours == pytest.approx(10 * np.log10(255**2 / (gap**2).mean()), abs=1e-4)


@pytest.mark.parametrize("name", FORMULAS)
def test_threads_get_their_own_pictures_score(name: str, photograph: Image.Image) -> None:
    truths = [photograph.crop((x, 100, x + 192, 276)) for x in (0, 190, 380, 570)]
    pictures = [truth.filter(ImageFilter.GaussianBlur(1)) for truth in truths]
    module = find_indicator(name)
    indicator = module.load(None, "cpu")
    is_fr = module.DIMENSION is Dimension.FR

    def score(place: int) -> float:
        return indicator.score([pictures[place]], [truths[place]] if is_fr else None)[0]

    alone = [score(place) for place in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(score, [0, 1, 2, 3] * 50)) == alone * 50


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
def test_rows_and_columns_give_what_pyiqas_own_window_gives(
    name: str, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyiqa.matlab_utils
    from torchvision.transforms.functional import to_tensor

    truth = photograph.crop((40, 60, 261, 237))
    pictures = [truth.filter(ImageFilter.GaussianBlur(2)), truth.rotate(90).resize(truth.size)]
    ours = find_indicator(name).load(None, "cpu").score(pictures, [truth, truth])
    metric = pyiqa.create_metric(name, device="cpu")
    monkeypatch.setattr("pyiqa.archs.ssim_arch.filter2", pyiqa.matlab_utils.filter2)
    theirs = [
        float(metric(to_tensor(picture)[None], to_tensor(truth)[None])) for picture in pictures
    ]
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0 < theirs[1] < theirs[0] < 1


def test_loading_every_indicator_leaves_transformers_llama_alone(topiq_weights: Path) -> None:
    from transformers.models.llama import modeling_llama

    for name in [*FORMULAS, "topiq_fr", "topiq_nr"]:
        weights = find_indicator(name).WEIGHTS
        find_indicator(name).load(topiq_weights / weights if weights else None, "cpu")
    assert modeling_llama.LlamaDecoderLayer.__module__ == modeling_llama.__name__
    assert modeling_llama.LlamaModel.forward.__module__.startswith("transformers.")


def test_a_pair_of_different_sizes_is_refused() -> None:
    indicator = find_indicator("ssim").load(None, "cpu")
    with pytest.raises(PictureError, match="64x64 cannot be compared with a reference of 65x64"):
        indicator.score([paint(64, 64)], [paint(65, 64)])


def test_an_unknown_indicator_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="ms_ssim, musiq, pieapp, piqe, psnr"):
        find_indicator("vmaf")


@pytest.fixture(scope="module")
def topiq_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TOPIQ files in the released form, with random weights."""
    import torch
    from pyiqa.archs.topiq_arch import CFANet

    folder = tmp_path_factory.mktemp("weights")
    lines = []
    for name, use_ref in (("topiq-fr.pth", True), ("topiq-nr.pth", False)):
        torch.manual_seed(0)
        network = CFANet(use_ref=use_ref, backbone_pretrain=False, pretrained=False)
        torch.save({"params": network.state_dict()}, folder / name)
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        lines.append(f"{digest}  {name}\n")
    (folder / "sha256sums.txt").write_text("".join(lines))
    return folder


@pytest.mark.parametrize("name", ["topiq_fr", "topiq_nr"])
def test_topiq_gives_what_pyiqas_own_network_gives_with_these_weights(
    name: str, topiq_weights: Path
) -> None:
    import pyiqa
    import torch
    from torchvision.transforms.functional import to_tensor

    module = find_indicator(name)
    weights = find_weights(module.WEIGHTS, topiq_weights)
    picture, truth = paint(96, 128, 1), paint(96, 128, 2)
    references = [truth] if module.DIMENSION is Dimension.FR else None
    (ours,) = module.load(weights.path, "cpu").score([picture], references)
    metric = pyiqa.create_metric(
        name, backbone_pretrain=False, pretrained_model_path=str(weights.path), device="cpu"
    )
    inputs = [to_tensor(p).unsqueeze(0) for p in (picture, truth)[: 2 if references else 1]]
    with torch.inference_mode():
        theirs = float(metric(*inputs))
    assert ours == pytest.approx(theirs, abs=1e-5)


def copy_weights(source: Path, target: Path) -> None:
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def test_weights_with_another_sha256_are_refused(topiq_weights: Path, tmp_path: Path) -> None:
    copy_weights(topiq_weights, tmp_path)
    with (tmp_path / "topiq-fr.pth").open("ab") as file:
        file.write(b"x")
    with pytest.raises(WeightsError, match=r"has sha256 .* sha256sums\.txt wants"):
        find_weights("topiq-fr.pth", tmp_path)


def test_weights_without_their_sums_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"topiq-fr\.pth is missing"):
        find_weights("topiq-fr.pth", tmp_path)
    (tmp_path / "topiq-fr.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"sha256sums\.txt is missing"):
        find_weights("topiq-fr.pth", tmp_path)
    (tmp_path / "sha256sums.txt").write_text("")
    with pytest.raises(WeightsError, match=r"has no line for topiq-fr\.pth"):
        find_weights("topiq-fr.pth", tmp_path)


class Canary:
    """An object that would run code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, ("canary", "w"))


def test_a_pickle_is_refused_and_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Canary(), protocol=2))
    with pytest.raises(WeightsError, match="no plain file of tensors"):
        find_indicator("topiq_nr").load(tmp_path / "evil.pth", "cpu")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["topiq_nr", "cnniqa"])
@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K"])
def test_weights_that_came_in_part_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    import torch

    (tmp_path / "part.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"part\.pth is no plain file of tensors: \w+"):
        find_indicator(name).load(tmp_path / "part.pth", "cpu")
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match=r"list\.pth holds a list; wanted tensors by name"):
        find_indicator(name).load(tmp_path / "list.pth", "cpu")


def test_the_weights_of_the_other_network_are_refused(topiq_weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"does not fit TOPIQ|lacks"):
        find_indicator("topiq_fr").load(topiq_weights / "topiq-nr.pth", "cpu")


def test_folders_are_scored_by_name_and_not_by_order(tmp_path: Path) -> None:
    for folder, order in (("a", (1, 2)), ("b", (2, 1))):
        (tmp_path / folder).mkdir()
        for seed in order:
            paint(64, 64, seed).save(tmp_path / folder / f"{seed}.png")
    scores = score_folders(tmp_path / "a", tmp_path / "b", ["ssim"], weights=None, device="cpu")
    assert {name: by["ssim"] for name, by in scores.items()} == pytest.approx(
        {"1.png": 1.0, "2.png": 1.0}
    )


def test_folders_with_different_names_are_refused(tmp_path: Path) -> None:
    for folder, name in (("a", "1.png"), ("b", "2.png")):
        (tmp_path / folder).mkdir()
        paint(8, 8).save(tmp_path / folder / name)
    with pytest.raises(PictureError, match=r"1 only in .* \['1.png'\], 1 only in"):
        score_folders(tmp_path / "a", tmp_path / "b", ["ssim"], weights=None, device="cpu")
    (tmp_path / "b" / "other.jpg").write_bytes(b"")
    with pytest.raises(PictureError, match=r"no PNG files .*other\.jpg"):
        match_folders(tmp_path / "a", tmp_path / "b")
    with pytest.raises(PictureError, match="c is no folder; wanted a folder of PNG files"):
        match_folders(tmp_path / "a", tmp_path / "c")
    (tmp_path / "c").mkdir()
    with pytest.raises(PictureError, match=r"0 only in .*, 0 only in"):
        match_folders(tmp_path / "c", tmp_path / "c")


def test_pairs_of_two_sizes_and_scores_that_are_no_number_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, width in (("a", 64), ("b", 72)):
        (tmp_path / folder).mkdir()
        paint(width, 64).save(tmp_path / folder / "1.png")
    where: dict[str, Any] = {"weights": None, "device": "cpu"}
    with pytest.raises(PictureError, match="72x64 distorted, 64x64 reference; wanted equal sizes"):
        score_folders(tmp_path / "a", tmp_path / "b", ["ssim"], **where)
    monkeypatch.setattr(LazyIndicator, "score", lambda *_: [math.nan])
    with pytest.raises(PictureError, match=r"1\.png: the indicator ssim answers nan and no number"):
        score_folders(tmp_path / "a", tmp_path / "a", ["ssim"], **where)
