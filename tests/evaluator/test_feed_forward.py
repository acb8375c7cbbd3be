"""A feed-forward layer in pieces is the one on all rows at once."""

from typing import Any

import pytest
import torch
from diffusers.models.attention import FeedForward
from torch import nn

from evaluator.decoders import _feed_forward
from evaluator.decoders._feed_forward import feed_forward_in_pieces

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-14, torch.bfloat16: 0.02}


def made(dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    torch.manual_seed(0)
    return FeedForward(12, **options).to(dtype).eval()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"dim_out": 7}, {"final_dropout": True}])
@pytest.mark.parametrize("shape", [(3, 5, 12), (2, 131, 12), (1, 3, 67, 12)])
def test_the_same_values_to_within_rounding(
    dtype: torch.dtype,
    options: dict[str, Any],
    shape: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_feed_forward, "_FEATURES_A_PIECE", 1)
    layer, values = made(dtype, **options), torch.randn(*shape, dtype=dtype)
    given = values.clone()
    with torch.inference_mode():
        before = layer(values)
        feed_forward_in_pieces(layer)
        after = layer(values)
    torch.testing.assert_close(after, before, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert torch.equal(values, given)


def test_a_wide_layer_is_computed_in_more_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces(width: int) -> int:
        layer = FeedForward(width).eval()
        feed_forward_in_pieces(layer)
        calls = 0
        plain = nn.functional.gelu

        def gelu(values: torch.Tensor) -> torch.Tensor:
            nonlocal calls
            calls += 1
            return plain(values)

        with monkeypatch.context() as patched, torch.inference_mode():
            patched.setattr(nn.functional, "gelu", gelu)
            layer(torch.zeros(1, 3000, width))
        return calls

    # 2 ** 18 values between the products, of four times the width.
    assert (pieces(64), pieces(128)) == (3, 6)


@pytest.mark.parametrize("activation", ["gelu", "gelu-approximate", "geglu-approximate", "swiglu"])
def test_other_activations_are_left_alone(activation: str) -> None:
    network = nn.Sequential(made(activation_fn=activation))
    feed_forward_in_pieces(network)
    assert "forward" not in vars(network[0])


def test_a_layer_with_other_products_is_left_alone() -> None:
    class Adapted(nn.Linear):
        """As an adapter of low rank would put there."""

    layer = made()
    layer.net[2] = Adapted(48, 12)
    feed_forward_in_pieces(nn.Sequential(layer))
    assert "forward" not in vars(layer)
    trained = made().train()
    feed_forward_in_pieces(nn.Sequential(trained))
    assert "forward" not in vars(trained)
