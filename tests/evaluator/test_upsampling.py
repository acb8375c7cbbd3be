"""A picture that is doubled and convolved at once is the one that is so in two steps."""

from typing import Any

import pytest
import torch
from diffusers.models.upsampling import Upsample2D
from torch import nn

from evaluator.decoders._upsampling import double_by_transposed_convolution

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-14, torch.bfloat16: 0.02}


def made(dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    torch.manual_seed(0)
    module = Upsample2D(6, **{"use_conv": True, "out_channels": 5, **options})
    return module.to(dtype)


def given(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(3, 6, 9, 14, dtype=dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_same_pixels_to_within_rounding(
    dtype: torch.dtype, bias: bool, layout: torch.memory_format
) -> None:
    module, values = made(dtype, bias=bias).to(memory_format=layout), given(dtype)
    values = values.to(memory_format=layout)
    tolerance = TOLERANCE[dtype]
    with torch.inference_mode():
        before = module(values)
        double_by_transposed_convolution(module)
        for size in (None, (18, 28)):
            after = module(values, size)
            torch.testing.assert_close(after, before, rtol=tolerance, atol=tolerance)
            assert after.is_contiguous(memory_format=layout)


def test_sides_that_are_not_doubled_are_computed_as_ever() -> None:
    module, values = made(), given()
    with torch.inference_mode():
        before = module(values, (17, 27))
        double_by_transposed_convolution(module)
        assert torch.equal(module(values, (17, 27)), before)


@pytest.mark.parametrize(
    "options",
    [
        {"use_conv": False},
        {"use_conv": False, "use_conv_transpose": True},
        {"kernel_size": 5, "padding": 2},
        {"norm_type": "ln_norm", "eps": 1e-5, "elementwise_affine": True},
        {"interpolate": False},
    ],
)
def test_other_ways_of_upsampling_are_left_alone(options: dict[str, Any]) -> None:
    network = nn.Sequential(made(**options))
    double_by_transposed_convolution(network)
    assert "forward" not in vars(network[0])
