"""What a run of diffusers is asked to do: the protocol with a system's settings over it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluator.decoders import Received
from evaluator.decoders._noise import reference_sigma
from protocol.errors import ModelError
from protocol.rules import Mode
from protocol.versions import Protocol

OWN = math.nan
"""A number's default that stands for the protocol's or the checkpoint's own."""

_CHOICES = {"strength_match": ("none", "snr"), "text_size": ("sent", "native")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a decoder runs: the protocol with the system's settings over it."""

    steps: int
    strength: Mapping[Mode, float]
    asked_sigma: Mapping[Mode, float]
    """Noise level to start at, instead of by strength."""
    longest_side: int | None
    native_text: bool
    image_prompt: str
    prompt_suffix: str
    options: Mapping[str, Any]
    """Passed to the pipeline with every call, where it has such an argument."""

    def prompt(self, item: Received) -> str:
        """Return what the model is told to paint."""
        caption = self.image_prompt if item.caption is None else item.caption
        return f"{caption} {self.prompt_suffix}" if self.prompt_suffix else caption


def plan_of(settings: Mapping[str, Any], protocol: Protocol) -> Plan:
    """Return the protocol with a system's settings over it.

    Raises:
        ModelError: a setting's value cannot be.
    """
    for name, choices in _CHOICES.items():
        if name in settings and settings[name] not in choices:
            raise ModelError(f"{name}={settings[name]}: wanted one of {', '.join(choices)}")
    if settings["steps"] < 0:
        raise ModelError(f"steps={settings['steps']}: wanted a number from 1")
    strength = {mode: _strength(settings, protocol, mode) for mode in Mode if mode.has_start}
    by_noise = settings["strength_match"] == "snr"
    options = {
        "negative_prompt": settings["negative_prompt"] or OWN,
        "guidance_scale": settings["guidance"],
        "true_cfg_scale": settings.get("true_cfg", OWN),
    }
    return Plan(
        steps=settings["steps"] or protocol.steps,
        strength=strength,
        asked_sigma={mode: reference_sigma(protocol.steps, s) for mode, s in strength.items()}
        if by_noise
        else {},
        longest_side=protocol.longest_side,
        native_text=settings.get("text_size") == "native",
        image_prompt=protocol.image_prompt,
        prompt_suffix=settings["prompt_suffix"],
        options={name: value for name, value in options.items() if not is_own(value)},
    )


def is_own(value: object) -> bool:
    """Return whether a setting was left to the protocol or the checkpoint."""
    return isinstance(value, float) and math.isnan(value)


def _strength(settings: Mapping[str, Any], protocol: Protocol, mode: Mode) -> float:
    for value in (settings[f"strength_{mode}"], settings["strength"], protocol.strength[mode]):
        if not is_own(value):
            if not 0 < value <= 1:
                raise ModelError(f"strength {value} in {mode} mode: wanted one in (0, 1]")
            return float(value)
    raise ModelError(f"the protocol {protocol.name} names no strength for {mode} mode")
