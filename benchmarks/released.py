"""The released scripts' procedure, re-created from its description: the other side of `peer.py`."""

from pathlib import Path

from PIL import Image

from protocol.rules import Mode
from protocol.versions import Protocol


class Released:
    """Picture by picture and mode by mode, nothing kept between two calls."""

    def __init__(self, model: Path, weights: Path, protocol: Protocol, steps: int) -> None:
        """Load the pipelines and the two networks by the libraries' own calls."""
        import pyiqa
        from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image

        self.from_noise = AutoPipelineForText2Image.from_pretrained(model)
        self.from_image = AutoPipelineForImage2Image.from_pipe(self.from_noise)
        for pipeline in (self.from_noise, self.from_image):
            pipeline.set_progress_bar_config(disable=True)
        self.protocol = protocol
        self.steps = steps
        self.metrics = {
            name: pyiqa.create_metric(
                name,
                backbone_pretrain=False,
                pretrained_model_path=str(weights / f"{name.replace('_', '-')}.pth"),
                device="cpu",
            )
            for name in ("topiq_fr", "topiq_nr")
        }

    def decode(self, mode: Mode, given: Path, captions: dict[str, str], out: Path) -> None:
        """Paint every picture of a folder of references, one at a time."""
        import torch

        (out / mode).mkdir(parents=True, exist_ok=True)
        for path in sorted((given / mode).glob("*.png")):
            reference = Image.open(path).convert("RGB")
            width, height = (side // 8 * 8 for side in reference.size)
            prompt = self.protocol.image_prompt if mode is Mode.IMAGE else captions[path.name]
            generator = torch.Generator("cpu").manual_seed(self.protocol.seed)
            if mode is Mode.TEXT:
                made = self.from_noise(
                    prompt=prompt,
                    width=width,
                    height=height,
                    num_inference_steps=self.steps,
                    generator=generator,
                )
            else:
                made = self.from_image(
                    prompt=prompt,
                    image=reference.resize((width, height)),
                    strength=self.protocol.strength[mode],
                    num_inference_steps=self.steps,
                    generator=generator,
                )
            made.images[0].resize(reference.size).save(out / mode / path.name)

    def score(self, images: Path, out: Path) -> None:
        """Score every pair with both indicators, one call each."""
        import torch
        from torchvision.transforms.functional import to_tensor

        for mode in Mode:
            for path in sorted((out / mode).glob("*.png")):
                distorted = to_tensor(Image.open(path).convert("RGB")).unsqueeze(0)
                reference = to_tensor(Image.open(images / path.name).convert("RGB")).unsqueeze(0)
                with torch.inference_mode():
                    float(self.metrics["topiq_fr"](distorted, reference))
                    float(self.metrics["topiq_nr"](distorted))
