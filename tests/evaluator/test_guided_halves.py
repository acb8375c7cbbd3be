"""What comes before the prompts runs on one half of a guided batch, and only where both agree."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import tiny_parts
import torch
from torch import nn

from evaluator.decoders._guidance import share_guided_halves

LAYOUTS: dict[str, dict[str, Any]] = {
    "demo": {},
    "SD1.5": {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    },
    "two cross-attentions": {"only_cross_attention": True},
    "prompt in the time embedding": {
        "addition_embed_type": "text",
        "addition_embed_type_num_heads": 4,
    },
    "other blocks": {"down_block_types": ("ResnetDownsampleBlock2D", "CrossAttnDownBlock2D")},
}
SHARED = {
    "demo": {"conv_in", "down_blocks.0.resnets.0", "down_blocks.0.downsamplers.0"}
    | {"down_blocks.1.resnets.0", "down_blocks.1.attentions.0.transformer_blocks.0.attn1"},
    "SD1.5": {"conv_in", "down_blocks.0.resnets.0"}
    | {"down_blocks.0.attentions.0.transformer_blocks.0.attn1"},
    "two cross-attentions": {"conv_in", "down_blocks.0.resnets.0"}
    | {"down_blocks.0.downsamplers.0", "down_blocks.1.resnets.0"},
    "prompt in the time embedding": {"conv_in"},
    "other blocks": {"conv_in"},
}
"""By layout: the modules before the first look at a prompt."""
PROMPTS = "encoder_hidden_states"


def made(layout: str, **changes: Any) -> tuple[Any, dict[str, set[int]]]:
    """Return a U-Net, and a record of how many rows each module is run on."""
    torch.manual_seed(0)
    unet = tiny_parts.unet(**LAYOUTS[layout], **changes).eval()
    rows: dict[str, set[int]] = {}

    def note(name: str, run: Callable[..., Any], values: Any, *args: Any, **options: Any) -> Any:
        rows.setdefault(name, set()).add(len(values))
        return run(values, *args, **options)

    for name, module in unet.named_modules():
        is_counted = isinstance(module, nn.Conv2d) or hasattr(module, "to_q") or "samplers" in name
        if is_counted or type(module).__name__ == "ResnetBlock2D":
            module.forward = partial(note, name, module.forward)
    return unet, rows


def given(rows: int) -> dict[str, Any]:
    torch.manual_seed(1)
    half = torch.randn(rows // 2, 4, 18, 14)
    return {
        "sample": torch.cat([half, half]),
        "timestep": torch.tensor(500),
        PROMPTS: torch.randn(rows, 7, 32),
    }


def answer(unet: Any, call: dict[str, Any]) -> torch.Tensor:
    options = dict(call)
    sample, timestep = options.pop("sample"), options.pop("timestep")
    with torch.inference_mode():
        out: torch.Tensor = unet(sample, timestep, return_dict=False, **options)[0]
    return out


@pytest.mark.parametrize("rows", [2, 6])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_comes_before_the_prompts_runs_on_half_the_rows(layout: str, rows: int) -> None:
    unet, seen = made(layout)
    before = answer(unet, given(rows))
    assert set.union(*seen.values()) == {rows}
    seen.clear()
    share_guided_halves(unet)
    torch.testing.assert_close(answer(unet, given(rows)), before, rtol=1e-4, atol=1e-5)
    halved = {name for name, counts in seen.items() if counts == {rows // 2}}
    # A module that was shared is one with what is in it.
    assert {name for name in halved if not any(name.startswith(f"{o}.") for o in halved)} == (
        SHARED[layout]
    )


def one_value_changed(sample: torch.Tensor) -> torch.Tensor:
    changed = sample.clone()
    changed[5, 0, 0, 0] += 1
    return changed


CHANGES: dict[str, dict[str, Any]] = {
    "halves differ in one value": {"sample": one_value_changed(given(6)["sample"])},
    "an odd number of rows": {name: given(6)[name][:5] for name in ("sample", PROMPTS)},
    "a step for each row": {"timestep": torch.arange(6) * 100},
    "residuals inside the blocks": {
        "down_intrablock_additional_residuals": [torch.randn(6, 32, 9, 7), torch.zeros(())]
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_batch_whose_halves_may_differ_is_run_whole(change: str) -> None:
    call = given(6) | CHANGES[change]
    unet, seen = made("demo")
    before = answer(unet, copied(call))
    seen.clear()
    share_guided_halves(unet)
    assert torch.equal(answer(unet, copied(call)), before)
    assert set.union(*seen.values()) == {len(call["sample"])}
    # And the next batch is shared again.
    seen.clear()
    answer(unet, given(6))
    assert seen["conv_in"] == {3}


def copied(call: dict[str, Any]) -> dict[str, Any]:
    """Return it with lists of its own: the U-Net takes residuals out of the one it is given."""
    return {name: list(v) if isinstance(v, list) else v for name, v in call.items()}


def test_a_model_that_fails_leaves_nothing_shared() -> None:
    unet, seen = made("demo")
    share_guided_halves(unet)
    with pytest.raises(RuntimeError):
        answer(unet, given(6) | {PROMPTS: torch.randn(6, 7, 31)})
    seen.clear()
    unet.conv_in(given(6)["sample"])
    assert seen["conv_in"] == {6}
