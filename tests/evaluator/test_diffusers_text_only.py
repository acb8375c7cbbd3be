"""Pipelines of diffusers that paint from words alone, each in its own way."""

import pytest

from evaluator.decoders._plan import plan_of
from evaluator.decoders.diffusers import SETTINGS, _check_options
from protocol.errors import ModelError
from protocol.records import System
from protocol.versions import PROTOCOLS

DEMO = PROTOCOLS["demo-0"]


def test_a_pipeline_that_makes_films_is_refused() -> None:
    class Films:
        def __call__(self, prompt: str, num_frames: int) -> None:
            raise NotImplementedError

    system = System(adapter="diffusers", model="a/b", revision="", path="", settings={})
    with pytest.raises(ModelError, match="Films makes films, and no pictures"):
        _check_options(Films(), plan_of(SETTINGS, DEMO), system)
