"""Operations of one denoising step, counted on models without weights: the source of cost.py.

python benchmarks/flops.py > benchmarks/results/flops.md
"""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode


class Case(NamedTuple):
    """One network at one picture size."""

    name: str
    model: Any
    inputs: dict[str, Any]
    pixels: int


def main() -> None:
    """Print a table."""
    import diffusers

    print("# Operations of one denoising step\n")
    print(
        f"`benchmarks/flops.py`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, torch "
        f"{torch.__version__}, diffusers {diffusers.__version__}: torch's counter on the meta "
        "device, batch 1, one call of the network. 2 operations are one multiplication and "
        "addition. Share: operations / (2 x parameters x positions), with a position for each "
        "8x8 pixels of a UNet and each 16x16 of a transformer.\n"
    )
    print("| network | pixels | parameters (10^9) | operations (10^12) | share |")
    print("|---|---|---|---|---|")
    for case in cases():
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            case.model(**case.inputs)
        total = counter.get_total_flops()
        parameters = sum(p.numel() for p in case.model.parameters())
        positions = case.pixels / (64 if "UNet" in type(case.model).__name__ else 256)
        side = int(case.pixels**0.5)
        print(
            f"| {case.name} | {side}x{side} | {parameters / 1e9:.2f} | {total / 1e12:.2f} | "
            f"{total / (2 * parameters * positions):.3f} |"
        )


def cases() -> Iterator[Case]:
    """Yield the networks with the sizes of the checkpoints that are named."""
    from diffusers import (
        FluxTransformer2DModel,
        PixArtTransformer2DModel,
        SD3Transformer2DModel,
        UNet2DConditionModel,
    )

    with torch.device("meta"):
        small = UNet2DConditionModel(cross_attention_dim=768)
        for side in (512, 1024):
            yield Case("UNet of SD1.5", small, _unet(side, 768), side * side)
        large = UNet2DConditionModel(
            cross_attention_dim=2048,
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        )
        added = {"text_embeds": torch.empty(1, 1280), "time_ids": torch.empty(1, 6)}
        for side in (512, 1024):
            inputs = {**_unet(side, 2048), "added_cond_kwargs": added}
            yield Case("UNet of SDXL", large, inputs, side * side)
        pixart = PixArtTransformer2DModel(sample_size=128, use_additional_conditions=False)
        yield Case("transformer of PixArt-Sigma", pixart, _pixart(), 1024 * 1024)
        third = SD3Transformer2DModel(
            sample_size=128,
            num_layers=24,
            num_attention_heads=24,
            joint_attention_dim=4096,
            caption_projection_dim=1536,
            pos_embed_max_size=192,
        )
        yield Case("transformer of SD3-medium", third, _third(), 1024 * 1024)
        flux = FluxTransformer2DModel(guidance_embeds=True)
        yield Case("transformer of FLUX.1-dev", flux, _flux(), 1024 * 1024)


def _unet(side: int, width: int) -> dict[str, Any]:
    return {
        "sample": torch.empty(1, 4, side // 8, side // 8),
        "timestep": torch.empty(1),
        "encoder_hidden_states": torch.empty(1, 77, width),
    }


def _pixart() -> dict[str, Any]:
    return {
        "hidden_states": torch.empty(1, 4, 128, 128),
        "encoder_hidden_states": torch.empty(1, 300, 1152),
        "timestep": torch.empty(1),
        "added_cond_kwargs": {"resolution": None, "aspect_ratio": None},
    }


def _third() -> dict[str, Any]:
    return {
        "hidden_states": torch.empty(1, 16, 128, 128),
        "encoder_hidden_states": torch.empty(1, 333, 4096),
        "pooled_projections": torch.empty(1, 2048),
        "timestep": torch.empty(1),
    }


def _flux() -> dict[str, Any]:
    return {
        "hidden_states": torch.empty(1, 64 * 64, 64),
        "encoder_hidden_states": torch.empty(1, 512, 4096),
        "pooled_projections": torch.empty(1, 768),
        "timestep": torch.empty(1),
        "guidance": torch.empty(1),
        "img_ids": torch.empty(64 * 64, 3),
        "txt_ids": torch.empty(512, 3),
    }


if __name__ == "__main__":
    main()
