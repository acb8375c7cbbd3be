"""Loading pipelines of diffusers: precision, variant, what they can do and at which sizes."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.convolutions import compute_pointwise_by_onednn
from evaluator.decoders._feed_forward import feed_forward_in_pieces
from evaluator.decoders._guidance import share_guided_halves
from evaluator.decoders._upsampling import double_by_transposed_convolution
from evaluator.loading import loading
from evaluator.operations import watch
from protocol.errors import ModelError
from protocol.records import System
from submission.systems import split_pinned

NO_CHECKER: Mapping[str, Any] = {"safety_checker": None, "requires_safety_checker": False}
"""Leaves Stable Diffusion's safety checker out; other pipelines pass over it."""

_IN_PAIRS = frozenset({"GlmImagePipeline", "QwenImage21Pipeline"})
"""Pipelines whose patches come in pairs, which none of their parts says: the first refuses a side
of an odd number of them, and the second paints one patch less without a word."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pipeline, and what was decided when it was loaded."""

    pipeline: Any
    details: Mapping[str, str]


def load_pipeline(kind: Any, system: System, dtype: Any, **options: Any) -> Loaded:
    """Load a local folder, or a Hub id at its pinned commit; safetensors only, no remote code.

    In half precision the `fp16` variant of the files is tried first and the default files second;
    in every other precision the other way round. Both are the same weights to within rounding.

    Args:
        kind: a class with `from_pretrained`.
        system: what to load.
        dtype: the torch dtype.
        options: passed on; what a pipeline does not know, diffusers leaves out.

    Raises:
        ModelError: neither the variant nor the default files can be loaded.
    """
    if Path(system.path).is_file():
        raise ModelError(
            f"{system.label} is one file, and wanted is a pipeline's folder; diffusers makes one "
            "of it: the pipeline's class has from_single_file(FILE), and that save_pretrained()"
        )
    half = str(dtype) == "torch.float16"
    source = system.path or system.model
    pinned = {} if system.path else {"revision": system.revision}
    reasons: dict[str | None, ModelError] = {}
    for variant in ("fp16", None) if half else (None, "fp16"):
        try:
            with loading("diffusers", system):
                pipeline = kind.from_pretrained(
                    source, use_safetensors=True, dtype=dtype, variant=variant, **pinned, **options
                )
                _require_whole(pipeline)
        except ModelError as error:
            reasons[variant] = error
            continue
        details = {
            "pipeline": type(pipeline).__name__,
            "dtype": str(dtype).removeprefix("torch."),
            "variant": variant or "default",
            "parameters": str(count_parameters(pipeline)),
        }
        if getattr(pipeline, "scheduler", None) is not None:
            details["scheduler"] = type(pipeline.scheduler).__name__
        return Loaded(pipeline, details)
    raise reasons[None]


def count_parameters(pipeline: Any) -> int:
    """Return how many parameters a network, or all of a pipeline, have; shared ones once."""
    networks = _networks_of(pipeline).values()
    return sum({id(p): p.numel() for network in networks for p in network.parameters()}.values())


def load_second(kind: Any, first: System, pinned: str, dtype: Any) -> Loaded:
    """Return what a setting named `adapter` names, as `FOLDER@HASH` or `ID@COMMIT`.

    Raises:
        ModelError: it cannot be loaded.
    """
    path, model, revision = split_pinned(pinned)
    named = System(adapter=first.adapter, model=model, revision=revision, path=path)
    return load_pipeline(kind, named, dtype)


def ready(pipeline: Any, device: str) -> Any:
    """Move a pipeline to its device, without progress bars and without a watermark.

    The operations of its denoiser, and of a ControlNet beside it, are counted from here on.
    """
    pipeline.set_progress_bar_config(disable=True)
    if hasattr(getattr(pipeline, "vae", None), "use_slicing"):
        # Picture by picture: a batch that the denoiser has room for would fail here, at the end.
        pipeline.vae.enable_slicing()
    if hasattr(pipeline, "watermark"):
        # SDXL draws one where a certain library happens to be installed; S does not.
        pipeline.watermark = None
    for network in (_denoiser(pipeline), getattr(pipeline, "controlnet", None)):
        if network is not None:
            watch(network)
    return pipeline.to(device)


