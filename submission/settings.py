"""An adapter's own settings: declared with their defaults, refused when they are not its own.

`settings.json` repeats what the adapters declare, with the values that can be: the Space knows no
adapter. A test holds it to them.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from protocol.errors import ModelError
from protocol.prompts import PROMPTS
from protocol.records import System

Value: TypeAlias = str | int | float | bool

FILE = Path(__file__).with_name("settings.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of an adapter, as a form shows it."""

    default: Value | None
    """None stands for the protocol's or the checkpoint's own number."""
    hint: str
    choices: tuple[str, ...] = ()
    """All values that can be; empty where others can."""
    above: float | None = None
    least: float | None = None
    most: float | None = None


@cache
def settings_of(adapter: str) -> Mapping[str, Setting]:
    """Return an adapter's settings by their names; none for an adapter that is not known."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: _setting(plain) for name, plain in table.get(adapter, {}).items()}


def _setting(plain: dict[str, object]) -> Setting:
    choices = plain.pop("choices", ())
    if plain.pop("choices_of", ""):
        choices = ("", *PROMPTS)
    return Setting(choices=tuple(choices), **plain)  # type: ignore[arg-type]


def wrong_settings(system: System) -> Iterator[str]:
    """Yield what is wrong with a system's settings, a sentence each."""
    known = settings_of(system.adapter.replace("_", "-"))
    defaults = {n: math.nan if s.default is None else s.default for n, s in known.items()}
    try:
        values = read_settings(system, defaults)
    except ModelError as error:
        yield str(error)
        return
    for name in sorted(system.settings):
        wanted = _wanted(known[name], values[name])
        if wanted:
            yield f"{system.adapter}?{name}={system.settings[name]}: wanted {wanted}"


def _wanted(setting: Setting, value: Value) -> str:
    """Return which values can be; empty where this one is among them."""
    if setting.choices:
        choices = ", ".join(choice or "nothing" for choice in setting.choices)
        return "" if value in setting.choices else f"one of {choices}"
    if isinstance(value, bool | str):
        return ""
    if not math.isfinite(value):
        return "a finite number"
    bounds = (
        (setting.above is not None and value <= setting.above, f"more than {setting.above}"),
        (setting.least is not None and value < setting.least, f"at least {setting.least}"),
        (setting.most is not None and value > setting.most, f"at most {setting.most}"),
    )
    return " and ".join(text for is_missed, text in bounds if is_missed)


def as_counted(adapter: str, name: str, text: str) -> str:
    """Return a setting's number as it is counted: `3.50` would be another row than `3.5`.

    What is no number, or is not to be one, is returned as it is.
    """
    setting = settings_of(adapter).get(name)
    if setting is None or setting.choices or isinstance(setting.default, bool | str):
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    is_whole = value.is_integer() and abs(value) < 2**53
    return str(int(value)) if is_whole else repr(value)


def is_default(adapter: str, name: str, text: str) -> bool:
    """Say whether a setting, as it is counted, is what it is when it is left out: one row."""
    setting = settings_of(adapter).get(name)
    if setting is None or setting.default is None:
        return False
    is_yes_or_no = isinstance(setting.default, bool)
    left_out = str(setting.default).lower() if is_yes_or_no else str(setting.default)
    return text == as_counted(adapter, name, left_out)


def read_settings(system: System, defaults: Mapping[str, Value]) -> dict[str, Value]:
    """Return the adapter's settings, each of its default's type.

    Raises:
        ModelError: a setting is unknown or is not of its type; the message lists what there is.
    """
    unknown = sorted(set(system.settings) - set(defaults))
    if unknown:
        raise ModelError(
            f"{system.adapter} has no setting {', '.join(unknown)}; "
            f"it has {', '.join(defaults) or 'none'}"
        )
    return {
        name: _read(system, name, default) if name in system.settings else default
        for name, default in defaults.items()
    }


def _read(system: System, name: str, default: Value) -> Value:
    text = system.settings[name]
    if isinstance(default, bool):
        if text in ("true", "false"):
            return text == "true"
    elif isinstance(default, str):
        return text
    else:
        try:
            return type(default)(text)
        except ValueError:
            pass
    kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
    raise ModelError(f"{system.adapter}?{name}={text}: wanted {kind}")
