"""Facts of a model with nothing wrong, and the codes of what is found."""

from typing import Any

from submission.facts import FileFact, ModelFacts
from submission.findings import NOTES, Code, Finding


def facts(**changes: Any) -> ModelFacts:
    """A model that nothing is wrong with."""
    return ModelFacts(
        **{
            "name": "acme/painter",
            "is_local": False,
            "commit": "a" * 40,
            "licence": "apache-2.0",
            "pipeline_class": "StableDiffusionXLPipeline",
            "files": (
                FileFact(name="model_index.json", file_bytes=600),
                FileFact(name="unet/model.safetensors", file_bytes=5 << 30, content_hash="1" * 64),
            ),
            **changes,
        }
    )


def codes(findings: tuple[Finding, ...]) -> set[Code]:
    assert all(one.sentence and (one.remedy or one.code in NOTES) for one in findings)
    return {one.code for one in findings}
