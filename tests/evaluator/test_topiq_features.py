"""TOPIQ's references are computed once, and every score is pyiqa's own to 1e-5."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import paint

from evaluator.cache import Cache
from evaluator.features import FeatureStore
from evaluator.indicators import find_indicator
from evaluator.indicators._topiq import Topiq


def save(path: Path, *, has_reference: bool) -> Path:
    """Save TOPIQ in the released form: random weights, and statistics as if it had been trained."""
    import torch
    from pyiqa.archs.topiq_arch import CFANet

    torch.manual_seed(0)
    network = CFANet(use_ref=has_reference, backbone_pretrain=False, pretrained=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            mean, variance, weight, bias = (
                torch.empty(module.num_features).uniform_(low, high)
                for low, high in ((-0.2, 0.2), (0.5, 2), (0.2, 1), (-0.2, 0.2))
            )
            module.load_state_dict(
                {"running_mean": mean, "running_var": variance, "weight": weight, "bias": bias},
                strict=False,
            )
    torch.save({"params": network.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return TOPIQ-FR's file."""
    return save(tmp_path_factory.mktemp("weights") / "topiq-fr.pth", has_reference=True)


def load(weights: Path) -> Topiq:
    indicator = find_indicator("topiq_fr").load(weights, "cpu")
    assert isinstance(indicator, Topiq)
    return indicator


class Counted:
    """A backbone that counts the pictures that go through it, together and in all."""

    def __init__(self, backbone: Any) -> None:
        self.backbone = backbone
        self.batches: list[int] = []

    @property
    def pictures(self) -> int:
        return sum(self.batches)

    def __call__(self, values: Any) -> Any:
        self.batches.append(len(values))
        return self.backbone(values)


TRUTHS = [paint(96, 80, 5), paint(96, 80, 6)]
MADE = [paint(96, 80, seed) for seed in range(4)]


def test_scores_are_pyiqas_own_one_by_one_and_in_batches(weights: Path) -> None:
    import pyiqa
    import torch
    from torchvision.transforms.functional import to_tensor

    metric = pyiqa.create_metric(
        "topiq_fr", backbone_pretrain=False, pretrained_model_path=str(weights), device="cpu"
    )
    with torch.inference_mode():
        theirs = [
            float(metric(to_tensor(p).unsqueeze(0), to_tensor(t).unsqueeze(0)))
            for p, t in zip(MADE, TRUTHS * 2, strict=True)
        ]
    ours = load(weights)
    assert ours.score(MADE, TRUTHS * 2) == pytest.approx(theirs, abs=1e-5)
    # A GPU's way: all pictures of one size at once.
    ours._device = torch.device("cpu")  # type: ignore[assignment]
    assert ours.score(MADE, TRUTHS * 2) == pytest.approx(theirs, abs=1e-5)
    assert len(set(theirs)) == 4


def test_scores_without_a_reference_are_pyiqas_own(tmp_path: Path) -> None:
    import pyiqa
    import torch
    from torchvision.transforms.functional import to_tensor

    path = save(tmp_path / "topiq-nr.pth", has_reference=False)
    metric = pyiqa.create_metric(
        "topiq_nr", backbone_pretrain=False, pretrained_model_path=str(path), device="cpu"
    )
    with torch.inference_mode():
        theirs = [float(metric(to_tensor(picture).unsqueeze(0))) for picture in MADE]
    ours = find_indicator("topiq_nr").load(path, "cpu").score(MADE, None)
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert len(set(theirs)) == 4


def test_no_batch_normalisation_is_left_in_the_backbone(weights: Path) -> None:
    import torch

    kinds = {type(module) for module in load(weights)._backbone.modules()}
    assert torch.nn.Conv2d in kinds
    assert torch.nn.BatchNorm2d not in kinds


def test_a_reference_goes_through_the_backbone_once(weights: Path) -> None:
    indicator = load(weights)
    counted = indicator._backbone = Counted(indicator._backbone)
    for _ in range(3):
        indicator.score(MADE, TRUTHS * 2)
    assert counted.pictures == 3 * 4 + 2


def test_references_that_are_new_go_through_the_backbone_together_where_pictures_do(
    weights: Path,
) -> None:
    import torch

    indicator = load(weights)
    # A GPU's way: all pictures of one size at once.
    indicator._device = torch.device("cpu")  # type: ignore[assignment]
    counted = indicator._backbone = Counted(indicator._backbone)
    apart = load(weights).score(MADE, TRUTHS * 2)
    indicator.score(MADE[:1], TRUTHS[:1])
    for _ in range(2):
        assert indicator.score(MADE, [*TRUTHS, paint(96, 80, 7), TRUTHS[0]]) != apart
    assert counted.batches == [1, 1, 4, 2, 4]
    assert indicator.score(MADE, TRUTHS * 2) == pytest.approx(apart, abs=1e-5)
    # What is kept of one reference holds no other's memory.
    kept = [level for features in indicator._memory.values() for level in features]
    assert all(level.untyped_storage().nbytes() == level.nbytes for level in kept)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.0), ("float16", 2e-3)])
def test_features_on_disk_serve_another_process(
    weights: Path, tmp_path: Path, dtype: str, tolerance: float
) -> None:
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    plain = load(weights).score(MADE, TRUTHS * 2)
    answers = []
    for references in (2, 0):
        indicator = load(weights)
        indicator.keep_features(FeatureStore(Cache(tmp_path), dtype), sha256)
        counted = indicator._backbone = Counted(indicator._backbone)
        answers.append(indicator.score(MADE, TRUTHS * 2))
        assert counted.pictures == 4 + references
    assert answers[0] == answers[1]
    assert answers[0] == pytest.approx(plain, abs=tolerance)


def test_other_weights_have_other_features_and_a_damaged_file_is_made_again(
    weights: Path, tmp_path: Path
) -> None:
    store = FeatureStore(Cache(tmp_path), "float32")
    for sha256 in ("one", "other", "one"):
        indicator = load(weights)
        indicator.keep_features(store, sha256)
        indicator.score(MADE[:1], TRUTHS[:1])
    files = list(tmp_path.glob("features/*/*.bin"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:-7])
    indicator = load(weights)
    indicator.keep_features(store, "one")
    assert indicator.score(MADE[:1], TRUTHS[:1]) == load(weights).score(MADE[:1], TRUTHS[:1])


def test_the_same_store_named_again_keeps_what_is_in_memory_and_another_does_not(
    weights: Path, tmp_path: Path
) -> None:
    indicator = load(weights)
    counted = indicator._backbone = Counted(indicator._backbone)
    for dtype, references in (("float32", 1), ("float32", 0), ("float16", 1)):
        indicator.keep_features(FeatureStore(Cache(tmp_path), dtype), "weights")
        before = counted.pictures
        # Nothing on disk to find: what is not computed again was in memory.
        for file in tmp_path.glob("features/*/*.bin"):
            file.unlink()
        indicator.score(MADE[:1], TRUTHS[:1])
        assert counted.pictures == before + 1 + references
