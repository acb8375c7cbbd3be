"""What is changed in how networks compute changes what they compute by rounding only."""

from typing import Any

import torch
from torch import nn

from evaluator.convolutions import compute_pointwise_by_onednn, fold_batch_norms


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
