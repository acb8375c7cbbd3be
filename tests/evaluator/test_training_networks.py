"""Each of table 2's ten networks can be trained, and its file is the indicator's weights."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import all_cores, paint

from evaluator.indicators import find_indicator
from evaluator.indicators._pyiqa import to_tensor
from evaluator.training.networks import RECIPES, build_network, calibrated, exported
from protocol.rules import Dimension

SIDE = {"ahiq": 224, "hyperiqa": 224}
FROZEN = {
    "ahiq": ("network.resnet50.", "network.vit."),
    "dists": ("network.stage",),
    "lpips": ("network.net.",),
    "clipiqa": ("network.clip.transformer.", "network.clip.token_embedding."),
}
"""Starts of names of what stays as it was published."""


@pytest.mark.parametrize("name", RECIPES)
@all_cores()
def test_a_step_moves_what_is_trained_and_the_file_scores_as_the_network(name: str) -> None:
    import torch

    torch.manual_seed(0)
    module: Any = find_indicator(name)
    has_reference = module.DIMENSION is Dimension.FR
    model = calibrated(name, build_network(name, None, "resnet50"))
    side = SIDE.get(name, 64)
    # AHIQ has no batch normalisation, and its transformer takes ten seconds a picture.
    seeds = range(1 if name == "ahiq" else 2)
    pictures, truths = ([paint(side, side, seed + kind) for seed in seeds] for kind in (0, 5))
    inputs = [
        torch.cat([to_tensor(picture, "cpu") for picture in batch])
        for batch in ([pictures, truths] if has_reference else [pictures])
    ]
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    step(model.train(), inputs)
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert {"scale", "offset"} < moved
    assert not [key for key in moved if key.startswith(FROZEN.get(name, ("\0",)))]

    if name == "ahiq":
        model.network.crops = 1  # of a picture that is one crop large, all twenty are the same
    with torch.inference_mode():
        expected = model.eval()([tensor[:1] for tensor in inputs])
    assert score_of_file(name, model, pictures, truths) == pytest.approx(float(expected), abs=1e-4)


def step(model: Any, inputs: list[Any]) -> None:
    import torch

    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-4)
    loss: Any = torch.nn.functional.mse_loss(
        model(inputs), torch.tensor([1.0, 4.0])[: len(inputs[0])]
    )
    loss.backward()
    optimiser.step()


def score_of_file(name: str, model: Any, pictures: list[Any], truths: list[Any]) -> float:
    """Return the first picture's score by the indicator, loaded from the file of the training."""
    import torch

    module: Any = find_indicator(name)
    with TemporaryDirectory() as folder:
        path = Path(folder) / module.WEIGHTS
        torch.save(exported(name, model), path)
        indicator = module.load(path, "cpu")
    if name == "ahiq":
        indicator.network.crops = 1
    references = truths[:1] if module.DIMENSION is Dimension.FR else None
    (score,) = indicator.score(pictures[:1], references)
    return float(score)
