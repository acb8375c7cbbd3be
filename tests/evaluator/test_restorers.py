"""PASD and StableSR as decoders: their checkpoints, their samplers, what they hear."""

import math
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import paint
from golden_recipe import Golden
from ldm_layout import encoder_layout, unet_to_ldm
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_pasd_stablesr import build_pasd, build_stablesr, cfw_state

from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.restoration.stablesr_cfw import FusingAutoencoder
from evaluator.restoration.stablesr_keys import convert_unet, convert_vae, split_checkpoint
from evaluator.restoration.state_dicts import find_inside, model_folder, read_state_dict
from protocol.errors import DecodeError, ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
BUILDERS: dict[str, Callable[[Path], Path]] = {"pasd": build_pasd, "stablesr": build_stablesr}
FAST = "steps=3&shortest_side=64"


def open_decoder(name: str, models: Path, settings: str = FAST) -> Any:
    system = pin_system(f"{name}:{BUILDERS[name](models)}?{settings}")
    return find_decoder(name).load(system, DEMO, "cpu")


@pytest.fixture(scope="module")
def decoders(models: Path) -> dict[str, Decoder]:
    return {name: open_decoder(name, models) for name in BUILDERS}


def received(seed: int, caption: str | None = "a blue house") -> Received:
    mode = Mode.IMAGE if caption is None else Mode.FULL
    start = paint(81, 64, seed=3)
    return Received(mode=mode, width=81, height=64, caption=caption, start=start, seed=seed)


def decode(decoder: Decoder, *batch: Received) -> list[np.ndarray]:
    pictures = decoder.decode(batch)
    assert all(isinstance(picture, Image.Image) for picture in pictures)
    return [np.asarray(picture).astype(int) for picture in pictures]


@pytest.mark.parametrize("name", BUILDERS)
def test_the_batch_changes_a_restored_picture_by_rounding_only(
    name: str, decoders: dict[str, Decoder]
) -> None:
    items = [received(1), received(2, "a red boat")]
    together = decode(decoders[name], *items)
    for picture, item in zip(together, items, strict=True):
        assert np.abs(picture - decode(decoders[name], item)[0]).mean() < 0.1
    assert np.abs(together[0] - together[1]).mean() > 1


@pytest.mark.parametrize("name", BUILDERS)
def test_a_restored_picture_follows_its_seed(name: str, decoders: dict[str, Decoder]) -> None:
    one, other = (decode(decoders[name], received(seed))[0] for seed in (1, 2))
    assert np.abs(one - other).mean() > 1


@pytest.mark.parametrize("name", BUILDERS)
def test_a_restored_picture_with_nan_is_a_failure_of_its_own(name: str, models: Path) -> None:
    decoder = open_decoder(name, models)
    vae = decoder._pipeline.vae if name == "pasd" else decoder._networks.autoencoder.vae
    vae.decoder.conv_out.bias.data.fill_(float("nan"))
    (outcome,) = decoder.decode([received(1)])
    assert isinstance(outcome, DecodeError)
    assert outcome.code == "NAN_OUTPUT"


