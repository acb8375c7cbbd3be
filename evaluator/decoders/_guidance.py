"""What both halves of a guided batch have in common is computed once.

Classifier-free guidance hands the denoiser every latent twice, for the prompt and for the negative
one. Up to the first look at a prompt the two rows are the same: in Stable Diffusion 1.5 the first
convolution, residual block and self-attention.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

_HARMLESS = frozenset({"encoder_hidden_states", "return_dict"})
"""Options of a U-Net's call that change nothing before the first cross-attention."""


class _Halves:
    """Whether the halves of the batch that a U-Net runs on are equal."""

    are_equal = False


def share_guided_halves(denoiser: Any) -> None:
    """Let a U-Net compute once what comes before its prompts, where halves of its batch are equal.

    Pictures change by rounding at most (`benchmarks/spared.py` says what it saves). To compare the
    halves would wait for a GPU, so this is for CPUs.

    Args:
        denoiser: of a pipeline, on a CPU and not compiled; one that is no plain conditional U-Net
            of diffusers stays as it is. Threads may not share it.
    """
    from diffusers import UNet2DConditionModel

    if type(denoiser) is not UNet2DConditionModel:
        return
    halves = _Halves()
    for module in _before_prompts(denoiser):
        module.forward = partial(_run_once, halves, module.forward)
    denoiser.forward = partial(_run_network, halves, denoiser.forward)


def _before_prompts(unet: Any) -> Iterator[Any]:
    """Yield modules that cost something and whose rows depend on latent and time step alone."""
    from diffusers.models.attention import BasicTransformerBlock
    from diffusers.models.unets.unet_2d_blocks import CrossAttnDownBlock2D, DownBlock2D

    yield unet.conv_in
    # DeepFloyd's time embedding knows the prompt.
    if unet.config.addition_embed_type is not None:
        return
    for block in unet.down_blocks:
        if type(block) is DownBlock2D:
            yield from chain(block.resnets, block.downsamplers or ())
            continue
        if type(block) is CrossAttnDownBlock2D:
            yield block.resnets[0]
            first: Any = next(iter(getattr(block.attentions[0], "transformer_blocks", ())), None)
            if type(first) is BasicTransformerBlock and not first.only_cross_attention:
                yield first.attn1
        return


def _run_network(
    halves: _Halves, run: Callable[..., Any], sample: Any, timestep: Any, *args: Any, **options: Any
) -> Any:
    import torch

    first, second = sample[: len(sample) // 2], sample[len(sample) // 2 :]
    halves.are_equal = (
        not args
        and getattr(timestep, "ndim", 0) == 0
        and all(value is None for name, value in options.items() if name not in _HARMLESS)
        and torch.equal(first, second)
    )
    try:
        return run(sample, timestep, *args, **options)
    finally:
        halves.are_equal = False


def _run_once(halves: _Halves, run: Callable[..., Any], *args: Any, **options: Any) -> Any:
    import torch

    if not halves.are_equal:
        return run(*args, **options)
    answer = run(*(rows[: len(rows) // 2] for rows in args), **options)
    return torch.cat([answer, answer])
