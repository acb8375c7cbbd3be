"""An adapter's own settings: declared with their defaults, refused when they are not its own."""

from collections.abc import Mapping
from typing import TypeAlias

from protocol.errors import ModelError
from protocol.records import System

Value: TypeAlias = str | int | float | bool


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
