"""The papers' networks, from files in their published layouts, answer as their libraries do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import all_cores, paint
from PIL import Image
from published_layouts import PUBLISH, keep

from evaluator.indicators import find_indicator, indicator_names
from evaluator.indicators._networks import read_tensors
from evaluator.indicators.ahiq import build, guarded
from evaluator.weights import find_weights
from protocol.errors import InputError, PictureError, WeightsError
from protocol.rules import Dimension

NETWORKS = [name for name in indicator_names() if hasattr(find_indicator(name), "build")]
SIZE = {"ahiq": (230, 226), "hyperiqa": (230, 226), "liqe": (232, 240)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that goes with the test: these files are hundreds of megabytes."""
    with TemporaryDirectory() as name:
        yield Path(name)


def test_every_network_has_a_published_layout_here() -> None:
    assert set(PUBLISH) == set(NETWORKS)


def tensor(picture: Image.Image) -> Any:
    from torchvision.transforms.functional import to_tensor

    return to_tensor(picture).unsqueeze(0)


def library_answer(name: str, network: Any, picture: Image.Image, truth: Image.Image) -> float:
    """Return what the library's own network says, called directly."""
    import torch

    network.eval()
    if name == "ahiq":
        network.crops = 2  # of twenty, which take minutes
        del network.vit.forward, network.resnet50.forward  # ours end early, theirs run whole
    with torch.inference_mode():
        if name == "liqe":
            network.text_features = network.get_text_features(network.joint_texts)
        pair = [tensor(picture), tensor(truth)]
        is_fr = find_indicator(name).DIMENSION is Dimension.FR
        return float(network(*pair) if is_fr else network(pair[0]))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "clipsim"])
@all_cores()
def test_a_network_from_its_files_answers_as_its_library_does(name: str, folder: Path) -> None:
    import torch

    module: Any = find_indicator(name)
    torch.manual_seed(0)
    network = module.build()
    picture, truth = paint(*SIZE.get(name, (96, 130)), 1), paint(*SIZE.get(name, (96, 130)), 2)
    raw = library_answer(name, network, picture, truth)
    PUBLISH[name](network.state_dict(), folder, [file.name for file in module.FACTS.files])
    indicator = module.load(find_weights(module.WEIGHTS, folder).path, "cpu")
    if name == "ahiq":
        indicator._network.crops = 2
    is_fr = module.DIMENSION is Dimension.FR
    (ours,) = indicator.score([picture], [truth] if is_fr else None)
    turned = {"dists": 1 - raw, "lpips": 1 - raw, "pieapp": -raw}.get(name, raw)
    assert ours == pytest.approx(turned, abs=1e-5)
    assert module.FACTS.lower_is_better == (name in ("dists", "lpips", "pieapp"))


@all_cores()
def test_threads_do_not_mix_what_ahiq_s_hooks_saw() -> None:
    import torch

    network = guarded(build().eval())
    network.crops = 1
    pictures = [tensor(paint(224, 224, seed)) for seed in range(3)]

    def score(place: int) -> float:
        with torch.inference_mode():
            return float(network(pictures[place], pictures[2]))

    alone = [score(place) for place in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(score, range(2))) == pytest.approx(alone, abs=1e-6)


def test_clipsim_is_open_clips_cosine(folder: Path) -> None:
    import torch

    module: Any = find_indicator("clipsim")
    torch.manual_seed(0)
    network, preprocess = module.build()
    network.eval()
    picture, truth = paint(96, 130, 1), paint(96, 130, 2)
    with torch.inference_mode():
        one, two = (network.encode_image(preprocess(p).unsqueeze(0))[0] for p in (picture, truth))
        expected = float(one @ two / one.norm() / two.norm())
    keep(folder, module.WEIGHTS, network.state_dict())
    indicator = module.load(folder / module.WEIGHTS, "cpu")
    ours = indicator.score([picture, truth], [truth, truth])
    assert ours == pytest.approx([expected, 1.0], abs=1e-5)


@pytest.mark.parametrize("name", ["cnniqa", "pieapp", "musiq"])
def test_pyiqas_own_command_reads_the_same_file_to_the_same_score(name: str, folder: Path) -> None:
    import pyiqa
    import torch

    module: Any = find_indicator(name)
    torch.manual_seed(1)
    PUBLISH[name](module.build().state_dict(), folder, [module.WEIGHTS])
    path = folder / module.WEIGHTS
    metric = pyiqa.create_metric(name, pretrained_model_path=str(path), device="cpu")
    picture, truth = paint(96, 130, 1), paint(96, 130, 2)
    is_fr = module.DIMENSION is Dimension.FR
    theirs = float(metric(tensor(picture), tensor(truth)) if is_fr else metric(tensor(picture)))
    (ours,) = module.load(path, "cpu").score([picture], [truth] if is_fr else None)
    assert ours == pytest.approx(-theirs if metric.lower_better else theirs, abs=1e-5)


