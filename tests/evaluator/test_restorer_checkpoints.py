"""The files of PASD and StableSR: each tensor has its place, and what has none is told."""

import math
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_recipe import Golden
from ldm_layout import encoder_layout, fusion_layout, unet_to_ldm
from safetensors.torch import load_file
from tiny_pasd_stablesr import build_pasd, build_stablesr, cfw_state

from evaluator.decoders import find_decoder
from evaluator.restoration.stablesr_cfw import FusingAutoencoder, add_fusion
from evaluator.restoration.stablesr_keys import convert_unet, convert_vae, split_checkpoint
from evaluator.restoration.stablesr_unet import add_spade
from evaluator.restoration.state_dicts import find_inside, model_folder, read_state_dict
from protocol.errors import ModelError
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


@pytest.fixture(scope="module")
def autoencoder(models: Path) -> FusingAutoencoder:
    system = pin_system(f"stablesr:{build_stablesr(models)}")
    decoder: Any = find_decoder("stablesr").load(system, DEMO, "cpu")
    found: FusingAutoencoder = decoder._networks.autoencoder
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


def test_stablesrs_trained_parts_have_the_size_that_its_paper_gives() -> None:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    def size(network: Any) -> int:
        return sum(weight.numel() for weight in network.parameters())

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
        )
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
        plain = size(unet) + size(vae)
        add_spade(unet, 256)
        add_fusion(
            vae,
            {
                key: torch.empty(shape)
                for level, width in ((1, 256), (2, 512))
                for key, shape in fusion_layout(
                    f"decoder.fusion_layer_{level}", width, blocks=2, growth=32
                ).items()
            },
        )
    encoder = sum(math.prod(shape) for shape in encoder_layout(256, (1, 1, 2, 2), 256).values())
    # 149.91 M in its table of model sizes.
    assert size(unet) + size(vae) - plain + encoder == pytest.approx(149.91e6, abs=0.01e6)