@pytest.mark.parametrize("name", BUILDERS)
def test_half_precision_runs_and_stays_close(
    name: str, models: Path, decoders: dict[str, Decoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"evaluator.decoders.{name}.dtype_on", lambda _: torch.float16)
    (half,), (single,) = (
        decode(decoder, received(1)) for decoder in (open_decoder(name, models), decoders[name])
    )
    assert np.abs(half - single).mean() < 4


def test_pasd_paints_the_caption_and_stablesr_has_no_prompt(decoders: dict[str, Decoder]) -> None:
    for name, differs in (("pasd", True), ("stablesr", False)):
        one, other = (
            decode(decoders[name], received(1, text))[0] for text in ("a cat", "two dogs")
        )
        assert bool(np.any(one != other)) is differs


def test_pasds_prompt_is_the_caption_or_the_protocols_and_its_own_words(
    decoders: dict[str, Any],
) -> None:
    added = "clean, high-resolution, 8k"
    assert decoders["pasd"]._prompt(received(1, "A cat.")) == f"A cat., {added}"
    assert decoders["pasd"]._prompt(received(1, None)) == f"{DEMO.image_prompt}, {added}"


def test_working_sizes_reach_the_shortest_side_and_fit_the_model(models: Path) -> None:
    assert open_decoder("pasd", models, "steps=1").working_size(1000, 501) == (1528, 768)
    decoder = open_decoder("stablesr", models, "steps=1")
    assert decoder.working_size(1000, 501) == (1022, 512)
    assert decoder.working_size(1000, 800) == (1000, 800)


def test_both_noisings_of_pasd_make_the_noise_it_starts_at(decoders: dict[str, Any]) -> None:
    decoder = decoders["pasd"]
    alphas = decoder._pipeline.scheduler.alphas_cumprod
    alpha = float(alphas[999] * alphas[900])
    start_sigma = decoder.account(received(1)).start_sigma
    assert start_sigma == pytest.approx(math.sqrt((1 - alpha) / alpha))
    start = torch.full((1, 3, 512, 512), 0.5)
    with torch.inference_mode():
        latents = decoder._start(start, [torch.Generator().manual_seed(0)])
    assert float(latents.std()) == pytest.approx(math.sqrt(1 - alpha), abs=0.05)


def test_stablesrs_steps_and_variances_are_those_of_the_respaced_process(
    decoders: dict[str, Any],
) -> None:
    scheduler = decoders["stablesr"]._networks.scheduler
    scheduler.set_timesteps(200)
    stride = 999 / 199
    steps = [round(number * stride) for number in range(200)]
    assert scheduler.timesteps.tolist() == steps[::-1]
    assert len(set(steps)) == 200
    latents, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    alpha, before = (float(scheduler.alphas_cumprod[steps[number]]) for number in (120, 119))
    beta = 1 - alpha / before
    mean = (latents - beta / math.sqrt(1 - alpha) * eps) / math.sqrt(1 - beta)
    wanted = mean + math.sqrt(beta * (1 - before) / (1 - alpha)) * noise
    generator = [torch.Generator().manual_seed(2)]
    stepped = scheduler.step(eps.float(), steps[120], latents.float(), generator=generator)
    assert (stepped.prev_sample - wanted).abs().max() < 1e-5


@pytest.fixture(scope="module")
def autoencoder(decoders: dict[str, Any]) -> FusingAutoencoder:
    found: FusingAutoencoder = decoders["stablesr"]._networks.autoencoder
    return found


def test_fusion_of_weight_zero_is_the_plain_decoder_and_more_is_not(
    autoencoder: FusingAutoencoder, models: Path
) -> None:
    from diffusers import AutoencoderKL

    plain = AutoencoderKL.from_pretrained(build_stablesr(models), subfolder="vae")
    pictures = torch.rand(2, 3, 64, 128, generator=torch.Generator().manual_seed(1))
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    with torch.inference_mode():
        latents, features = autoencoder.encode(pictures, generators)
        unscaled = latents / plain.config.scaling_factor
        wanted = plain.decode(unscaled, return_dict=False)[0] / 2 + 0.5
        decoded = {}
        for weight in (0.0, 0.5, 1.0):
            fusing = FusingAutoencoder(autoencoder.vae, {}, weight)
            decoded[weight] = fusing.decode(latents, features)
    assert {level: tuple(seen.shape) for level, seen in features.items()} == {
        1: (2, 32, 32, 64),
        2: (2, 32, 16, 32),
    }
    assert torch.equal(decoded[0.0], wanted)
    differences = [(decoded[weight] - wanted).abs().mean() for weight in (0.5, 1.0)]
    assert 1e-3 < differences[0] < differences[1]


def test_every_tensor_of_the_autoencoders_file_has_a_place(models: Path) -> None:
    folder = build_stablesr(models)
    state = cfw_state(folder)
    parts, unused = split_checkpoint(state, ("",))
    assert unused == ["loss.logvar"]
    converted = convert_vae(parts[""], {"down_block_types": [""] * 4, "up_block_types": [""] * 4})
    assert len(converted) == len(state) - 1
    base = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(converted[key], value) for key, value in base.items())


def test_the_tests_checkpoints_have_the_keys_of_the_real_ones(shared: Path) -> None:
    golden = Golden(shared / "golden", "stablesr")
    layouts = golden.settings["layouts"]
    weights = golden.weights("unet")
    converted = convert_unet(weights, {"layers_per_block": 2})
    back = unet_to_ldm(converted, layers=2)
    assert set(back) == set(weights)
    assert all(torch.equal(back[key], weights[key]) for key in weights)
    encoder = encoder_layout(32, (1, 1, 2, 2), 32)
    assert {key: list(shape) for key, shape in encoder.items()} == layouts["structure_encoder"]


@pytest.fixture
def stablesr(models: Path, tmp_path: Path) -> Path:
    """A copy of the tiny StableSR to damage."""
    folder = build_stablesr(models)
    copy = tmp_path / "damaged-random-weights"
    for path in folder.rglob("*"):
        if path.is_file():
            (copy / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy / path.relative_to(folder))
    return copy


def change(path: Path, **tensors: torch.Tensor | None) -> None:
    """Write a checkpoint anew, with tensors added, or left out where they are None."""
    state = {**torch.load(path, weights_only=True)["state_dict"], **tensors}
    path.unlink()
    kept = {key: value for key, value in state.items() if value is not None}
    torch.save({"state_dict": kept}, path)


