"""What the checks say that adapters serve is what the adapters and their libraries serve."""

import inspect
import math
from typing import Any

import pytest

from evaluator.captioners import find_captioner
from evaluator.captioners._asking import CUTS
from evaluator.captioners.openai import LIMITS, SAMPLINGS
from evaluator.decoders import _plan, diffbir, find_decoder, spandrel
from evaluator.decoders.control import KINDS
from evaluator.decoders.diffusers import _UNCHOSEN, _UNMAPPED
from evaluator.decoders.instruct import EDITORS
from evaluator.devices import DTYPES
from protocol.prompts import PROMPTS
from protocol.records import System
from protocol.rules import Role
from protocol.systems import ADAPTERS
from submission.served import served_by
from submission.settings import settings_of, wrong_settings


def test_every_adapter_is_in_the_table() -> None:
    assert set(served_by()) == {name for names in ADAPTERS.values() for name in names}


@pytest.mark.parametrize("name", ADAPTERS[Role.T2I])
def test_the_modes_are_the_adapters(name: str) -> None:
    assert served_by()[name].modes == find_decoder(name).MODES


def test_the_editors_are_the_adapters() -> None:
    assert served_by()["instruct"].pipelines == set(EDITORS)


def test_the_pipelines_are_those_of_the_installed_diffusers() -> None:
    import diffusers
    from diffusers.pipelines import auto_pipeline as auto

    text_to_image, image_to_image = (
        auto.AUTO_TEXT2IMAGE_PIPELINES_MAPPING,
        auto.AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
    )

    def find(mapping: Any, name: str) -> Any:
        return auto._get_task_class(mapping, name, throw_error_if_not_exist=False)

    def unmapped(name: str) -> Any:
        return getattr(diffusers, _UNMAPPED[name]) if name in _UNMAPPED else None

    names = {kind.__name__ for m in auto.SUPPORTED_TASKS_MAPPINGS for kind in m.values()}
    served = {name: kind for name in names if (kind := find(text_to_image, name)) is not None}
    served |= {name: getattr(diffusers, name) for name in _UNCHOSEN}
    with_strength = {
        name
        for name, kind in served.items()
        if (other := unmapped(name) or find(image_to_image, kind.__name__)) is not None
        and "strength" in inspect.signature(other.__call__).parameters
    }
    table = served_by()["diffusers"]
    # A newer diffusers serves more; what the table promises it must still serve.
    assert table.pipelines <= set(served)
    assert table.text_only == table.pipelines - with_strength
    # A control picture is nothing that a file holds.
    for name in table.pipelines:
        parameters = inspect.signature(served[name].__call__).parameters
        assert "control_image" not in parameters, name
        assert "num_frames" not in parameters, name
        assert "controlnet" not in inspect.signature(served[name].__init__).parameters, name


def test_the_model_types_are_those_of_the_installed_transformers() -> None:
    from transformers.models.auto import modeling_auto

    names = modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    # A newer transformers serves more; what the table promises it must still serve.
    assert served_by()["transformers"].model_types <= set(names)


def test_the_model_types_are_of_models_that_are_shown_pictures_and_answer_in_words() -> None:
    import transformers
    from transformers.models.auto import processing_auto

    types = served_by()["transformers"].model_types
    for name in types:
        processor = processing_auto.PROCESSOR_MAPPING_NAMES.get(name)
        if isinstance(processor, str):
            parts = set(getattr(transformers, processor).get_attributes())
            assert {"tokenizer", "image_processor"} <= parts, name
    # One answers in probabilities and one in the moves of a robot.
    assert not {"shieldgemma2", "pi0"} & types


@pytest.mark.parametrize("name", [*ADAPTERS[Role.I2T], *ADAPTERS[Role.T2I]])
def test_the_settings_are_the_adapters(name: str) -> None:
    find = find_captioner if name in ADAPTERS[Role.I2T] else find_decoder
    declared = {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in find(name).SETTINGS.items()
    }
    table = settings_of(name)
    assert {key: setting.default for key, setting in table.items()} == declared
    for key, setting in table.items():
        assert setting.hint
        assert not setting.choices or setting.default in setting.choices, key


def test_the_choices_are_the_adapters() -> None:
    def choices(adapter: str, name: str) -> tuple[str, ...]:
        return settings_of(adapter)[name].choices

    assert choices("transformers", "prompt") == ("", *PROMPTS)
    assert choices("transformers", "cut") == CUTS
    assert choices("openai", "limit") == LIMITS
    assert choices("openai", "sampling") == SAMPLINGS
    assert choices("control", "kind") == KINDS
    assert choices("spandrel", "grey") == spandrel._GREY
    assert choices("diffbir", "colour_fix") == tuple(diffbir._FIXES)
    assert choices("transformers", "dtype") == ("", *DTYPES)
    for adapter in ("diffusers", "animatediff", "kandinsky22"):
        assert choices(adapter, "dtype") == ("", *DTYPES)
        assert choices(adapter, "strength_match") == _plan._CHOICES["strength_match"]
    assert choices("diffusers", "text_size") == _plan._CHOICES["text_size"]


@pytest.mark.parametrize(
    ("adapter", "settings", "wanted"),
    [
        ("transformers", {"prompt": "q7"}, "wanted one of nothing, q5"),
        ("transformers", {"cut": "all"}, "wanted one of no, words"),
        ("transformers", {"whole": "yes"}, "wanted true or false"),
        ("transformers", {"max_new_tokens": "-1"}, "wanted at least 0"),
        ("diffusers", {"strength": "1.5"}, "wanted at most 1"),
        ("diffusers", {"strength": "0"}, "wanted more than 0"),
        ("diffusers", {"guidance": "nan"}, "wanted a finite number"),
        ("diffusers", {"prompt": "q10"}, "has no setting prompt; it has steps"),
        ("start_image", {"x": "1"}, "has no setting x; it has none"),
    ],
)
def test_a_setting_that_cannot_be_is_named_before_a_worker_meets_it(
    adapter: str, settings: dict[str, str], wanted: str
) -> None:
    system = System(adapter=adapter, model="", revision="", path="", settings=settings)
    (wrong,) = wrong_settings(system)
    assert wanted in wrong
