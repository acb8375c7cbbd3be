"""Training on opinions: it learns, goes on where it was stopped, and its file is an indicator's."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from conftest import paint
from PIL import Image, ImageFilter
from scipy import stats

from evaluator.indicators import find_indicator
from evaluator.pictures import read_picture
from evaluator.training.labels import Labelled, read_labels
from evaluator.training.loop import Epoch, Plan, train
from evaluator.training.networks import RECIPES, build_network, calibrated, exported
from evaluator.training.splits import Split, SplitBy, split_labels
from evaluator.training.table2 import (
    agreement_row,
    held_out_by,
    published_agreement,
    table2_names,
)
from evaluator.weights import find_weights
from protocol.errors import InputError, PictureError, RatingError
from protocol.rules import Dimension

PLAN = Plan(indicator="cnniqa", epochs=2, learning_rate=1e-3, batch_size=8, crop=40, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten references with noise of four strengths each; the opinion is the strength's."""
    folder = tmp_path_factory.mktemp("opinions")
    rng = np.random.default_rng(0)
    rows = []
    for kind in ("references", "pictures"):
        (folder / kind).mkdir()
    for number in range(10):
        truth = paint(56, 48, number).filter(ImageFilter.GaussianBlur(2))
        truth.save(folder / "references" / f"NSI_pgc_{number:03}.png")
        for strength in range(4):
            values = np.asarray(truth) + rng.normal(0, 1 + 12 * strength, (48, 56, 3))
            name = f"NSI_pgc_{number:03}_noise{strength}.png"
            noisy = values.round().clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / "pictures" / name)
            opinion = f"{4.5 - strength + 0.02 * number:.3f}"
            rows += [(name, dimension, opinion) for dimension in ("consistency", "perception")]
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "dimension", "mos"), *rows])
    return folder


def labels_of(folder: Path, dimension: Dimension = Dimension.NR) -> list[Labelled]:
    return read_labels(folder / "labels.csv", folder / "pictures", folder / "references", dimension)


@pytest.fixture(scope="module")
def split(folder: Path) -> Split:
    return split_labels(labels_of(folder), SplitBy.REFERENCE, 0)


def test_it_learns_to_order_noise_on_pictures_it_has_not_seen(split: Split, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=12)
    history = train(plan, split, tmp_path, weights=None, device="cpu")
    assert history[-1].srocc > 0.9
    assert history[-1].loss is not None
    assert history[1].loss is not None
    assert history[-1].loss < history[1].loss


def stop(epoch: Epoch) -> None:
    raise KeyboardInterrupt(epoch.number)