def speed_up(pipeline: Any, device: str, *, channels_last: bool, compiled: bool) -> None:
    """Change how a pipeline's parts compute, which changes pictures by rounding only.

    Args:
        pipeline: not yet `ready`.
        device: where it will run.
        channels_last: lay the weights of the denoiser and the VAE out as fast convolutions prefer.
        compiled: compile the denoiser when it is first called, for each size anew.
    """
    import torch

    denoiser = _denoiser(pipeline)
    parts = [part for part in (denoiser, getattr(pipeline, "vae", None)) if part is not None]
    for part in parts:
        if channels_last:
            part.to(memory_format=torch.channels_last)
        if channels_last and device == "cpu":
            compute_pointwise_by_onednn(part)
        if device == "cpu":
            double_by_transposed_convolution(part)
            feed_forward_in_pieces(part)
    if compiled and denoiser is not None:
        # Not `denoiser.compile()`: that would compile what counts its calls too.
        denoiser.forward = torch.compile(denoiser.forward)
    elif device == "cpu":
        share_guided_halves(denoiser)


def options_of(pipeline: Any) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a pipeline's call."""
    return inspect.signature(pipeline.__call__).parameters


def check_true_cfg(
    known: Mapping[str, inspect.Parameter], options: Mapping[str, Any], system: System
) -> None:
    """Refuse half of a guidance that needs both a scale and a negative prompt.

    Args:
        known: the arguments of the pipeline's call.
        options: what it will be called with.
        system: what messages name.
    """
    if "true_cfg_scale" not in known:
        return
    true_cfg: Any = options.get("true_cfg_scale", known["true_cfg_scale"].default)
    if "negative_prompt" in options and true_cfg <= 1:
        raise ModelError(
            f"{system.label}: a negative_prompt has no effect here without true_cfg above 1"
        )
    if options.get("true_cfg_scale", 0) > 1 and "negative_prompt" not in options:
        raise ModelError(
            f"{system.label}: true_cfg has no effect here without a negative_prompt; "
            "a space is one, as in 'negative_prompt= '"
        )


def size_unit(pipeline: Any) -> int:
    """Return what both sides must be a multiple of, in pixels.

    The image processor knows its model's, but for models that cut latents into patches.
    """
    scale = int(getattr(pipeline, "vae_scale_factor", 8))
    sides = _backbone(pipeline).get("patch_size") or 1
    patch = max(sides) if isinstance(sides, list | tuple) else int(sides)
    if type(pipeline).__name__ in _IN_PAIRS:
        patch *= 2
    processor = getattr(pipeline, "image_processor", None)
    return max(int(processor.config.vae_scale_factor) if processor else scale, scale * patch)


def native_side(pipeline: Any) -> int:
    """Return the side of the square that a model was trained at, in pixels.

    Raises:
        ModelError: it names none.
    """
    latent = getattr(pipeline, "default_sample_size", None) or _backbone(pipeline).get(
        "sample_size"
    )
    if not isinstance(latent, int):
        raise ModelError(f"{type(pipeline).__name__} names no native size; leave out text_size")
    return latent * int(getattr(pipeline, "vae_scale_factor", 8))


def _networks_of(pipeline: Any) -> dict[str, Any]:
    return {n: part for n, part in _parts_of(pipeline).items() if hasattr(part, "parameters")}


def _parts_of(pipeline: Any) -> Mapping[str, Any]:
    parts: Mapping[str, Any] = getattr(pipeline, "components", {"": pipeline})
    return parts


def _require_whole(pipeline: Any) -> None:
    """Refuse what diffusers loads without all of its files.

    It leaves networks without the weights that are not there, and where a tokenizer's vocabulary
    is missing it takes an empty one, to which all captions are the same.
    """
    for part, network in _networks_of(pipeline).items():
        missing = [name for name, weight in network.named_parameters() if weight.is_meta]
        if missing:
            name = part or type(network).__name__
            raise ValueError(
                f"the files of {name} lack {len(missing)} of its weights, "
                f"such as {min(missing)}; save it whole, with save_pretrained"
            )
    for part, tokenizer in _parts_of(pipeline).items():
        if hasattr(tokenizer, "convert_ids_to_tokens"):
            one, other = (tokenizer(letter).input_ids for letter in "ab")
            if one == other:
                raise ValueError(f"the files of {part} hold no vocabulary; add them")


def _backbone(pipeline: Any) -> Mapping[str, Any]:
    model = _denoiser(pipeline)
    return model.config if model is not None else {}


def _denoiser(pipeline: Any) -> Any:
    """Return the network that runs in every step, or None."""
    return getattr(pipeline, "transformer", None) or getattr(pipeline, "unet", None)
