"""What the checks say that adapters serve is what the adapters and their libraries serve."""

import inspect
from typing import Any

import pytest

from evaluator.decoders import find_decoder
from evaluator.decoders.instruct import EDITORS
from protocol.rules import Role
from protocol.systems import ADAPTERS
from submission.served import served_by


def test_every_adapter_is_in_the_table() -> None:
    assert set(served_by()) == {name for names in ADAPTERS.values() for name in names}


@pytest.mark.parametrize("name", ADAPTERS[Role.T2I])
def test_the_modes_are_the_adapters(name: str) -> None:
    assert served_by()[name].modes == find_decoder(name).MODES


def test_the_editors_are_the_adapters() -> None:
    assert served_by()["instruct"].pipelines == set(EDITORS)


def test_the_pipelines_are_those_of_the_installed_diffusers() -> None:
    from diffusers.pipelines import auto_pipeline as auto

    text_to_image, image_to_image = (
        auto.AUTO_TEXT2IMAGE_PIPELINES_MAPPING,
        auto.AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
    )

    def find(mapping: Any, name: str) -> Any:
        return auto._get_task_class(mapping, name, throw_error_if_not_exist=False)

    names = {kind.__name__ for m in auto.SUPPORTED_TASKS_MAPPINGS for kind in m.values()}
    served = {name: kind for name in names if (kind := find(text_to_image, name)) is not None}
    with_strength = {
        name
        for name, kind in served.items()
        if (other := find(image_to_image, kind.__name__)) is not None
        and "strength" in inspect.signature(other.__call__).parameters
    }
    table = served_by()["diffusers"]
    assert table.pipelines == set(served)
    assert table.text_only == set(served) - with_strength


def test_the_model_types_are_those_of_the_installed_transformers() -> None:
    from transformers.models.auto import modeling_auto

    names = modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    assert served_by()["transformers"].model_types == set(names)
