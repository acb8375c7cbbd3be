"""What is changed in how networks compute changes what they compute by rounding only."""

from typing import Any

import pytest
import torch
from torch import nn

from evaluator.convolutions import compute_pointwise_by_onednn, fold_batch_norms


def operations(network: nn.Module, given: torch.Tensor) -> tuple[torch.Tensor, set[str]]:
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.inference_mode(), torch.profiler.profile(activities=activities) as found:
        answer = network(given)
    return answer, {event.key for event in found.key_averages()}


@pytest.mark.parametrize("shape", [(2048, 24), (3, 700, 24), (2, 3, 400, 24)])
def test_many_rows_go_through_a_linear_layer_as_pixels_through_a_convolution(
    shape: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(24, 40), nn.GELU(), nn.Linear(40, 7, bias=False)).eval()
    given = torch.randn(shape)
    before, products = operations(network, given)
    compute_pointwise_by_onednn(network)
    after, convolutions = operations(network, given)
    assert after.shape == before.shape
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)
    assert "aten::mkldnn_convolution" not in products
    assert "aten::mkldnn_convolution" in convolutions
    assert "aten::addmm" not in convolutions


def test_few_rows_and_rows_that_lie_apart_give_the_same() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(24, 8).eval()
    few, apart = torch.randn(2, 24), torch.randn(24, 3000).T
    wanted = layer(few), layer(apart)
    compute_pointwise_by_onednn(layer)
    torch.testing.assert_close((layer(few), layer(apart)), wanted, rtol=1e-5, atol=1e-5)


def test_a_pointwise_convolution_and_a_folded_normalisation_give_the_same() -> None:
    torch.manual_seed(0)
    norm: Any = nn.BatchNorm2d(6)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    network = nn.Sequential(nn.Conv2d(5, 6, 3), norm, nn.ReLU(), nn.Conv2d(6, 4, 1)).eval()
    given = torch.randn(2, 5, 33, 31).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        before = network(given)
        fold_batch_norms(network)
        compute_pointwise_by_onednn(network)
        torch.testing.assert_close(network(given), before, rtol=1e-5, atol=1e-5)
    assert isinstance(network[1], nn.Identity)
