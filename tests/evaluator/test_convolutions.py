"""What is changed in how networks compute changes what they compute by rounding only."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import nn

from evaluator.convolutions import (
    compute_pointwise_by_onednn,
    fold_batch_norms,
    keep_laid_out_weights,
)


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


KINDS: dict[str, Any] = {
    "strided": {"kernel_size": 3, "stride": 2, "padding": 1},
    "pointwise without a bias": {"kernel_size": 1, "bias": False},
    "grouped and dilated": {"kernel_size": 3, "groups": 2, "dilation": 2, "padding": (1, 0)},
    "padded to the same size": {"kernel_size": 3, "padding": "same"},
    "padded with reflections": {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
}


def batch(height: int, width: int) -> torch.Tensor:
    given = torch.rand(1, 6, height, width, generator=torch.Generator().manual_seed(height))
    return given.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", KINDS)
def test_laid_out_weights_give_the_same_at_every_size_in_any_order(kind: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(6, 8, **KINDS[kind]))
    sizes = [(17, 19), (33, 31), (17, 19), (9, 40)]
    with torch.inference_mode():
        before = [network(batch(*size)) for size in sizes]
        keep_laid_out_weights(network)
        for size, expected in zip(sizes, before, strict=True):
            found = network(batch(*size))
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
            assert found.stride() == expected.stride()


def test_weights_are_laid_out_once_for_pictures_of_one_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lay_out = torch.ops.mkldnn._reorder_convolution_weight
    sizes: list[tuple[int, ...]] = []

    def counted(*given: Any) -> Any:
        sizes.append(given[-1])
        return lay_out(*given)

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_convolution_weight", counted)
    network = nn.Conv2d(6, 8, 3)
    keep_laid_out_weights(network)
    with torch.inference_mode():
        for height in (17, 17, 17, 21, 21, 17):
            network(batch(height, 19))
    assert sizes == [(1, 6, 17, 19), (1, 6, 21, 19), (1, 6, 17, 19)]


def test_threads_with_pictures_of_different_sizes_share_laid_out_weights() -> None:
    torch.manual_seed(0)
    network: Any = nn.Conv2d(6, 8, 3)
    heights = [9 + number % 5 for number in range(200)]

    def convolve(height: int) -> Any:
        with torch.inference_mode():
            return network(batch(height, 19))

    before = [convolve(height) for height in heights]
    keep_laid_out_weights(network)
    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(convolve, heights), before, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_without_onednn_a_network_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    network = nn.Conv2d(6, 8, 3)
    keep_laid_out_weights(network)
    assert "_conv_forward" not in vars(network)
