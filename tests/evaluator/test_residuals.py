"""A residual block in place is the one that keeps every step, bit by bit."""

from typing import Any

import pytest
import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from evaluator.decoders._residuals import write_residuals_in_place


def made(**options: Any) -> Any:
    torch.manual_seed(0)
    plain = {"in_channels": 8, "groups": 4, "temb_channels": 6}
    return ResnetBlock2D(**{**plain, **options}).eval()


@pytest.mark.parametrize(
    "options", [{}, {"out_channels": 12}, {"temb_channels": None}, {"use_in_shortcut": True}]
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_same_bits_and_nothing_that_was_given_is_changed(
    options: dict[str, Any], layout: torch.memory_format
) -> None:
    block = made(**options).to(memory_format=layout)
    values = torch.randn(3, 8, 9, 14).to(memory_format=layout)
    temb = None if options.get("temb_channels", 6) is None else torch.randn(3, 6)
    given = [tensor for tensor in (values, temb) if tensor is not None]
    were = [tensor.clone() for tensor in given]
    with torch.inference_mode():
        before = block(values, temb)
        write_residuals_in_place(nn.Sequential(block))
        after = block(values, temb)
    assert "forward" in vars(block)
    assert torch.equal(after, before)
    assert all(torch.equal(tensor, was) for tensor, was in zip(given, were, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"up": True},
        {"down": True},
        {"time_embedding_norm": "scale_shift"},
        {"skip_time_act": True, "temb_channels": 8},
        {"output_scale_factor": 2.0},
        {"non_linearity": "gelu"},
    ],
)
def test_other_blocks_are_left_alone(options: dict[str, Any]) -> None:
    block = made(**options)
    write_residuals_in_place(nn.Sequential(block))
    assert "forward" not in vars(block)


def test_a_block_that_drops_values_is_left_alone() -> None:
    block = made(dropout=0.1).train()
    write_residuals_in_place(nn.Sequential(block))
    assert "forward" not in vars(block)