def real_head(shared: Path, folder: Path, name: str) -> None:
    """Put the published head of LPIPS or DISTS beside a backbone of random weights."""
    import torch

    module: Any = find_indicator(name)
    torch.manual_seed(0)
    PUBLISH[name](module.build().state_dict(), folder, [f.name for f in module.FACTS.files])
    source = {"lpips": "lpips/alex.pth", "dists": "dists/weights.pt"}[name]
    (folder / module.WEIGHTS).write_bytes((shared / "weights" / source).read_bytes())
    lines = (folder / "sha256sums.txt").read_text().splitlines()
    kept = [line for line in lines if module.WEIGHTS not in line]
    (folder / "sha256sums.txt").write_text("\n".join(kept) + "\n")


def test_lpips_published_head_is_the_file_that_is_declared(
    shared: Path, folder: Path, photograph: Image.Image
) -> None:
    real_head(shared, folder, "lpips")
    module = find_indicator("lpips")
    # No line among the sums: the sha256 that the file declares was compared.
    indicator = module.load(find_weights(module.WEIGHTS, folder).path, "cpu")
    truth = photograph.crop((0, 0, 160, 128))
    small = truth.resize((40, 32)).resize(truth.size)
    equal, worse = indicator.score([truth, small], [truth, truth])
    assert equal == pytest.approx(1, abs=1e-5)
    assert 0 < worse < 0.999


def test_dists_with_its_published_weights_is_torchmetrics_dists(
    shared: Path, folder: Path, photograph: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import torchmetrics.functional.image.dists as theirs
    from torchvision import models

    real_head(shared, folder, "dists")
    module: Any = find_indicator("dists")
    truth = photograph.crop((0, 0, 160, 128))
    picture = truth.rotate(2)
    (ours,) = module.load(folder / module.WEIGHTS, "cpu").score([picture], [truth])

    vgg = models.vgg16(weights=None)
    trunk = read_tensors(folder / module.FACTS.files[1].name)
    vgg.load_state_dict({n: t for n, t in trunk.items() if n.startswith("features")}, strict=False)
    monkeypatch.setattr(theirs, "vgg16", lambda **_: vgg)
    with torch.no_grad():
        answer = theirs.deep_image_structure_and_texture_similarity(tensor(picture), tensor(truth))
    assert ours == pytest.approx(1 - float(answer), abs=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_without_its_weights_an_indicator_says_where_they_are_to_be_had(name: str) -> None:
    file = find_indicator(name).FACTS.files[0]
    with pytest.raises(WeightsError) as refused:
        find_weights(file.name, None)
    message = str(refused.value)
    assert file.name in message
    assert f"curl -L -o DIR/{file.name} {file.url}" in message
    assert "--weights" in message


def test_a_backbone_that_is_missing_is_named(shared: Path, folder: Path) -> None:
    real_head(shared, folder, "lpips")
    (folder / "alexnet-owt-7be5be79.pth").unlink()
    with pytest.raises(WeightsError, match=r"alexnet-owt-7be5be79\.pth is missing.*curl"):
        find_indicator("lpips").load(folder / find_indicator("lpips").WEIGHTS, "cpu")


def test_another_backbone_is_another_sha256(shared: Path, folder: Path) -> None:
    real_head(shared, folder, "lpips")
    name = find_indicator("lpips").WEIGHTS
    before = find_weights(name, folder).sha256
    with (folder / "alexnet-owt-7be5be79.pth").open("ab") as file:
        file.write(b"x")
    assert find_weights(name, folder).sha256 != before
    (folder / "alexnet-owt-7be5be79.pth").unlink()
    alone = find_weights(name, folder).sha256
    assert alone == find_indicator("lpips").FACTS.files[0].sha256


def test_a_file_with_other_bytes_than_its_publishers_is_refused(folder: Path) -> None:
    (folder / "CNNIQA_koniq10k-e6f14c91.pth").write_bytes(b"other")
    with pytest.raises(WeightsError, match="its publisher wants e6f14c91"):
        find_weights("CNNIQA_koniq10k-e6f14c91.pth", folder)


def test_a_torchscript_archive_that_nobody_knows_is_not_run(folder: Path) -> None:
    import torch

    script: Any = torch.jit.script
    script(torch.nn.Linear(2, 2)).save(str(folder / "RN50.pt"))
    with pytest.raises(WeightsError, match="TorchScript archive"):
        find_indicator("clipiqa").load(folder / "RN50.pt", "cpu")


def test_a_picture_below_a_networks_size_is_refused(folder: Path) -> None:
    module: Any = find_indicator("cnniqa")
    path = keep(folder, module.WEIGHTS, {"params": module.build().state_dict()})
    with pytest.raises(PictureError, match="a picture of 6x64; this indicator needs 7 pixels"):
        module.load(path, "cpu").score([paint(6, 64)], None)


def test_no_network_takes_a_full_reference_without_a_reference() -> None:
    from evaluator.indicators.clipsim import ClipSimilarity

    with pytest.raises(InputError, match="there is none"):
        ClipSimilarity(None, None, "cpu").score([paint(8, 8)], None)
