"""A gated feed-forward layer, a piece at a time: what is between its two products stays in cache.

The layer is eight times as wide inside as outside, and a row a latent's place. On all rows at once
every operation reads from memory what the one before has written there.
"""

from functools import partial
from typing import Any

_FEATURES_A_PIECE = 2**18
"""As many values as a piece has between the products: a megabyte, what a core has of cache."""
_SMALLEST_PIECE = 128
"""Rows; with fewer the product itself is slow."""


def feed_forward_in_pieces(network: Any) -> None:
    """Let all of a network's `FeedForward` of diffusers whose gate is a GELU do so, in place.

    The same function to within rounding. For CPUs (`benchmarks/spared.py`).
    """
    from diffusers.models.attention import FeedForward

    for module in network.modules():
        if type(module) is FeedForward and _is_plain(module):
            module.forward = partial(_run, module.forward, module.net[0].proj, module.net[2])


def _is_plain(module: Any) -> bool:
    from diffusers.models.activations import GEGLU
    from torch import nn

    gate, dropout, out = module.net[0], module.net[1], module.net[2]
    return (
        type(gate) is GEGLU and type(gate.proj) is type(out) is nn.Linear and not dropout.training
    )


def _run(run: Any, gated: Any, out: Any, values: Any, *args: Any, **options: Any) -> Any:
    import torch
    from torch.nn import functional

    # On the meta device operations are counted, as many as the network is published with.
    if values.is_meta:
        return run(values, *args, **options)
    weights = gated.weight.chunk(2)
    biases = (None, None) if gated.bias is None else gated.bias.chunk(2)
    rows = max(_SMALLEST_PIECE, _FEATURES_A_PIECE // out.in_features)
    answers = []
    for piece in values.reshape(-1, values.shape[-1]).split(rows):
        gate = functional.gelu(functional.linear(piece, weights[1], biases[1]))
        inside = functional.linear(piece, weights[0], biases[0]).mul_(gate)
        answers.append(functional.linear(inside, out.weight, out.bias))
    return torch.cat(answers).view(*values.shape[:-1], -1)