def test_a_resumed_training_gives_the_numbers_of_one_that_was_not_stopped(
    split: Split, tmp_path: Path
) -> None:
    whole = train(PLAN, split, tmp_path / "whole", weights=None, device="cpu")
    halves = tmp_path / "halves"
    train(replace(PLAN, epochs=1), split, halves, weights=None, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        # Stopped in the second epoch, before its checkpoint: it is run again whole.
        train(PLAN, split, halves, weights=None, device="cpu", resume=True, on_epoch=stop)
    resumed = train(PLAN, split, halves, weights=None, device="cpu", resume=True)
    assert resumed == whole
    name = find_indicator("cnniqa").WEIGHTS
    assert (halves / "sha256sums.txt").read_text() == (
        tmp_path / "whole" / "sha256sums.txt"
    ).read_text()
    assert (halves / name).is_file()


def test_another_plan_cannot_resume_a_training(split: Split, tmp_path: Path) -> None:
    once = replace(PLAN, epochs=0)
    train(once, split, tmp_path, weights=None, device="cpu")
    with pytest.raises(InputError, match="go on with --resume"):
        train(once, split, tmp_path, weights=None, device="cpu")
    with pytest.raises(InputError, match="of another plan or other pictures"):
        train(replace(once, seed=4), split, tmp_path, weights=None, device="cpu", resume=True)
    with pytest.raises(InputError, match="nothing to resume"):
        train(once, split, tmp_path / "new", weights=None, device="cpu", resume=True)
    other = replace(once, indicator="pieapp", crop=96)
    with pytest.raises(InputError, match="pieapp sees squares of 64 pixels, not 96"):
        train(other, split, tmp_path / "new", weights=None, device="cpu")


def test_pictures_of_a_wrong_size_are_named_before_anything_is_trained(
    folder: Path, split: Split, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(PictureError, match=r"noise.\.png has 56x48 pixels; a crop is 50 a side"):
        train(replace(PLAN, crop=50), split, out, weights=None, device="cpu")
    paint(56, 50, seed=0).save(tmp_path / "other.png")
    labelled = labels_of(folder, Dimension.FR)
    labelled[-1] = replace(labelled[-1], reference=tmp_path / "other.png")
    with pytest.raises(PictureError, match=r"noise3\.png and .*other\.png are of different sizes"):
        agreement_row("psnr", labelled, weights=None, device="cpu")
    plan = replace(PLAN, indicator="lpips")
    with pytest.raises(PictureError, match="of different sizes"):
        train(plan, Split(labelled[:-2], labelled[-2:]), out, weights=None, device="cpu")
    assert not out.exists()


def test_a_trained_file_is_the_indicators_weights(split: Split, tmp_path: Path) -> None:
    train(PLAN, split, tmp_path, weights=None, device="cpu")
    module = find_indicator("cnniqa")
    indicator = module.load(find_weights(module.WEIGHTS, tmp_path).path, "cpu")
    scores = indicator.score([read_picture(item.picture) for item in split.test], None)
    record = json.loads((tmp_path / "training.json").read_text())
    srocc = stats.spearmanr(scores, [item.mos for item in split.test]).statistic
    assert srocc == pytest.approx(record["history"][-1]["srocc"])
    assert record["split"]["test"] == sorted(item.name for item in split.test)
    assert len(record["history"]) == PLAN.epochs + 1


def test_a_random_network_starts_from_the_mean_of_the_opinions(
    split: Split, tmp_path: Path
) -> None:
    import torch

    train(replace(PLAN, epochs=0), split, tmp_path, weights=None, device="cpu")
    model = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert float(model["scale"]) == 1
    module = find_indicator("cnniqa")
    indicator = module.load(find_weights(module.WEIGHTS, tmp_path).path, "cpu")
    scores = indicator.score([read_picture(item.picture) for item in split.train], None)
    opinions = [item.mos for item in split.train]
    assert np.mean(scores) == pytest.approx(np.mean(opinions), abs=1e-4)


def test_mixed_precision_trains_too(split: Split, tmp_path: Path) -> None:
    history = train(
        replace(PLAN, epochs=1, mixed=True), split, tmp_path, weights=None, device="cpu"
    )
    assert history[1].loss is not None
    assert np.isfinite(history[1].loss)


def test_the_line_of_topiq_is_put_into_its_last_layer() -> None:
    import torch

    torch.manual_seed(0)
    network = build_network("topiq_nr", None, "resnet18")
    model = calibrated("topiq_nr", network).eval()
    model.scale.data.fill_(1.7)
    model.offset.data.fill_(2.5)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = model([pictures])
        file = exported("topiq_nr", model)
        network.load_state_dict(file["params"])
        found = network.eval()(pictures).flatten()
    assert set(file) == {"params"}
    assert torch.allclose(found, expected, atol=1e-5)


def test_nothing_is_held_out_and_trained_on(folder: Path) -> None:
    labelled = labels_of(folder)
    for by in SplitBy:
        parts = split_labels(labelled, by, 1)
        names = [{item.name for item in part} for part in (parts.train, parts.test)]
        assert not names[0] & names[1]
        assert len(names[0]) == 32
        assert len(names[1]) == 8
        assert parts == split_labels(labelled[::-1], by, 1)
    truths = [{item.reference for item in part} for part in _parts(labelled)]
    assert not truths[0] & truths[1]


def _parts(labelled: list[Labelled]) -> tuple[Any, Any]:
    parts = split_labels(labelled, SplitBy.REFERENCE, 1)
    return parts.train, parts.test


def test_opinions_that_are_all_equal_are_refused_before_a_training(folder: Path) -> None:
    labelled = labels_of(folder)
    test = {item.name for item in split_labels(labelled, SplitBy.REFERENCE, 1).test}
    flat = [replace(item, mos=3.0) if item.name in test else item for item in labelled]
    with pytest.raises(InputError, match="the 8 pictures to test on all have the opinion 3;"):
        split_labels(flat, SplitBy.REFERENCE, 1)


def test_a_picture_belongs_to_the_reference_with_the_longest_name_it_starts_with(
    folder: Path, tmp_path: Path
) -> None:
    for item in labels_of(folder, Dimension.FR):
        assert item.name.startswith(item.reference.stem)
    bad = tmp_path / "bad.csv"
    for line, message in {
        "other.png,perception,3": "names other.png",
        "NSI_pgc_000_noise0.png,perception,good": "'good' of NSI_pgc_000_noise0.png is no number",
        "NSI_pgc_000_noise0.png,beauty,3": "no row of the dimension perception",
    }.items():
        bad.write_text(f"image,dimension,mos\n{line}\n")
        with pytest.raises(RatingError, match=message):
            read_labels(bad, folder / "pictures", folder / "references", Dimension.NR)


def test_a_number_that_goes_on_is_another_reference_s(tmp_path: Path) -> None:
    labels, pictures, references = (tmp_path / name for name in ("l.csv", "pictures", "references"))
    labels.write_text("image,dimension,mos\nx10_blur.png,perception,3\n")
    pictures.mkdir()
    references.mkdir()
    paint(48, 40, seed=0).save(pictures / "x10_blur.png")
    paint(48, 40, seed=1).save(references / "x1.png")
    with pytest.raises(RatingError, match=r"x10_blur\.png has no reference"):
        read_labels(labels, pictures, references, Dimension.NR)
    paint(48, 40, seed=2).save(references / "x10.png")
    (item,) = read_labels(labels, pictures, references, Dimension.NR)
    assert item.reference.name == "x10.png"


def test_a_table_that_is_not_in_utf_8_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes("image,dimension,mos\nBär.png,perception,3\n".encode("latin-1"))
    with pytest.raises(RatingError, match="is no CSV in UTF-8"):
        read_labels(bad, folder / "pictures", folder / "references", Dimension.NR)


def test_the_ten_of_table_2_are_those_that_can_be_trained() -> None:
    assert set(table2_names()) == set(RECIPES)
    assert published_agreement(Dimension.FR)["topiq_fr"] == (0.943, 0.792)
    assert published_agreement(Dimension.NR)["clipiqa"] == (0.825, 0.623)


def test_the_command_trains_and_correlates_what_was_held_out(
    folder: Path, tmp_path: Path, cmc: Callable[..., CompletedProcess[str]]
) -> None:
    where: list[object] = ["--labels", folder / "labels.csv", "--pictures", folder / "pictures"]
    where += ["--references", folder / "references"]
    settings = ("--epochs", 4, "--learning-rate", 1e-3, "--crop", 40)
    out = tmp_path / "trained"
    done = cmc("indicators", "train", "cnniqa", "--from-scratch", *where, *settings, "--out", out)
    assert "epoch   0  untrained" in done.stdout
    assert "trained on 32, held out 8" in done.stdout
    again = ("--indicator", "cnniqa", "--weights", out, "--held-out-by", out, "--json")
    (row,) = json.loads(cmc("indicators", "correlate", *where, *again).stdout)
    assert row["measured"]["pictures"] == 8
    record = json.loads((out / "training.json").read_text())
    assert row["measured"]["srocc"]["value"] == pytest.approx(record["history"][-1]["srocc"])
    assert row["published_srocc"] == 0.584


@pytest.mark.parametrize("record", ["", "{}", '{"split": []}'])
def test_a_folder_without_a_trainings_record_is_called_that(record: str, tmp_path: Path) -> None:
    for folder in (tmp_path / "nothing", tmp_path):
        (tmp_path / "training.json").write_text(record)
        with pytest.raises(InputError, match=r"training\.json is no record of a training"):
            held_out_by(folder)


def test_an_unknown_indicator_is_refused_before_any_picture_is_scored(
    folder: Path,
    cmc: Callable[..., CompletedProcess[str]],
) -> None:
    where: list[object] = ["--labels", folder / "labels.csv", "--pictures", folder / "pictures"]
    where += ["--references", folder / "references", "--indicator", "ssim"]
    done = cmc("indicators", "correlate", *where, "--indicator", "simm", status=1)
    assert "simm" in done.stderr
    # A bar is drawn as soon as the first picture is taken up.
    assert "ssim " not in done.stderr


def test_the_list_names_every_indicator_with_its_licences(
    cmc: Callable[..., CompletedProcess[str]],
) -> None:
    rows = {row["name"]: row for row in json.loads(cmc("indicators", "--json").stdout)}
    assert {"topiq_fr", "lpips", "clipsim", "fid", "legibility"} <= set(rows)
    assert rows["lpips"]["lower_is_better"]
    assert rows["fid"]["is_of_sets"]
    ranking = {name for name, row in rows.items() if row["is_ranking"]}
    assert ranking == {"topiq_fr", "topiq_nr", "ms_ssim", "piqe"}
    assert all(file["licence"] for row in rows.values() for file in row["files"])
