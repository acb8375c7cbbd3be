"""What an I2T model can be asked, by the short names that a setting takes: `?prompt=q10`.

P is the CMC-Bench paper, S its released script, G the paper on GPT-4o's image generation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.errors import InputError
from protocol.rules import CAPTION_PROMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A question and the length of the answer that it asks for."""

    name: str
    text: str
    """Empty for a model that takes none."""
    words: int | None
    """None where no length is asked for."""
    source: str
    """Where the wording is from."""


_PAPER = "the paper's wording"
_SCRIPT = "the released script's wording: 'Light and Color', no space before and no stop after it"
_RASTER = (
    "a reconstruction: the original wording is printed only in a figure, and this follows the "
    "text that describes it"
)

# G 3.2 names the order, what to say of each object, the six dimensions with their meanings, the
# instructions by image type and the limit of words.
_RASTER_TEXT = (
    "Describe this image so that it can be painted again from your words alone. Go in raster-scan "
    "order, from top to bottom and from left to right, and give the position, shape and appearance "
    "of each object. Keep feature correspondence (textures, edges), geometric consistency (spatial "
    "layout, alignment), photometric properties (light, shadows, color tones), stylistic alignment "
    "(photo, painting, anime, screenshot), semantic coherence (complete, plausible objects) and "
    "structural integrity (overall composition). For a photo, name the scene and the light; for a "
    "screen or game, the layout and any legible text; for a painting or generated image, the style "
    "and medium. Answer with the description only, in {words} words or fewer."
)


def _of_script(text: str) -> str:
    changed = text.replace("image. Considering", "image.Considering")
    return changed.replace("Light, Color", "Light and Color").removesuffix(".")


_ALL = (
    *(
        Prompt(name=f"q{words}", text=text, words=words, source=_PAPER)
        for words, text in CAPTION_PROMPTS.items()
    ),
    *(
        Prompt(name=f"s{words}", text=_of_script(text), words=words, source=_SCRIPT)
        for words, text in CAPTION_PROMPTS.items()
    ),
    *(
        Prompt(
            name=f"raster{words}",
            text=_RASTER_TEXT.format(words=words),
            words=words,
            source=_RASTER,
        )
        for words in (15, 30, 60, 120)
    ),
    Prompt(name="none", text="", words=None, source="no prompt, for models that take none"),
    Prompt(
        name="florence-2",
        text="<MORE_DETAILED_CAPTION>",
        words=None,
        source="the longest of the three caption tasks that Florence-2 knows instead of questions",
    ),
    Prompt(
        name="paligemma",
        text="caption en",
        words=None,
        source="the task that PaliGemma knows instead of questions",
    ),
)
PROMPTS: Mapping[str, Prompt] = {prompt.name: prompt for prompt in _ALL}


def find_prompt(name: str) -> Prompt:
    """Return the prompt of this name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in PROMPTS:
        raise InputError(f"no prompt {name!r}; there are {', '.join(PROMPTS)}")
    return PROMPTS[name]