@pytest.mark.parametrize(
    ("file", "tensors", "message"),
    [
        (
            "stablesr_000117.ckpt",
            {"model.diffusion_model.input_blocks.1.0.spade.extra": torch.ones(1)},
            "not one of this StableSR UNet: not used: down_blocks.0.resnets.0.spade.extra",
        ),
        (
            "stablesr_000117.ckpt",
            {"model.diffusion_model.input_blocks.1.0.spade.mlp_beta.bias": None},
            "StableSR UNet: missing: down_blocks.0.resnets.0.spade.mlp_beta.bias",
        ),
        (
            "stablesr_000117.ckpt",
            {"model.diffusion_model.label_emb.0.0.weight": torch.ones(1)},
            "the UNet has no place for label_emb.0.0.weight",
        ),
        ("stablesr_000117.ckpt", {"something.else": torch.ones(1)}, "known part: something.else"),
        (
            "stablesr_000117.ckpt",
            {"structcond_stage_model.fea_tran.0.out_layers.3.weight": torch.ones(16, 32, 3, 3)},
            "structure encoder: of another shape: fea_tran",
        ),
        (
            "stablesr_000117.ckpt",
            {"structcond_stage_model.input_blocks.1.0.emb_layers.1.weight": None},
            "structure encoder has no tensor 'input_blocks.1.0.time_emb_proj.weight'",
        ),
        (
            "vqgan_cfw_00011.ckpt",
            {"decoder.fusion_layer_2.encode_enc_1.conv2.weight": None},
            "autoencoder: missing: decoder.fusion_layer_2.encode_enc_1.conv2.weight",
        ),
        (
            "vqgan_cfw_00011.ckpt",
            {"decoder.fusion_layer_3.encode_enc_1.norm1.bias": torch.ones(1)},
            "autoencoder: not used: decoder.fusion_layer_3",
        ),
        ("vqgan_cfw_00011.ckpt", {"quantize.embedding": torch.ones(1)}, "no place for quantize"),
    ],
)
def test_a_stablesr_file_of_another_form_is_refused_with_the_keys(
    stablesr: Path, file: str, tensors: dict[str, torch.Tensor | None], message: str
) -> None:
    change(stablesr / file, **tensors)
    with pytest.raises(ModelError, match=message):
        find_decoder("stablesr").load(pin_system(f"stablesr:{stablesr}"), DEMO, "cpu")


def test_stablesr_reads_safetensors_as_well(stablesr: Path, decoders: dict[str, Decoder]) -> None:
    for name in ("stablesr_000117", "vqgan_cfw_00011"):
        state = torch.load(stablesr / f"{name}.ckpt", weights_only=True)["state_dict"]
        save_file(
            {key: value.contiguous() for key, value in state.items()},
            stablesr / f"{name}.safetensors",
        )
    named = "checkpoint=stablesr_000117.safetensors&cfw=vqgan_cfw_00011.safetensors"
    system = pin_system(f"stablesr:{stablesr}?{FAST}&{named}")
    decoder = find_decoder("stablesr").load(system, DEMO, "cpu")
    (one,), (other,) = (decode(each, received(1)) for each in (decoder, decoders["stablesr"]))
    assert np.array_equal(one, other)


def test_a_pasd_network_without_pixel_attentions_is_refused(models: Path, tmp_path: Path) -> None:
    from evaluator.decoders.pasd import _load_unet

    folder = build_pasd(models) / "pasd" / "checkpoint-100000" / "unet"
    state = load_file(folder / "diffusion_pytorch_model.safetensors")
    plain = {key: value for key, value in state.items() if "pixel_attentions" not in key}
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    torch.save(plain, tmp_path / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelError, match=r"PASD UNet: missing: up_blocks\.0\.pixel_att"):
        _load_unet(tmp_path)


def test_a_checkpoint_outside_the_pinned_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "weights.ckpt").write_bytes(b"")
    for name in ("../weights.ckpt", str(tmp_path / "weights.ckpt"), "none.ckpt"):
        with pytest.raises(ModelError, match="wanted weights; it holds nothing"):
            find_inside(tmp_path / "model", name, "weights")


def test_a_file_that_would_run_code_or_holds_no_tensors_is_refused(tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "was-run"),)

    path = tmp_path / "model.ckpt"
    path.write_bytes(pickle.dumps(Code()))
    with pytest.raises(ModelError, match="no checkpoint of tensors only"):
        read_state_dict(path)
    assert not (tmp_path / "was-run").exists()
    torch.save({"state_dict": {"epoch": 3}}, path)
    with pytest.raises(ModelError, match="holds no dictionary of tensors"):
        read_state_dict(path)
    (tmp_path / "b.safetensors").write_bytes(b"{}")
    with pytest.raises(ModelError, match="no checkpoint of tensors only"):
        read_state_dict(tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match=r"wanted one \.safetensors or \.bin file"):
        read_state_dict(tmp_path / "..")


def test_a_hub_model_that_cannot_be_fetched_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    system = pin_system(f"pasd:nobody/none@{'0' * 40}")
    with pytest.raises(ModelError, match="cannot be fetched from the Hub"):
        model_folder(system)
